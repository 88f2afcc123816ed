#pragma once

#include "broker-model/store/disk_access.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Sequences of one database: counters outside of transactions. A number is handed out once,
// whatever happens: the disk knows a limit ahead of what is handed out, so a death skips numbers
// and repeats none.

namespace crier::broker {

/// What became of a request to a sequence.
enum class SequenceResult { done, unknown_name, exists, disk_full, dead };

/// The sequences of one server's life.
class Sequences {
public:
    /// Their files on the disk are named `PREFIX.sequence.NAME`.
    Sequences(DiskAccess& access, std::string prefix)
        : access_(access), prefix_(std::move(prefix)) {}

    /// Makes a sequence that starts with 1.
    SequenceResult create(std::string_view name);

    /// Sets `value` to the next number. **Source**: PostgreSQL sequence.c logs 32 numbers ahead.
    SequenceResult next(std::string_view name, std::int64_t& value);

    /// Returns the files of the sequences that were made or used in this life.
    [[nodiscard]] std::vector<std::string> files() const;

private:
    struct Sequence {
        std::string name;
        std::int64_t last; // handed out
        std::int64_t
            reserved; // on the disk: no number up to this is handed out again after a restart
    };

    [[nodiscard]] std::string file_of(std::string_view name) const;
    [[nodiscard]] Sequence* find(std::string_view name);
    SequenceResult reserve(Sequence& sequence);

    DiskAccess& access_;
    std::string prefix_;
    std::vector<Sequence> known_;
};

} // namespace crier::broker
