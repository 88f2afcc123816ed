#include "properties/send_reader.hpp"

#include "broker-model/events.hpp"
#include "sim/events.hpp"
#include "sim/hash.hpp"

namespace crier::properties {

using sim::Event;
namespace broker_events = broker::events;

SendReader::SendReader()
    : all_(sim::hash_text("all")), idempotent_(sim::hash_text("idempotent")),
      one_in_flight_(sim::hash_text("one-in-flight")), commit_(sim::hash_text("commit")) {}

void SendReader::read(const Event& event) {
    if (observers_.empty()) return;
    switch (event.kind) {
    case broker_events::producer_opened.id: opened(event); break;
    case broker_events::sent.id: sent(event); break;
    case broker_events::acknowledged.id: acknowledged(event); break;
    case broker_events::send_failed.id:
    case broker_events::send_unknown.id: given_up(event); break;
    case broker_events::transaction_ended.id:
        for (SendObserver* const observer : observers_)
            observer->on_ended(event.operands[0], event.operands[1] == commit_, event);
        break;
    case sim::events::started.id:
        // What its former life waited for, it will never be told.
        std::erase_if(waiting_, [&event](const auto& entry) {
            const auto& [node, incarnation, id] = entry.first.first;
            return node == event.node && incarnation != event.incarnation;
        });
        break;
    default: break;
    }
}

std::uint32_t SendReader::number_of(const Client& client) {
    const auto number = static_cast<std::uint32_t>(producers_.size());
    const auto [found, is_new] = numbers_.try_emplace(client, number);
    if (is_new) producers_.push_back({std::get<0>(client)});
    return found->second;
}

void SendReader::opened(const Event& event) {
    ProducerClient& producer =
        producers_[number_of({event.node, event.incarnation, event.operands[0]})];
    producer.waits_for_all = event.operands[1] == all_;
    producer.is_idempotent = event.operands[2] == idempotent_;
    producer.is_in_order = producer.is_idempotent || event.operands[2] == one_in_flight_;
}

void SendReader::sent(const Event& event) {
    const Client client{event.node, event.incarnation,
                        event.operands[2] >> broker_events::send_bits};
    Waiting added;
    added.send = {event.operands[0], event.operands[1], event.operands[3],
                  event.operands[2], event.sequence,    number_of(client)};
    waiting_[{client, event.operands[0]}].push_back(added);
    for (SendObserver* const observer : observers_)
        observer->on_sent(added.send, event);
}

void SendReader::acknowledged(const Event& event) {
    const std::uint64_t offset = event.operands[1];
    const bool has_offset = static_cast<std::int64_t>(offset) >= 0;
    tell(event, event.operands[3], event.operands[2], [&](const Send& send, std::uint64_t at) {
        if (!has_offset) return; // acks 0 proves nothing
        for (SendObserver* const observer : observers_)
            observer->on_acknowledged(send, offset + at, event);
    });
}

void SendReader::given_up(const Event& event) {
    const bool has_failed = event.kind == broker_events::send_failed.id;
    tell(event, event.operands[2], event.operands[1], [&](const Send& send, std::uint64_t) {
        for (SendObserver* const observer : observers_)
            has_failed ? observer->on_failed(send, event) : observer->on_unknown(send, event);
    });
}

// What a producer took lies here until its outcome is told; outcomes come nearly in order.
template <class Told>
void SendReader::tell(const Event& event, std::uint64_t first, std::uint64_t count, Told told) {
    const Client client{event.node, event.incarnation, first >> broker_events::send_bits};
    const auto found = waiting_.find({client, event.operands[0]});
    if (found == waiting_.end() || found->second.empty()) return;
    std::deque<Waiting>& waiting = found->second;
    const std::uint64_t base = waiting.front().send.number;
    for (std::uint64_t at = 0; at < count; ++at) {
        if (first + at < base || first + at - base >= waiting.size()) continue;
        Waiting& one = waiting[first + at - base];
        one.is_told = true;
        told(one.send, at);
    }
    while (!waiting.empty() && waiting.front().is_told)
        waiting.pop_front();
}

} // namespace crier::properties
