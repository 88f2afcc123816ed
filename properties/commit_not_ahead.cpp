#include "properties/commit_not_ahead.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/former_commits.hpp"
#include "properties/index.hpp"
#include "properties/reading.hpp"
#include "sim/events.hpp"
#include "sim/hash.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

namespace crier::properties {

namespace {

using sim::Event;

class CommitNotAhead final : public Checker, private sim::EventSink {
public:
    explicit CommitNotAhead(Reading& reading)
        : topology_(reading.topology()), routes_(reading.flows().routes()) {
        reading.add(*this);
    }

    void on_event(const Event& event) override {
        former_.read(event);
        switch (event.kind) {
        case broker::events::stored.id: stored(event); break;
        case broker::events::records_lost.id:
            records_lost(event, event.operands[1], event.operands[2] + 1);
            break;
        case broker::events::partition_deleted.id: records_lost(event, 0, event.operands[1]); break;
        case broker::events::assigned.id:
            owners_[{event.operands[1], event.operands[0]}] = event.node;
            break;
        case broker::events::offset_committed.id: committed(event); break;
        case broker::events::row_durable.id: effect(event, 1); break;
        case broker::events::row_lost.id: effect(event, -1); break;
        case broker::events::dead_lettered.id:
            for (const std::size_t subscriber : routes_.subscribers_of_service(event.operands[1])) {
                unit(subscriber, event.operands[0]).set_aside = true;
            }
            break;
        case sim::events::settled.id: settled(event); break;
        default: break;
        }
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("commit-not-ahead", topology_, end);
    }

private:
    struct Record {
        std::uint64_t offset = 0;
        std::uint64_t message = 0;
        std::uint64_t sequence = 0;
    };
    /// A partition's records that some subscriber has not committed yet, by offset.
    struct Log {
        std::deque<Record> records;
        std::map<std::size_t, std::uint64_t> judged; // up to before, by subscriber
    };
    struct Unit {
        std::uint32_t effects = 0;
        bool set_aside = false; // parked or discarded
    };

    static std::deque<Record>::iterator from(std::deque<Record>& records, std::uint64_t offset) {
        return std::lower_bound(
            records.begin(), records.end(), offset,
            [](const Record& record, std::uint64_t limit) { return record.offset < limit; });
    }

    Unit& unit(std::size_t subscriber, std::uint64_t message) {
        return units_.at(index_.insert(sim::mix(message, subscriber + 1)));
    }

    [[nodiscard]] bool is_finished(std::size_t subscriber, std::uint64_t message) const {
        const auto number = index_.find(sim::mix(message, subscriber + 1));
        if (!number) return false;
        const Unit found = units_.get(*number);
        return found.effects > 0 || found.set_aside;
    }

    /// Returns the partition's log, or null where nobody's commits are judged.
    Log* log(std::uint64_t partition) {
        const auto found = logs_.find(partition);
        if (found != logs_.end()) return &found->second;
        const PartitionPlace* place = routes_.place(partition);
        if (place == nullptr) return nullptr;
        std::map<std::size_t, std::uint64_t> judged;
        for (std::size_t i = 0; i < topology_.subscribers.size(); ++i) {
            const bool reads = topology_.subscribers[i].channel == place->channel;
            if (reads && routes_.counts(i)) judged.emplace(i, 0);
        }
        if (judged.empty()) return nullptr;
        return &logs_.emplace(partition, Log{{}, std::move(judged)}).first->second;
    }

    void stored(const Event& event) {
        Log* const partition = log(event.operands[0]);
        if (partition == nullptr) return;
        const Record record{event.operands[1], event.operands[2], event.sequence};
        partition->records.insert(from(partition->records, record.offset), record);
    }

    /// The offsets will be given to other records.
    void records_lost(const Event& event, std::uint64_t first, std::uint64_t end) {
        Log* const partition = log(event.operands[0]);
        if (partition == nullptr) return;
        auto& records = partition->records;
        records.erase(from(records, first), from(records, end));
        for (auto& [subscriber, judged] : partition->judged)
            judged = std::min(judged, first);
    }

    void effect(const Event& event, int step) {
        for (const std::size_t subscriber : routes_.subscribers_of_table(event.operands[0])) {
            Unit& changed = unit(subscriber, event.operands[1]);
            if (step > 0) {
                ++changed.effects;
            } else if (changed.effects > 0) {
                --changed.effects;
            }
        }
    }

    void settled(const Event& event) {
        if (event.operands[1] != fates_.discarded || is_empty_text(event.operands[2])) return;
        for (const std::size_t subscriber : routes_.subscribers_of_node(event.node)) {
            unit(subscriber, event.operands[0]).set_aside = true;
        }
    }

    void committed(const Event& event) {
        if (former_.has(event)) return;
        const auto subscriber = routes_.subscriber(event.operands[1], event.operands[0]);
        Log* const partition = log(event.operands[0]);
        if (!subscriber || partition == nullptr || !routes_.counts(*subscriber)) return;
        std::uint64_t& judged = partition->judged.at(*subscriber);
        if (event.operands[2] <= judged) return;
        auto& records = partition->records;
        const auto end = from(records, event.operands[2]);
        for (auto record = from(records, judged); record != end; ++record) {
            tally_.observe();
            if (is_finished(*subscriber, record->message)) continue;
            tally_.violate([&] { return ahead(*record, *subscriber, event); });
        }
        judged = event.operands[2];

        std::uint64_t all = judged;
        for (const auto& [reader, limit] : partition->judged)
            all = std::min(all, limit);
        records.erase(records.begin(), from(records, all));
    }

    [[nodiscard]] Finding ahead(const Record& record, std::size_t subscriber,
                                const Event& event) const {
        const Subscriber& who = topology_.subscribers[subscriber];
        Finding finding;
        finding.time = event.time;
        finding.subscriber = subscriber;
        finding.subjects = {record.message};
        finding.events = {record.sequence, event.sequence};
        Sentence& say = finding.witness;
        say.words(who.group + " committed ").text(event.operands[0]).words(" up to before ");
        say.number(static_cast<std::int64_t>(event.operands[2])).words(" at ").time(event.time);
        say.words(", but ").text(record.message).words(" at offset ");
        say.number(static_cast<std::int64_t>(record.offset)).words(" is not finished for ");
        say.words(who.service + ": it would be lost if ");
        const auto owner = owners_.find({event.operands[1], event.operands[0]});
        if (owner != owners_.end()) {
            say.node(owner->second);
        } else {
            say.words("its consumer");
        }
        say.words(" died now.");
        return finding;
    }

    const Topology& topology_;
    const Routes& routes_;
    FateTexts fates_;
    Index index_;
    ByNumber<Unit> units_; // by subscriber and message
    std::map<std::uint64_t, Log> logs_;
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint32_t> owners_; // group, partition
    FormerCommits former_;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_commit_not_ahead(Reading& reading, const PropertyOptions&) {
    return std::make_unique<CommitNotAhead>(reading);
}

} // namespace crier::properties
