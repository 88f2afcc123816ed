#include "properties/outbox_purge_safe.hpp"

#include "properties/finding.hpp"
#include "properties/reading.hpp"

namespace crier::properties {

namespace {

using sim::Event;

class OutboxPurgeSafe final : public Checker, private RowObserver {
public:
    explicit OutboxPurgeSafe(Reading& reading)
        : topology_(reading.topology()), reader_(reading.rows()) {
        reading.rows().add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("outbox-purge-safe", topology_, end);
    }

private:
    void on_removed(const FollowedRow& row, const Event& event) override {
        if (row.table != FollowedRow::Table::outbox || !topology_.outboxes[row.place].keeps) return;
        tally_.observe();
        if (row.is_published || row.is_dead) return;
        tally_.violate([&] {
            Finding finding;
            finding.time = event.time;
            finding.subjects = {row.message};
            finding.events = {row.added_by, event.sequence};
            Sentence& say = finding.witness;
            say.node(reader_.committer(event.node).node).words(" removes ").text(row.message);
            say.words(" from " + topology_.outboxes[row.place].name + " at ").time(event.time);
            say.words(", which is there since ").time(row.added_at);
            say.words(" and is not marked as published.");
            return finding;
        });
    }

    const Topology& topology_;
    const RowReader& reader_;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_outbox_purge_safe(Reading& reading, const PropertyOptions&) {
    return std::make_unique<OutboxPurgeSafe>(reading);
}

} // namespace crier::properties
