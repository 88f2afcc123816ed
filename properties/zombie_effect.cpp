#include "properties/zombie_effect.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/holders.hpp"
#include "properties/reading.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class ZombieEffect final : public Checker, private sim::EventSink, private FlowObserver {
public:
    explicit ZombieEffect(Reading& reading) : topology_(reading.topology()) {
        reading.add(*this);
        reading.flows().add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("zombie-effect", topology_, end);
    }

private:
    /// Who asked for the last commit of a database.
    struct Commit {
        std::uint64_t number = 0;
        std::uint32_t client = 0;
    };
    static constexpr std::uint64_t several = 1; // no text has this hash

    void on_event(const Event& event) override {
        holders_.read(event);
        if (event.kind == broker_events::committed.id) {
            commits_[event.node] = {event.operands[1],
                                    static_cast<std::uint32_t>(event.operands[2])};
        } else if (event.kind == broker_events::assigned.id) {
            got_[{{event.operands[1], event.operands[0]}, event.node}] = event.sequence;
        }
    }

    void on_stored(const FlowMessage& message, const Event& event) override {
        std::uint64_t& partition = partitions_.at(message.number);
        partition = partition == 0 || partition == event.operands[0] ? event.operands[0] : several;
    }

    void on_effect(const FlowMessage& message, std::size_t subscriber,
                   const Event& event) override {
        const Subscriber& who = topology_.subscribers[subscriber];
        const std::uint64_t partition = partitions_.get(message.number);
        const Commit commit = commits_[event.node];
        const bool is_member =
            std::binary_search(who.nodes.begin(), who.nodes.end(), commit.client);
        if (partition <= several || commit.number != event.operands[3] || !is_member) return;
        const GroupPartition place{who.group_text, partition};
        const auto got = got_.find({place, commit.client});
        if (got == got_.end()) return; // nothing it ever had
        tally_.observe();
        const std::vector<Holders::Holder>& holders = holders_.of(place);
        if (holders.empty() || holders.back().node == commit.client) return;
        const Holders::Holder& owner = holders.back();
        if (owner.sequence < got->second) return; // a zombie itself
        tally_.violate([&] { return found(message, subscriber, partition, commit, owner, event); });
    }

    [[nodiscard]] Finding found(const FlowMessage& message, std::size_t subscriber,
                                std::uint64_t partition, const Commit& commit,
                                const Holders::Holder& owner, const Event& event) const {
        Finding finding;
        finding.time = event.time;
        finding.subscriber = subscriber;
        finding.subjects = {message.text};
        finding.events = {owner.sequence, event.sequence};
        Sentence& say = finding.witness;
        say.text(message.text).words(" took effect at ").time(event.time).words(" by ");
        say.node(commit.client).words(", which had lost ").text(partition).words(": ");
        say.node(owner.node).words(" holds it in generation ");
        say.number(static_cast<std::int64_t>(owner.generation)).words(".");
        return finding;
    }

    const Topology& topology_;
    Holders holders_;
    std::map<std::uint32_t, Commit> commits_;                               // by database's node
    std::map<std::pair<GroupPartition, std::uint32_t>, std::uint64_t> got_; // when it last did
    ByNumber<std::uint64_t> partitions_; // by message of a flow: where it is stored
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_zombie_effect(Reading& reading, const PropertyOptions&) {
    return std::make_unique<ZombieEffect>(reading);
}

} // namespace crier::properties
