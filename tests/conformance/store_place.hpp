#pragma once

#include "tests/conformance/store_program.hpp"

#include <memory>
#include <string>
#include <vector>

namespace crier::conformance {

/// Somewhere where programs can be run, each on tables of its own.
class StorePlace {
public:
    virtual ~StorePlace() = default;

    /// Runs the programs, side by side where that is quicker. **Returns** the history of each.
    [[nodiscard]] virtual std::vector<StoreHistory>
    run(const std::vector<StoreProgram>& programs) = 0;
};

/// Returns the simulated database server; `missing` stays as it is.
[[nodiscard]] std::unique_ptr<StorePlace> model_place(std::string& missing);

/// Returns a real PostgreSQL, started for this, or nothing where there is none; `missing` says why.
[[nodiscard]] std::unique_ptr<StorePlace> postgres_place(std::string& missing);

/// The same with settings for postgresql.conf, to see that another server is told apart.
[[nodiscard]] std::unique_ptr<StorePlace>
postgres_place_with(std::string& missing, const std::vector<std::string>& settings);

} // namespace crier::conformance
