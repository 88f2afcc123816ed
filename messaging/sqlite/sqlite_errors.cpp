#include "messaging/sqlite/sqlite_errors.hpp"

#include <sqlite3.h>

namespace crier::messaging::sqlite {

namespace {

StoreError constraint_error(int code) {
    switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID: return StoreError::unique_violation;
    case SQLITE_CONSTRAINT_FOREIGNKEY:
    case SQLITE_CONSTRAINT_TRIGGER: return StoreError::foreign_key_violation;
    case SQLITE_CONSTRAINT_CHECK:
    case SQLITE_CONSTRAINT_NOTNULL: return StoreError::check_violation;
    default: return StoreError::statement_error;
    }
}

/// Codes that say that the file or the memory behind the connection failed, not the statement.
bool is_broken(int primary) {
    return primary == SQLITE_IOERR || primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB ||
           primary == SQLITE_CANTOPEN || primary == SQLITE_NOMEM || primary == SQLITE_PROTOCOL;
}

} // namespace

Failure to_failure(int code, Step step) {
    const int primary = code & 0xff;
    if (is_broken(primary)) {
        if (step == Step::open) return {StoreError::unavailable, Certainty::failed};
        const bool in_doubt = step == Step::commit;
        return {StoreError::connection_lost, in_doubt ? Certainty::unknown : Certainty::failed};
    }
    if (code == SQLITE_BUSY_SNAPSHOT) return {StoreError::serialization_failure, Certainty::failed};
    switch (primary) {
    case SQLITE_CONSTRAINT: return {constraint_error(code), Certainty::failed};
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return {StoreError::lock_timeout, Certainty::failed};
    case SQLITE_FULL: return {StoreError::disk_full, Certainty::failed};
    default: break;
    }
    if (step == Step::open) return {StoreError::unavailable, Certainty::failed};
    return {StoreError::statement_error, Certainty::failed};
}

} // namespace crier::messaging::sqlite
