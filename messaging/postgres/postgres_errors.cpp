#include "messaging/postgres/postgres_errors.hpp"

#include <algorithm>
#include <array>

namespace crier::messaging::postgres {

namespace {

struct Known {
    std::string_view sqlstate;
    StoreError error;
};

constexpr std::array<Known, 21> known_states{{
    {"23505", StoreError::unique_violation},
    {"23P01", StoreError::unique_violation}, // an exclusion constraint
    {"23503", StoreError::foreign_key_violation},
    {"23001", StoreError::foreign_key_violation},
    {"23514", StoreError::check_violation},
    {"23502", StoreError::check_violation},
    {"40001", StoreError::serialization_failure},
    {"40P01", StoreError::deadlock},
    {"55P03", StoreError::lock_timeout},
    {"25P02", StoreError::aborted},
    {"53100", StoreError::disk_full},
    {"53300", StoreError::too_many_connections},
    {"57014", StoreError::query_canceled},
    {"25P03", StoreError::idle_transaction_timeout},
    {"57P05", StoreError::connection_lost}, // idle_session_timeout
    {"57P01", StoreError::shutdown},
    {"57P02", StoreError::shutdown},
    {"57P03", StoreError::shutdown},
    {"25006", StoreError::read_only},
    {"40003", StoreError::connection_lost}, // statement_completion_unknown
    {"55006", StoreError::unavailable},     // in use, as a slot of another reader is
}};

StoreError error_of(std::string_view sqlstate) {
    const auto* const found =
        std::find_if(known_states.begin(), known_states.end(),
                     [sqlstate](const Known& known) { return known.sqlstate == sqlstate; });
    if (found != known_states.end()) return found->error;
    if (sqlstate.empty() || sqlstate.starts_with("08")) return StoreError::connection_lost;
    return StoreError::statement_error;
}

/// The server cuts a connection for these only while it waits for a command, so that the one under
/// way was never begun.
bool was_idle(std::string_view sqlstate) {
    return sqlstate == "25P03" || sqlstate == "57P05";
}

} // namespace

Failure to_failure(const Refusal& refusal, Step step) {
    StoreError error = error_of(refusal.sqlstate);
    // Such as 08P01 for parameters too many: words of the connection's class that do not end it.
    if (!refusal.is_disconnected && refusal.sqlstate.starts_with("08"))
        error = StoreError::statement_error;
    // Last words such as "out of memory" tell why the connection is gone, but that is what counts.
    if (refusal.is_disconnected && error == StoreError::statement_error)
        error = StoreError::connection_lost;
    const bool is_kept = step == Step::commit || step == Step::alone;
    const bool is_cut = refusal.is_disconnected && !was_idle(refusal.sqlstate);
    const bool is_in_doubt = is_kept && (is_cut || refusal.sqlstate == "40003");
    return {error, is_in_doubt ? Certainty::unknown : Certainty::failed};
}

} // namespace crier::messaging::postgres
