#pragma once

#include "scenarios/explore.hpp"

#include <chrono>
#include <optional>

namespace crier::cli {

/// Shows on standard error how far an exploration is: a bar that moves on a terminal, otherwise a
/// line every ten seconds.
class Progress {
public:
    explicit Progress(std::optional<std::chrono::nanoseconds> time_limit);

    void show(const scenario::ExploreProgress& now);

    /// Takes the bar away.
    void clear();

private:
    std::optional<std::chrono::nanoseconds> time_limit_;
    bool on_terminal_;
    bool shown_ = false;
    std::chrono::nanoseconds shown_at_{};
};

} // namespace crier::cli
