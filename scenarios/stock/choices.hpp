#pragma once

#include "messaging/ports/ensure.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace crier::scenario {

/// Returns the enumerator at the place that `name` has in `names`, which are in the order of the
/// enumeration.
template <class Enumeration>
[[nodiscard]] Enumeration chosen(const std::string& name, const std::vector<std::string>& names) {
    const auto found = std::find(names.begin(), names.end(), name);
    ensure(found != names.end(), "a choice is one of its names");
    return static_cast<Enumeration>(found - names.begin());
}

} // namespace crier::scenario
