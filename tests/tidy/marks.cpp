#include "tests/tidy/rules.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <regex>

namespace crier::tidy {
namespace {

constexpr std::size_t columns_max = 100;
constexpr std::array<std::string_view, 7> listed{
    "messaging/", "sim/", "broker-model/", "properties/", "scenarios/", "reports/", "cli/"};

/// Returns the number of characters of UTF-8 text.
std::size_t columns(std::string_view line) {
    return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    }));
}

std::string folder_of(std::string_view path) {
    const auto slash = path.rfind('/');
    return slash == std::string_view::npos ? std::string() : std::string(path.substr(0, slash));
}

/// Returns whether `list` names `file`, as a word of its own.
bool names(std::string_view list, std::string_view file) {
    for (auto at = list.find(file); at != std::string_view::npos; at = list.find(file, at + 1)) {
        constexpr std::string_view separators = " \t\n()\"";
        const bool begins = at == 0 || separators.find(list[at - 1]) != std::string_view::npos;
        const auto after = at + file.size();
        const bool ends =
            after == list.size() || separators.find(list[after]) != std::string_view::npos;
        if (begins && ends) return true;
    }
    return false;
}

/// Returns whether `line` has one of `markers` as a word, without `(#NUMBER)` after it.
template <class Markers>
bool is_unnumbered(std::string_view line, const Markers& markers) {
    for (const auto marker : markers) {
        if (line.find(marker) == std::string_view::npos) continue;
        const std::regex bare("\\b" + std::string(marker) + "\\b(?!\\(#\\d+\\))");
        if (std::regex_search(line.begin(), line.end(), bare)) return true;
    }
    return false;
}

} // namespace

void check_marks(const Source& source, Findings& findings) {
    // Written apart, so that this file does not find itself.
    constexpr std::array<std::string_view, 4> markers{"TO"
                                                      "DO",
                                                      "FIX"
                                                      "ME",
                                                      "XX"
                                                      "X",
                                                      "HA"
                                                      "CK"};
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
        if (is_cpp(source.path) && columns(line) > columns_max) {
            findings.push_back({source.path, number, "line over 100 columns; break it"});
        }
    }
}

void check_lists(const std::vector<Source>& tree, Findings& findings) {
    std::map<std::string, const Source*> lists; // By folder.
    for (const auto& source : tree) {
        if (source.path.ends_with("CMakeLists.txt")) lists[folder_of(source.path)] = &source;
    }
    for (const auto& source : tree) {
        if (!is_cpp(source.path) || !begins_with_any(source.path, listed)) continue;
        auto folder = folder_of(source.path);
        while (!folder.empty() && !lists.contains(folder))
            folder = folder_of(folder);
        const auto list = lists.find(folder);
        const auto file = std::string_view(source.path).substr(folder.size() + 1);
        if (list == lists.end() || !names(list->second->text, file)) {
            findings.push_back({source.path, 0,
                                "is not named in " + folder +
                                    "/CMakeLists.txt: it is not built or not installed"});
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
    return findings;
}

} // namespace crier::tidy
