#pragma once

#include "broker-model/kafka/broker/alarm.hpp"
#include "broker-model/kafka/broker/broker_home.hpp"
#include "broker-model/kafka/broker/coordinator_log.hpp"
#include "broker-model/kafka/broker/replica_manager.hpp"
#include "broker-model/kafka/transactions/transaction.hpp"
#include "broker-model/kafka/transactions/transaction_markers.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>

// The transactional ids whose partition of __transaction_state this broker leads. What an id may do
// is `transaction.hpp`'s; here each step is written to the log before it counts, one at a time, and
// a verdict is brought to the partitions. Source: Kafka TransactionCoordinator,
// TransactionStateManager.

namespace crier::broker::kafka {

/// Gives producer ids that no other broker gives, nor another life of this one.
class ProducerIds {
public:
    explicit ProducerIds(const BrokerHome& home) : home_(home) {}

    [[nodiscard]] bool is_ready() const { return home_.broker_epoch != 0; }

    /// **Requires** `is_ready`. Kafka's brokers get blocks of ids from the controller; here the
    /// epoch of the registration makes them unique in the cluster, without a message.
    [[nodiscard]] std::int64_t next() {
        return static_cast<std::int64_t>(home_.broker_epoch << 24) + count_++;
    }

private:
    const BrokerHome& home_;
    std::int64_t count_ = 0; // of this life
};

class TransactionCoordinator final : public InternalPartitions {
public:
    TransactionCoordinator(BrokerHome& home, ProducerIds& ids)
        : home_(home), ids_(ids), alarm_(home.process, *this) {}

    /// Tells where the logs are; once, before anything else.
    void use(ReplicaManager& replicas) { replicas_ = &replicas; }

    void take_id(const InitProducerIdRequest& request, sim::Reply<InitProducerIdAnswer> reply);
    void add_partitions(const AddPartitionsRequest& request, sim::Reply<AddPartitionsAnswer> reply);
    void end(const EndTransactionRequest& request, sim::Reply<EndTransactionAnswer> reply);

    void leads(const Replica& replica) override;
    void resigned(const Replica& replica) override;
    void watermark_moved(const Replica&) override {}

private:
    struct Entry {
        Transaction now;
        bool is_pending = false; ///< A step is on its way into the log.
        std::uint64_t asked = 0; ///< The transaction that its client means to end; 0: none.
        std::shared_ptr<TransactionMarkers> markers;
        WallTime updated{}; ///< When its last step was written, by the coordinator's clock.
    };
    /// What one partition of __transaction_state holds.
    struct Shard {
        PartitionId partition = 0;
        std::int32_t epoch = 0; ///< Of its leadership: the coordinator's epoch.
        bool is_loaded = false;
        std::map<std::string, Entry, std::less<>> entries;
        Instant cleanup{}; ///< When ids that nobody uses are looked for next.
    };

    [[nodiscard]] Shard* find_shard(std::string_view id, ErrorCode& error);
    [[nodiscard]] static Entry* find_entry(Shard* shard, std::string_view id);
    [[nodiscard]] TransactionRules rules() const { return home_.cluster.transaction_rules(); }
    void load(Shard& shard);
    void drop(PartitionId partition);

    /// Writes `next` into the log; then it counts, and `done` is called. Once.
    void store(Shard& shard, Entry& entry, const Transaction& next,
               std::function<void(ErrorCode)> done);
    void stored(Shard& shard, Entry& entry, const Transaction& next, std::uint64_t asked);
    void bring_markers(Shard& shard, Entry& entry);
    void complete_soon(PartitionId partition, std::int32_t epoch, const std::string& id);
    void abort_overdue();
    void forget_expired(Shard& shard);

    BrokerHome& home_;
    ProducerIds& ids_;
    ReplicaManager* replicas_ = nullptr;
    CoordinatorShards<Shard> shards_;
    Alarm<TransactionCoordinator, &TransactionCoordinator::abort_overdue> alarm_;
};

} // namespace crier::broker::kafka
