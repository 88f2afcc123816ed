#pragma once

#include "messaging/ports/kafka.hpp"

#include <map>
#include <string>

// How the port's options become librdkafka's settings. librdkafka's defaults differ from the Java
// client's in what decides about loss, order and placement, so those are always set:
//   partitioner           murmur2_random, not CRC32: a key goes to the partition that Java gives it
//   enable.idempotence    on when Java 4.x has it on: acks all, retries, at most 5 in flight
//   enable.auto.offset.store  off: an offset counts as consumed at the next poll, not when fetched
//   isolation.level       read_uncommitted, as in Java
//   check.crcs            on, as in Java
// Source: librdkafka's CONFIGURATION.md 2.0.2 beside Kafka's ProducerConfig and ConsumerConfig 4.x.

namespace crier::messaging::kafka {

/// librdkafka's settings by name.
using Settings = std::map<std::string, std::string>;

[[nodiscard]] Settings producer_settings(const crier::kafka::ProducerOptions& options);

[[nodiscard]] Settings consumer_settings(const crier::kafka::ConsumerOptions& options);

} // namespace crier::messaging::kafka
