#include "properties/unseen.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/holders.hpp"
#include "properties/offset_set.hpp"
#include "properties/reading.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

constexpr Duration grace = std::chrono::seconds(60);

class Unseen final : public Checker, private sim::EventSink {
public:
    explicit Unseen(Reading& reading)
        : topology_(reading.topology()), routes_(reading.flows().routes()) {
        reading.add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        for (std::size_t at = 0; at < topology_.subscribers.size(); ++at)
            judge(at, end);
        return tally_.verdict("unseen", topology_, end);
    }

private:
    void on_event(const Event& event) override {
        const std::uint64_t partition = event.operands[0];
        switch (event.kind) {
        case broker_events::stored.id: store(event); break;
        case broker_events::records_lost.id:
            stored_[partition].remove(event.operands[1], event.operands[2] + 1);
            for (auto& [place, seen] : seen_) {
                if (place.second == partition) seen.remove(event.operands[1], seen.size());
            }
            break;
        case broker_events::log_start_moved.id:
            stored_[partition].remove(0, event.operands[1]);
            break;
        case broker_events::partition_deleted.id: {
            const auto is_its = [partition](const auto& entry) {
                return entry.first.second == partition;
            };
            stored_.erase(partition);
            marks_.erase(partition);
            std::erase_if(seen_, is_its);
            std::erase_if(began_, is_its);
            break;
        }
        case broker_events::position_reset.id:
            began_.try_emplace({event.operands[1], partition}, event.operands[2]);
            break;
        case broker_events::delivered.id:
            seen_[{event.operands[1], partition}].add(event.operands[2], event.operands[3]);
            break;
        case broker_events::share_delivered.id:
            seen_[{event.operands[1], partition}].add(event.operands[2], event.operands[2] + 1);
            break;
        default: break;
        }
    }

    void store(const Event& event) {
        const std::uint64_t end = event.operands[1] + 1;
        stored_[event.operands[0]].add(event.operands[1], end);
        std::vector<Mark>& marks = marks_[event.operands[0]];
        if (marks.empty() || Duration(event.time) - marks.back().time >= std::chrono::seconds(1)) {
            marks.push_back({Duration(event.time), event.operands[1]});
        }
    }

    /// Returns the first offset that may have come too late to be handed out.
    [[nodiscard]] std::uint64_t judged_end(std::uint64_t partition, const RunEnd& end) {
        std::uint64_t limit = stored_[partition].size();
        const Duration last = end.time.time_since_epoch() - grace;
        const std::vector<Mark>& marks = marks_[partition];
        for (auto mark = marks.rbegin(); mark != marks.rend() && mark->time > last; ++mark)
            limit = mark->first;
        return limit;
    }

    void judge(std::size_t subscriber, const RunEnd& end) {
        const Subscriber& who = topology_.subscribers[subscriber];
        for (const std::uint64_t partition : topology_.channels[who.channel].partition_texts) {
            if (routes_.compacts(partition)) continue; // which records are left is not told
            const GroupPartition place{who.group_text, partition};
            const OffsetSet& stored = stored_[partition];
            const OffsetSet& seen = seen_[place];
            const auto began = began_.find(place);
            const std::uint64_t first = began == began_.end() ? 0 : began->second;
            const std::uint64_t limit =
                std::max(judged_end(partition, end), std::min(stored.size(), seen.size()));
            for (std::uint64_t at = first; at < limit; ++at) {
                if (!stored.has(at)) continue;
                tally_.observe();
                if (seen.has(at)) continue;
                tally_.miss([&] { return missed(subscriber, partition, at, end); });
            }
        }
    }

    Finding missed(std::size_t subscriber, std::uint64_t partition, std::uint64_t offset,
                   const RunEnd& end) const {
        Finding finding;
        finding.time = end.time.time_since_epoch().count();
        finding.subscriber = subscriber;
        finding.witness.text(partition).words(" offset ");
        finding.witness.number(static_cast<std::int64_t>(offset));
        finding.witness.words(" is stored and was never handed to " +
                              topology_.subscribers[subscriber].group + ".");
        return finding;
    }

    /// From this time on records were stored from this offset on.
    struct Mark {
        Duration time;
        std::uint64_t first;
    };

    const Topology& topology_;
    const Routes& routes_;
    std::map<std::uint64_t, OffsetSet> stored_;
    std::map<std::uint64_t, std::vector<Mark>> marks_; // by partition, at most one a second
    std::map<GroupPartition, OffsetSet> seen_;
    std::map<GroupPartition, std::uint64_t> began_;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_unseen(Reading& reading, const PropertyOptions&) {
    return std::make_unique<Unseen>(reading);
}

} // namespace crier::properties
