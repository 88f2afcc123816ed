#include "properties/dedup_window_bound.hpp"

#include "broker-model/events.hpp"
#include "properties/describe.hpp"
#include "properties/finding.hpp"
#include "properties/reading.hpp"

#include <algorithm>

namespace crier::properties {

namespace {

using sim::Event;

class DedupWindowBound final : public Checker,
                               private sim::EventSink,
                               private FlowObserver,
                               private RowObserver {
public:
    explicit DedupWindowBound(Reading& reading)
        : topology_(reading.topology()), routes_(reading.flows().routes()), reader_(reading.rows()),
          units_(topology_.subscribers.size()) {
        reading.add(*this);
        reading.flows().add(*this);
        reading.rows().add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        Verdict verdict = tally_.verdict("dedup-window-bound", topology_, end);
        if (oldest_ >= 0) {
            verdict.remark =
                "the oldest copy came " + format_duration(oldest_) + " after its message was done";
        }
        return verdict;
    }

private:
    struct Unit {
        std::int64_t done_at = -1; // the first time
        std::uint64_t done = 0;    // sequence of that event
        std::uint32_t effects = 0;
        bool is_reported = false;
    };

    void on_event(const Event& event) override {
        if (event.kind != broker::events::received.id) return;
        const auto subscriber = routes_.subscriber(event.operands[3], event.operands[0]);
        if (!subscriber || inbox(*subscriber).text == 0) return;
        Unit& unit = unit_of(*subscriber, event.operands[2]);
        if (unit.done_at < 0) return;
        tally_.observe();
        const std::int64_t age = event.time - unit.done_at;
        oldest_ = std::max(oldest_, age);
        const std::int64_t window = inbox(*subscriber).retention.count();
        if (window == 0 || age <= window || std::exchange(unit.is_reported, true)) return;
        tally_.violate([&] {
            Finding finding = begin(*subscriber, event.operands[2], unit, event);
            Sentence& say = finding.witness;
            say.words(", and a copy arrived " + format_duration(age) + " later, at ");
            say.time(event.time).words(": it is remembered for " + format_duration(window) + ".");
            return finding;
        });
    }

    void on_effect(const FlowMessage& message, std::size_t subscriber,
                   const Event& event) override {
        if (inbox(subscriber).text == 0) return;
        Unit& unit = unit_of(subscriber, message.text);
        if (unit.effects++ == 0 || unit.done_at < 0) return;
        const std::int64_t age = event.time - unit.done_at;
        const std::int64_t window = inbox(subscriber).retention.count();
        const std::int64_t sure = window - topology_.clock_error.count();
        if ((window != 0 && age >= sure) || std::exchange(unit.is_reported, true)) return;
        tally_.violate([&] {
            Finding finding = begin(subscriber, message.text, unit, event);
            Sentence& say = finding.witness;
            say.words(", and took effect again " + format_duration(age) + " later, at ");
            say.time(event.time).words(", although it should be remembered ");
            say.words(window == 0 ? "for ever." : "for " + format_duration(window) + ".");
            return finding;
        });
    }
    void on_effect_lost(const FlowMessage& message, std::size_t subscriber, const Event&) override {
        Unit& unit = unit_of(subscriber, message.text);
        if (unit.effects > 0) --unit.effects;
    }

    void on_added(const FollowedRow& row, const Event& event) override { note(row, event); }
    void on_changed(const FollowedRow&, const FollowedRow& after, const Event& event) override {
        note(after, event);
    }
    void on_lost(const FollowedRow& row, const Event&) override {
        if (row.table == FollowedRow::Table::inbox) unit_of(row.place, row.message).done_at = -1;
    }

    void note(const FollowedRow& row, const Event& event) {
        if (!reader_.is_done(row)) return;
        Unit& unit = unit_of(row.place, row.message);
        if (unit.done_at >= 0) return;
        unit.done_at = event.time;
        unit.done = event.sequence;
    }

    [[nodiscard]] const InboxTable& inbox(std::size_t subscriber) const {
        return topology_.subscribers[subscriber].inbox;
    }
    Unit& unit_of(std::size_t subscriber, std::uint64_t message) {
        return units_[subscriber].at(messages_.insert(message));
    }

    [[nodiscard]] Finding begin(std::size_t subscriber, std::uint64_t message, const Unit& unit,
                                const Event& event) const {
        Finding finding;
        finding.time = event.time;
        finding.subscriber = subscriber;
        finding.subjects = {message};
        finding.events = {unit.done, event.sequence};
        finding.witness.text(message).words(" was done by " + inbox(subscriber).name + " at ");
        finding.witness.time(unit.done_at);
        return finding;
    }

    const Topology& topology_;
    const Routes& routes_;
    const RowReader& reader_;
    Index messages_;
    std::vector<ByNumber<Unit>> units_; // by subscriber, then message
    std::int64_t oldest_ = -1;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_dedup_window_bound(Reading& reading, const PropertyOptions&) {
    return std::make_unique<DedupWindowBound>(reading);
}

} // namespace crier::properties
