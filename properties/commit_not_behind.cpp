#include "properties/commit_not_behind.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/reading.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class CommitNotBehind final : public Checker, private sim::EventSink {
public:
    explicit CommitNotBehind(Reading& reading)
        : topology_(reading.topology()), routes_(reading.flows().routes()),
          ledger_(reading.ledger()) {
        reading.add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        if (ledger_.open() == 0) {
            for (std::size_t at = 0; at < topology_.subscribers.size(); ++at) {
                const GroupTraits& traits = topology_.subscribers[at].group_traits;
                const bool commits =
                    traits.protocol != GroupProtocol::share && !traits.automatic_commits;
                if (routes_.counts(at) && commits) judge(at, end);
            }
        }
        return tally_.verdict("commit-not-behind", topology_, end);
    }

private:
    void on_event(const Event& event) override {
        const std::uint64_t partition = event.operands[0];
        switch (event.kind) {
        case broker_events::stored.id: { // of overlapping transactions the first may end last
            std::uint64_t& log_end = ends_[partition];
            log_end = std::max(log_end, event.operands[1] + 1);
            break;
        }
        case broker_events::records_lost.id: {
            std::uint64_t& log_end = ends_[partition];
            log_end = std::min(log_end, event.operands[1]);
            break;
        }
        case broker_events::partition_deleted.id: ends_.erase(partition); break;
        case broker_events::offset_expired.id: // of a group that nobody was in for long
            reached_[{event.operands[1], partition}] = UINT64_MAX;
            break;
        case broker_events::offset_committed.id:
        case broker_events::position_reset.id: // who begins there has nothing to commit before it
            reached_[{event.operands[1], partition}] = event.operands[2];
            break;
        default: break;
        }
    }

    void judge(std::size_t subscriber, const RunEnd& end) {
        const Subscriber& who = topology_.subscribers[subscriber];
        for (const std::uint64_t partition : topology_.channels[who.channel].partition_texts) {
            const std::uint64_t log_end = ends_[partition];
            if (log_end == 0) continue;
            tally_.observe();
            const std::uint64_t reached = reached_[{who.group_text, partition}];
            if (reached >= log_end) continue;
            tally_.miss([&] {
                Finding finding;
                finding.time = end.time.time_since_epoch().count();
                finding.subscriber = subscriber;
                finding.witness.words(who.group + " finished all of ").text(partition);
                finding.witness.words(", which ends before ");
                finding.witness.number(static_cast<std::int64_t>(log_end));
                finding.witness.words(", but by the end it had committed up to before ");
                finding.witness.number(static_cast<std::int64_t>(reached)).words(" only.");
                return finding;
            });
        }
    }

    const Topology& topology_;
    const Routes& routes_;
    const Ledger& ledger_;
    std::map<std::uint64_t, std::uint64_t> ends_;
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> reached_;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_commit_not_behind(Reading& reading, const PropertyOptions&) {
    return std::make_unique<CommitNotBehind>(reading);
}

} // namespace crier::properties
