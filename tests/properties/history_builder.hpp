#pragma once

#include "broker-model/events.hpp"
#include "properties/reading.hpp"
#include "sim/events.hpp"
#include "sim/history.hpp"
#include "sim/wall_clock.hpp"

#include <cstdint>
#include <gtest/gtest.h>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>

// Hand-made histories for checkers: a shop that sells orders to `billing`, three replicas, through
// channel `orders` with two partitions. Every event comes a millisecond after the one before.

namespace crier::properties {

inline std::ostream& operator<<(std::ostream& out, VerdictKind kind) {
    return out << name_of(kind);
}

namespace testing_support {

inline constexpr std::uint32_t billing_1 = 1;
inline constexpr std::uint32_t billing_2 = 2;
inline constexpr std::uint32_t billing_3 = 3;
inline constexpr std::uint32_t shop_1 = 4;
inline constexpr std::uint32_t events_1 = 5;
inline constexpr std::uint32_t shop_db = 6;
inline constexpr std::uint32_t billing_db = 7;
inline constexpr std::uint32_t shop_2 = 8;

class HistoryBuilder {
public:
    HistoryBuilder() : history_({.keep = true}) {
        topology_.node_names = {"world",    "billing/1", "billing/2",  "billing/3", "shop/1",
                                "events/1", "shop-db",   "billing-db", "shop/2"};
        topology_.channels = {{"orders", false, false, {name("orders/0"), name("orders/1")}},
                              {"orders-dead", true, false, {name("orders-dead/0")}}};
        topology_.partitions = {{name("orders/0"), {0, 0}},
                                {name("orders/1"), {0, 1}},
                                {name("orders-dead/0"), {1, 0}}};
        for (const auto* internal :
             {"__consumer_offsets/0", "__consumer_offsets/3", "__consumer_offsets/7"})
            topology_.internal_partitions.insert(name(internal));
        Subscriber billing;
        billing.service = billing.group = "billing";
        billing.service_text = billing.group_text = name("billing");
        billing.effects_table = "billing-db.charges";
        billing.effects_table_text = name("billing-db.charges");
        billing.attempts_max = 3;
        billing.nodes = {billing_1, billing_2, billing_3};
        topology_.subscribers = {billing};
        topology_.flows = {{"shop-db.orders", name("shop-db.orders"), 0, {0}}};
        for (const auto fate : {"done", "duplicate", "parked", "discarded"})
            name(fate);
        for (const auto role :
             {"position", "epoch", "published", "dead", "owner", "until", "status"})
            name(role);
    }

    /// To change before the first checker is made.
    Topology& topology() { return topology_; }
    const sim::History& history() const { return history_; }
    std::uint64_t name(std::string_view text) { return history_.name(text); }

    /// `channel` takes events without a table.
    void make_direct() {
        topology_.flows[0].accepted_table.clear();
        topology_.flows[0].accepted_table_text = 0;
    }

    std::uint64_t accept(std::string_view id, std::string_view key = "customer-1") {
        return add(shop_db, broker::events::row_durable, name("shop-db.orders"), name(id),
                   name(key), 1);
    }

