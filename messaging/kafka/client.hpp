#pragma once

#include "messaging/ports/background.hpp"
#include "messaging/ports/clock.hpp"
#include "messaging/ports/kafka.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

// The Kafka port over librdkafka. Options are handed over one to one under Kafka's names; where
// librdkafka's default differs from the Java client's, the Java client's is set (see settings.hpp).

namespace crier::messaging::kafka {

struct ClientOptions {
    std::string bootstrap_servers; ///< `host:port`, comma-separated.
    /// Further settings under librdkafka's names (`security.protocol`, …); they win over all
    /// others.
    std::map<std::string, std::string> settings;

    /// Returns everything that is wrong with the options; empty: nothing.
    [[nodiscard]] std::vector<std::string> validate() const;
};

/// Makes producers and consumers that talk to a real cluster. Each has threads of its own; outcomes
/// and listeners come to the executor of the process.
/// **Lifetime**: the executor's context and `clock` outlive the client and what it made.
/// **Errors**: settings that librdkafka refuses throw `ContractViolation` with its words.
class RdkafkaClient final : public crier::kafka::Client {
public:
    /// **Requires**: valid options.
    RdkafkaClient(Background& background, Clock& clock, ClientOptions options);

    [[nodiscard]] std::unique_ptr<crier::kafka::Producer>
    producer(crier::kafka::ProducerOptions options) override;
    [[nodiscard]] std::unique_ptr<crier::kafka::TransactionalProducer>
    transactional_producer(crier::kafka::ProducerOptions options) override;
    [[nodiscard]] std::unique_ptr<crier::kafka::Consumer>
    consumer(crier::kafka::ConsumerOptions options) override;
    [[nodiscard]] std::unique_ptr<crier::kafka::Admin>
    admin(crier::kafka::AdminOptions options) override;

private:
    Background& background_;
    Clock& clock_;
    ClientOptions options_;
};

} // namespace crier::messaging::kafka
