#pragma once

#include "broker-model/kafka/broker/replica_manager.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

// Before a leader takes the first batch of a transaction, it asks the coordinator whether the
// partition is part of it; from transaction.version 2 on it adds the partition itself. So nothing
// late can begin a transaction that nobody ends. Source: Kafka AddPartitionsToTxnManager,
// ReplicaManager.maybeSendPartitionsToTransactionCoordinator; KIP-890.

namespace crier::broker::kafka {

class TransactionVerifier {
public:
    TransactionVerifier(BrokerHome& home, ReplicaManager& replicas)
        : home_(home), replicas_(replicas) {}

    struct Subject {
        PartitionId partition = 0;
        ProducerStamp producer;
    };
    using Done = std::function<void(std::vector<Admission>)>;

    /// Calls `done` with one admission for each subject, at once when nothing is to be asked.
    void admit(const std::string& transactional_id, const std::vector<Subject>& subjects,
               Done done);

private:
    struct Question {
        AddPartitionsRequest request;
        std::vector<Subject> subjects;   // its partitions …
        std::vector<std::size_t> places; // … and their places among the admissions
        std::vector<Admission> admissions;
        Instant deadline{};
        Done done;
    };

    void ask(const std::shared_ptr<Question>& question);
    void note(const std::shared_ptr<Question>& question, const std::vector<ErrorCode>& errors);

    BrokerHome& home_;
    ReplicaManager& replicas_;
    std::uint32_t guards_ = 0; // given in this life
};

} // namespace crier::broker::kafka
