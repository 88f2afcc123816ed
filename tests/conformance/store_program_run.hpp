#pragma once

#include "messaging/ports/process.hpp"
#include "tests/conformance/store_program.hpp"

#include <functional>

// Runs a program over the store port, on any arm.

namespace crier::conformance {

/// A database of `store_program_schema` with the rows of `store_program_rows`, and its sessions.
class StoreArm {
public:
    virtual ~StoreArm() = default;

    [[nodiscard]] virtual Clock& clock() = 0;
    [[nodiscard]] virtual Background& background() = 0;

    /// Returns the store of which the session alone takes transactions, one at a time.
    [[nodiscard]] virtual Store& store(std::size_t session) = 0;

    /// Returns the sessions whose statement is not answered yet.
    using Pending = std::function<std::vector<std::size_t>()>;

    /// Completes when everything rests: whoever is pending waits for a lock, and only a step of a
    /// session that does not wait can end that.
    [[nodiscard]] virtual asio::awaitable<void> settle(Pending pending) = 0;
};

/// Takes the steps of the program and fills the history.
/// **Lifetime**: both outlive the run, also if it is given up.
[[nodiscard]] asio::awaitable<void> run_store_program(const StoreProgram& program, StoreArm& arm,
                                                      StoreHistory& history);

} // namespace crier::conformance
