#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace crier::broker {

/// A row of a watched table, as history operands.
struct WatchedRow {
    std::uint32_t watch = 0; ///< Index in `DatabaseOptions::watches`.
    std::uint64_t identity = 0;
    std::uint64_t key = 0;

    friend bool operator==(const WatchedRow&, const WatchedRow&) = default;
};

/// A watched row that came, went or changed.
struct WatchedChange {
    std::optional<WatchedRow> from; ///< None: it is new.
    std::optional<WatchedRow> to;   ///< None: it was removed.
};

/// Returns the rows that changes bring, in order, without those that they take away again.
[[nodiscard]] std::vector<WatchedRow> rows_brought(const std::vector<WatchedChange>& changes);

} // namespace crier::broker
