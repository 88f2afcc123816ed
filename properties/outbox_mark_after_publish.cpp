#include "properties/outbox_mark_after_publish.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/reading.hpp"

namespace crier::properties {

namespace {

using sim::Event;

class OutboxMarkAfterPublish final : public Checker,
                                     private sim::EventSink,
                                     private RowObserver,
                                     private SendObserver {
public:
    explicit OutboxMarkAfterPublish(Reading& reading)
        : topology_(reading.topology()), reader_(reading.rows()) {
        reading.add(*this);
        reading.rows().add(*this);
        reading.sends().add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("outbox-mark-after-publish", topology_, end);
    }

private:
    void on_event(const Event& event) override {
        if (event.kind == broker::events::stored.id)
            published(event.operands[0], event.operands[2]);
    }
    void on_acknowledged(const Send& send, std::uint64_t, const Event&) override {
        published(send.partition, send.message);
    }
    void published(std::uint64_t partition, std::uint64_t message) {
        for (const std::size_t outbox : reader_.outboxes_of(partition))
            published_.at(reader_.outbox_row(outbox, message)) = true;
    }

    void on_changed(const FollowedRow& before, const FollowedRow& after,
                    const Event& event) override {
        if (!before.is_published && after.is_published) judge(after, "is marked", event);
    }
    void on_removed(const FollowedRow& row, const Event& event) override {
        if (row.table != FollowedRow::Table::outbox || row.is_published || row.is_dead) return;
        if (!topology_.outboxes[row.place].keeps) judge(row, "is removed", event);
    }

    void judge(const FollowedRow& row, std::string_view what, const Event& event) {
        tally_.observe();
        if (published_.get(row.number)) return;
        tally_.violate([&] {
            const OutboxTable& outbox = topology_.outboxes[row.place];
            Finding finding;
            finding.time = event.time;
            finding.subjects = {row.message};
            finding.events = {row.added_by, event.sequence};
            Sentence& say = finding.witness;
            say.text(row.message).words(" in " + outbox.name + " ").words(what);
            say.words(" as published at ").time(event.time);
            for (const std::size_t channel : outbox.channels)
                say.words(", but " + topology_.channels[channel].name + " has not got it");
            say.words(".");
            return finding;
        });
    }

    const Topology& topology_;
    RowReader& reader_;
    ByNumber<bool> published_; // by row
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_outbox_mark_after_publish(Reading& reading, const PropertyOptions&) {
    return std::make_unique<OutboxMarkAfterPublish>(reading);
}

} // namespace crier::properties
