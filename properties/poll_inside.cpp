#include "properties/poll_inside.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/holders.hpp"
#include "properties/offset_set.hpp"
#include "properties/reading.hpp"

#include <map>
#include <set>
#include <utility>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

enum class Rule { ascends, skips_nothing };

class PollInside final : public Checker, private sim::EventSink {
public:
    PollInside(Reading& reading, Rule rule)
        : topology_(reading.topology()), routes_(reading.flows().routes()), rule_(rule) {
        reading.add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        const bool ascends = rule_ == Rule::ascends;
        return tally_.verdict(ascends ? "int-nonmonotonic-poll" : "int-poll-skip", topology_, end);
    }

private:
    /// A member, and what it reads.
    using Reader = std::pair<std::uint32_t, GroupPartition>;
    struct Poll {
        std::uint32_t incarnation = 0;
        std::uint64_t last = 0;
        std::uint64_t sequence = 0; // of the last record; 0: none yet
    };

    void on_event(const Event& event) override {
        const std::uint64_t partition = event.operands[0];
        switch (event.kind) {
        case broker_events::received.id: received(event); break;
        case broker_events::delivered.id: delivered(event); break;
        case broker_events::stored.id:
            if (rule_ == Rule::skips_nothing)
                stored_[partition].add(event.operands[1], event.operands[1] + 1);
            break;
        case broker_events::log_start_moved.id:
            if (rule_ == Rule::skips_nothing) stored_[partition].remove(0, event.operands[1]);
            break;
        case broker_events::records_lost.id:
            if (routes_.may_lose(partition)) unjudged_.insert(partition);
            break;
        case broker_events::partition_deleted.id: unjudged_.insert(partition); break;
        default: break;
        }
    }

    void received(const Event& event) {
        Poll& poll = polls_[{event.node, {event.operands[3], event.operands[0]}}];
        const bool follows = poll.sequence != 0 && poll.incarnation == event.incarnation;
        const std::uint64_t offset = event.operands[1];
        if (follows) {
            tally_.observe();
            if (rule_ == Rule::skips_nothing) {
                look_for_skip(event, poll.sequence, poll.last + 1, offset);
            } else if (offset <= poll.last) {
                tally_.violate([&] { return back(event, poll); });
            }
        }
        poll = {event.incarnation, offset, event.sequence};
    }

    void delivered(const Event& event) {
        Poll& poll = polls_[{event.node, {event.operands[1], event.operands[0]}}];
        const bool is_its = poll.sequence != 0 && poll.incarnation == event.incarnation;
        if (is_its && rule_ == Rule::skips_nothing) {
            tally_.observe();
            look_for_skip(event, poll.sequence, poll.last + 1, event.operands[3]);
        }
        poll = {};
    }

    void look_for_skip(const Event& event, std::uint64_t sequence, std::uint64_t from,
                       std::uint64_t end) {
        const std::uint64_t partition = event.operands[0];
        if (from >= end || unjudged_.contains(partition) || routes_.compacts(partition)) return;
        const std::uint64_t skipped = stored_[partition].first_in(from, end);
        if (skipped == end) return;
        tally_.violate([&] {
            Finding finding;
            finding.time = event.time;
            finding.events = {sequence, event.sequence};
            Sentence& say = finding.witness;
            say.node(event.node).words(" was handed records of ").text(event.operands[0]);
            say.words(" around ").number(static_cast<std::int64_t>(skipped)).words(" at ");
            say.time(event.time).words(" without that one, which is stored.");
            return finding;
        });
    }

    static Finding back(const Event& event, const Poll& poll) {
        Finding finding;
        finding.time = event.time;
        finding.events = {poll.sequence, event.sequence};
        Sentence& say = finding.witness;
        say.node(event.node).words(" was handed ").text(event.operands[0]).words(" offset ");
        say.number(static_cast<std::int64_t>(event.operands[1])).words(" after offset ");
        say.number(static_cast<std::int64_t>(poll.last)).words(" in one poll, at ");
        say.time(event.time).words(".");
        return finding;
    }

    const Topology& topology_;
    const Routes& routes_;
    Rule rule_;
    std::map<Reader, Poll> polls_;
    std::map<std::uint64_t, OffsetSet> stored_;
    std::set<std::uint64_t> unjudged_; // partitions that lost something, or were deleted
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_int_nonmonotonic_poll(Reading& reading, const PropertyOptions&) {
    return std::make_unique<PollInside>(reading, Rule::ascends);
}

std::unique_ptr<Checker> make_int_poll_skip(Reading& reading, const PropertyOptions&) {
    return std::make_unique<PollInside>(reading, Rule::skips_nothing);
}

} // namespace crier::properties
