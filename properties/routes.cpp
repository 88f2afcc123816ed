#include "properties/routes.hpp"

#include "sim/hash.hpp"

namespace crier::properties {

Routes::Routes(const Topology& topology) : topology_(topology) {
    for (std::size_t i = 0; i < topology.flows.size(); ++i) {
        const Flow& flow = topology.flows[i];
        if (flow.accepted_table_text != 0) flows_by_table_[flow.accepted_table_text].push_back(i);
        flows_by_channel_[flow.channel].push_back(i);
        for (const std::size_t subscriber : flow.subscribers) {
            flows_by_subscriber_[subscriber].push_back(i);
        }
    }
    for (std::size_t i = 0; i < topology.subscribers.size(); ++i) {
        const Subscriber& subscriber = topology.subscribers[i];
        if (subscriber.effects_table_text != 0) {
            subscribers_by_table_[subscriber.effects_table_text].push_back(i);
        }
        subscribers_by_service_[subscriber.service_text].push_back(i);
        subscribers_by_group_[subscriber.group_text].push_back(i);
        for (const std::uint32_t node : subscriber.nodes)
            subscribers_by_node_[node].push_back(i);
    }
}

std::span<const std::size_t> Routes::find(const Lists& lists, std::uint64_t key) {
    const auto found = lists.find(key);
    if (found == lists.end()) return {};
    return found->second;
}

std::span<const std::size_t> Routes::flows_of_table(std::uint64_t table) const {
    return find(flows_by_table_, table);
}

std::span<const std::size_t> Routes::flows_of_channel(std::size_t channel) const {
    return find(flows_by_channel_, channel);
}

std::span<const std::size_t> Routes::flows_of_subscriber(std::size_t subscriber) const {
    return find(flows_by_subscriber_, subscriber);
}

std::span<const std::size_t> Routes::subscribers_of_table(std::uint64_t table) const {
    return find(subscribers_by_table_, table);
}

std::span<const std::size_t> Routes::subscribers_of_service(std::uint64_t service) const {
    return find(subscribers_by_service_, service);
}

std::span<const std::size_t> Routes::subscribers_of_node(std::uint32_t node) const {
    return find(subscribers_by_node_, node);
}

std::optional<std::size_t> Routes::subscriber(std::uint64_t group, std::uint64_t partition) const {
    const PartitionPlace* where = place(partition);
    if (where == nullptr) return std::nullopt;
    for (const std::size_t candidate : find(subscribers_by_group_, group)) {
        if (topology_.subscribers[candidate].channel == where->channel) return candidate;
    }
    return std::nullopt;
}

const PartitionPlace* Routes::place(std::uint64_t partition) const {
    const auto found = topology_.partitions.find(partition);
    return found == topology_.partitions.end() ? nullptr : &found->second;
}

const Channel* Routes::channel(std::uint64_t partition) const {
    const PartitionPlace* const where = place(partition);
    return where == nullptr ? nullptr : &topology_.channels[where->channel];
}

bool Routes::may_lose(std::uint64_t partition) const {
    const Channel* const found = channel(partition);
    return found == nullptr || found->may_lose;
}

bool Routes::compacts(std::uint64_t partition) const {
    const Channel* const found = channel(partition);
    return found != nullptr && found->compacts;
}

bool is_empty_text(std::uint64_t text) {
    return text == 0 || text == sim::hash_text("");
}

FateTexts::FateTexts()
    : done(sim::hash_text("done")), duplicate(sim::hash_text("duplicate")),
      parked(sim::hash_text("parked")), discarded(sim::hash_text("discarded")) {}

} // namespace crier::properties
