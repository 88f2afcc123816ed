#include "properties/zombie_commit.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/reading.hpp"

#include <map>
#include <utility>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class ZombieCommit final : public Checker, private sim::EventSink {
public:
    explicit ZombieCommit(Reading& reading) : topology_(reading.topology()) { reading.add(*this); }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("zombie-commit", topology_, end);
    }

private:
    struct Latest {
        std::int64_t generation = -1;
        std::uint64_t sequence = 0;
    };

    void on_event(const Event& event) override {
        if (event.kind == broker_events::records_lost.id) { // perhaps of the generation, too
            latest_.clear();
            return;
        }
        if (event.kind != broker_events::offset_committed.id) return;
        const auto generation = static_cast<std::int64_t>(event.operands[3]);
        if (generation < 0) return; // of nobody's membership
        tally_.observe();
        Latest& latest = latest_[event.operands[1]];
        if (generation < latest.generation) {
            tally_.violate([&] {
                Finding finding;
                finding.time = event.time;
                finding.events = {latest.sequence, event.sequence};
                Sentence& say = finding.witness;
                say.words("A commit of ").text(event.operands[1]).words(" for ");
                say.text(event.operands[0]).words(" by a member of generation ");
                say.number(generation).words(" was accepted at ").time(event.time);
                say.words(", after generation ").number(latest.generation).words(" had committed.");
                return finding;
            });
            return;
        }
        latest = {generation, event.sequence};
    }

    const Topology& topology_;
    std::map<std::uint64_t, Latest> latest_; // by group
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_zombie_commit(Reading& reading, const PropertyOptions&) {
    return std::make_unique<ZombieCommit>(reading);
}

} // namespace crier::properties
