#include "properties/txn_torn_read.hpp"

#include "broker-model/events.hpp"
#include "properties/careful_readers.hpp"
#include "properties/finding.hpp"
#include "properties/index.hpp"
#include "properties/reading.hpp"
#include "properties/reading_place.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class TxnTornRead final : public Checker, private sim::EventSink, private SendObserver {
public:
    explicit TxnTornRead(Reading& reading)
        : topology_(reading.topology()), routes_(reading.flows().routes()) {
        reading.add(*this);
        reading.sends().add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("txn-torn-read", topology_, end);
    }

private:
    /// What a transaction wrote to one partition.
    struct Writes {
        std::uint64_t transaction = 0;
        std::uint64_t first = 0;
        std::uint64_t last = 0;
        std::uint32_t count = 0;
    };
    struct Log {
        std::vector<std::uint32_t> writes; // by offset: number of Writes + 1, or 0
    };
    struct Session {
        std::uint32_t incarnation = 0;
        bool has_begun = false;
        std::uint64_t first = 0;
        std::map<std::uint32_t, std::uint32_t> read; // of Writes by number: how many
    };

    void on_event(const Event& event) override {
        careful_.read(event);
        if (ends_session(event)) sessions_.erase(reading_place(event));
        switch (event.kind) {
        case broker_events::received.id: received(event); break;
        case broker_events::delivered.id: delivered(event); break;
        case broker_events::records_lost.id:
            if (routes_.may_lose(event.operands[0])) unjudged_.insert(event.operands[0]);
            break;
        case broker_events::partition_deleted.id: unjudged_.insert(event.operands[0]); break;
        default: break;
        }
    }

    void on_acknowledged(const Send& send, std::uint64_t offset, const Event&) override {
        if (send.transaction == 0 || routes_.place(send.partition) == nullptr) return;
        const std::uint32_t number = index_.insert(sim::mix(send.partition, send.transaction));
        if (number == writes_.size()) writes_.push_back({send.transaction, offset, offset, 0});
        Writes& writes = writes_[number];
        writes.first = std::min(writes.first, offset);
        writes.last = std::max(writes.last, offset);
        ++writes.count;
        Log& log = logs_[send.partition];
        if (log.writes.size() <= offset) log.writes.resize(offset + 1);
        log.writes[offset] = number + 1;
    }

    void received(const Event& event) {
        if (!careful_.has(event, event.operands[3])) return;
        Session& session = sessions_[{event.node, {event.operands[3], event.operands[0]}}];
        const std::uint64_t offset = event.operands[1];
        if (session.incarnation != event.incarnation) session = {};
        if (!session.has_begun) session = {event.incarnation, true, offset, {}};
        const auto log = logs_.find(event.operands[0]);
        if (log == logs_.end() || log->second.writes.size() <= offset) return;
        if (const std::uint32_t number = log->second.writes[offset]; number != 0)
            ++session.read[number - 1];
    }

    void delivered(const Event& event) {
        const auto found = sessions_.find({event.node, {event.operands[1], event.operands[0]}});
        if (found == sessions_.end()) return;
        const bool is_judged =
            !routes_.compacts(event.operands[0]) && !unjudged_.contains(event.operands[0]);
        Session& session = found->second;
        std::erase_if(session.read, [&](const auto& entry) {
            const Writes& writes = writes_[entry.first];
            if (writes.last >= event.operands[3]) return false; // more of it will come
            if (is_judged && writes.first >= session.first) judge(writes, entry.second, event);
            return true;
        });
    }

    void judge(const Writes& writes, std::uint32_t read, const Event& event) {
        tally_.observe();
        if (read >= writes.count) return;
        tally_.violate([&] {
            Finding finding;
            finding.time = event.time;
            finding.events = {event.sequence};
            Sentence& say = finding.witness;
            say.node(event.node).words(" was handed ").number(read).words(" of the ");
            say.number(writes.count).words(" records that transaction ").text(writes.transaction);
            say.words(" wrote to ")
                .text(event.operands[0])
                .words(", and what lies behind them, at ");
            say.time(event.time).words(".");
            return finding;
        });
    }

    const Topology& topology_;
    const Routes& routes_;
    CarefulReaders careful_;
    Index index_;
    std::vector<Writes> writes_;
    std::map<std::uint64_t, Log> logs_; // by partition
    std::set<std::uint64_t> unjudged_;  // partitions that lost something, or were deleted
    std::map<ReadingPlace, Session> sessions_;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_txn_torn_read(Reading& reading, const PropertyOptions&) {
    return std::make_unique<TxnTornRead>(reading);
}

} // namespace crier::properties
