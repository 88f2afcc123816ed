#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace crier::report {

/// Lines in columns, as wide as their widest cell; ANSI colours count for nothing.
class Table {
public:
    void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

    /// Aligns this column and those after it to the right.
    void numbers_from(std::size_t column) { numbers_from_ = column; }

    /// Returns the lines, each ending in a newline.
    [[nodiscard]] std::string text() const;

private:
    std::vector<std::vector<std::string>> rows_;
    std::size_t numbers_from_ = static_cast<std::size_t>(-1);
};

} // namespace crier::report
