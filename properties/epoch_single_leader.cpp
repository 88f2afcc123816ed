#include "properties/epoch_single_leader.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/reading.hpp"

#include <map>
#include <utility>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class EpochSingleLeader final : public Checker, private sim::EventSink {
public:
    explicit EpochSingleLeader(Reading& reading) : topology_(reading.topology()) {
        reading.add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("epoch-single-leader", topology_, end);
    }

private:
    struct Latest {
        std::uint64_t epoch = 0;
        std::uint64_t sequence = 0; // 0: none yet
    };

    void on_event(const Event& event) override {
        if (event.kind == broker_events::partition_deleted.id) latest_.erase(event.operands[0]);
        if (event.kind != broker_events::leader_changed.id) return;
        tally_.observe();
        Latest& latest = latest_[event.operands[0]];
        if (latest.sequence != 0 && event.operands[2] <= latest.epoch) {
            tally_.violate([&] {
                Finding finding;
                finding.time = event.time;
                finding.events = {latest.sequence, event.sequence};
                Sentence& say = finding.witness;
                say.node(static_cast<std::uint32_t>(event.operands[1])).words(" leads ");
                say.text(event.operands[0]).words(" from ").time(event.time).words(" in epoch ");
                say.number(static_cast<std::int64_t>(event.operands[2]));
                say.words(", after another in epoch ");
                say.number(static_cast<std::int64_t>(latest.epoch)).words(".");
                return finding;
            });
        }
        latest = {event.operands[2], event.sequence};
    }

    const Topology& topology_;
    std::map<std::uint64_t, Latest> latest_;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_epoch_single_leader(Reading& reading, const PropertyOptions&) {
    return std::make_unique<EpochSingleLeader>(reading);
}

} // namespace crier::properties
