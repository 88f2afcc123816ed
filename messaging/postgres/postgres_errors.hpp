#pragma once

#include "messaging/ports/store.hpp"

#include <string_view>

// What PostgreSQL's SQLSTATE codes mean in the words of the store port.
// Source: PostgreSQL 15, appendix A.

namespace crier::messaging::postgres {

/// What the server was asked when it answered.
enum class Step {
    statement, ///< Something before a commit: certainly undone when it fails.
    alone,     ///< A statement that commits by itself.
    commit,
};

/// What came back instead of success.
struct Refusal {
    std::string_view sqlstate;    ///< Empty: the connection ended without a word.
    bool is_disconnected = false; ///< The connection is gone.
};

/// Returns the failure.
/// **Errors**: unknown when the connection ended while something was to be committed, whatever the
/// last words were: the server may say that it shuts down after the commit was made.
[[nodiscard]] Failure to_failure(const Refusal& refusal, Step step);

} // namespace crier::messaging::postgres
