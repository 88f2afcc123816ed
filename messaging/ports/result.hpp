#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>
#include <boost/system/system_error.hpp>

// The vocabulary of outcomes. An operation that crosses a process border ends in one of three ways:
// it happened (a value), it did not and never will (`failed`), or nobody can tell (`unknown`).
// A port never reports `failed` for an unknown outcome.

namespace crier {

using boost::system::error_code;

/// How sure a failure is.
enum class Certainty {
    failed,  ///< The operation did not happen and never will.
    unknown, ///< The operation may have happened, or may still happen.
};

/// Why an operation has no value, and whether it may have happened all the same.
struct Failure {
    error_code code;
    Certainty certainty = Certainty::unknown; ///< Who does not say claims nothing.

    friend bool operator==(const Failure&, const Failure&) = default;
};

/// Called by `Outcome::value()` on a failure; throws `boost::system::system_error`.
[[noreturn]] inline void throw_exception_from_error(const Failure& failure,
                                                    const boost::source_location&) {
    throw boost::system::system_error(failure.code);
}

/// The value of an operation, or its failure.
template <class T>
using Outcome = boost::system::result<T, Failure>;

/// A value, or what is wrong with the input; for work without side effects.
template <class T, class E>
using Result = boost::system::result<T, E>;

[[nodiscard]] inline bool is_unknown(const Failure& failure) {
    return failure.certainty == Certainty::unknown;
}

} // namespace crier
