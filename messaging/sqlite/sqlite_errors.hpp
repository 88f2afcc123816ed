#pragma once

#include "messaging/ports/store.hpp"

// What SQLite's result codes mean in the words of the store port.

namespace crier::messaging::sqlite {

/// What was being done when SQLite answered.
enum class Step {
    open,      ///< Opening the file, or taking the right to write.
    statement, ///< A statement before the commit.
    commit,
};

/// Returns the failure for the extended result code `code`, which is not a success.
/// **Errors**: unknown only for a commit that the disk interrupted: whether the last frame of the
/// log is valid shows when it is read again.
[[nodiscard]] Failure to_failure(int code, Step step);

} // namespace crier::messaging::sqlite
