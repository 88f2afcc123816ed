#pragma once

#include "broker-model/store/sequences.hpp"
#include "messaging/ports/clock.hpp"

#include <cstdint>
#include <memory>
#include <string_view>

struct sqlite3;

// SQL functions whose answers must come from the world: random(), randomblob(), the date functions,
// current_timestamp and its kin, and nextval(). Each connection overrides its own.

namespace crier::broker {

/// Where a connection's functions get their answers.
class SqlSources {
public:
    virtual ~SqlSources() = default;

    /// Returns 64 uniform bits for the `index`-th draw of the running statement.
    [[nodiscard]] virtual std::uint64_t random(std::uint64_t index) = 0;
    [[nodiscard]] virtual WallTime wall_now() = 0;
    [[nodiscard]] virtual SequenceResult next_value(std::string_view sequence,
                                                    std::int64_t& value) = 0;
    [[nodiscard]] virtual SequenceResult create_sequence(std::string_view name) = 0;
};

/// The overriding functions of one connection.
class SqlFunctions {
public:
    /// Without `sources` the functions exist, and fail when they are called.
    SqlFunctions(sqlite3* connection, SqlSources* sources);
    ~SqlFunctions();
    SqlFunctions(const SqlFunctions&) = delete;
    SqlFunctions& operator=(const SqlFunctions&) = delete;

    /// A statement begins; its draws count from 0.
    void statement_begins() { draws_ = 0; }

private:
    struct Glue;

    SqlSources* sources_;
    std::uint64_t draws_ = 0;
    sqlite3* calendar_ =
        nullptr; // SQLite's own date functions, told what time it is; opened when needed
};

} // namespace crier::broker
