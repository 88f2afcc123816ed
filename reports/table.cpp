#include "reports/table.hpp"

#include <algorithm>

namespace crier::report {

namespace {

std::size_t width_of(const std::string& cell) {
    std::size_t width = 0;
    bool in_escape = false;
    for (const char c : cell) {
        if (c == '\033') in_escape = true;
        if (!in_escape) ++width;
        if (c == 'm') in_escape = false;
    }
    return width;
}

} // namespace

std::string Table::text() const {
    std::vector<std::size_t> widths;
    for (const auto& cells : rows_) {
        widths.resize(std::max(widths.size(), cells.size()));
        for (std::size_t at = 0; at < cells.size(); ++at)
            widths[at] = std::max(widths[at], width_of(cells[at]));
    }
    std::string text;
    for (const auto& cells : rows_) {
        std::string line;
        for (std::size_t at = 0; at < cells.size(); ++at) {
            const std::string padding(widths[at] - width_of(cells[at]), ' ');
            line += at == 0 ? "" : "  ";
            line += at >= numbers_from_ ? padding + cells[at] : cells[at] + padding;
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    }
    return text;
}

} // namespace crier::report
