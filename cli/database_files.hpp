#pragma once

#include "scenarios/run.hpp"

#include <CLI/App.hpp>
#include <string>

namespace crier::cli {

/// Where `--keep-databases DIR` puts the databases of a run; empty: nowhere.
struct DatabaseFiles {
    std::string folder;

    void add_to(CLI::App& verb);

    /// Says at once what is wrong with writing there later. **Errors**: throws `BadInput`.
    void check() const;

    /// Writes each database as an SQLite file, and the folder if it is not there.
    /// **Errors**: throws `BadInput`; files that are written already stay.
    void write(const scenario::RunResult& run) const;
};

} // namespace crier::cli
