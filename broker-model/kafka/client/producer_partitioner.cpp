#include "broker-model/kafka/client/producer_partitioner.hpp"

#include <algorithm>

namespace crier::broker::kafka {

std::int32_t partition_for_key(std::string_view key, std::int32_t count) {
    return (murmur2(key) & 0x7fffffff) % count;
}

namespace {

std::uint64_t longest_queue(std::span<const PartitionLoad> loads) {
    std::uint32_t longest = 0;
    for (const PartitionLoad& load : loads)
        longest = std::max(longest, load.queued);
    return longest;
}

} // namespace

std::uint64_t total_weight(std::span<const PartitionLoad> loads) {
    const std::uint64_t heaviest = longest_queue(loads) + 1;
    std::uint64_t total = 0;
    for (const PartitionLoad& load : loads)
        total += heaviest - load.queued;
    return total;
}

std::int32_t pick_by_load(std::uint64_t number, std::span<const PartitionLoad> loads) {
    const std::uint64_t heaviest = longest_queue(loads) + 1;
    for (const PartitionLoad& load : loads) {
        const std::uint64_t weight = heaviest - load.queued;
        if (number < weight) return load.index;
        number -= weight;
    }
    return loads.back().index;
}

void StickyPartitions::choose(TopicId topic, std::span<const PartitionLoad> loads) {
    static constexpr sim::Purpose choice{"kafka.producer.sticky-partition"};
    if (topic >= topics_.size()) topics_.resize(topic + 1);
    Sticky& sticky = topics_[topic];
    const sim::Draw drawn = context_.draw(choice, topic, sticky.switches);
    sticky.index = pick_by_load(drawn.below(total_weight(loads)), loads);
}

void StickyPartitions::note_bytes(TopicId topic, std::size_t bytes, bool may_switch) {
    Sticky& sticky = topics_[topic];
    sticky.bytes += bytes;
    if (sticky.bytes < batch_size_) return;
    if (!may_switch && sticky.bytes < 2 * batch_size_) return;
    sticky.index = -1;
    sticky.bytes = 0;
    ++sticky.switches;
}

} // namespace crier::broker::kafka
