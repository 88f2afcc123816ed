#pragma once

#include "properties/property.hpp"
#include "sim/history.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

// What a kept history has on one message: its own events, and those of the places it went through.
// For stories and causes; judges nothing.

namespace crier::properties {

/// The events of one message, each list in the order of the run. Points into the history it was
/// made of.
struct Evidence {
    using Events = std::vector<const sim::Event*>;

    /// Collects what concerns `message` at `subscriber`; without one, at anybody's.
    Evidence(std::span<const sim::Event> history, std::uint64_t message,
             const std::optional<Subscriber>& subscriber);

    std::uint64_t message = 0;
    Events effects; ///< Rows in the subscriber's table.
    Events effects_lost;
    Events rows; ///< Durable rows in other tables: usually the accepted one.
    Events rows_lost;
    Events stored;   ///< Copies.
    Events attempts; ///< By the subscriber's replicas.
    Events failures;
    Events settled;
    Events letters;    ///< Dead letters for the subscriber.
    Events deliveries; ///< Batches for its group with the first copy in them.
    Events commits;    ///< Of its group, past the first copy.
    Events
        earlier_commits; ///< Past its offset before it was stored there: the log had lost others.
    Events resets;       ///< Positions that its group's members took behind the first copy.
    Events losses;       ///< The log lost the first copy, or was deleted.
    Events moves;        ///< Its group's assignments, revocations and losses of the partition.
    Events deaths;       ///< Of any process, with power losses.
    Events pauses;
    Events answers_lost;
    std::vector<std::uint32_t>
        backstage; ///< Brokers, stores and consumers: who cannot be the producer.
};

/// Returns the first event after `sequence` and, if `node` is given, on it; or null.
[[nodiscard]] const sim::Event* first_after(const Evidence::Events& events, std::uint64_t sequence,
                                            std::optional<std::uint32_t> node = {});

/// Returns the last event before `sequence`, or null.
[[nodiscard]] const sim::Event* last_before(const Evidence::Events& events, std::uint64_t sequence);

/// A message whose row came later, and that was stored all the same.
struct Overtaker {
    const sim::Event* row = nullptr;
    const sim::Event* copy = nullptr; ///< Null: there is none.
};

/// Returns the first of the table of the message's row.
[[nodiscard]] Overtaker overtaker_of(std::span<const sim::Event> history, const Evidence& evidence);

/// Returns the last reset between the database and a producer within two seconds before the
/// message's row was accepted; or null.
[[nodiscard]] const sim::Event* reset_before_row(std::span<const sim::Event> history,
                                                 const Evidence& evidence);

/// Returns the first death of a process that may have been to publish the message, within two
/// seconds after its row was accepted; or null.
[[nodiscard]] const sim::Event* death_of_publisher(const Evidence& evidence);

} // namespace crier::properties
