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
        verdict.remark = "the worst lag of a reader was " + format_duration(lag_max_) +
                         "; at most " + std::to_string(unseen_max_) +
                         " stored records of a partition were not handed out yet; " +
                         std::to_string(repeated_) + " were handed out again, one " +
                         std::to_string(times_max_) + " times in all";
        return verdict;
    }

private:
    struct Log {
        std::vector<std::int64_t> since; // by offset: when it was stored; 0: not
        std::vector<GroupPartition> groups;
        std::uint64_t stored = 0;
    };
    struct Seen {
        std::vector<std::uint16_t> times; // by offset
        std::uint64_t seen = 0;           // different ones
        std::uint64_t stored_before = 0;  // its first read: not asked for
        bool has_begun = false;
    };

    void on_event(const Event& event) override {
        if (event.kind == broker_events::stored.id) {
            stored(event);
        } else if (event.kind == broker_events::received.id) {
            received(event);
        }
    }

    void stored(const Event& event) {
        if (routes_.place(event.operands[0]) == nullptr) return;
        Log& log = logs_[event.operands[0]];
        if (log.since.size() <= event.operands[1]) log.since.resize(event.operands[1] + 1);
        log.since[event.operands[1]] = event.time;
        ++log.stored;
        for (const GroupPartition& group : log.groups) {
            const Seen& seen = seen_[group];
            const std::uint64_t known = seen.stored_before + seen.seen;
            if (log.stored > known) unseen_max_ = std::max(unseen_max_, log.stored - known);
        }
    }

    void received(const Event& event) {
        const auto found = logs_.find(event.operands[0]);
        if (found == logs_.end()) return;
        Log& log = found->second;
        const std::uint64_t offset = event.operands[1];
        const GroupPartition place{event.operands[3], event.operands[0]};
        Seen& seen = seen_[place];
        if (!seen.has_begun) {
            seen.has_begun = true;
            log.groups.push_back(place);
            seen.stored_before = static_cast<std::uint64_t>(std::count_if(
                log.since.begin(),
                log.since.begin() + static_cast<std::ptrdiff_t>(std::min(
                                        offset, static_cast<std::uint64_t>(log.since.size()))),
                [](std::int64_t at) { return at != 0; }));
        }
        tally_.observe();
        if (seen.times.size() <= offset) seen.times.resize(offset + 1);
        const std::uint16_t times = ++seen.times[offset];
        times_max_ = std::max(times_max_, times);
        if (times > 1) {
            repeated_ += times == 2 ? 1 : 0;
            return;
        }
        ++seen.seen;
        if (offset < log.since.size() && log.since[offset] != 0)
            lag_max_ = std::max(lag_max_, event.time - log.since[offset]);
    }

    const Topology& topology_;
    const Routes& routes_;
    std::map<std::uint64_t, Log> logs_;
    std::map<GroupPartition, Seen> seen_;
    std::int64_t lag_max_ = 0;
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
