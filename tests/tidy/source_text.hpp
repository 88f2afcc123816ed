#pragma once

#include <string>
#include <string_view>
#include <vector>

// What the tidy rules look at: one file's text, once as written and once as bare code. This knows
// just enough C++ to tell code from comments and literals; it does not parse.

namespace crier::tidy {

/// One source file of the tree.
struct Source {
    std::string path; ///< From the repository root, with `/`.
    std::string text; ///< As written.
    std::string code; ///< As long as `text`, with comments and the insides of literals blanked.
};

/// A rule that a line breaks.
struct Finding {
    std::string path;
    std::size_t line = 0; ///< From 1; 0: the file as a whole.
    std::string message;  ///< What is wrong and what to do instead.

    /// Returns `path:line: message`.
    [[nodiscard]] std::string str() const;
};

using Findings = std::vector<Finding>;

/// Makes a source of a text, blanking what is no code.
[[nodiscard]] Source make_source(std::string path, std::string text);

/// Reads all files under the root's module, test and example folders that are C++ or lists of such
/// (CMakeLists.txt), scenarios, and mutants. **Order**: by path.
[[nodiscard]] std::vector<Source> read_tree(const std::string& root);

/// Returns the line (from 1) in which `offset` of `text` lies.
[[nodiscard]] std::size_t line_of(std::string_view text, std::size_t offset);

/// Returns the lines of `text`, without their ends.
[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view text);

/// Returns whether a path is C++ (`.hpp` or `.cpp`).
[[nodiscard]] bool is_cpp(std::string_view path);

/// Returns whether `path` begins with one of `prefixes`.
template <class Prefixes>
[[nodiscard]] bool begins_with_any(std::string_view path, const Prefixes& prefixes) {
    for (const std::string_view prefix : prefixes) {
        if (path.starts_with(prefix)) return true;
    }
    return false;
}

} // namespace crier::tidy
