#include "properties/evidence.hpp"

#include "broker-model/events.hpp"
#include "sim/events.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace crier::properties {

namespace {

namespace broker_events = broker::events;
using sim::Event;

constexpr std::int64_t publishing_takes_at_most = 2'000'000'000; // nanoseconds

/// The part that needs no place in a log.
void collect_own(Evidence& evidence, const Event& event, const std::optional<Subscriber>& who) {
    const bool at_replica =
        !who || std::binary_search(who->nodes.begin(), who->nodes.end(), event.node);
    const bool first_operand = event.operands[0] == evidence.message;
    switch (event.kind) {
    case broker_events::row_durable.id:
    case broker_events::row_lost.id: {
        if (event.operands[1] != evidence.message) return;
        const bool effect = who && who->effects_table_text == event.operands[0];
        const bool durable = event.kind == broker_events::row_durable.id;
        auto& gone = effect ? evidence.effects_lost : evidence.rows_lost;
        auto& there = effect ? evidence.effects : evidence.rows;
        (durable ? there : gone).push_back(&event);
        return;
    }
    case broker_events::stored.id:
        if (event.operands[2] == evidence.message) evidence.stored.push_back(&event);
        return;
    case broker_events::dead_lettered.id:
        if (first_operand && (!who || who->service_text == event.operands[1])) {
            evidence.letters.push_back(&event);
        }
        return;
    case sim::events::attempting.id:
        if (first_operand && at_replica) evidence.attempts.push_back(&event);
        return;
    case sim::events::attempt_failed.id:
        if (first_operand && at_replica) evidence.failures.push_back(&event);
        return;
    case sim::events::settled.id:
        if (first_operand && at_replica) evidence.settled.push_back(&event);
        return;
    case sim::events::crashed.id:
    case sim::events::power_lost.id: evidence.deaths.push_back(&event); return;
    case sim::events::paused.id: evidence.pauses.push_back(&event); return;
    case sim::events::answer_lost.id: evidence.answers_lost.push_back(&event); return;
    default: return;
    }
}

/// The part that follows the first copy through its partition.
void collect_around(Evidence& evidence, const Event& event, const std::optional<Subscriber>& who) {
    const Event& copy = *evidence.stored.front();
    const std::uint64_t offset = copy.operands[1];
    const bool is_later = event.sequence > copy.sequence;
    const bool is_lost = event.kind == broker_events::partition_deleted.id ||
                         (event.kind == broker_events::records_lost.id &&
                          event.operands[1] <= offset && offset <= event.operands[2]);
    if (is_lost && event.operands[0] == copy.operands[0] && is_later)
        evidence.losses.push_back(&event);
    const bool reads_it =
        event.operands[0] == copy.operands[0] && (!who || event.operands[1] == who->group_text);
    if (!reads_it) return;
    switch (event.kind) {
    case broker_events::delivered.id:
        if (is_later && event.operands[2] <= offset && offset < event.operands[3]) {
            evidence.deliveries.push_back(&event);
        }
        return;
    case broker_events::share_delivered.id:
        if (is_later && event.operands[2] == offset) evidence.deliveries.push_back(&event);
        return;
    case broker_events::offset_committed.id:
        if (event.operands[2] > offset) {
            (is_later ? evidence.commits : evidence.earlier_commits).push_back(&event);
        }
        return;
    case broker_events::position_reset.id:
        if (is_later && event.operands[2] > offset) evidence.resets.push_back(&event);
        return;
    case broker_events::assigned.id:
    case broker_events::revoked.id:
    case broker_events::lost.id: evidence.moves.push_back(&event); return;
    default: return;
    }
}

bool is_backstage(std::uint64_t kind) {
    return kind == broker_events::stored.id || kind == broker_events::row_durable.id ||
           kind == broker_events::delivered.id || kind == broker_events::share_delivered.id ||
           kind == broker_events::assigned.id;
}

} // namespace

Evidence::Evidence(std::span<const Event> history, std::uint64_t message_text,
                   const std::optional<Subscriber>& subscriber)
    : message(message_text) {
    for (const Event& event : history) {
        collect_own(*this, event, subscriber);
        if (is_backstage(event.kind)) backstage.push_back(event.node);
    }
    std::sort(backstage.begin(), backstage.end());
    backstage.erase(std::unique(backstage.begin(), backstage.end()), backstage.end());
    if (stored.empty()) return;
    for (const Event& event : history)
        collect_around(*this, event, subscriber);
}

const Event* first_after(const Evidence::Events& events, std::uint64_t sequence,
                         std::optional<std::uint32_t> node) {
    for (const Event* event : events) {
        if (event->sequence > sequence && (!node || event->node == *node)) return event;
    }
    return nullptr;
}

const Event* last_before(const Evidence::Events& events, std::uint64_t sequence) {
    const Event* last = nullptr;
    for (const Event* event : events) {
        if (event->sequence < sequence) last = event;
    }
    return last;
}

Overtaker overtaker_of(std::span<const Event> history, const Evidence& evidence) {
    if (evidence.rows.empty()) return {};
    const Event& accepted = *evidence.rows.back();
    std::map<std::uint64_t, const Event*> later; // rows, by their message
    for (const Event& event : history) {
        if (event.sequence <= accepted.sequence) continue;
        if (event.kind == broker_events::row_durable.id &&
            event.operands[0] == accepted.operands[0]) {
            later.emplace(event.operands[1], &event);
        } else if (event.kind == broker_events::stored.id) {
            const auto row = later.find(event.operands[2]);
            if (row != later.end()) return {row->second, &event};
        }
    }
    return {};
}

const Event* reset_before_row(std::span<const Event> history, const Evidence& evidence) {
    if (evidence.rows.empty()) return nullptr;
    const Event& accepted = *evidence.rows.back();
    std::set<std::uint64_t> producers;
    for (const Event& event : history) {
        if (event.kind == broker_events::sent.id) producers.insert(event.node);
    }
    const Event* last = nullptr;
    for (const Event& event : history) {
        if (event.sequence >= accepted.sequence) break;
        if (event.kind != sim::events::connection_reset.id ||
            event.time + publishing_takes_at_most < accepted.time)
            continue;
        const auto& [one, other, unused, neither] = event.operands;
        if ((one == accepted.node && producers.contains(other)) ||
            (other == accepted.node && producers.contains(one)))
            last = &event;
    }
    return last;
}

const Event* death_of_publisher(const Evidence& evidence) {
    if (evidence.rows.empty()) return nullptr;
    const Event& accepted = *evidence.rows.back();
    for (const Event* death : evidence.deaths) {
        if (death->sequence < accepted.sequence) continue;
        if (death->time > accepted.time + publishing_takes_at_most) return nullptr;
        const bool backstage =
            std::binary_search(evidence.backstage.begin(), evidence.backstage.end(), death->node);
        if (!backstage) return death;
    }
    return nullptr;
}

} // namespace crier::properties
