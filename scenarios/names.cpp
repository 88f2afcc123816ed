#include "scenarios/names.hpp"

#include <algorithm>

namespace crier::scenario {

namespace {

constexpr std::size_t length_max = 100; // beyond it nobody mistypes, and the distance is quadratic
constexpr std::size_t listed_max = 30;

/// Edit distance with swaps of neighbours (optimal string alignment).
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1);
    std::vector<std::size_t> above(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        above[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], before[j - 2] + 1);
            }
        }
        before.swap(above);
        above.swap(row);
    }
    return above[b.size()];
}

} // namespace

std::optional<std::string> nearest_name(std::string_view name,
                                        std::span<const std::string> candidates) {
    if (name.empty() || name.size() > length_max) return std::nullopt;
    std::size_t least = std::max<std::size_t>(1, name.size() / 3) + 1;
    std::optional<std::string> nearest;
    for (const std::string& candidate : candidates) {
        if (candidate.size() > length_max) continue;
        const std::size_t far = distance(name, candidate);
        if (far >= least) continue;
        least = far;
        nearest = candidate;
    }
    return nearest;
}

std::string name_hint(std::string_view name, std::span<const std::string> candidates) {
    if (candidates.empty()) return " (there are none)";
    if (const auto nearest = nearest_name(name, candidates)) {
        return " (did you mean `" + *nearest + "`?)";
    }
    if (candidates.size() > listed_max) return "";
    return " (there are: " + quoted_list(candidates) + ")";
}

std::string quoted_list(std::span<const std::string> names) {
    std::string list;
    for (std::size_t at = 0; at < names.size(); ++at) {
        if (at > 0) list += at + 1 == names.size() ? " and " : ", ";
        list += "`" + names[at] + "`";
    }
    return list;
}

} // namespace crier::scenario
