#include "properties/dedup_key_scope.hpp"

#include "properties/finding.hpp"
#include "properties/reading.hpp"

namespace crier::properties {

namespace {

using sim::Event;

class DedupKeyScope final : public Checker, private FlowObserver, private RowObserver {
public:
    explicit DedupKeyScope(Reading& reading)
        : topology_(reading.topology()), reader_(reading.flows()),
          units_(topology_.subscribers.size()), records_(topology_.subscribers.size()) {
        reading.flows().add(*this);
        reading.rows().add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        for (std::size_t subscriber = 0; subscriber < units_.size(); ++subscriber) {
            if (!reader_.routes().counts(subscriber)) continue;
            for (std::uint32_t number = 0; number < reader_.count(); ++number)
                judge(subscriber, number);
        }
        return tally_.verdict("dedup-key-scope", topology_, end);
    }

private:
    struct Unit {
        std::uint64_t dropped = 0; // sequence of the event; 0: never as a copy
        std::int64_t dropped_at = 0;
        std::uint32_t node = 0;
        bool is_known = false; // it had a fate of its own once
    };

    void on_settled(const FlowMessage& message, std::size_t subscriber,
                    const Event& event) override {
        if (event.operands[1] != reader_.fates().duplicate) return;
        Unit& unit = units_[subscriber].at(message.number);
        if (unit.dropped != 0) return;
        tally_.observe();
        unit.dropped = event.sequence;
        unit.dropped_at = event.time;
        unit.node = event.node;
    }
    void on_effect(const FlowMessage& message, std::size_t subscriber, const Event&) override {
        units_[subscriber].at(message.number).is_known = true;
    }
    void on_parked(const FlowMessage& message, std::size_t subscriber, const Event&) override {
        units_[subscriber].at(message.number).is_known = true;
    }
    void on_discarded(const FlowMessage& message, std::size_t subscriber, const Event&) override {
        units_[subscriber].at(message.number).is_known = true;
    }
    void on_added(const FollowedRow& row, const Event&) override {
        if (row.table == FollowedRow::Table::inbox)
            records_[row.place].at(messages_.insert(row.message)) = true;
    }

    void judge(std::size_t subscriber, std::uint32_t number) {
        const Unit unit = units_[subscriber].get(number);
        const FlowMessage message = reader_.message(number);
        if (unit.dropped == 0 || unit.is_known) return;
        const auto record = messages_.find(message.text);
        if (record && records_[subscriber].get(*record)) return;
        tally_.violate([&] {
            const Subscriber& who = topology_.subscribers[subscriber];
            Finding finding;
            finding.time = unit.dropped_at;
            finding.subscriber = subscriber;
            finding.subjects = {message.text};
            finding.events = {unit.dropped};
            Sentence& say = finding.witness;
            say.node(unit.node).words(" dropped ").text(message.text).words(" as a copy at ");
            say.time(unit.dropped_at).words(", but " + who.service + " has no effect of it in ");
            say.words(who.effects_table + ": another message has its key.");
            return finding;
        });
    }

    const Topology& topology_;
    const FlowReader& reader_;
    std::vector<ByNumber<Unit>> units_; // by subscriber, then message of a flow
    Index messages_;
    std::vector<ByNumber<bool>> records_; // by subscriber, then message: it was in the inbox
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_dedup_key_scope(Reading& reading, const PropertyOptions&) {
    return std::make_unique<DedupKeyScope>(reading);
}

} // namespace crier::properties
