#include "properties/revoke_before_assign.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/holders.hpp"
#include "properties/reading.hpp"

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class RevokeBeforeAssign final : public Checker, private sim::EventSink {
public:
    explicit RevokeBeforeAssign(Reading& reading)
        : topology_(reading.topology()), routes_(reading.flows().routes()) {
        reading.add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("revoke-before-assign", topology_, end);
    }

private:
    void on_event(const Event& event) override {
        if (event.kind == broker_events::assigned.id) assigned(event);
        const bool loses_groups =
            event.kind == broker_events::records_lost.id && routes_.is_internal(event.operands[0]);
        if (loses_groups) forgotten_ = event.sequence;
        holders_.read(event);
    }

    void assigned(const Event& event) {
        tally_.observe();
        const std::uint64_t group = event.operands[1];
        for (const Holders::Holder& other : holders_.of({group, event.operands[0]})) {
            const bool is_free = other.node == event.node || other.sequence < forgotten_ ||
                                 holders_.is_gone(group, other.member, other.generation);
            if (!is_free) tally_.violate([&] { return shared(event, other); });
        }
    }

    [[nodiscard]] Finding shared(const Event& event, const Holders::Holder& other) const {
        Finding finding;
        finding.time = event.time;
        finding.subscriber = routes_.subscriber(event.operands[1], event.operands[0]);
        finding.events = {other.sequence, event.sequence};
        finding.witness.node(event.node).words(" was given ").text(event.operands[0]);
        finding.witness.words(" for ").text(event.operands[1]).words(" at ").time(event.time);
        finding.witness.words(" before ").node(other.node).words(", a member, had given it back.");
        return finding;
    }

    const Topology& topology_;
    const Routes& routes_;
    Holders holders_;
    std::uint64_t forgotten_ = 0; // whoever got something before is in no group's log any more
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_revoke_before_assign(Reading& reading, const PropertyOptions&) {
    return std::make_unique<RevokeBeforeAssign>(reading);
}

} // namespace crier::properties
