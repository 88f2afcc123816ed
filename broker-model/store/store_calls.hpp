#pragma once

#include "sim/network.hpp"

// What clients and a database server ask of one another. Faults name most of these kinds.

namespace crier::broker {

inline constexpr sim::CallKind sql_statement{"sql-statement"}; ///< In a transaction.
inline constexpr sim::CallKind sql_execute{"sql-execute"};     ///< In a transaction of its own.
inline constexpr sim::CallKind sql_commit{"sql-commit"};
inline constexpr sim::CallKind sql_rollback{"sql-rollback"};
inline constexpr sim::CallKind sql_listen{"sql-listen"};
inline constexpr sim::CallKind sql_notification{"sql-notification"}; ///< The server's.
inline constexpr sim::CallKind sql_stream_open{"sql-stream-open"};
inline constexpr sim::CallKind sql_stream_read{"sql-stream-read"};
inline constexpr sim::CallKind sql_stream_confirm{"sql-stream-confirm"};
inline constexpr sim::CallKind sql_replicate{"sql-replicate"};   ///< A replica's.
inline constexpr sim::CallKind sql_connection{"sql-connection"}; ///< Its end is the news.

/// A connection is watched for longer than any run lasts.
inline constexpr Duration for_ever = std::chrono::hours(24 * 3650);

} // namespace crier::broker
