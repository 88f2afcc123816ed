#include "properties/row_reader.hpp"

#include "broker-model/events.hpp"
#include "sim/events.hpp"
#include "sim/hash.hpp"

namespace crier::properties {

namespace {

namespace broker_events = broker::events;
using sim::Event;

} // namespace

RowReader::Roles::Roles()
    : position(sim::hash_text("position")), epoch(sim::hash_text("epoch")),
      published(sim::hash_text("published")), dead(sim::hash_text("dead")),
      status(sim::hash_text("status")), owner(sim::hash_text("owner")),
      until(sim::hash_text("until")) {}

RowReader::RowReader(const Routes& routes)
    : routes_(routes), topology_(routes.topology()), leaders_(topology_.outboxes.size()),
      done_(sim::hash_text("done")), working_(sim::hash_text("working")) {
    using Table = FollowedRow::Table;
    for (std::size_t at = 0; at < topology_.outboxes.size(); ++at) {
        const OutboxTable& outbox = topology_.outboxes[at];
        places_.emplace(outbox.text, Place{Table::outbox, at});
        if (outbox.leader_text != 0) places_.emplace(outbox.leader_text, Place{Table::leader, at});
        for (const std::size_t channel : outbox.channels)
            by_channel_[channel].push_back(at);
    }
    for (std::size_t at = 0; at < topology_.subscribers.size(); ++at) {
        const InboxTable& inbox = topology_.subscribers[at].inbox;
        if (inbox.text != 0) places_.emplace(inbox.text, Place{Table::inbox, at});
    }
}

void RowReader::read(const Event& event) {
    if (observers_.empty()) return;
    switch (event.kind) {
    case sim::events::crashed.id: ++lives_.at(event.node); return;
    case broker_events::committed.id:
        committers_.at(event.node) = life_of(static_cast<std::uint32_t>(event.operands[2]));
        return;
    case broker_events::column_number.id:
    case broker_events::column_text.id:
    case broker_events::column_cleared.id:
    case broker_events::row_added.id:
    case broker_events::row_changed.id:
    case broker_events::row_removed.id:
    case broker_events::row_lost.id: break;
    default: return;
    }
    const auto place = places_.find(event.operands[0]);
    if (place == places_.end()) return;
    const bool is_column = event.kind == broker_events::column_number.id ||
                           event.kind == broker_events::column_text.id ||
                           event.kind == broker_events::column_cleared.id;
    is_column ? column(place->second, event) : closed(place->second, event);
}

std::uint32_t RowReader::enter(std::uint64_t table, const Place& place, std::uint64_t message) {
    const std::uint32_t number = index_.insert(sim::mix(message, table));
    if (number == rows_.size()) {
        FollowedRow& row = rows_.emplace_back();
        row.table = place.table;
        row.number = number;
        row.place = place.index;
        row.message = message;
        if (place.table == FollowedRow::Table::leader) leaders_[place.index] = number;
    }
    return number;
}

void RowReader::column(const Place& place, const Event& event) {
    const std::uint32_t number = enter(event.operands[0], place, event.operands[1]);
    if (!pending_ || pending_->number != number) {
        pending_ = rows_[number];
        if (pending_->copies == 0) { // another row than the one that was there before
            FollowedRow fresh;
            fresh.table = pending_->table;
            fresh.number = number;
            fresh.place = pending_->place;
            fresh.message = pending_->message;
            pending_ = fresh;
        }
    }
    const bool is_null = event.kind == broker_events::column_cleared.id;
    const std::uint64_t role = event.operands[2];
    const std::uint64_t value = event.operands[3];
    if (role == roles_.position) pending_->position = static_cast<std::int64_t>(value);
    if (role == roles_.epoch) pending_->epoch = static_cast<std::int64_t>(value);
    if (role == roles_.published) pending_->is_published = !is_null;
    if (role == roles_.dead) pending_->is_dead = !is_null;
    if (role == roles_.until) {
        pending_->until.reset();
        if (!is_null) pending_->until = static_cast<std::int64_t>(value);
    }
    if (role != roles_.owner && role != roles_.status) return;
    (role == roles_.owner ? pending_->owner : pending_->status) = is_null ? 0 : value;
    pending_->holder = committer(event.node);
    pending_->held_since = event.time;
    pending_->held_by = event.sequence;
}

void RowReader::closed(const Place& place, const Event& event) {
    const std::uint32_t number = enter(event.operands[0], place, event.operands[1]);
    const FollowedRow before = rows_[number];
    FollowedRow after = pending_ && pending_->number == number ? *pending_ : before;
    pending_.reset();
    const bool is_added = event.kind == broker_events::row_added.id;
    const bool is_gone =
        event.kind == broker_events::row_removed.id || event.kind == broker_events::row_lost.id;
    if (is_gone && before.copies == 0) return;
    if (is_added) {
        ++after.copies;
        after.key = event.operands[2];
        if (before.copies == 0) {
            after.added_at = event.time;
            after.added_by = event.sequence;
        }
    }
    if (is_gone) --after.copies;
    rows_[number] = after;
    for (RowObserver* const observer : observers_) {
        if (is_added && before.copies == 0) {
            observer->on_added(after, event);
        } else if (after.copies > 0) {
            observer->on_changed(before, after, event);
        } else if (event.kind == broker_events::row_lost.id) {
            observer->on_lost(before, event);
        } else {
            observer->on_removed(before, event);
        }
    }
}

std::uint32_t RowReader::outbox_row(std::size_t outbox, std::uint64_t message) {
    return enter(topology_.outboxes[outbox].text, {FollowedRow::Table::outbox, outbox}, message);
}

const FollowedRow* RowReader::leader(std::size_t outbox) const {
    return leaders_[outbox] ? &rows_[*leaders_[outbox]] : nullptr;
}

std::span<const std::size_t> RowReader::outboxes_of(std::uint64_t partition) const {
    const PartitionPlace* const place = routes_.place(partition);
    if (place == nullptr) return {};
    const auto found = by_channel_.find(place->channel);
    if (found == by_channel_.end()) return {};
    return found->second;
}

bool RowReader::is_done(const FollowedRow& row) const {
    return row.table == FollowedRow::Table::inbox && row.copies > 0 &&
           (row.status == done_ || row.status == 0);
}

} // namespace crier::properties
