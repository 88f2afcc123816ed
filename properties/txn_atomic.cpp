#include "properties/txn_atomic.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/reading.hpp"
#include "sim/hash.hpp"

#include <map>
#include <vector>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class TxnAtomic final : public Checker, private sim::EventSink {
public:
    explicit TxnAtomic(Reading& reading)
        : topology_(reading.topology()), routes_(reading.flows().routes()) {
        reading.add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        for (const auto& [partition, transactions] : open_) {
            for (const auto& [transaction, written] : transactions)
                judge_open(transaction, partition, written, end);
        }
        for (const auto& [transaction, sent] : offsets_)
            judge_offsets(transaction, sent, end);
        return tally_.verdict("txn-atomic", topology_, end);
    }

private:
    /// The first event that says so; 0: none.
    struct Verdicts {
        std::uint64_t committed = 0;
        std::uint64_t committed_in = 0; // partition
        std::uint64_t aborted = 0;
        std::uint64_t aborted_in = 0;
        bool has_offsets = false; // committed ones
    };

    void on_event(const Event& event) override {
        switch (event.kind) {
        case broker_events::transaction_written.id:
            if (event.operands[3] != 0) {
                open_[event.operands[0]].try_emplace(event.operands[3], event.sequence);
            }
            break;
        case broker_events::transaction_marked.id: end(event); break;
        case broker_events::offsets_sent.id:
            offsets_.try_emplace(event.operands[0], event.sequence);
            break;
        case broker_events::records_lost.id:
            if (routes_.is_internal(event.operands[0])) offsets_.clear();
            [[fallthrough]];
        case broker_events::partition_deleted.id: open_.erase(event.operands[0]); break;
        default: break;
        }
    }

    void end(const Event& event) {
        const std::uint64_t partition = event.operands[0];
        const std::uint64_t transaction = event.operands[1];
        open_[partition].erase(transaction);
        Verdicts& verdicts = ended_[transaction];
        if (verdicts.committed == 0 && verdicts.aborted == 0) tally_.observe();
        const bool commits = event.operands[2] == commit_;
        if (commits && routes_.is_internal(partition)) verdicts.has_offsets = true;
        if (!commits || verdicts.has_offsets) offsets_.erase(transaction);
        std::uint64_t& first = commits ? verdicts.committed : verdicts.aborted;
        if (first != 0) return;
        first = event.sequence;
        (commits ? verdicts.committed_in : verdicts.aborted_in) = partition;
        if (verdicts.committed == 0 || verdicts.aborted == 0) return;
        tally_.violate([&] {
            Finding finding;
            finding.time = event.time;
            finding.events = {verdicts.committed, verdicts.aborted};
            Sentence& say = finding.witness;
            say.words("Of ").text(transaction);
            say.words(" what is in ").text(verdicts.committed_in).words(" was committed and what ");
            say.words("is in ").text(verdicts.aborted_in).words(" aborted.");
            return finding;
        });
    }

    void judge_open(std::uint64_t transaction, std::uint64_t partition, std::uint64_t written,
                    const RunEnd& end) {
        const auto found = ended_.find(transaction);
        if (found == ended_.end() || found->second.committed == 0) return; // hanging, not torn
        const Verdicts& verdicts = found->second;
        tally_.miss([&] {
            Finding finding;
            finding.time = end.time.time_since_epoch().count();
            finding.events = {written, verdicts.committed};
            Sentence& say = finding.witness;
            say.words("Of ").text(transaction);
            say.words(" what is in ").text(verdicts.committed_in).words(" was committed and what ");
            say.words("is in ").text(partition).words(" never became visible.");
            return finding;
        });
    }

    void judge_offsets(std::uint64_t transaction, std::uint64_t sent, const RunEnd& end) {
        const auto found = ended_.find(transaction);
        if (found == ended_.end()) return;
        const Verdicts& verdicts = found->second;
        if (verdicts.committed == 0 || verdicts.has_offsets) return;
        tally_.miss([&] {
            Finding finding;
            finding.time = end.time.time_since_epoch().count();
            finding.events = {sent, verdicts.committed};
            Sentence& say = finding.witness;
            say.words("Of ").text(transaction).words(" what is in ").text(verdicts.committed_in);
            say.words(" was committed and the offsets that its client sent were not.");
            return finding;
        });
    }

    const Topology& topology_;
    const Routes& routes_;
    const std::uint64_t commit_ = sim::hash_text("commit");
    std::map<std::uint64_t, Verdicts> ended_;        // by transaction
    std::map<std::uint64_t, std::uint64_t> offsets_; // by transaction the event of their sending
    // What has no verdict yet: by partition and transaction the event that told of it.
    std::map<std::uint64_t, std::map<std::uint64_t, std::uint64_t>> open_;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_txn_atomic(Reading& reading, const PropertyOptions&) {
    return std::make_unique<TxnAtomic>(reading);
}

} // namespace crier::properties
