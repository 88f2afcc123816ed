#include "properties/auto_commit_window.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/holders.hpp"
#include "properties/reading.hpp"
#include "sim/events.hpp"

#include <algorithm>
#include <deque>
#include <limits>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class AutoCommitWindow final : public Checker, private sim::EventSink {
public:
    explicit AutoCommitWindow(Reading& reading)
        : topology_(reading.topology()), routes_(reading.flows().routes()) {
        reading.add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("auto-commit-window", topology_, end);
    }

private:
    struct Handed {
        std::uint64_t offset = 0;
        std::uint64_t message = 0;
        std::uint32_t node = 0;
        std::uint64_t sequence = 0; // of the delivery
        bool is_settled = false;
    };
    /// Stored records of a partition, from the first that some group has not committed.
    struct Log {
        std::uint64_t base = 0;
        std::deque<std::uint64_t> messages;             // 0: no record
        std::map<std::uint64_t, std::uint64_t> commits; // by group; others: from 0
    };
    /// Node, message, place, offset.
    using InHand = std::tuple<std::uint32_t, std::uint64_t, GroupPartition, std::uint64_t>;

    void on_event(const Event& event) override {
        switch (event.kind) {
        case broker_events::stored.id: stored(event); break;
        case broker_events::records_lost.id: lost(event.operands[0], event.operands[1]); break;
        case broker_events::partition_deleted.id: lost(event.operands[0], 0); break;
        case broker_events::delivered.id: delivered(event); break;
        case broker_events::assigned.id: clear({event.operands[1], event.operands[0]}); break;
        case broker_events::offset_committed.id: committed(event); break;
        case sim::events::settled.id: settled(event); break;
        default: break;
        }
    }

    /// Returns the service whose client commits by itself there, if there is one.
    [[nodiscard]] std::optional<std::size_t> find(std::uint64_t group,
                                                  std::uint64_t partition) const {
        const std::optional<std::size_t> found = routes_.subscriber(group, partition);
        if (!found || !topology_.subscribers[*found].group_traits.automatic_commits) return {};
        return found;
    }

    void stored(const Event& event) {
        const PartitionPlace* const place = routes_.place(event.operands[0]);
        const bool is_read =
            place != nullptr && std::any_of(topology_.subscribers.begin(),
                                            topology_.subscribers.end(), [&](const Subscriber& it) {
                                                return it.channel == place->channel &&
                                                       it.group_traits.automatic_commits;
                                            });
        if (!is_read) return;
        Log& log = logs_[event.operands[0]];
        if (event.operands[1] < log.base) return;
        const std::size_t at = event.operands[1] - log.base;
        if (log.messages.size() <= at) log.messages.resize(at + 1);
        log.messages[at] = event.operands[2];
    }

    void lost(std::uint64_t partition, std::uint64_t first) {
        const auto found = logs_.find(partition);
        if (found == logs_.end()) return;
        Log& log = found->second;
        log.base = std::min(log.base, first);
        log.messages.resize(std::min<std::size_t>(log.messages.size(), first - log.base));
        for (auto& [group, committed] : log.commits)
            committed = std::min(committed, first);
        for (const auto& [place, handed] : handed_) {
            if (place.second == partition) clear(place);
        }
    }

    void clear(const GroupPartition& place) {
        const auto found = handed_.find(place);
        if (found == handed_.end()) return;
        for (const Handed& record : found->second)
            forget(place, record);
        found->second.clear();
    }

    void forget(const GroupPartition& place, const Handed& record) {
        in_hand_.erase({record.node, record.message, place, record.offset});
    }

    void delivered(const Event& event) {
        if (!find(event.operands[1], event.operands[0])) return;
        const Log& log = logs_[event.operands[0]];
        const GroupPartition here{event.operands[1], event.operands[0]};
        std::deque<Handed>& handed = handed_[here];
        while (!handed.empty() && handed.back().offset >= event.operands[2]) {
            forget(here, handed.back()); // it reads again
            handed.pop_back();
        }
        for (std::uint64_t at = std::max(event.operands[2], log.base);
             at < std::min(event.operands[3], log.base + log.messages.size()); ++at) {
            const std::uint64_t message = log.messages[at - log.base];
            if (message == 0) continue;
            handed.push_back({at, message, event.node, event.sequence, false});
            in_hand_.emplace(event.node, message, here, at);
        }
    }

    void settled(const Event& event) {
        auto at = in_hand_.lower_bound({event.node, event.operands[0], GroupPartition{}, 0});
        while (at != in_hand_.end()) {
            const auto& [node, message, place, offset] = *at;
            if (node != event.node || message != event.operands[0]) return;
            settle(handed_[place], offset);
            at = in_hand_.erase(at);
        }
    }

    void settle(std::deque<Handed>& handed, std::uint64_t offset) {
        const auto found = std::lower_bound(
            handed.begin(), handed.end(), offset,
            [](const Handed& record, std::uint64_t at) { return record.offset < at; });
        found->is_settled = true; // it is there, since it is in hand
        while (!handed.empty() && handed.front().is_settled) {
            tally_.observe();
            handed.pop_front(); // whatever is committed, it is finished
        }
    }

    void committed(const Event& event) {
        const std::optional<std::size_t> subscriber = find(event.operands[1], event.operands[0]);
        if (!subscriber) return;
        const GroupPartition here{event.operands[1], event.operands[0]};
        std::deque<Handed>& handed = handed_[here];
        while (!handed.empty() && handed.front().offset < event.operands[2]) {
            const Handed record = handed.front();
            handed.pop_front();
            forget(here, record);
            tally_.observe();
            if (!record.is_settled)
                tally_.violate([&] { return covered(record, *subscriber, event); });
        }
        Log& log = logs_[event.operands[0]];
        log.commits[event.operands[1]] = event.operands[2];
        drop(log, topology_.subscribers[*subscriber].channel);
    }

    /// Drops what every group of the channel that commits by itself has committed.
    void drop(Log& log, std::size_t channel) const {
        std::uint64_t base = std::numeric_limits<std::uint64_t>::max();
        for (const Subscriber& it : topology_.subscribers) {
            if (it.channel != channel || !it.group_traits.automatic_commits) continue;
            const auto committed = log.commits.find(it.group_text);
            base = std::min(base, committed == log.commits.end() ? 0 : committed->second);
        }
        if (log.base >= base) return;
        const auto done = static_cast<std::ptrdiff_t>(
            std::min<std::uint64_t>(log.messages.size(), base - log.base));
        log.messages.erase(log.messages.begin(), log.messages.begin() + done);
        log.base = base;
    }

    static Finding covered(const Handed& record, std::size_t subscriber, const Event& event) {
        Finding finding;
        finding.time = event.time;
        finding.subscriber = subscriber;
        finding.subjects = {record.message};
        finding.events = {record.sequence, event.sequence};
        Sentence& say = finding.witness;
        say.words("The client of ").node(record.node).words(" committed ").text(event.operands[0]);
        say.words(" up to before ").number(static_cast<std::int64_t>(event.operands[2]));
        say.words(" by itself at ").time(event.time).words(", while ").text(record.message);
        say.words(" at offset ").number(static_cast<std::int64_t>(record.offset));
        say.words(" was still in work.");
        return finding;
    }

    const Topology& topology_;
    const Routes& routes_;
    std::map<std::uint64_t, Log> logs_;
    std::map<GroupPartition, std::deque<Handed>> handed_; // by offset, from the first unsettled
    std::set<InHand> in_hand_;                            // of those, what is not settled
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_auto_commit_window(Reading& reading, const PropertyOptions&) {
    return std::make_unique<AutoCommitWindow>(reading);
}

} // namespace crier::properties
