#include "properties/assignment_fair.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/holders.hpp"
#include "properties/partition_counts.hpp"
#include "properties/reading.hpp"
#include "sim/events.hpp"

#include <algorithm>
#include <map>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

/// How long a group that got a new generation may take until everything is where it should be: two
/// heartbeats of the new protocol; a second rebalance.
constexpr Duration steps_of(GroupProtocol protocol) {
    return protocol == GroupProtocol::eager || protocol == GroupProtocol::cooperative
               ? std::chrono::seconds(5)
               : std::chrono::seconds(12);
}

class AssignmentFair final : public Checker, private sim::EventSink {
public:
    explicit AssignmentFair(Reading& reading)
        : topology_(reading.topology()), partitions_(reading.topology()) {
        reading.add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        for (std::size_t at = 0; at < topology_.subscribers.size(); ++at)
            judge(at, end);
        return tally_.verdict("assignment-fair", topology_, end);
    }

private:
    struct Generation {
        std::uint64_t members = 0;
        std::int64_t time = 0;
        std::uint64_t sequence = 0;
    };

    void on_event(const Event& event) override {
        holders_.read(event);
        partitions_.read(event);
        if (event.kind == broker_events::generation_started.id) {
            generations_[event.operands[0]] = {event.operands[2], event.time, event.sequence};
        }
    }

    void judge(std::size_t subscriber, const RunEnd& end) {
        const Subscriber& who = topology_.subscribers[subscriber];
        const auto generation = generations_.find(who.group_text);
        if (who.group_traits.protocol == GroupProtocol::share) return;
        if (generation == generations_.end() || generation->second.members == 0) return;
        const std::int64_t settled =
            generation->second.time + steps_of(who.group_traits.protocol).count();
        if (end.time.time_since_epoch().count() < settled) return;
        std::map<std::uint32_t, std::uint64_t> shares; // by node
        const std::span<const std::uint64_t> partitions = partitions_.of(who.channel);
        for (const std::uint64_t partition : partitions) {
            const std::vector<Holders::Holder>& holders = holders_.of({who.group_text, partition});
            if (holders.size() != 1) return;
            ++shares[holders.front().node];
        }
        tally_.observe();
        const std::uint64_t members = generation->second.members;
        std::uint64_t least = shares.size() < members ? 0 : UINT64_MAX;
        std::uint64_t most = 0;
        std::uint32_t richest = 0;
        for (const auto& [node, count] : shares) {
            least = std::min(least, count);
            if (count <= most) continue;
            most = count;
            richest = node;
        }
        if (most <= least + 1) return;
        tally_.miss([&] {
            Finding finding;
            finding.time = end.time.time_since_epoch().count();
            finding.subscriber = subscriber;
            finding.events = {generation->second.sequence};
            Sentence& say = finding.witness;
            say.node(richest).words(" holds ").number(static_cast<std::int64_t>(most));
            say.words(" of " + std::to_string(partitions.size()) + " partitions of " +
                      topology_.channels[who.channel].name + " at the end, and another of the ");
            say.number(static_cast<std::int64_t>(members)).words(" members ");
            say.number(static_cast<std::int64_t>(least)).words(".");
            return finding;
        });
    }

    const Topology& topology_;
    Holders holders_;
    PartitionCounts partitions_;
    std::map<std::uint64_t, Generation> generations_; // by group
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_assignment_fair(Reading& reading, const PropertyOptions&) {
    return std::make_unique<AssignmentFair>(reading);
}

} // namespace crier::properties
