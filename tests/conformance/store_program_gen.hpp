#pragma once

#include "tests/conformance/store_program.hpp"

#include <rapidcheck.h>

namespace crier::conformance {

/// A choice that becomes one step of a program. Any choices in any order make one, so that
/// RapidCheck, or whoever looks for a smaller program, may leave out what he likes.
struct StoreChoice {
    int kind = 0; ///< Of 100.
    int session = 0;
    int row = 0;
    int value = 0;
};

inline constexpr std::size_t store_sessions_max = 4;

/// Returns the program that the choices make, at most 5 statements a transaction. In the end every
/// transaction is committed.
[[nodiscard]] StoreProgram make_store_program(const std::vector<StoreChoice>& choices);

/// Draws what `make_store_program` takes.
[[nodiscard]] rc::Gen<std::vector<StoreChoice>> store_choices();

} // namespace crier::conformance
