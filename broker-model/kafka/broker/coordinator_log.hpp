#pragma once

#include "broker-model/kafka/broker/broker_home.hpp"
#include "broker-model/kafka/broker/replica.hpp"

#include <map>
#include <memory>

// What the coordinators of groups and of transactions have in common: their books are partitions of
// internal topics.

namespace crier::broker::kafka {

/// Returns an error of a coordinator's own log as its clients are told it. After
/// COORDINATOR_NOT_AVAILABLE the write may have been done. **Source**: Kafka CoordinatorRuntime,
/// OffsetMetadataManager, TransactionStateManager.appendTransactionToLog.
[[nodiscard]] ErrorCode as_coordinator_error(ErrorCode error);

/// Returns how long a new leader of the partition reads until it coordinates.
[[nodiscard]] Duration loading_time(const BrokerHome& home, const Replica& replica);

/// Returns a batch of these records, with the broker's time.
[[nodiscard]] SharedBatch make_batch(const BrokerHome& home, std::vector<Record> records);

/// The partitions of an internal topic that this broker leads, and what its coordinator holds of
/// each. `Shard` has `partition`, `epoch` (of the leadership) and `is_loaded`.
template <class Shard>
class CoordinatorShards {
public:
    using Shards = std::map<PartitionId, std::unique_ptr<Shard>>;

    /// Returns the shard for a client, or null and why it has to ask elsewhere or again.
    [[nodiscard]] Shard* find(PartitionId partition, ErrorCode& error) const {
        const auto found = shards_.find(partition);
        if (found == shards_.end()) {
            error = ErrorCode::not_coordinator;
            return nullptr;
        }
        if (found->second->is_loaded) return found->second.get();
        error = ErrorCode::coordinator_load_in_progress;
        return nullptr;
    }

    /// Returns the shard of that leadership, null when it is over.
    [[nodiscard]] Shard* find(PartitionId partition, std::int32_t epoch) const {
        const auto found = shards_.find(partition);
        const bool is_it = found != shards_.end() && found->second->epoch == epoch;
        return is_it ? found->second.get() : nullptr;
    }

    /// A leadership begins: calls `load(shard)` when its log has been read, unless it is over then.
    /// **Requires** that none of before is there.
    template <class Load>
    void open(const BrokerHome& home, const Replica& replica, Load load) {
        auto shard = std::make_unique<Shard>();
        shard->partition = replica.id;
        shard->epoch = replica.state.leader_epoch;
        home.kernel().at(home.process, home.now() + loading_time(home, replica),
                         [this, load, partition = shard->partition, epoch = shard->epoch] {
                             if (Shard* const it = find(partition, epoch)) load(*it);
                         });
        shards_[replica.id] = std::move(shard);
    }

    /// Removes the shard. **Returns** it, or null.
    [[nodiscard]] std::unique_ptr<Shard> take(PartitionId partition) {
        const auto found = shards_.find(partition);
        if (found == shards_.end()) return nullptr;
        std::unique_ptr<Shard> shard = std::move(found->second);
        shards_.erase(found);
        return shard;
    }

    [[nodiscard]] const Shards& all() const { return shards_; }

private:
    Shards shards_;
};

} // namespace crier::broker::kafka
