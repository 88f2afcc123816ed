#pragma once

#include "properties/property.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

// How checkers keep what they found until the names are known at the end of the run. Streams carry
// hashes; a witness is put into words only in `finish`.

namespace crier::properties {

/// A sentence with gaps for names, filled in at the end.
class Sentence {
public:
    Sentence& words(std::string_view text);
    Sentence& number(std::int64_t value);
    Sentence& text(std::uint64_t hash);
    Sentence& node(std::uint32_t id);
    Sentence& time(std::int64_t nanoseconds);

    [[nodiscard]] std::string render(const Topology& topology, const sim::TextTable* texts) const;

private:
    struct Text {
        std::uint64_t hash;
    };
    struct Node {
        std::uint32_t id;
    };

    std::vector<std::variant<std::string, Text, Node>> parts_;
};

/// One violation, kept for the verdict.
struct Finding {
    std::int64_t time = 0;
    Sentence witness;
    std::vector<std::uint64_t>
        subjects;                      ///< The main first; empty ones and repetitions are left out.
    std::vector<std::uint64_t> events; ///< In any order; zeros are left out.
    std::optional<std::size_t> subscriber; ///< Whose it is, if it is one's.
};

/// Counts what a checker saw and keeps its first finding.
class Tally {
public:
    void observe(std::uint64_t count = 1) { observations_ += count; }

    /// Counts a violation; `make` is called for the first one only.
    template <class Make>
    void violate(Make&& make) {
        if (violations_++ == 0) first_ = std::forward<Make>(make)();
    }

    /// Returns the first violation, to add to it what came later. **Requires** that there is one.
    [[nodiscard]] Finding& first() { return first_; }

    /// Counts something that has not come by the end of the run. That is a violation unless the run
    /// was cut short. `make` is called for the first one only.
    template <class Make>
    void miss(Make&& make) {
        if (missed_++ == 0) first_missed_ = std::forward<Make>(make)();
    }

    [[nodiscard]] Verdict verdict(std::string_view property, const Topology& topology,
                                  const RunEnd& end) const;

private:
    std::uint64_t observations_ = 0;
    std::uint64_t violations_ = 0;
    std::uint64_t missed_ = 0;
    Finding first_;
    Finding first_missed_;
};

} // namespace crier::properties
