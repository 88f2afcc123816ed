#pragma once

#include "properties/property.hpp"

#include <span>
#include <string>
#include <vector>

// The cause of a violation in words, by a few rules per property over what happened to its subject.
// A rule says only what the events show; where none fits, the cause is the general one of the
// property.

namespace crier::properties {

struct Cause {
    std::string
        text; ///< One sentence part without a full stop: "the offset was committed before …".
    std::vector<std::uint64_t> events; ///< Sequences of those it speaks of.
};

/// Returns the cause; nothing for a verdict that is not a violation or a property without rules.
[[nodiscard]] Cause cause_of(const Verdict& verdict, std::span<const sim::Event> history,
                             const sim::TextTable& texts, std::span<const std::string> node_names);

} // namespace crier::properties
