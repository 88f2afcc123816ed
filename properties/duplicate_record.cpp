#include "properties/duplicate_record.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/index.hpp"
#include "properties/reading.hpp"
#include "sim/events.hpp"
#include "sim/hash.hpp"

#include <map>
#include <set>
#include <utility>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class DuplicateRecord final : public Checker, private sim::EventSink, private SendObserver {
public:
    explicit DuplicateRecord(Reading& reading)
        : topology_(reading.topology()), routes_(reading.flows().routes()),
          sends_(reading.sends()) {
        reading.add(*this);
        reading.sends().add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("duplicate-record", topology_, end);
    }

private:
    void on_event(const Event& event) override {
        switch (event.kind) {
        case broker_events::stored.id: stored(event); break;
        case broker_events::partition_deleted.id:
            deleted_[event.operands[0]] = event.sequence;
            break;
        case broker_events::leader_changed.id:
            brokers_.insert(static_cast<std::uint32_t>(event.operands[1]));
            break;
        case sim::events::crashed.id:
        case sim::events::power_lost.id:
        case sim::events::resumed.id:
        case sim::events::exception_escaped.id:
            if (!brokers_.contains(event.node)) ++resends_;
            break;
        default: break;
        }
    }

    // A retry of a producer that is not idempotent may be stored again; it may also be told so.
    void on_sent(const Send& send, const Event&) override {
        if (send.message == 0 || sends_.producer(send).is_idempotent) return;
        copies_.at(index_.insert(sim::mix(send.partition, send.message))).may_repeat = true;
    }

    void stored(const Event& event) {
        if (routes_.place(event.operands[0]) == nullptr) return;
        tally_.observe();
        const std::uint32_t number = index_.insert(sim::mix(event.operands[0], event.operands[2]));
        Copy& copy = copies_.at(number);
        const bool is_there = copy.sequence > deleted_[event.operands[0]];
        if (is_there && copy.resends == resends_ && !copy.may_repeat) {
            tally_.violate([&] {
                Finding finding;
                finding.time = event.time;
                finding.subjects = {event.operands[2]};
                finding.events = {copy.sequence, event.sequence};
                finding.witness.text(event.operands[2]).words(" is stored again at ");
                finding.witness.text(event.operands[0]).words(" offset ");
                finding.witness.number(static_cast<std::int64_t>(event.operands[1]));
                finding.witness.words(" at ").time(event.time);
                finding.witness.words(", and no process that could have sent it anew died since.");
                return finding;
            });
        }
        copy = {event.sequence, resends_, copy.may_repeat};
    }

    struct Copy {
        std::uint64_t sequence = 0;
        std::uint64_t resends = 0; // as of when it was stored
        bool may_repeat = false;
    };

    const Topology& topology_;
    const Routes& routes_;
    const SendReader& sends_;
    Index index_;
    ByNumber<Copy> copies_;
    std::set<std::uint32_t> brokers_;
    std::map<std::uint64_t, std::uint64_t> deleted_; // by partition the last event that says so
    std::uint64_t resends_ = 0;                      // occasions at which an application sends anew
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_duplicate_record(Reading& reading, const PropertyOptions&) {
    return std::make_unique<DuplicateRecord>(reading);
}

} // namespace crier::properties