    /// The shop's outbox and the inbox of billing are followed. Relays are `shop_1` and `shop_2`.
    void follow(bool keeps = false, Duration retention = {}) {
        OutboxTable outbox;
        outbox.name = "shop-db.outbox";
        outbox.text = name(outbox.name);
        outbox.leader = "shop-db.outbox_cursor";
        outbox.leader_text = name(outbox.leader);
        outbox.keeps = keeps;
        outbox.channels = {0};
        outbox.relays = {shop_1, shop_2};
        topology_.outboxes = {outbox};
        InboxTable& inbox = topology_.subscribers.front().inbox;
        inbox.name = "billing-db.inbox/billing";
        inbox.text = name(inbox.name);
        inbox.retention = retention;
    }
    /// A transaction of `client`; what it did follows.
    void commit_of(std::uint32_t client, std::uint32_t database = shop_db) {
        ++commits_;
        add(database, broker::events::committed, name(topology_.node_names[database]), commits_,
            client);
    }
    /// Columns of a row, called by their roles.
    void set(std::string_view table, std::string_view row, std::string_view role,
             std::int64_t value) {
        add(database_of(table), broker::events::column_number, name(table), name(row), name(role),
            static_cast<std::uint64_t>(value));
    }
    void set(std::string_view table, std::string_view row, std::string_view role,
             std::string_view value) {
        add(database_of(table), broker::events::column_text, name(table), name(row), name(role),
            name(value));
    }
    void clear(std::string_view table, std::string_view row, std::string_view role) {
        add(database_of(table), broker::events::column_cleared, name(table), name(row), name(role));
    }
    std::uint64_t add_row(std::string_view table, std::string_view row,
                          std::string_view key = "customer-1") {
        return add(database_of(table), broker::events::row_added, name(table), name(row), name(key),
                   commits_);
    }
    std::uint64_t change_row(std::string_view table, std::string_view row) {
        return add(database_of(table), broker::events::row_changed, name(table), name(row),
                   commits_);
    }
    std::uint64_t remove_row(std::string_view table, std::string_view row) {
        return add(database_of(table), broker::events::row_removed, name(table), name(row),
                   commits_);
    }
    std::uint64_t lose_row(std::string_view table, std::string_view row) {
        return add(database_of(table), broker::events::row_lost, name(table), name(row));
    }
    /// The shop writes an event into its outbox.
    std::uint64_t write_outbox(std::string_view id, std::int64_t position) {
        commit_of(shop_1);
        set("shop-db.outbox", id, "position", position);
        return add_row("shop-db.outbox", id);
    }
    /// A relay takes the row, or the lead, for so long.
    std::uint64_t claim(std::uint32_t relay, std::string_view id, std::string_view owner,
                        Duration lease = std::chrono::seconds(30),
                        std::string_view table = "shop-db.outbox") {
        commit_of(relay);
        set(table, id, "owner", owner);
        set(table, id, "until", wall_now() + lease.count() / 1'000'000);
        return change_row(table, id);
    }
    /// Of the wall clock, in milliseconds since 1970.
    std::int64_t wall_now() const {
        return sim::WallClock::epoch_seconds * 1'000 + now_ / 1'000'000;
    }
    /// The inbox has the message with that status from now on.
    std::uint64_t record(std::uint32_t client, std::string_view id,
                         std::string_view status = "done") {
        commit_of(client, billing_db);
        set("billing-db.inbox/billing", id, "status", status);
        return add_row("billing-db.inbox/billing", id, "");
    }
    /// An effect of the commit that is being told.
    std::uint64_t effect_too(std::string_view id) {
        return add(billing_db, broker::events::row_durable, name("billing-db.charges"), name(id),
                   name("customer-1"), commits_);
    }
    std::uint64_t lose_accepted(std::string_view id) {
        return add(shop_db, broker::events::row_lost, name("shop-db.orders"), name(id));
    }
    /// … by a fail-over.
    std::uint64_t fail_over_accepted(std::string_view id) {
        return add(shop_db, broker::events::row_lost, name("shop-db.orders"), name(id), 1);
    }
    std::uint64_t fail_over_effect(std::string_view id) {
        return add(billing_db, broker::events::row_lost, name("billing-db.charges"), name(id), 1);
    }
    std::uint64_t store(std::string_view id, std::string_view partition, std::uint64_t offset,
                        std::string_view key = "customer-1") {
        return add(events_1, broker::events::stored, name(partition), offset, name(id), name(key));
    }
    std::uint64_t effect(std::string_view id, std::string_view key = "customer-1") {
        return add(billing_db, broker::events::row_durable, name("billing-db.charges"), name(id),
                   name(key), 1);
    }
    std::uint64_t lose_effect(std::string_view id) {
        return add(billing_db, broker::events::row_lost, name("billing-db.charges"), name(id));
    }
    std::uint64_t park(std::string_view id, std::string_view letter,
                       std::string_view service = "billing") {
        return add(events_1, broker::events::dead_lettered, name(id), name(service), name(letter),
                   3);
    }
    std::uint64_t deliver(std::uint32_t node, std::string_view partition, std::uint64_t first,
                          std::uint64_t end) {
        return add(node, broker::events::delivered, name(partition), name("billing"), first, end);
    }
    std::uint64_t share(std::uint32_t node, std::string_view partition, std::uint64_t offset,
                        std::uint64_t count = 1) {
        return add(node, broker::events::share_delivered, name(partition), name("billing"), offset,
                   count);
    }
    std::uint64_t commit(std::string_view partition, std::uint64_t offset,
                         std::string_view group = "billing") {
        return add(events_1, broker::events::offset_committed, name(partition), name(group), offset,
                   1);
    }
    std::uint64_t assign(std::uint32_t node, std::string_view partition) {
        return add(node, broker::events::assigned, name(partition), name("billing"), 1);
    }
    std::uint64_t revoke(std::uint32_t node, std::string_view partition) {
        return add(node, broker::events::revoked, name(partition), name("billing"), 1);
    }
    std::uint64_t reset(std::uint32_t node, std::string_view partition, std::uint64_t offset,
                        std::string_view policy) {
        return add(node, broker::events::position_reset, name(partition), name("billing"), offset,
                   name(policy));
    }
    std::uint64_t lose_records(std::string_view partition, std::uint64_t first,
                               std::uint64_t last) {
        return add(events_1, broker::events::records_lost, name(partition), first, last);
    }
    std::uint64_t delete_partition(std::string_view partition, std::uint64_t end) {
        return add(events_1, broker::events::partition_deleted, name(partition), end);
    }
    std::uint64_t add_partitions(std::string_view topic, std::uint64_t before,
                                 std::uint64_t count) {
        return add(0, broker::events::partitions_added, name(topic), before, count);
    }
    std::uint64_t attempt(std::uint32_t node, std::string_view id, std::uint64_t number = 1) {
        return add(node, sim::events::attempting, name(id), number);
    }
    std::uint64_t fail(std::uint32_t node, std::string_view id, std::uint64_t number,
                       std::string_view reason = "card declined") {
        return add(node, sim::events::attempt_failed, name(id), number, name(reason));
    }
    /// Attempts and fails.
    void try_in_vain(std::uint32_t node, std::string_view id, std::uint64_t number,
                     std::string_view reason = "card declined") {
        attempt(node, id, number);
        fail(node, id, number, reason);
    }
    std::uint64_t call_out(std::uint32_t node, std::string_view id, std::string_view key) {
        return add(node, sim::events::called_out, name(id), name(key));
    }
    std::uint64_t settle(std::uint32_t node, std::string_view id, std::string_view fate,
                         std::string_view reason = "") {
        return add(node, sim::events::settled, name(id), name(fate), name(reason));
    }
    std::uint64_t commit_as(std::uint64_t generation, std::string_view partition,
                            std::uint64_t offset) {
        return add(events_1, broker::events::offset_committed, name(partition), name("billing"),
                   offset, generation);
    }
    std::uint64_t assign_in(std::uint64_t generation, std::uint32_t node,
                            std::string_view partition) {
        return add(node, broker::events::assigned, name(partition), name("billing"), generation);
    }
    std::uint64_t lose_partition(std::uint32_t node, std::string_view partition) {
        return add(node, broker::events::lost, name(partition), name("billing"), 1);
    }
    std::uint64_t seek(std::uint32_t node, std::string_view partition, std::uint64_t offset) {
        return add(node, broker::events::position_sought, name(partition), name("billing"), offset);
    }
    std::uint64_t move_start(std::string_view partition, std::uint64_t offset) {
        return add(events_1, broker::events::log_start_moved, name(partition), offset,
                   name("retention"));
    }
    std::uint64_t lead(std::uint32_t node, std::string_view partition, std::uint64_t epoch) {
        return add(0, broker::events::leader_changed, name(partition), node, epoch);
    }
    std::uint64_t start_generation(std::uint64_t generation, std::uint64_t members = 3) {
        return add(events_1, broker::events::generation_started, name("billing"), generation,
                   members);
    }
    std::uint64_t assign_member(std::string_view member, std::uint32_t node,
                                std::string_view partition, std::uint64_t generation = 1) {
        return add(node, broker::events::assigned, name(partition), name("billing"), generation,
                   name(member));
    }
    /// The group goes on without the member.
    std::uint64_t give_up(std::string_view member, std::string_view why) {
        return add(events_1, broker::events::member_gone, name("billing"), name(member), name(why));
    }
    std::uint64_t expire(std::string_view partition) {
        return add(events_1, broker::events::offset_expired, name(partition), name("billing"));
    }
    /// An effect, in a transaction that `client` committed.
    std::uint64_t effect_by(std::uint32_t client, std::string_view id) {
        add(billing_db, broker::events::committed, name("billing-db"), 1, client);
        return effect(id);
    }
    /// What clients say of themselves, and are told. `producer` is one of `node`'s.
    std::uint64_t open_producer(std::uint32_t node, std::uint64_t producer = 0,
                                std::string_view acks = "all",
                                std::string_view order = "idempotent",
                                std::string_view transactional_id = "") {
        return add(node, broker::events::producer_opened, producer, name(acks), name(order),
                   transactional_id.empty() ? 0 : name(transactional_id));
    }
    std::uint64_t open_consumer(std::uint32_t node, std::string_view isolation = "read-committed") {
        return add(node, broker::events::consumer_opened, name("billing"), name(isolation));
    }
    /// The producer's records of a partition are numbered from 0.
    std::uint64_t send(std::uint32_t node, std::string_view id, std::string_view partition,
                       std::uint64_t number, std::string_view transaction = "",
                       std::uint64_t producer = 0) {
        return add(node, broker::events::sent, name(partition), name(id),
                   (producer << broker::events::send_bits) + number,
                   transaction.empty() ? 0 : name(transaction));
    }
    std::uint64_t acknowledge(std::uint32_t node, std::string_view partition, std::uint64_t offset,
                              std::uint64_t number, std::uint64_t count = 1) {
        return add(node, broker::events::acknowledged, name(partition), offset, count, number);
    }
    std::uint64_t fail_send(std::uint32_t node, std::string_view partition, std::uint64_t number,
                            std::uint64_t count = 1) {
        return add(node, broker::events::send_failed, name(partition), count, number,
                   name("refused"));
    }
    std::uint64_t leave_unknown(std::uint32_t node, std::string_view partition,
                                std::uint64_t number) {
        return add(node, broker::events::send_unknown, name(partition), 1, number,
                   name("timed out"));
    }
    std::uint64_t begin_transaction(std::uint32_t node, std::string_view transaction,
                                    std::string_view id = "copier-1") {
        return add(node, broker::events::transaction_begun, name(transaction), name(id));
    }
    std::uint64_t end_transaction(std::uint32_t node, std::string_view transaction,
                                  std::string_view verdict = "commit") {
        return add(node, broker::events::transaction_ended, name(transaction), name(verdict));
    }
    std::uint64_t write(std::string_view id, std::string_view partition, std::uint64_t offset) {
        return add(events_1, broker::events::written, name(partition), offset, name(id), 0);
    }
    std::uint64_t abort(std::string_view id, std::string_view partition, std::uint64_t offset) {
        return add(events_1, broker::events::aborted, name(partition), offset, name(id), 0);
    }
    std::uint64_t receive(std::uint32_t node, std::string_view id, std::string_view partition,
                          std::uint64_t offset) {
        return add(node, broker::events::received, name(partition), offset, name(id),
                   name("billing"));
    }
    std::uint64_t restart(std::uint32_t node) {
        crash(node);
        return add(node, sim::events::started, 2);
    }
    std::uint64_t crash(std::uint32_t node) {
        ++incarnations_[node];
        return add(node, sim::events::crashed, name("killed"));
    }
    std::uint64_t pause(std::uint32_t node) {
        return add(node, sim::events::paused, 1'000'000'000);
    }
    std::uint64_t heal() { return add(0, sim::events::healed); }
    std::uint64_t begin_fault() { return add(0, sim::events::fault_began, 1, name("crash")); }
    std::uint64_t end_fault() { return add(0, sim::events::fault_ended, 1, name("crash")); }

    // What brokers do with producers, transactions and logs.
    std::uint64_t take_id(std::string_view id, std::uint64_t epoch, std::uint64_t producer = 7,
                          Duration timeout = std::chrono::seconds(10)) {
        return add(events_1, broker::events::transactional_id_taken, name(id), epoch, producer,
                   static_cast<std::uint64_t>(timeout.count()));
    }
    /// `asked`: the transaction that the client means; empty: the coordinator decides by itself.
    std::uint64_t decide(std::string_view id, std::uint64_t epoch, std::string_view verdict,
                         std::string_view asked = "") {
        return add(events_1, broker::events::transaction_decided, name(id), epoch, name(verdict),
                   asked.empty() ? 0 : name(asked));
    }
    std::uint64_t write_in(std::string_view transaction, std::string_view partition,
                           std::uint64_t epoch = 0, std::uint64_t producer = 7) {
        return add(events_1, broker::events::transaction_written, name(partition), producer, epoch,
                   name(transaction));
    }
    std::uint64_t mark(std::string_view transaction, std::string_view partition,
                       std::string_view verdict, std::uint64_t epoch = 0) {
        return add(events_1, broker::events::transaction_marked, name(partition), name(transaction),
                   name(verdict), epoch);
    }
    std::uint64_t send_offsets(std::string_view transaction) {
        return add(shop_1, broker::events::offsets_sent, name(transaction), name("billing"));
    }
    std::uint64_t begin_sequence(std::string_view partition, std::uint64_t epoch,
                                 std::uint64_t sequence, std::uint64_t producer = 7) {
        return add(events_1, broker::events::sequence_begun, name(partition), producer, epoch,
                   sequence);
    }
    std::uint64_t fall(const sim::EventKind& kind, std::string_view partition, std::uint64_t from,
                       std::uint64_t to) {
        return add(events_1, kind, name(partition), 1, from, to);
    }
    std::uint64_t compact(std::string_view partition, std::uint64_t offset,
                          bool is_tombstone = false) {
        return add(events_1, broker::events::record_compacted, name(partition), offset,
                   is_tombstone ? 1 : 0);
    }

    std::uint64_t cut(std::uint32_t from, std::uint32_t to) {
        return add(0, sim::events::connection_reset, from, to);
    }

    void wait(Duration duration) { now_ += duration.count(); }

    RunEnd end() const {
        RunEnd end;
        end.time = Instant(Duration(now_));
        end.quiet = true;
        end.texts = &history_.texts();
        return end;
    }

    Verdict judge(std::string_view property, const PropertyOptions& options = {}) const {
        return judge(property, options, end());
    }
    Verdict judge(std::string_view property, const PropertyOptions& options,
                  const RunEnd& end) const {
        Reading reading(topology_);
        for (const PropertyInfo& info : catalogue()) {
            if (info.name != property) continue;
            const std::unique_ptr<Checker> checker = info.make(reading, options);
            read(reading);
            return finish(*checker, options, end);
        }
        ADD_FAILURE() << "no property " << property;
        return {};
    }

    void read(Reading& reading) const {
        for (const sim::Event& event : history_.events())
            reading.on_event(event);
    }

private:
    std::uint64_t add(std::uint32_t node, const sim::EventKind& kind, std::uint64_t a = 0,
                      std::uint64_t b = 0, std::uint64_t c = 0, std::uint64_t d = 0) {
        now_ += 1'000'000;
        sim::Event event;
        event.time = now_;
        event.node = node;
        event.incarnation = incarnations_[node];
        event.kind = kind.id;
        event.operands = {a, b, c, d};
        return history_.append(event);
    }

    [[nodiscard]] static std::uint32_t database_of(std::string_view table) {
        return table.starts_with("shop-db.") ? shop_db : billing_db;
    }

    sim::History history_;
    Topology topology_;
    std::int64_t now_ = 0;
    std::uint64_t commits_ = 0;
    std::array<std::uint32_t, 9> incarnations_{};
};

/// The whole way of one order that is billed, without anything going wrong.
inline void bill(HistoryBuilder& run, std::string_view id, std::uint64_t offset,
                 std::string_view key = "customer-1") {
    run.accept(id, key);
    run.store(id, "orders/0", offset, key);
    run.deliver(billing_1, "orders/0", offset, offset + 1);
    run.attempt(billing_1, id);
    run.effect(id, key);
    run.settle(billing_1, id, "done");
    run.commit("orders/0", offset + 1);
}

} // namespace testing_support
} // namespace crier::properties
