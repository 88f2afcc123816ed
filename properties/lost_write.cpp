#include "properties/lost_write.hpp"

#include "broker-model/events.hpp"
#include "properties/careful_readers.hpp"
#include "properties/finding.hpp"
#include "properties/holders.hpp"
#include "properties/offset_set.hpp"
#include "properties/reading.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class LostWrite final : public Checker, private sim::EventSink, private SendObserver {
public:
    explicit LostWrite(Reading& reading)
        : topology_(reading.topology()), routes_(reading.flows().routes()),
          sends_(reading.sends()) {
        reading.add(*this);
        reading.sends().add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        for (const auto& [place, seen] : seen_)
            judge(place, seen, end.time.time_since_epoch().count());
        return tally_.verdict("lost-write", topology_, end);
    }

private:
    using Place = std::pair<std::uint64_t, std::uint64_t>; // partition and offset
    struct Transaction {
        bool is_proven = false;
        std::vector<Place> writes; // while it is not
    };
    struct Seen {
        OffsetSet offsets;
        std::uint64_t from = 0; // what is before, it did not ask for
    };

    void on_event(const Event& event) override {
        careful_.read(event);
        const std::uint64_t partition = event.operands[0];
        switch (event.kind) {
        case broker_events::received.id: {
            seen_[{event.operands[3], partition}].offsets.add(event.operands[1],
                                                              event.operands[1] + 1);
            if (open_.empty() || !careful_.has(event, event.operands[3])) break;
            const auto found = open_.find({partition, event.operands[1]});
            if (found != open_.end()) prove(found->second);
            break;
        }
        case broker_events::position_reset.id:
        case broker_events::position_sought.id:
            jumped(seen_[{event.operands[1], partition}], event.operands[2]);
            break;
        case broker_events::offset_committed.id: {
            Seen& seen = seen_[{event.operands[1], partition}];
            if (seen.offsets.size() == 0)
                jumped(seen, event.operands[2]); // before it read anything
            break;
        }
        case broker_events::log_start_moved.id:
            proven_[partition].remove(0, event.operands[1]);
            break;
        case broker_events::partition_deleted.id: deleted(partition, event.time); break;
        default: break;
        }
    }

    // What was read until now must be whole; answers about the old records still come.
    void deleted(std::uint64_t partition, std::int64_t time) {
        for (const auto& [place, seen] : seen_) {
            if (place.second == partition) judge(place, seen, time);
        }
        deleted_.insert(partition);
    }

    static void jumped(Seen& seen, std::uint64_t to) {
        if (to > seen.offsets.size()) seen.from = std::max(seen.from, to);
    }

    void on_acknowledged(const Send& send, std::uint64_t offset, const Event&) override {
        if (routes_.may_lose(send.partition)) return;
        if (!sends_.producer(send).waits_for_all) return;
        if (send.transaction != 0) {
            Transaction& transaction = transactions_[send.transaction];
            if (!transaction.is_proven) {
                transaction.writes.emplace_back(send.partition, offset);
                open_[{send.partition, offset}] = send.transaction;
                return;
            }
        }
        proven_[send.partition].add(offset, offset + 1);
    }

    void on_ended(std::uint64_t transaction, bool committed, const Event&) override {
        if (committed) prove(transaction);
        const auto found = transactions_.find(transaction);
        if (found == transactions_.end()) return;
        for (const Place& place : found->second.writes)
            open_.erase(place);
        transactions_.erase(found);
    }

    void prove(std::uint64_t name) {
        Transaction& transaction = transactions_[name];
        transaction.is_proven = true;
        for (const Place& place : transaction.writes) {
            proven_[place.first].add(place.second, place.second + 1);
            open_.erase(place);
        }
        transaction.writes.clear();
    }

    void judge(const GroupPartition& place, const Seen& seen, std::int64_t time) {
        const auto proven = proven_.find(place.second);
        const bool is_unjudged = routes_.compacts(place.second) || deleted_.contains(place.second);
        if (proven == proven_.end() || is_unjudged) return;
        for (std::uint64_t at = seen.from; at < seen.offsets.size(); ++at) {
            if (!proven->second.has(at)) continue;
            tally_.observe();
            if (seen.offsets.has(at)) continue;
            tally_.violate([&] {
                Finding finding;
                finding.time = time;
                Sentence& say = finding.witness;
                say.text(place.second).words(" offset ").number(static_cast<std::int64_t>(at));
                say.words(" was acknowledged to its producer, and ").text(place.first);
                say.words(" was handed later ones and never that.");
                return finding;
            });
        }
    }

    const Topology& topology_;
    const Routes& routes_;
    const SendReader& sends_;
    CarefulReaders careful_;
    std::map<std::uint64_t, OffsetSet> proven_; // by partition
    std::map<GroupPartition, Seen> seen_;
    std::map<std::uint64_t, Transaction> transactions_; // that have not ended
    std::map<Place, std::uint64_t> open_;               // their writes
    std::set<std::uint64_t> deleted_; // partitions: which topic an answer is of is not told
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_lost_write(Reading& reading, const PropertyOptions&) {
    return std::make_unique<LostWrite>(reading);
}

} // namespace crier::properties
