#include "tests/tidy/rules.hpp"

#include <algorithm>
#include <array>
#include <regex>

namespace crier::tidy {
namespace {

constexpr std::size_t columns_max = 100;
/// Returns the number of characters of UTF-8 text.
std::size_t columns(std::string_view line) {
    return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    }));
}

/// Returns whether `line` has one of `markers` as a word, without `(#NUMBER)` after it.
template <class Markers>
bool is_unnumbered(std::string_view line, const Markers& markers) {
    for (const auto& marker : markers) {
        if (line.find(marker) == std::string_view::npos) continue;
        const std::regex bare("\\b" + marker + "\\b(?!\\(#\\d+\\))");
        if (std::regex_search(line.begin(), line.end(), bare)) return true;
    }
    return false;
}

} // namespace

void check_marks(const Source& source, Findings& findings) {
    // Words are cut in two, so that searching the tree for them does not find this file.
    static const std::array<std::string, 4> markers{
        std::string("TO") + "DO", std::string("FIX") + "ME", std::string("XX") + "X",
        std::string("HA") + "CK"};
    std::size_t number = 0;
    for (const auto line : lines_of(source.text)) {
        ++number;
        if (is_unnumbered(line, markers)) {
            findings.push_back(
                {source.path, number,
                 "marker without an issue's number; do it, or write `(#12)` after it"});
        }
        if (line.find('\t') != std::string_view::npos) {
            findings.push_back({source.path, number, "tab; indent with spaces"});
        }
        // A raw string (a regular expression) cannot be broken.
        const bool is_raw = line.find("R\"(") != std::string_view::npos;
        if (is_cpp(source.path) && !is_raw && columns(line) > columns_max) {
            findings.push_back({source.path, number, "line over 100 columns; break it"});
        }
    }
}

Findings check_tree(const std::vector<Source>& tree) {
    Findings findings;
    for (const auto& source : tree) {
        check_includes(source, findings);
        check_determinism(source, findings);
        check_co_await(source, findings);
        check_marks(source, findings);
    }
    check_lists(tree, findings);
    check_mutants(tree, findings);
    return findings;
}

} // namespace crier::tidy
