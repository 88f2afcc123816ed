#include "properties/read_metrics.hpp"

#include "broker-model/events.hpp"
#include "properties/describe.hpp"
#include "properties/finding.hpp"
#include "properties/holders.hpp"
#include "properties/reading.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class ReadMetrics final : public Checker, private sim::EventSink {
public:
    explicit ReadMetrics(Reading& reading)
        : topology_(reading.topology()), routes_(reading.flows().routes()) {
        reading.add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        Verdict verdict = tally_.verdict("read-metrics", topology_, end);
        if (verdict.observations == 0) return verdict;
        verdict.remark = "the longest from stored to handed out, of records that were, was " +
                         format_duration(waited_max_) + "; at most " + std::to_string(unseen_max_) +
                         " stored records of a partition were not handed out yet; " +
                         std::to_string(repeated_) + " were handed out again, one " +
                         std::to_string(times_max_) + " times in all" + open_at(end);
        return verdict;
    }

private:
    struct Log {
        std::vector<std::int64_t> since; // by offset: when it was stored; 0: it is not there
        std::vector<GroupPartition> groups;
        std::uint64_t start = 0;
    };
    struct Seen {
        std::vector<std::uint16_t> times; // by offset
        std::uint64_t from = 0;           // its first read: it does not ask for what is before
        std::uint64_t unseen = 0;         // of what is there
        bool has_begun = false;

        [[nodiscard]] bool lacks(std::uint64_t offset) const {
            return offset >= from && (offset >= times.size() || times[offset] == 0);
        }
    };

    void on_event(const Event& event) override {
        switch (event.kind) {
        case broker_events::stored.id: stored(event); break;
        case broker_events::received.id: received(event); break;
        case broker_events::records_lost.id: lost(event.operands[0], event.operands[1]); break;
        case broker_events::partition_deleted.id:
            lost(event.operands[0], 0);
            if (const auto log = logs_.find(event.operands[0]); log != logs_.end())
                log->second.start = 0;
            break;
        case broker_events::log_start_moved.id:
            deleted(event.operands[0], event.operands[1]);
            break;
        case broker_events::record_compacted.id:
            if (const auto log = logs_.find(event.operands[0]); log != logs_.end())
                remove(log->second, event.operands[1]);
            break;
        default: break;
        }
    }

    void stored(const Event& event) {
        if (routes_.place(event.operands[0]) == nullptr) return;
        Log& log = logs_[event.operands[0]];
        const std::uint64_t offset = event.operands[1];
        if (log.since.size() <= offset) log.since.resize(offset + 1);
        if (log.since[offset] != 0 || offset < log.start) return;
        log.since[offset] = event.time;
        for (const GroupPartition& group : log.groups) {
            Seen& seen = seen_[group];
            if (seen.lacks(offset)) unseen_max_ = std::max(unseen_max_, ++seen.unseen);
        }
    }

    /// The record is not there any more: nobody can be behind it.
    void remove(Log& log, std::uint64_t offset) {
        if (offset >= log.since.size() || log.since[offset] == 0) return;
        log.since[offset] = 0;
        for (const GroupPartition& group : log.groups) {
            Seen& seen = seen_[group];
            if (seen.lacks(offset)) --seen.unseen;
        }
    }

    // From there on others may come.
    void lost(std::uint64_t partition, std::uint64_t first) {
        const auto found = logs_.find(partition);
        if (found == logs_.end()) return;
        Log& log = found->second;
        for (std::uint64_t offset = first; offset < log.since.size(); ++offset)
            remove(log, offset);
        for (const GroupPartition& group : log.groups) {
            Seen& seen = seen_[group];
            seen.from = std::min(seen.from, first);
            if (seen.times.size() > first) seen.times.resize(first);
        }
    }

    void deleted(std::uint64_t partition, std::uint64_t start) {
        const auto found = logs_.find(partition);
        if (found == logs_.end()) return;
        Log& log = found->second;
        const std::uint64_t end = std::min<std::uint64_t>(start, log.since.size());
        for (std::uint64_t offset = log.start; offset < end; ++offset)
            remove(log, offset);
        log.start = std::max(log.start, start);
    }

    void received(const Event& event) {
        const auto found = logs_.find(event.operands[0]);
        if (found == logs_.end()) return;
        Log& log = found->second;
        const std::uint64_t offset = event.operands[1];
        const GroupPartition place{event.operands[3], event.operands[0]};
        Seen& seen = seen_[place];
        if (!seen.has_begun) begin(log, place, offset);
        tally_.observe();
        const bool is_there = offset < log.since.size() && log.since[offset] != 0;
        if (is_there && seen.lacks(offset)) --seen.unseen;
        if (seen.times.size() <= offset) seen.times.resize(offset + 1);
        const std::uint16_t times = ++seen.times[offset];
        times_max_ = std::max(times_max_, times);
        if (times > 1) {
            repeated_ += times == 2 ? 1 : 0;
        } else if (is_there) {
            waited_max_ = std::max(waited_max_, event.time - log.since[offset]);
        }
    }

    void begin(Log& log, const GroupPartition& place, std::uint64_t offset) {
        Seen& seen = seen_[place];
        seen.has_begun = true;
        seen.from = offset;
        log.groups.push_back(place);
        for (std::uint64_t at = offset; at < log.since.size(); ++at)
            seen.unseen += log.since[at] != 0 ? 1 : 0;
    }

    /// Returns what groups that read of a partition had not been handed when the run ended.
    [[nodiscard]] std::string open_at(const RunEnd& end) const {
        std::uint64_t count = 0;
        std::int64_t oldest = end.time.time_since_epoch().count();
        for (const auto& [place, seen] : seen_) {
            count += seen.unseen;
            const Log& log = logs_.at(place.second);
            for (std::uint64_t at = seen.from; seen.unseen > 0 && at < log.since.size(); ++at) {
                if (log.since[at] != 0 && seen.lacks(at)) oldest = std::min(oldest, log.since[at]);
            }
        }
        if (count == 0) return {};
        return "; at the end " + std::to_string(count) + " were not handed out, one for " +
               format_duration(end.time.time_since_epoch().count() - oldest);
    }

    const Topology& topology_;
    const Routes& routes_;
    std::map<std::uint64_t, Log> logs_;
    std::map<GroupPartition, Seen> seen_;
    std::int64_t waited_max_ = 0;
    std::uint64_t unseen_max_ = 0;
    std::uint64_t repeated_ = 0;
    std::uint16_t times_max_ = 0;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_read_metrics(Reading& reading, const PropertyOptions&) {
    return std::make_unique<ReadMetrics>(reading);
}

} // namespace crier::properties
