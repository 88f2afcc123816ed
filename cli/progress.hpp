#pragma once

#include "scenarios/explore.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace crier::cli {

/// Shows on standard error how far an exploration or sweep is: a bar that moves on a terminal,
/// otherwise a line every ten seconds. Without a bar where nobody knows how much is left.
class Progress {
public:
    /// `what` is counted: `seeds`.
    explicit Progress(std::string what,
                      std::optional<std::chrono::nanoseconds> time_limit = std::nullopt);

    void show(const scenario::ExploreProgress& now);

    /// Takes the bar away.
    void clear();

private:
    std::string what_;
    std::optional<std::chrono::nanoseconds> time_limit_;
    bool on_terminal_;
    bool shown_ = false;
    std::chrono::nanoseconds shown_at_{};
};

} // namespace crier::cli
