#pragma once

#include "broker-model/kafka/client/client_context.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

// Which partition a record goes to: by the hash of its key, or for a while all to one ("sticky").

namespace crier::broker::kafka {

/// Returns the partition, of `count`, of a record with that key. **Source**: Kafka
/// BuiltInPartitioner.partitionForKey: murmur2 without its sign, modulo all partitions.
[[nodiscard]] std::int32_t partition_for_key(std::string_view key, std::int32_t count);

/// How many batches wait for a partition, as far as it takes part in the choice.
struct PartitionLoad {
    std::int32_t index = 0;
    std::uint32_t queued = 0;
};

/// Returns the sum of the weights of `loads`: each weighs the longest queue + 1 - its own.
[[nodiscard]] std::uint64_t total_weight(std::span<const PartitionLoad> loads);

/// Returns the partition on which `number`, below the total weight, falls.
/// **Source**: Kafka BuiltInPartitioner.nextPartition, KIP-794.
[[nodiscard]] std::int32_t pick_by_load(std::uint64_t number, std::span<const PartitionLoad> loads);

/// The sticky partition of each topic. Each choice is drawn for (topic, number of switches).
class StickyPartitions {
public:
    StickyPartitions(const ClientContext& context, std::size_t batch_size)
        : context_(context), batch_size_(batch_size) {}

    /// Whether a partition must be chosen before the next record without a key.
    [[nodiscard]] bool wants_choice(TopicId topic) const {
        return topic >= topics_.size() || topics_[topic].index < 0;
    }

    /// Chooses among `loads`, which may not be empty.
    void choose(TopicId topic, std::span<const PartitionLoad> loads);

    [[nodiscard]] std::int32_t index(TopicId topic) const { return topics_[topic].index; }

    /// A record went there. `may_switch`: no batch of the partition takes more records.
    void note_bytes(TopicId topic, std::size_t bytes, bool may_switch);

private:
    struct Sticky {
        std::int32_t index = -1;
        std::size_t bytes = 0;
        std::uint64_t switches = 0;
    };

    ClientContext context_;
    std::size_t batch_size_;
    std::vector<Sticky> topics_; // by TopicId
};

} // namespace crier::broker::kafka
