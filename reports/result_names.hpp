#pragma once

#include <cstdint>
#include <string>
#include <vector>

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

/// What the user typed to get here.
struct Invocation {
    std::string file;                     ///< The scenario, as it was given.
    std::string program = "./dev";        ///< A program with the services of that scenario.
    std::vector<std::string> faults = {}; ///< Entries beside those of the file.
};

/// Returns the command that shows a run again but for its seed, which follows: `… --seed `.
[[nodiscard]] std::string replay_command(const Invocation& from);
[[nodiscard]] std::string replay_command(const Invocation& from, std::uint64_t seed);

} // namespace crier::report
