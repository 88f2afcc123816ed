#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace crier::broker {

/// How many columns of a watch may be followed.
inline constexpr std::size_t followed_columns_max = 6;

/// What a followed column holds, as a history operand.
struct FollowedValue {
    enum class Type : std::uint8_t { none, number, text };
    Type type = Type::none; ///< None: null.
    std::uint64_t value = 0;

    friend bool operator==(const FollowedValue&, const FollowedValue&) = default;
};

/// A row of a watched table, as history operands.
struct WatchedRow {
    std::uint32_t watch = 0; ///< Index in `DatabaseOptions::watches`.
    std::uint64_t identity = 0;
    std::uint64_t key = 0;
    std::array<FollowedValue, followed_columns_max> followed{}; ///< As the watch has them.

    friend bool operator==(const WatchedRow&, const WatchedRow&) = default;
};

/// A watched row that came, went or changed.
struct WatchedChange {
    std::optional<WatchedRow> from; ///< None: it is new.
    std::optional<WatchedRow> to;   ///< None: it was removed.
};

/// Returns what the changes of a transaction come to, row by row, in the order in which the rows
/// were touched first.
[[nodiscard]] std::vector<WatchedChange> net_changes(const std::vector<WatchedChange>& changes);

} // namespace crier::broker
