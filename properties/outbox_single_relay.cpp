#include "properties/outbox_single_relay.hpp"

#include "properties/finding.hpp"
#include "properties/lease.hpp"
#include "properties/reading.hpp"

#include <algorithm>

namespace crier::properties {

namespace {

using sim::Event;

class OutboxSingleRelay final : public Checker, private RowObserver, private SendObserver {
public:
    explicit OutboxSingleRelay(Reading& reading)
        : topology_(reading.topology()), reader_(reading.rows()) {
        reading.rows().add(*this);
        reading.sends().add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("outbox-single-relay", topology_, end);
    }

private:
    void on_added(const FollowedRow& row, const Event&) override { remember(row); }

    void on_changed(const FollowedRow& before, const FollowedRow& after,
                    const Event& event) override {
        if (after.table == FollowedRow::Table::inbox) return;
        const bool is_leader = after.table == FollowedRow::Table::leader;
        if (is_leader && before.position != after.position) judge_move(before, after, event);
        remember(after);
        if (!is_taken_over(before, after)) return;
        tally_.observe();
        if (!has_ended(before, event.time, topology_.clock_error)) {
            tally_.violate([&] { return taken_early(before, after, event); });
        } else if (is_leader && after.epoch >= 0 && after.epoch <= before.epoch) {
            tally_.violate([&] { return same_epoch(before, after, event); });
        }
    }

    /// Who moved the cursor must be who leads; its node's, since it may have died meanwhile.
    void judge_move(const FollowedRow& before, const FollowedRow& after, const Event& event) {
        tally_.observe();
        const Life mover = reader_.committer(event.node);
        if (after.owner == 0 || after.owner != before.owner) return;
        if (mover.node == after.holder.node) return;
        tally_.violate([&] {
            Finding finding;
            finding.time = event.time;
            finding.events = {after.held_by, event.sequence};
            Sentence& say = finding.witness;
            say.node(mover.node).words(" moves the cursor in " + place(after).leader + " to ");
            say.number(after.position).words(" at ").time(event.time).words(", but ");
            say.node(after.holder.node).words(" leads since ").time(after.held_since).words(".");
            return finding;
        });
    }

    void on_sent(const Send& send, const Event& event) override {
        for (const std::size_t outbox : reader_.outboxes_of(send.partition)) {
            const std::vector<std::uint32_t>& relays = topology_.outboxes[outbox].relays;
            if (!std::binary_search(relays.begin(), relays.end(), event.node)) continue;
            const FollowedRow* const leader = reader_.leader(outbox);
            const FollowedRow& row = reader_.row(reader_.outbox_row(outbox, send.message));
            judge_sending(leader == nullptr ? row : *leader, row, event);
        }
    }

    void judge_sending(const FollowedRow& lease, const FollowedRow& row, const Event& event) {
        const std::vector<Life>& holders = holders_.at(lease.number);
        if (holders.empty() || lease.owner == 0) return;
        const Life sender = reader_.life_of(event.node);
        if (std::find(holders.begin(), holders.end(), sender) != holders.end()) return;
        tally_.violate([&] {
            Finding finding;
            finding.time = event.time;
            finding.subjects = {row.message};
            finding.events = {lease.held_by, event.sequence};
            Sentence& say = finding.witness;
            say.node(event.node).words(" sends ").text(row.message).words(" at ");
            say.time(event.time).words(" without ever having held it: ");
            say.node(lease.holder.node).words(" does since ").time(lease.held_since).words(".");
            return finding;
        });
    }

    void remember(const FollowedRow& row) {
        if (row.table == FollowedRow::Table::inbox || row.owner == 0) return;
        std::vector<Life>& holders = holders_.at(row.number);
        if (std::find(holders.begin(), holders.end(), row.holder) == holders.end())
            holders.push_back(row.holder);
    }

    [[nodiscard]] const OutboxTable& place(const FollowedRow& row) const {
        return topology_.outboxes[row.place];
    }

    /// Begins with who takes what from whom.
    [[nodiscard]] Finding taken(const FollowedRow& before, const FollowedRow& after,
                                const Event& event) const {
        Finding finding;
        finding.time = event.time;
        if (after.table == FollowedRow::Table::outbox) finding.subjects = {after.message};
        finding.events = {before.held_by, event.sequence};
        Sentence& say = finding.witness;
        say.node(after.holder.node).words(" takes ");
        if (after.table == FollowedRow::Table::leader) {
            say.words("the lead in " + place(after).leader);
        } else {
            say.text(after.message).words(" of " + place(after).name);
        }
        say.words(" from ").node(before.holder.node).words(" at ").time(event.time);
        return finding;
    }

    [[nodiscard]] Finding taken_early(const FollowedRow& before, const FollowedRow& after,
                                      const Event& event) const {
        Finding finding = taken(before, after, event);
        finding.witness.words(", which had it since ").time(before.held_since);
        const std::int64_t left = *before.until - wall_milliseconds(event.time);
        finding.witness.words(" and has it for ").number(left).words(" ms more.");
        return finding;
    }

    [[nodiscard]] Finding same_epoch(const FollowedRow& before, const FollowedRow& after,
                                     const Event& event) const {
        Finding finding = taken(before, after, event);
        finding.witness.words(" without a new epoch: it is ").number(after.epoch);
        finding.witness.words(" as before, so ").node(before.holder.node);
        finding.witness.words(" is not fenced.");
        return finding;
    }

    const Topology& topology_;
    RowReader& reader_;
    ByNumber<std::vector<Life>> holders_; // by row: all that held it
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_outbox_single_relay(Reading& reading, const PropertyOptions&) {
    return std::make_unique<OutboxSingleRelay>(reading);
}

} // namespace crier::properties
