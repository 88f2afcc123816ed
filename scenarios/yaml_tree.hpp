#pragma once

#include "scenarios/load_scenario.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// YAML as a plain tree in which every value knows its place. Stricter than YAML: one document, keys
// are text and occur once, no anchors, aliases or tags, so that what is read is what is written.

namespace crier::scenario {

struct YamlKey {
    std::string text;
    Place place;
};

struct YamlNode {
    enum class Kind { null, scalar, list, map };

    Kind kind = Kind::null;
    std::string text;  ///< Of a scalar.
    bool plain = true; ///< A scalar without quotes: it may be a number or a flag.
    Place place;
    std::vector<YamlKey> keys; ///< Of a map: one per item.
    std::vector<YamlNode> items;

    /// Returns the value under that key of a map, or null.
    [[nodiscard]] const YamlNode* find(std::string_view key) const;
};

/// Reads a document. What is wrong goes to `errors`. **Returns** nothing when there is no tree to
/// judge further; with duplicate keys there is one, with the first of each.
[[nodiscard]] std::optional<YamlNode> parse_yaml(std::string_view text, const std::string& file,
                                                 LoadErrors& errors);

/// Returns the place of the first byte that is not UTF-8 or not text, or nothing.
[[nodiscard]] std::optional<Place> find_bad_text(std::string_view text);

} // namespace crier::scenario
