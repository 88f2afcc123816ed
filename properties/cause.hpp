#pragma once

#include "properties/property.hpp"

#include <span>
#include <string>

// The cause of a violation in words, by a few rules per property over what happened to its subject.
// A rule says only what the events show; where none fits, the cause is the general one of the
// property.

namespace crier::properties {

/// Returns one sentence part without a full stop ("the offset was committed before …"), or nothing
/// for a verdict that is not a violation or a property that has no rules.
[[nodiscard]] std::string cause_of(const Verdict& verdict, std::span<const sim::Event> history,
                                   const sim::TextTable& texts,
                                   std::span<const std::string> node_names);

} // namespace crier::properties
