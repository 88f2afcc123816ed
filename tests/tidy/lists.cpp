#include "tests/tidy/rules.hpp"

#include <array>
#include <map>
#include <regex>

namespace crier::tidy {
namespace {

constexpr std::array<std::string_view, 7> modules{
    "messaging/", "sim/", "broker-model/", "properties/", "scenarios/", "reports/", "cli/"};

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

/// The lists of all targets, by folder.
class Lists {
public:
    explicit Lists(const std::vector<Source>& tree) {
        for (const auto& source : tree) {
            const bool is_list = source.path.ends_with("CMakeLists.txt");
            if (is_list) lists_[folder_of(source.path)] = &source;
        }
    }

    /// Returns the nearest list at or above `path`; null if there is none.
    [[nodiscard]] const Source* above(std::string_view path) const {
        for (auto folder = folder_of(path); !folder.empty(); folder = folder_of(folder)) {
            if (const auto list = lists_.find(folder); list != lists_.end()) return list->second;
        }
        return nullptr;
    }

    [[nodiscard]] bool name(std::string_view path) const {
        const auto* list = above(path);
        if (list == nullptr) return false;
        return names(list->text, path.substr(folder_of(list->path).size() + 1));
    }

private:
    std::map<std::string, const Source*> lists_;
};

/// A header that is installed needs the headers it includes to be installed.
void check_installed(const Source& header, const Lists& lists, Findings& findings) {
    const std::regex include(R"-(^\s*#\s*include\s*"([^"]+)")-");
    std::size_t number = 0;
    for (const auto line : lines_of(header.text)) {
        ++number;
        if (line.find("include") == std::string_view::npos) continue;
        std::match_results<std::string_view::const_iterator> match;
        if (!std::regex_search(line.begin(), line.end(), match, include)) continue;
        const auto name = match[1].str();
        if (!begins_with_any(name, modules) || lists.name(name)) continue;
        findings.push_back(
            {header.path, number, "is installed, but " + name + " is not; name it in the HEADERS"});
    }
}

} // namespace

void check_lists(const std::vector<Source>& tree, Findings& findings) {
    const Lists lists(tree);
    for (const auto& source : tree) {
        if (!is_cpp(source.path) || !begins_with_any(source.path, modules)) continue;
        const bool named = lists.name(source.path);
        if (source.path.ends_with(".hpp")) {
            if (named) check_installed(source, lists, findings);
        } else if (!named) {
            findings.push_back({source.path, 0, "is named in no CMakeLists.txt above: not built"});
        }
    }
}

} // namespace crier::tidy
