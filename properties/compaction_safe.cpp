#include "properties/compaction_safe.hpp"

#include "broker-model/events.hpp"
#include "properties/describe.hpp"
#include "properties/finding.hpp"
#include "properties/reading.hpp"

#include <algorithm>
#include <map>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class CompactionSafe final : public Checker, private sim::EventSink {
public:
    explicit CompactionSafe(Reading& reading)
        : topology_(reading.topology()), routes_(reading.flows().routes()) {
        reading.add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("compaction-safe", topology_, end);
    }

private:
    struct Stored {
        std::uint64_t key = 0;
        std::uint64_t message = 0;
        std::int64_t time = 0;
        std::uint64_t sequence = 0; // of the event
    };
    struct Partition {
        const Channel* channel = nullptr;              // null: not compacted
        std::map<std::uint64_t, Stored> records;       // by offset
        std::map<std::uint64_t, std::uint64_t> latest; // offsets by key
    };

    void on_event(const Event& event) override {
        switch (event.kind) {
        case broker_events::stored.id: store(event); break;
        case broker_events::record_compacted.id: remove(event); break;
        case broker_events::records_lost.id: lose(event); break;
        case broker_events::partition_deleted.id: partitions_.erase(event.operands[0]); break;
        case broker_events::log_start_moved.id:
            if (Partition* const log = find(event.operands[0])) {
                log->records.erase(log->records.begin(),
                                   log->records.lower_bound(event.operands[1]));
            }
            break;
        default: break;
        }
    }

    Partition* find(std::uint64_t partition) {
        const auto [it, is_new] = partitions_.try_emplace(partition);
        if (is_new && routes_.compacts(partition)) it->second.channel = routes_.channel(partition);
        return it->second.channel == nullptr ? nullptr : &it->second;
    }

    void store(const Event& event) {
        Partition* const log = find(event.operands[0]);
        if (log == nullptr) return;
        const std::uint64_t key = event.operands[3];
        log->records[event.operands[1]] = {key, event.operands[2], event.time, event.sequence};
        log->latest[key] = std::max(log->latest[key], event.operands[1]);
    }

    void lose(const Event& event) {
        Partition* const log = find(event.operands[0]);
        if (log == nullptr) return;
        log->records.erase(log->records.lower_bound(event.operands[1]), log->records.end());
        log->latest.clear();
        for (const auto& [offset, record] : log->records)
            log->latest[record.key] = offset;
    }

    void remove(const Event& event) {
        Partition* const log = find(event.operands[0]);
        if (log == nullptr) return;
        const auto found = log->records.find(event.operands[1]);
        if (found == log->records.end()) return; // nobody could see it
        tally_.observe();
        const Stored record = found->second;
        log->records.erase(found);
        if (log->latest[record.key] > event.operands[1]) return;
        const bool is_tombstone = event.operands[2] != 0;
        const std::int64_t seen_for = event.time - record.time;
        const std::int64_t due =
            log->channel->delete_retention.count() - topology_.clock_error.count();
        if (is_tombstone && seen_for >= due) return;
        tally_.violate([&] {
            Finding finding;
            finding.time = event.time;
            finding.subjects = {record.message};
            finding.events = {record.sequence, event.sequence};
            Sentence& say = finding.witness;
            say.words("The compaction of ").text(event.operands[0]).words(" removed ");
            say.text(record.message).words(" at ").time(event.time);
            say.words(is_tombstone ? ", a tombstone that readers had only " : ", the latest of ");
            if (is_tombstone) {
                say.words(format_duration(seen_for)).words(" to see.");
            } else {
                say.text(record.key).words(".");
            }
            return finding;
        });
    }

    const Topology& topology_;
    const Routes& routes_;
    std::map<std::uint64_t, Partition> partitions_;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_compaction_safe(Reading& reading, const PropertyOptions&) {
    return std::make_unique<CompactionSafe>(reading);
}

} // namespace crier::properties
