#include "properties/flow_reader.hpp"

#include "broker-model/events.hpp"
#include "sim/events.hpp"
#include "sim/hash.hpp"

#include <algorithm>

namespace crier::properties {

namespace {

std::uint64_t key_of(std::size_t flow, std::uint64_t text) {
    return sim::mix(text, flow + 1);
}

} // namespace

void FlowReader::read(const sim::Event& event) {
    switch (event.kind) {
    case broker::events::row_durable.id: row_durable(event); break;
    case broker::events::row_lost.id: row_lost(event); break;
    case broker::events::stored.id: stored(event); break;
    case broker::events::dead_lettered.id:
        for (const std::size_t subscriber : routes_.subscribers_of_service(event.operands[1])) {
            tell(subscriber, event.operands[0], &FlowObserver::on_parked, event);
        }
        break;
    case sim::events::attempting.id:
        for (const std::size_t subscriber : routes_.subscribers_of_node(event.node)) {
            tell(subscriber, event.operands[0], &FlowObserver::on_attempting, event);
        }
        break;
    case sim::events::settled.id: settled(event); break;
    default: break;
    }
}

FlowMessage FlowReader::message(std::uint32_t number) const {
    return {number, seen_[number].flow, seen_[number].text};
}

bool FlowReader::is_accepted_by(std::size_t channel, std::uint64_t text) const {
    for (const std::size_t flow : routes_.flows_of_channel(channel)) {
        const auto number = find(flow, text);
        if (number && is_accepted(*number)) return true;
    }
    return false;
}

std::uint32_t FlowReader::enter(std::size_t flow, std::uint64_t text) {
    const std::uint32_t number = index_.insert(key_of(flow, text));
    if (number == seen_.size()) seen_.push_back({text, static_cast<std::uint32_t>(flow), 0});
    return number;
}

std::optional<std::uint32_t> FlowReader::find(std::size_t flow, std::uint64_t text) const {
    return index_.find(key_of(flow, text));
}

void FlowReader::accepted(const FlowMessage& message, std::uint64_t key, const sim::Event& event) {
    for (FlowObserver* const observer : observers_)
        observer->on_accepted(message, key, event);
}

void FlowReader::row_durable(const sim::Event& event) {
    const std::uint64_t table = event.operands[0];
    const std::uint64_t text = event.operands[1];
    for (const std::size_t flow : routes_.flows_of_table(table)) {
        const std::uint32_t number = enter(flow, text);
        if (++seen_[number].rows == 1) {
            accepted(message(number), event.operands[2], event);
        }
    }
    for (const std::size_t subscriber : routes_.subscribers_of_table(table)) {
        tell(subscriber, text, &FlowObserver::on_effect, event);
    }
}

void FlowReader::row_lost(const sim::Event& event) {
    const std::uint64_t table = event.operands[0];
    const std::uint64_t text = event.operands[1];
    for (const std::size_t subscriber : routes_.subscribers_of_table(table)) {
        tell(subscriber, text, &FlowObserver::on_effect_lost, event);
    }
    for (const std::size_t flow : routes_.flows_of_table(table)) {
        const auto number = find(flow, text);
        if (!number || seen_[*number].rows == 0) continue;
        if (--seen_[*number].rows != 0) continue;
        for (FlowObserver* const observer : observers_)
            observer->on_unaccepted(message(*number), event);
    }
}

void FlowReader::stored(const sim::Event& event) {
    const PartitionPlace* place = routes_.place(event.operands[0]);
    if (place == nullptr) return;
    const std::uint64_t text = event.operands[2];
    const auto flows = routes_.flows_of_channel(place->channel);
    const auto has_table = [this](std::size_t flow) {
        return routes_.topology().flows[flow].accepted_table_text != 0;
    };
    const bool claimed = std::any_of(flows.begin(), flows.end(), [&](std::size_t flow) {
        const auto number = find(flow, text);
        return has_table(flow) && number && is_accepted(*number);
    });
    for (const std::size_t flow : flows) {
        // Where a table's events and direct ones share a channel, only what no table has is direct.
        if (!has_table(flow) && claimed) continue;
        const std::uint32_t number = enter(flow, text);
        if (!has_table(flow) && seen_[number].rows == 0) {
            seen_[number].rows = 1;
            accepted(message(number), event.operands[3], event);
        }
        for (FlowObserver* const observer : observers_)
            observer->on_stored(message(number), event);
    }
}

void FlowReader::settled(const sim::Event& event) {
    const bool discarded =
        event.operands[1] == fates_.discarded && !is_empty_text(event.operands[2]);
    for (const std::size_t subscriber : routes_.subscribers_of_node(event.node)) {
        tell(subscriber, event.operands[0], &FlowObserver::on_settled, event);
        if (discarded) tell(subscriber, event.operands[0], &FlowObserver::on_discarded, event);
    }
}

/// Tells it of the flow that the message is of; an effect can come before the row that accepts the
/// event (published before the commit), and then it may be of any flow that reaches the subscriber.
void FlowReader::tell(std::size_t subscriber, std::uint64_t text, Told told,
                      const sim::Event& event) {
    const auto flows = routes_.flows_of_subscriber(subscriber);
    const bool known = std::any_of(flows.begin(), flows.end(),
                                   [&](std::size_t flow) { return find(flow, text).has_value(); });
    for (const std::size_t flow : flows) {
        if (known && !find(flow, text)) continue;
        const std::uint32_t number = enter(flow, text);
        for (FlowObserver* const observer : observers_)
            (observer->*told)(message(number), subscriber, event);
    }
}

} // namespace crier::properties
