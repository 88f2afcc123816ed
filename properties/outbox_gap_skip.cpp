#include "properties/outbox_gap_skip.hpp"

#include "properties/finding.hpp"
#include "properties/reading.hpp"

namespace crier::properties {

namespace {

using sim::Event;

class OutboxGapSkip final : public Checker, private RowObserver {
public:
    explicit OutboxGapSkip(Reading& reading)
        : topology_(reading.topology()), reader_(reading.rows()),
          moved_(topology_.outboxes.size()) {
        reading.rows().add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("outbox-gap-skip", topology_, end);
    }

private:
    void on_changed(const FollowedRow& before, const FollowedRow& after,
                    const Event& event) override {
        if (after.table == FollowedRow::Table::leader && after.position != before.position)
            moved_[after.place] = {event.sequence, event.time};
    }

    void on_added(const FollowedRow& row, const Event& event) override {
        if (row.table != FollowedRow::Table::outbox || row.position < 0) return;
        const FollowedRow* const leader = reader_.leader(row.place);
        if (leader == nullptr || leader->position < 0) return;
        tally_.observe();
        if (row.position <= leader->position) {
            tally_.violate([&] { return found(row, leader->position, event); });
        }
    }

    [[nodiscard]] Finding found(const FollowedRow& row, std::int64_t cursor,
                                const Event& event) const {
        const OutboxTable& outbox = topology_.outboxes[row.place];
        const Moved& moved = moved_[row.place];
        Finding finding;
        finding.time = event.time;
        finding.subjects = {row.message};
        finding.events = {moved.sequence, event.sequence};
        Sentence& say = finding.witness;
        say.text(row.message).words(" appears in " + outbox.name + " at position ");
        say.number(row.position).words(" at ").time(event.time).words(", but the cursor in ");
        say.words(outbox.leader + " stands at ").number(cursor).words(" since ");
        say.time(moved.time).words(": nobody looks there again.");
        return finding;
    }

    struct Moved {
        std::uint64_t sequence = 0;
        std::int64_t time = 0;
    };

    const Topology& topology_;
    const RowReader& reader_;
    std::vector<Moved> moved_; // by outbox: the cursor, the last time
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_outbox_gap_skip(Reading& reading, const PropertyOptions&) {
    return std::make_unique<OutboxGapSkip>(reading);
}

} // namespace crier::properties
