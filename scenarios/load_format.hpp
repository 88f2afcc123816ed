#pragma once

#include "scenarios/service.hpp"
#include "sim/faults.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// The keys of scenario files, as tables: what the loader accepts, what its messages say is allowed
// and what the JSON Schema publishes are these rows and nothing else.

namespace crier::scenario {

enum class KeyType {
    text,      ///< Anything.
    name,      ///< Something of the scenario: letters, digits, `-`, `_`, `.`
    column,    ///< A table or column of a database.
    reference, ///< A name or address of something that the scenario has.
    flag,
    count,
    count_range, ///< `3` or `1..50`
    bytes,
    duration,
    duration_range, ///< `5s` or `1s..5s`
    rate,
    share,
    share_range,
    percent, ///< A share in whole percent.
    choice,
    value,     ///< Any scalar.
    structure, ///< A list or map with its own rows; described where it is read.
};

struct Key {
    std::string name;
    KeyType type = KeyType::text;
    std::string help;
    bool required = false;
    std::int64_t low = 0;  ///< Of counts, bytes, durations (nanoseconds), rates (per minute) …
    std::int64_t high = 0; ///< … and shares (per million).
    std::vector<std::string> choices =
        {};                     ///< Of choices; of references when they are known beforehand.
    std::string structure = {}; ///< Name of the rows of a structure in the schema.
};
using Keys = std::vector<Key>;

inline constexpr std::size_t file_bytes_max = 1 << 20;
inline constexpr std::size_t problems_max = 1'000;
inline constexpr std::size_t things_max = 1'000; ///< Of one kind: channels, services, rules …
inline constexpr std::int64_t replicas_max = 1'000;
inline constexpr std::int64_t inputs_max = 10'000'000;
inline constexpr std::int64_t occurrences_max = 4'000; ///< Of one fault rule, on average.
inline constexpr Duration longest = std::chrono::hours(24);

[[nodiscard]] Keys top_keys();
[[nodiscard]] Keys broker_keys();
[[nodiscard]] Keys kafka_keys();
[[nodiscard]] Keys channel_keys();
[[nodiscard]] Keys database_keys();
[[nodiscard]] Keys file_keys();
[[nodiscard]] Keys watch_keys();
[[nodiscard]] Keys outbox_keys();
[[nodiscard]] Keys leader_keys();
[[nodiscard]] Keys inbox_keys();
[[nodiscard]] Keys load_keys();
[[nodiscard]] Keys budget_keys();
[[nodiscard]] Keys sql_keys();

/// What every service may say whatever it is.
[[nodiscard]] Keys service_keys(const ServiceTable& services);

/// The options of one type, below `prefix` (`retry.`); dotted ones as a structure of their group.
[[nodiscard]] Keys option_keys(const ServiceType& type, std::string_view prefix = {});

/// What may be said of that property of the catalogue.
[[nodiscard]] Keys expectation_keys(std::string_view property);

/// Names of properties that a scenario can expect, sorted; `sql` is not among them.
[[nodiscard]] std::vector<std::string> property_names();

/// Returns ` a whole number from 1 to 10, such as `3``: what a value of that key must be.
[[nodiscard]] std::string allowed_text(const Key& key);

} // namespace crier::scenario
