#pragma once

#include "scenarios/service.hpp"

// Services that carry bugs of the field, each behind an option whose other value is the remedy.

namespace crier::zoo {

/// A poll loop with workers: records of a partition are finished out of order.
[[nodiscard]] scenario::ServiceType pool_consumer();

/// A listener that handles batches, and goes back to what failed.
[[nodiscard]] scenario::ServiceType batch_listener();

/// A consumer that keeps its positions beside its effects, in its own database.
[[nodiscard]] scenario::ServiceType position_keeper();

/// A stage with a buffer of its own, in a cooperative group.
[[nodiscard]] scenario::ServiceType buffer_stage();

/// Takes orders, commits them, and publishes them without an outbox.
[[nodiscard]] scenario::ServiceType direct_producer();

/// Returns an option with two values, the first of which is right.
[[nodiscard]] scenario::OptionInfo either(std::string name, std::string right, std::string wrong);

/// Runs a statement until it succeeds.
[[nodiscard]] asio::awaitable<void> insist(ProcessPorts ports, Store& store, std::string sql,
                                           std::vector<Value> parameters = {});

} // namespace crier::zoo
