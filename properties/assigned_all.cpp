#include "properties/assigned_all.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/holders.hpp"
#include "properties/partition_counts.hpp"
#include "properties/reading.hpp"
#include "sim/events.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

/// What a group may take from the end of a session until everything has an owner again.
constexpr Duration rebalance = std::chrono::seconds(10);

class AssignedAll final : public Checker, private sim::EventSink {
public:
    explicit AssignedAll(Reading& reading)
        : topology_(reading.topology()), partitions_(reading.topology()) {
        reading.add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        for (std::size_t at = 0; at < topology_.subscribers.size(); ++at)
            judge(at, end);
        return tally_.verdict("assigned-all", topology_, end);
    }

private:
    void on_event(const Event& event) override {
        holders_.read(event);
        partitions_.read(event);
        switch (event.kind) {
        case broker_events::assigned.id:
            members_[{event.operands[1], event.node}] = {event.operands[3], event.operands[2]};
            strangers_.erase(event.node);
            break;
        case broker_events::revoked.id:
        case broker_events::lost.id:
            given_back_[{event.operands[1], event.operands[0]}] = event.time;
            break;
        case broker_events::generation_started.id:
            generations_[event.operands[0]] = event.time;
            break;
        case sim::events::crashed.id:
        case sim::events::power_lost.id:
        case sim::events::paused.id: gone(event); break;
        default: break;
        }
    }

    void gone(const Event& event) {
        bool is_known = false;
        for (auto at = members_.begin(); at != members_.end();) {
            const bool is_its = at->first.second == event.node;
            is_known = is_known || is_its;
            if (is_its) {
                const auto [id, generation] = at->second;
                away_[{at->first.first, id}] = {event.time, generation};
            }
            const bool ends = is_its && event.kind != sim::events::paused.id;
            at = ends ? members_.erase(at) : std::next(at);
        }
        if (!is_known) strangers_[event.node] = event.time;
    }

    /// Whether the group may still wait for a member that died or froze, and has not come to know.
    [[nodiscard]] bool may_wait(const Subscriber& who, const RunEnd& end) const {
        const std::int64_t limit =
            (end.time.time_since_epoch() - who.group_traits.session_timeout - rebalance).count();
        for (const auto& [member, away] : away_) {
            const bool is_missed = member.first == who.group_text && away.since >= limit &&
                                   !holders_.is_gone(member.first, member.second, away.generation);
            if (is_missed) return true;
        }
        return std::any_of(who.nodes.begin(), who.nodes.end(), [&](std::uint32_t node) {
            const auto away = strangers_.find(node);
            return away != strangers_.end() && away->second >= limit;
        });
    }

    /// Whether somebody gave the partition back for a rebalance that is still under way.
    [[nodiscard]] bool may_move(const Subscriber& who, std::uint64_t partition,
                                const RunEnd& end) const {
        const auto given_back = given_back_.find({who.group_text, partition});
        const auto generation = generations_.find(who.group_text);
        if (given_back == given_back_.end() || generation == generations_.end()) return false;
        const std::int64_t limit =
            (end.time.time_since_epoch() - who.group_traits.session_timeout - rebalance).count();
        return generation->second <= given_back->second && given_back->second >= limit;
    }

    void judge(std::size_t subscriber, const RunEnd& end) {
        const Subscriber& who = topology_.subscribers[subscriber];
        if (who.group_traits.protocol == GroupProtocol::share || may_wait(who, end)) return;
        for (const std::uint64_t partition : partitions_.of(who.channel)) {
            const bool has_owner = !holders_.of({who.group_text, partition}).empty();
            if (!has_owner && may_move(who, partition, end)) continue;
            tally_.observe();
            if (has_owner) continue;
            tally_.miss([&] {
                Finding finding;
                finding.time = end.time.time_since_epoch().count();
                finding.subscriber = subscriber;
                finding.witness.words("Nobody of " + who.service + " holds ").text(partition);
                finding.witness.words(" at the end, at ").time(finding.time).words(".");
                return finding;
            });
        }
    }

    struct Member {
        std::uint64_t id = 0;
        std::uint64_t generation = 0;
    };
    struct Away {
        std::int64_t since = 0;
        std::uint64_t generation = 0;
    };

    const Topology& topology_;
    Holders holders_;
    PartitionCounts partitions_;
    std::map<std::pair<std::uint64_t, std::uint32_t>, Member> members_; // by group and node
    std::map<std::pair<std::uint64_t, std::uint64_t>, Away> away_;      // by group and member
    std::map<GroupPartition, std::int64_t> given_back_;
    std::map<std::uint64_t, std::int64_t> generations_; // when the last began, by group
    std::map<std::uint32_t, std::int64_t> strangers_;   // gone before they got anything
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_assigned_all(Reading& reading, const PropertyOptions&) {
    return std::make_unique<AssignedAll>(reading);
}

} // namespace crier::properties
