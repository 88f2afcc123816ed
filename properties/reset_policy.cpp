#include "properties/reset_policy.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/former_commits.hpp"
#include "properties/reading.hpp"
#include "sim/hash.hpp"

#include <map>
#include <utility>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class ResetPolicy final : public Checker, private sim::EventSink {
public:
    explicit ResetPolicy(Reading& reading)
        : topology_(reading.topology()), routes_(reading.flows().routes()) {
        reading.add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("reset-policy", topology_, end);
    }

private:
    struct Committed {
        std::uint64_t offset = 0;
        std::uint64_t sequence = 0;
    };

    void on_event(const Event& event) override {
        const std::uint64_t partition = event.operands[0];
        former_.read(event);
        switch (event.kind) {
        case broker_events::offset_committed.id:
            if (!former_.has(event))
                committed_[{event.operands[1], partition}] = {event.operands[2], event.sequence};
            break;
        case broker_events::log_start_moved.id: forget(partition, event.operands[1]); break;
        case broker_events::records_lost.id:
            if (routes_.is_internal(partition)) committed_.clear(); // commits may be among them
            [[fallthrough]];
        case broker_events::partition_deleted.id: forget(partition, UINT64_MAX); break;
        case broker_events::offset_expired.id:
            committed_.erase({event.operands[1], partition});
            break;
        case broker_events::position_reset.id: reset(event); break;
        default: break;
        }
    }

    /// What lies below `limit` may be out of range now.
    void forget(std::uint64_t partition, std::uint64_t limit) {
        std::erase_if(committed_, [partition, limit](const auto& entry) {
            return entry.first.second == partition && entry.second.offset < limit;
        });
    }

    void reset(const Event& event) {
        tally_.observe();
        const auto subscriber = routes_.subscriber(event.operands[1], event.operands[0]);
        const bool is_told = subscriber && event.operands[3] != truncated_;
        if (is_told) {
            const std::string& policy =
                topology_.subscribers[*subscriber].group_traits.offset_reset;
            const bool is_other = !policy.empty() && event.operands[3] != sim::hash_text(policy);
            if (is_other) tally_.violate([&] { return other_policy(event, *subscriber, policy); });
        }
        const auto found = committed_.find({event.operands[1], event.operands[0]});
        if (found == committed_.end()) return;
        tally_.violate([&] {
            Finding finding;
            finding.time = event.time;
            finding.subscriber = routes_.subscriber(event.operands[1], event.operands[0]);
            finding.events = {found->second.sequence, event.sequence};
            Sentence& say = finding.witness;
            say.node(event.node).words(" began ").text(event.operands[0]).words(" for ");
            say.text(event.operands[1]).words(" at ").time(event.time).words(" from ");
            say.number(static_cast<std::int64_t>(event.operands[2])).words(", ");
            say.text(event.operands[3]).words(", although the group had committed up to before ");
            say.number(static_cast<std::int64_t>(found->second.offset)).words(".");
            return finding;
        });
    }

    static Finding other_policy(const Event& event, std::size_t subscriber,
                                const std::string& policy) {
        Finding finding;
        finding.time = event.time;
        finding.subscriber = subscriber;
        finding.events = {event.sequence};
        Sentence& say = finding.witness;
        say.node(event.node).words(" began ").text(event.operands[0]).words(" at ");
        say.time(event.time).words(" from ").number(static_cast<std::int64_t>(event.operands[2]));
        say.words(", ").text(event.operands[3]).words(", and is to begin " + policy + ".");
        return finding;
    }

    const Topology& topology_;
    const Routes& routes_;
    std::uint64_t truncated_ = sim::hash_text("the log was truncated"); // not by the policy
    std::map<std::pair<std::uint64_t, std::uint64_t>, Committed> committed_;
    FormerCommits former_;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_reset_policy(Reading& reading, const PropertyOptions&) {
    return std::make_unique<ResetPolicy>(reading);
}

} // namespace crier::properties
