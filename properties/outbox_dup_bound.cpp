#include "properties/outbox_dup_bound.hpp"

#include "properties/finding.hpp"
#include "properties/lease.hpp"
#include "properties/reading.hpp"
#include "sim/events.hpp"

#include <algorithm>

namespace crier::properties {

namespace {

using sim::Event;

class OutboxDupBound final : public Checker,
                             private sim::EventSink,
                             private RowObserver,
                             private SendObserver {
public:
    explicit OutboxDupBound(Reading& reading)
        : topology_(reading.topology()), reader_(reading.rows()), sends_(reading.sends()),
          leads_(topology_.outboxes.size()) {
        reading.add(*this);
        reading.rows().add(*this);
        reading.sends().add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("outbox-dup-bound", topology_, end);
    }

private:
    struct Sending {
        Life by;
        std::int64_t time = 0;
        std::uint64_t sequence = 0;
    };
    struct Row {
        std::vector<Sending> sendings;
        std::uint32_t hits = 0; // that are known at once
    };

    void on_event(const Event& event) override {
        if (event.kind == sim::events::paused.id) paused_.at(event.node) = event.time;
    }

    void on_changed(const FollowedRow& before, const FollowedRow& after,
                    const Event& event) override {
        const bool taken_over =
            is_taken_over(before, after) && has_ended(before, event.time, topology_.clock_error);
        if (after.table == FollowedRow::Table::leader) {
            if (taken_over) leads_[after.place].push_back(event.time);
        } else if (after.table == FollowedRow::Table::outbox) {
            const bool redriven =
                (before.is_dead && !after.is_dead) || before.copies < after.copies;
            if (taken_over || redriven) ++rows_.at(after.number).hits;
        }
    }

    void on_sent(const Send& send, const Event& event) override {
        for (const std::size_t outbox : reader_.outboxes_of(send.partition))
            sent(outbox, send, event);
    }
    void on_failed(const Send& send, const Event&) override { excuse(send); }
    void on_unknown(const Send& send, const Event&) override { excuse(send); }

    void excuse(const Send& send) {
        for (const std::size_t outbox : reader_.outboxes_of(send.partition)) {
            if (is_relay(outbox, sends_.producer(send).node))
                ++rows_.at(reader_.outbox_row(outbox, send.message)).hits;
        }
    }

    [[nodiscard]] bool is_relay(std::size_t outbox, std::uint32_t node) const {
        const std::vector<std::uint32_t>& relays = topology_.outboxes[outbox].relays;
        return std::binary_search(relays.begin(), relays.end(), node);
    }

    void sent(std::size_t outbox, const Send& send, const Event& event) {
        if (!is_relay(outbox, event.node)) return;
        const FollowedRow& followed = reader_.row(reader_.outbox_row(outbox, send.message));
        const bool is_leased = followed.owner != 0 || reader_.leader(outbox) != nullptr;
        Row& row = rows_.at(followed.number);
        if (row.sendings.empty() && !is_leased) return;
        tally_.observe();
        row.sendings.push_back({reader_.life_of(event.node), event.time, event.sequence});
        const std::size_t excused = 1 + row.hits + hits_of_senders(row) + new_leads(outbox, row);
        if (row.sendings.size() <= excused) return;
        tally_.violate([&] { return found(outbox, followed, row, event); });
    }

    /// Returns how many of the earlier senders have died or were frozen since.
    [[nodiscard]] std::size_t hits_of_senders(const Row& row) const {
        return static_cast<std::size_t>(std::count_if(
            row.sendings.begin(), std::prev(row.sendings.end()), [this](const Sending& each) {
                return reader_.life_of(each.by.node) != each.by ||
                       paused_.get(each.by.node) >= each.time;
            }));
    }

    /// Returns how often the lead went to another relay since the row was sent first.
    [[nodiscard]] std::size_t new_leads(std::size_t outbox, const Row& row) const {
        const std::vector<std::int64_t>& leads = leads_[outbox];
        return static_cast<std::size_t>(
            leads.end() - std::lower_bound(leads.begin(), leads.end(), row.sendings.front().time));
    }

    [[nodiscard]] Finding found(std::size_t outbox, const FollowedRow& followed, const Row& row,
                                const Event& event) const {
        Finding finding;
        finding.time = event.time;
        finding.subjects = {followed.message};
        for (const Sending& each : row.sendings)
            finding.events.push_back(each.sequence);
        const Sending& last = *std::prev(row.sendings.end(), 2);
        Sentence& say = finding.witness;
        say.node(event.node).words(" sends ").text(followed.message);
        say.words(" of " + topology_.outboxes[outbox].name + " at ").time(event.time);
        say.words(", which ").node(last.by.node).words(" had sent at ").time(last.time);
        say.words(", and nothing had happened to that sending, its sender or its lease.");
        return finding;
    }

    const Topology& topology_;
    RowReader& reader_;
    const SendReader& sends_;
    ByNumber<Row> rows_;
    ByNumber<std::int64_t> paused_;                // by node: when, the last time
    std::vector<std::vector<std::int64_t>> leads_; // by outbox: when another relay took the lead
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_outbox_dup_bound(Reading& reading, const PropertyOptions&) {
    return std::make_unique<OutboxDupBound>(reading);
}

} // namespace crier::properties
