#include "properties/aborted_read.hpp"

#include "broker-model/events.hpp"
#include "properties/careful_readers.hpp"
#include "properties/finding.hpp"
#include "properties/offset_set.hpp"
#include "properties/reading.hpp"

#include <limits>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class PrecommittedRead final : public Checker, private sim::EventSink {
public:
    explicit PrecommittedRead(Reading& reading) : topology_(reading.topology()) {
        reading.add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("precommitted-read", topology_, end);
    }

private:
    struct Log {
        OffsetSet written; // in any transaction
        OffsetSet open;
    };

    void on_event(const Event& event) override {
        careful_.read(event);
        const std::uint64_t offset = event.operands[1];
        switch (event.kind) {
        case broker_events::written.id: {
            Log& log = logs_[event.operands[0]];
            log.written.add(offset, offset + 1);
            log.open.add(offset, offset + 1);
            break;
        }
        case broker_events::stored.id:
        case broker_events::aborted.id: {
            const auto found = logs_.find(event.operands[0]);
            if (found != logs_.end()) found->second.open.remove(offset, offset + 1);
            break;
        }
        case broker_events::records_lost.id: {
            Log& log = logs_[event.operands[0]];
            log.written.remove(offset, log.written.size());
            log.open.remove(offset, log.open.size());
            break;
        }
        case broker_events::partition_deleted.id: logs_.erase(event.operands[0]); break;
        case broker_events::received.id: received(event); break;
        default: break;
        }
    }

    void received(const Event& event) {
        const auto found = logs_.find(event.operands[0]);
        const std::uint64_t offset = event.operands[1];
        if (found == logs_.end() || !found->second.written.has(offset)) return;
        if (!careful_.has(event, event.operands[3])) return;
        tally_.observe();
        if (!found->second.open.has(offset)) return;
        tally_.violate([&] {
            Finding finding;
            finding.time = event.time;
            finding.subjects = {event.operands[2]};
            finding.events = {event.sequence};
            Sentence& say = finding.witness;
            say.node(event.node).words(" reads committed records and was handed ");
            say.text(event.operands[0]).words(" offset ");
            say.number(static_cast<std::int64_t>(offset)).words(" at ").time(event.time);
            say.words(", whose transaction was open.");
            return finding;
        });
    }

    const Topology& topology_;
    CarefulReaders careful_;
    std::map<std::uint64_t, Log> logs_;
    Tally tally_;
};

class AbortedRead final : public Checker, private sim::EventSink, private SendObserver {
public:
    explicit AbortedRead(Reading& reading) : topology_(reading.topology()) {
        reading.add(*this);
        reading.sends().add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("aborted-read", topology_, end);
    }

private:
    using Place = std::pair<std::uint64_t, std::uint64_t>; // partition and offset
    struct Log {
        OffsetSet written; // in any transaction
        OffsetSet aborted;
        OffsetSet read; // by readers of committed records
    };

    void on_event(const Event& event) override {
        careful_.read(event);
        const std::uint64_t partition = event.operands[0];
        const std::uint64_t offset = event.operands[1];
        switch (event.kind) {
        case broker_events::written.id: logs_[partition].written.add(offset, offset + 1); break;
        case broker_events::aborted.id: aborted(partition, offset, event); break;
        case broker_events::records_lost.id: {
            constexpr std::uint64_t end = std::numeric_limits<std::uint64_t>::max();
            Log& log = logs_[partition];
            log.written.remove(offset, end);
            log.aborted.remove(offset, end);
            log.read.remove(offset, end);
            break;
        }
        case broker_events::partition_deleted.id:
            logs_.erase(partition);
            deleted_.insert(partition);
            break;
        case broker_events::received.id: received(event); break;
        default: break;
        }
    }

    void on_acknowledged(const Send& send, std::uint64_t offset, const Event&) override {
        if (send.transaction != 0) writes_[send.transaction].emplace_back(send.partition, offset);
    }

    void on_ended(std::uint64_t transaction, bool committed, const Event& event) override {
        const auto found = writes_.find(transaction);
        if (found == writes_.end()) return;
        if (!committed) {
            for (const auto& [partition, offset] : found->second) {
                if (!deleted_.contains(partition)) aborted(partition, offset, event);
            }
        }
        writes_.erase(found);
    }

    void aborted(std::uint64_t partition, std::uint64_t offset, const Event& event) {
        Log& log = logs_[partition];
        if (log.aborted.has(offset)) return; // told by both
        log.aborted.add(offset, offset + 1);
        if (log.read.has(offset)) found(partition, offset, event);
    }

    void received(const Event& event) {
        const auto known = logs_.find(event.operands[0]);
        if (known == logs_.end() || !careful_.has(event, event.operands[3])) return;
        Log& log = known->second;
        const std::uint64_t offset = event.operands[1];
        if (!log.written.has(offset)) return;
        tally_.observe();
        log.read.add(offset, offset + 1);
        if (log.aborted.has(offset)) found(event.operands[0], offset, event);
    }

    void found(std::uint64_t partition, std::uint64_t offset, const Event& event) {
        tally_.violate([&] {
            Finding finding;
            finding.time = event.time;
            finding.events = {event.sequence};
            Sentence& say = finding.witness;
            say.text(partition).words(" offset ").number(static_cast<std::int64_t>(offset));
            say.words(" was handed to a reader of committed records, and its transaction was "
                      "aborted (certain at ");
            say.time(event.time).words(").");
            return finding;
        });
    }

    const Topology& topology_;
    CarefulReaders careful_;
    std::map<std::uint64_t, Log> logs_;
    std::map<std::uint64_t, std::vector<Place>> writes_; // by transaction that has not ended
    std::set<std::uint64_t> deleted_; // partitions, of which only brokers are believed from then on
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_aborted_read(Reading& reading, const PropertyOptions&) {
    return std::make_unique<AbortedRead>(reading);
}

std::unique_ptr<Checker> make_precommitted_read(Reading& reading, const PropertyOptions&) {
    return std::make_unique<PrecommittedRead>(reading);
}

} // namespace crier::properties
