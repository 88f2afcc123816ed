#include "properties/zombie_record.hpp"

#include "properties/finding.hpp"
#include "properties/reading.hpp"

namespace crier::properties {

namespace {

using sim::Event;

class ZombieRecord final : public Checker, private FlowObserver, private RowObserver {
public:
    explicit ZombieRecord(Reading& reading)
        : topology_(reading.topology()), reader_(reading.rows()),
          units_(topology_.subscribers.size()) {
        reading.flows().add(*this);
        reading.rows().add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("zombie-record", topology_, end);
    }

private:
    struct Unit {
        std::uint64_t record = 0; // sequence of the event that made it done; 0: it is not
        std::uint64_t letter = 0; // sequence of the first dead letter
        bool is_reported = false;
    };

    void on_parked(const FlowMessage& message, std::size_t subscriber,
                   const Event& event) override {
        if (topology_.subscribers[subscriber].inbox.text == 0) return;
        Unit& unit = unit_of(subscriber, message.text);
        if (unit.letter == 0) {
            unit.letter = event.sequence;
            tally_.observe();
        }
        judge(unit, message.text, subscriber, event);
    }

    void on_added(const FollowedRow& row, const Event& event) override { note(row, event); }
    void on_changed(const FollowedRow&, const FollowedRow& after, const Event& event) override {
        note(after, event);
    }
    void on_lost(const FollowedRow& row, const Event&) override {
        if (row.table == FollowedRow::Table::inbox) unit_of(row.place, row.message).record = 0;
    }

    void note(const FollowedRow& row, const Event& event) {
        if (row.table != FollowedRow::Table::inbox) return;
        Unit& unit = unit_of(row.place, row.message);
        unit.record = reader_.is_done(row) ? event.sequence : 0;
        judge(unit, row.message, row.place, event);
    }

    Unit& unit_of(std::size_t subscriber, std::uint64_t message) {
        return units_[subscriber].at(messages_.insert(message));
    }

    void judge(Unit& unit, std::uint64_t message, std::size_t subscriber, const Event& event) {
        if (unit.record == 0 || unit.letter == 0 || unit.is_reported) return;
        unit.is_reported = true;
        tally_.violate([&] {
            const Subscriber& who = topology_.subscribers[subscriber];
            Finding finding;
            finding.time = event.time;
            finding.subscriber = subscriber;
            finding.subjects = {message};
            finding.events = {unit.record, unit.letter};
            Sentence& say = finding.witness;
            say.text(message).words(" is dead-lettered for " + who.service + " and is done by ");
            say.words(who.inbox.name + ", both since ").time(event.time).words(".");
            return finding;
        });
    }

    const Topology& topology_;
    const RowReader& reader_;
    Index messages_;
    std::vector<ByNumber<Unit>> units_; // by subscriber, then message
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_zombie_record(Reading& reading, const PropertyOptions&) {
    return std::make_unique<ZombieRecord>(reading);
}

} // namespace crier::properties
