#pragma once

#include "tests/conformance/client_program.hpp"
#include "tests/conformance/real_kafka.hpp"

// The places where a client program can be run.

namespace crier::conformance {

/// In a world of our own, on virtual time.
[[nodiscard]] History run_on_model(const Program& program, int nodes, int transaction_version = 2);

/// On librdkafka's mock cluster, by our adapter.
[[nodiscard]] History run_on_mock(const Program& program);

/// On a real Kafka, by our adapter; the driver creates the topics.
[[nodiscard]] History run_on_real(const Program& program, const RealCluster& kafka,
                                  JavaDriver& driver);

/// On a real Kafka, by its own client.
[[nodiscard]] History run_on_java(const Program& program, JavaDriver& driver);

} // namespace crier::conformance
