#include "properties/acked_durable.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/offset_set.hpp"
#include "properties/reading.hpp"
#include "sim/hash.hpp"

#include <array>
#include <map>
#include <set>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class AckedDurable final : public Checker, private sim::EventSink {
public:
    explicit AckedDurable(Reading& reading)
        : topology_(reading.topology()), routes_(reading.flows().routes()) {
        reading.add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        for (const auto& [partition, log] : logs_) {
            for (const Event& doubt : log.doubts)
                judge(log, doubt);
        }
        return tally_.verdict("acked-durable", topology_, end);
    }

private:
    struct Log {
        bool is_durable = false;
        OffsetSet acked;
        OffsetSet kept;            // told by the cluster to be in the log for good
        bool is_settled = true;    // the leader has said where the watermark is
        std::vector<Event> doubts; // acknowledged before it was settled
    };
    using Producer = std::array<std::uint64_t, 3>; // node, incarnation, number

    void on_event(const Event& event) override {
        switch (event.kind) {
        case broker_events::producer_opened.id:
            if (event.operands[1] == all_) {
                careful_.insert({event.node, event.incarnation, event.operands[0]});
            }
            break;
        case broker_events::acknowledged.id: acknowledge(event); break;
        case broker_events::leader_changed.id:
            if (Log* const log = find(event.operands[0])) log->is_settled = false;
            break;
        case broker_events::stored.id:
        case broker_events::written.id:
            if (Log* const log = find(event.operands[0])) {
                log->kept.add(event.operands[1], event.operands[1] + 1);
                log->is_settled = true;
            }
            break;
        case broker_events::records_lost.id: lose(event); break;
        case broker_events::partition_deleted.id: // answers about the old records still come
            logs_[event.operands[0]] = {};
            break;
        default: break;
        }
    }

    Log* find(std::uint64_t partition) {
        const auto [it, is_new] = logs_.try_emplace(partition);
        if (is_new) it->second.is_durable = !routes_.may_lose(partition);
        return it->second.is_durable ? &it->second : nullptr;
    }

    void acknowledge(const Event& event) {
        const std::uint64_t number = event.operands[3] >> broker_events::send_bits;
        const auto first = static_cast<std::int64_t>(event.operands[1]);
        if (first < 0 || !careful_.contains({event.node, event.incarnation, number})) return;
        Log* const log = find(event.operands[0]);
        if (log == nullptr) return;
        tally_.observe(event.operands[2]);
        log->acked.add(event.operands[1], event.operands[1] + event.operands[2]);
        // At the end another's record may lie there: what is said must be true when it is said.
        // Only while the next leader has not told its watermark yet, the one before may know it
        // first.
        if (log->is_settled) {
            judge(*log, event);
        } else {
            log->doubts.push_back(event);
        }
    }

    void judge(const Log& log, const Event& event) {
        const std::uint64_t end = event.operands[1] + event.operands[2];
        for (std::uint64_t at = event.operands[1]; at < end; ++at) {
            if (!log.kept.has(at) && log.acked.has(at))
                tally_.violate([&] { return early(event, at); });
        }
    }

    static Finding early(const Event& event, std::uint64_t offset) {
        Finding finding;
        finding.time = event.time;
        finding.events = {event.sequence};
        Sentence& say = finding.witness;
        say.text(event.operands[0]).words(" offset ").number(static_cast<std::int64_t>(offset));
        say.words(" was acknowledged to a producer that asked for all replicas at ");
        say.time(event.time).words(", and was not stored for good.");
        return finding;
    }

    void lose(const Event& event) {
        Log* const log = find(event.operands[0]);
        if (log == nullptr) return;
        const std::uint64_t end = event.operands[2] + 1;
        const std::uint64_t first = log->acked.first_in(event.operands[1], end);
        log->kept.remove(event.operands[1], end);
        log->acked.remove(event.operands[1], end); // what comes there next is another record
        if (first == end) return;
        tally_.violate([&] {
            Finding finding;
            finding.time = event.time;
            finding.events = {event.sequence};
            Sentence& say = finding.witness;
            say.text(event.operands[0]).words(" offset ");
            say.number(static_cast<std::int64_t>(first)).words(" was acknowledged to a producer ");
            say.words("that asked for all replicas, and was lost at ").time(event.time).words(".");
            return finding;
        });
    }

    const Topology& topology_;
    const Routes& routes_;
    const std::uint64_t all_ = sim::hash_text("all");
    std::map<std::uint64_t, Log> logs_; // by partition
    std::set<Producer> careful_;        // those that ask for all replicas
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_acked_durable(Reading& reading, const PropertyOptions&) {
    return std::make_unique<AckedDurable>(reading);
}

} // namespace crier::properties
