#include "properties/heal_progress.hpp"

#include "properties/describe.hpp"
#include "properties/finding.hpp"
#include "sim/events.hpp"

#include <algorithm>
#include <optional>

namespace crier::properties {

namespace {

using sim::Event;

class HealProgress final : public Checker {
public:
    HealProgress(const Topology& topology, const PropertyOptions& options)
        : topology_(topology), options_(options), ledger_(make_ledger(topology)) {}

    void on_event(const Event& event) override {
        judge_silence(event.time);
        const std::uint64_t open = healed_ ? ledger_->open() : 0;
        ledger_->on_event(event);
        if (event.kind == sim::events::healed.id) {
            healed_ = event.time;
            healed_sequence_ = event.sequence;
            if (ledger_->open() > 0) tally_.observe();
        } else if (event.kind == sim::events::fault_began.id) {
            healed_.reset();
        } else if (healed_ && open != ledger_->open()) {
            tally_.observe();
        }
    }

    Verdict finish(const RunEnd& end) override {
        judge_silence(end.time.time_since_epoch().count());
        return tally_.verdict("heal-progress", topology_, options_, end);
    }

private:
    /// What is open changes only when something moves, so whatever is open now was so all the
    /// while.
    void judge_silence(std::int64_t now) {
        if (!healed_ || ledger_->open() == 0) return;
        const std::int64_t since =
            std::max({*healed_, ledger_->last_moved().time_since_epoch().count(), judged_});
        const std::int64_t limit = since + options_.within.count();
        if (now <= limit) return;
        judged_ = now;
        tally_.violate([&] {
            Finding finding;
            finding.time = limit;
            finding.events = {healed_sequence_};
            finding.witness.words("Every fault was over at ").time(*healed_);
            finding.witness.words(", but from ").time(since).words(" on nothing moved for ");
            finding.witness.words(format_duration(options_.within.count()) + " although ");
            finding.witness.number(static_cast<std::int64_t>(ledger_->open()));
            finding.witness.words(" of the ledger's entries were open.");
            return finding;
        });
    }

    const Topology& topology_;
    PropertyOptions options_;
    std::unique_ptr<Ledger> ledger_;
    std::optional<std::int64_t> healed_;
    std::uint64_t healed_sequence_ = 0;
    std::int64_t judged_ = 0; // a silence is counted once
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_heal_progress(const Topology& topology,
                                            const PropertyOptions& options) {
    return std::make_unique<HealProgress>(topology, options);
}

} // namespace crier::properties
