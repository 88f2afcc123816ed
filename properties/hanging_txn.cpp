#include "properties/hanging_txn.hpp"

#include "broker-model/events.hpp"
#include "properties/describe.hpp"
#include "properties/finding.hpp"
#include "properties/reading.hpp"
#include "sim/events.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class HangingTxn final : public Checker, private sim::EventSink {
public:
    explicit HangingTxn(Reading& reading) : topology_(reading.topology()) { reading.add(*this); }

    Verdict finish(const RunEnd& end) override {
        judge_all(end.time.time_since_epoch().count());
        return tally_.verdict("hanging-txn", topology_, end);
    }

private:
    struct Open {
        std::int64_t since = 0;
        std::uint64_t producer = 0;
        std::uint64_t sequence = 0; // of the event
        bool is_overdue = false;    // it was, and is counted
    };

    void on_event(const Event& event) override {
        switch (event.kind) {
        case broker_events::transactional_id_taken.id:
            timeouts_[event.operands[2]] = static_cast<std::int64_t>(event.operands[3]);
            break;
        case broker_events::transaction_written.id:
            open_[event.operands[0]].try_emplace(
                event.operands[3], Open{event.time, event.operands[1], event.sequence});
            break;
        case broker_events::transaction_marked.id: end(event); break;
        case broker_events::records_lost.id:
        case broker_events::partition_deleted.id: open_.erase(event.operands[0]); break;
        case sim::events::fault_began.id:
            disturb(event);
            faults_.insert(event.operands[0]);
            break;
        case sim::events::fault_ended.id:
            disturb(event);
            faults_.erase(event.operands[0]);
            break;
        case sim::events::healed.id:
            disturb(event);
            faults_.clear();
            break;
        case sim::events::started.id:
        case broker_events::leader_changed.id: disturb(event); break;
        default: break;
        }
    }

    // All have their time anew, but not those whose time was over before.
    void disturb(const Event& event) {
        judge_all(event.time);
        calm_since_ = event.time;
    }

    void judge_all(std::int64_t now) {
        for (auto& [partition, transactions] : open_) {
            for (auto& [transaction, open] : transactions)
                judge(partition, transaction, open, now);
        }
    }

    [[nodiscard]] bool is_judged(const Open& open) const {
        return faults_.empty() && timeouts_.contains(open.producer);
    }

    void end(const Event& event) {
        auto& transactions = open_[event.operands[0]];
        const auto open = transactions.find(event.operands[1]);
        if (open == transactions.end()) return;
        judge(event.operands[0], event.operands[1], open->second, event.time);
        if (is_judged(open->second) && !open->second.is_overdue) tally_.observe();
        transactions.erase(open);
    }

    void judge(std::uint64_t partition, std::uint64_t transaction, Open& open, std::int64_t now) {
        if (!is_judged(open) || open.is_overdue) return;
        const std::int64_t timeout = timeouts_.find(open.producer)->second;
        const std::int64_t since = std::max(open.since, calm_since_);
        const Duration patience = abort_interval + retries + topology_.clock_error;
        const std::int64_t limit = since + timeout + patience.count();
        if (now <= limit) return;
        open.is_overdue = true;
        tally_.observe();
        tally_.violate([&] {
            Finding finding;
            finding.time = limit;
            finding.events = {open.sequence};
            Sentence& say = finding.witness;
            say.text(transaction).words(" was open in ").text(partition).words(" from ");
            say.time(open.since).words(" to ").time(now).words(", with a timeout of ");
            say.words(format_duration(timeout)).words(" and no fault since ");
            say.time(calm_since_).words(".");
            return finding;
        });
    }

    /// transaction.abort.timed.out.transaction.cleanup.interval.ms, by Kafka's default.
    static constexpr Duration abort_interval = std::chrono::seconds(10);
    /// For the coordinator's calls that are tried again.
    static constexpr Duration retries = std::chrono::seconds(30);

    const Topology& topology_;
    std::map<std::uint64_t, std::int64_t> timeouts_;              // by producer
    std::map<std::uint64_t, std::map<std::uint64_t, Open>> open_; // by partition, transaction
    std::set<std::uint64_t> faults_;                              // that last
    std::int64_t calm_since_ = 0;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_hanging_txn(Reading& reading, const PropertyOptions&) {
    return std::make_unique<HangingTxn>(reading);
}

} // namespace crier::properties
