#pragma once

#include <cstdint>
#include <string>

namespace crier::report {

/// Returns a digest as people copy it: sixteen hexadecimal digits.
[[nodiscard]] std::string digest_text(std::uint64_t digest);

/// How outputs name what they came from, so that a replay under something else says so.
struct Provenance {
    std::string version;        ///< Of Crier.
    std::string format_version; ///< Of history and digest.
    std::string sqlite_version;
};

/// Returns the provenance of this build.
[[nodiscard]] Provenance provenance();

/// Returns the command that shows this run again.
[[nodiscard]] std::string replay_command(const std::string& file, std::uint64_t seed);

} // namespace crier::report
