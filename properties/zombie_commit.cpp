#include "properties/zombie_commit.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/holders.hpp"
#include "properties/reading.hpp"

#include <iterator>
#include <map>
#include <set>
#include <utility>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class ZombieCommit final : public Checker, private sim::EventSink {
public:
    explicit ZombieCommit(Reading& reading)
        : topology_(reading.topology()), routes_(reading.flows().routes()) {
        reading.add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("zombie-commit", topology_, end);
    }

private:
    struct Latest {
        std::int64_t generation = -1;
        std::uint64_t sequence = 0;
    };

    void on_event(const Event& event) override {
        switch (event.kind) {
        case broker_events::records_lost.id: // perhaps of the generation, too
            if (routes_.is_internal(event.operands[0])) latest_.clear();
            break;
        case broker_events::offset_expired.id: // and maybe its group with it: it counts anew
            std::erase_if(latest_, [&event](const auto& entry) {
                return entry.first.first == event.operands[1];
            });
            std::erase_if(epochs_, [&event](const auto& entry) {
                return entry.first.first == event.operands[1];
            });
            break;
        case broker_events::assigned.id:
            epochs_[{event.operands[1], event.operands[0]}].insert(event.operands[2]);
            break;
        case broker_events::offset_committed.id: committed(event); break;
        default: break;
        }
    }

    /// Whether all members of the group are in one generation, as those of the classic protocol.
    [[nodiscard]] bool has_generations(const Event& event) const {
        const auto subscriber = routes_.subscriber(event.operands[1], event.operands[0]);
        if (!subscriber) return false;
        const GroupProtocol protocol = topology_.subscribers[*subscriber].group_traits.protocol;
        return protocol == GroupProtocol::eager || protocol == GroupProtocol::cooperative;
    }

    /// Returns the epoch in which the member that commits was given the partition.
    [[nodiscard]] std::int64_t epoch_of(const Event& event, std::int64_t generation) const {
        const auto epochs = epochs_.find({event.operands[1], event.operands[0]});
        if (epochs == epochs_.end()) return 0;
        const auto after = epochs->second.upper_bound(static_cast<std::uint64_t>(generation));
        if (after == epochs->second.begin()) return 0;
        return static_cast<std::int64_t>(*std::prev(after));
    }

    void committed(const Event& event) {
        const auto generation = static_cast<std::int64_t>(event.operands[3]);
        if (generation < 0) return; // of nobody's membership
        tally_.observe();
        const bool as_a_group = has_generations(event);
        const std::int64_t owned_in = as_a_group ? generation : epoch_of(event, generation);
        Latest& latest = latest_[{event.operands[1], as_a_group ? 0 : event.operands[0]}];
        if (owned_in < latest.generation) {
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
        latest = {owned_in, event.sequence};
    }

    const Topology& topology_;
    const Routes& routes_;
    std::map<GroupPartition, Latest> latest_; // of the whole group under partition 0
    std::map<GroupPartition, std::set<std::uint64_t>> epochs_; // in which it was given to somebody
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_zombie_commit(Reading& reading, const PropertyOptions&) {
    return std::make_unique<ZombieCommit>(reading);
}

} // namespace crier::properties
