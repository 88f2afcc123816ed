#include "tests/tidy/source_text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace crier::tidy {
namespace {

constexpr std::array<std::string_view, 9> folders{"broker-model", "cli",        "examples",
                                                  "messaging",    "properties", "reports",
                                                  "scenarios",    "sim",        "tests"};

/// Blanks `[begin, end)` of `code`, keeping the line structure.
void blank(std::string& code, std::size_t begin, std::size_t end) {
    for (std::size_t at = begin; at < std::min(end, code.size()); ++at) {
        if (code[at] != '\n') code[at] = ' ';
    }
}

/// Returns where the literal that `quote` opens at `begin` ends (its closing quote, or the line's
/// end).
std::size_t literal_end(std::string_view text, std::size_t begin, char quote) {
    for (std::size_t at = begin + 1; at < text.size(); ++at) {
        if (text[at] == '\\') {
            ++at;
        } else if (text[at] == quote || text[at] == '\n') {
            return at;
        }
    }
    return text.size();
}

/// Returns where the raw literal whose quote is at `quote` ends (its closing quote).
std::size_t raw_literal_end(std::string_view text, std::size_t quote) {
    const auto open = text.find('(', quote);
    if (open == std::string_view::npos) return text.size();
    std::string close = ")";
    close += text.substr(quote + 1, open - quote - 1);
    close += '"';
    const auto found = text.find(close, open);
    return found == std::string_view::npos ? text.size() : found + close.size() - 1;
}

bool is_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

std::string code_of(const std::string& text) {
    std::string code = text;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const std::string_view rest = std::string_view(text).substr(at);
        if (rest.starts_with("//")) {
            const auto end = std::min(text.find('\n', at), text.size());
            blank(code, at, end);
            at = end;
        } else if (rest.starts_with("/*")) {
            const auto close = text.find("*/", at + 2);
            const auto end = close == std::string::npos ? text.size() : close + 2;
            blank(code, at, end);
            at = end - 1;
        } else if (text[at] == '"') {
            const bool raw = at > 0 && text[at - 1] == 'R';
            const auto end = raw ? raw_literal_end(text, at) : literal_end(text, at, '"');
            blank(code, at + 1, end);
            at = end;
        } else if (text[at] == '\'' && (at == 0 || !is_word(text[at - 1]))) {
            // After a word character it separates digits.
            const auto end = literal_end(text, at, '\'');
            blank(code, at + 1, end);
            at = end;
        }
    }
    return code;
}

} // namespace

std::string Finding::str() const {
    return path + ":" + std::to_string(line) + ": " + message;
}

Source make_source(std::string path, std::string text) {
    Source source;
    source.code = is_cpp(path) ? code_of(text) : text;
    source.path = std::move(path);
    source.text = std::move(text);
    return source;
}

std::vector<Source> read_tree(const std::string& root) {
    std::vector<std::string> paths;
    for (const auto folder : folders) {
        const auto top = std::filesystem::path(root) / folder;
        if (!std::filesystem::is_directory(top)) continue;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(top)) {
            if (!entry.is_regular_file()) continue;
            const auto path = entry.path().lexically_relative(root).generic_string();
            const bool read = is_cpp(path) || path.ends_with("CMakeLists.txt") ||
                              path.ends_with(".yaml") || path.ends_with(".patch");
            if (read) paths.push_back(path);
        }
    }
    std::sort(paths.begin(), paths.end());
    std::vector<Source> sources;
    for (const auto& path : paths) {
        std::ifstream file(std::filesystem::path(root) / path, std::ios::binary);
        std::ostringstream text;
        text << file.rdbuf();
        sources.push_back(make_source(path, text.str()));
    }
    return sources;
}

std::size_t line_of(std::string_view text, std::size_t offset) {
    const auto before = text.substr(0, offset);
    return 1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

bool is_cpp(std::string_view path) {
    return path.ends_with(".hpp") || path.ends_with(".cpp");
}

} // namespace crier::tidy
