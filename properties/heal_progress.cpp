#include "properties/heal_progress.hpp"

#include "properties/describe.hpp"
#include "properties/finding.hpp"
#include "properties/reading.hpp"
#include "sim/events.hpp"

#include <algorithm>
#include <optional>

namespace crier::properties {

namespace {

using sim::Event;

class HealProgress final : public Checker, private sim::EventSink {
public:
    HealProgress(Reading& reading, const PropertyOptions& options)
        : topology_(reading.topology()), options_(options), ledger_(reading.ledger()) {
        reading.add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        judge_silence(end.time.time_since_epoch().count());
        return tally_.verdict("heal-progress", topology_, end);
    }

private:
    // Comes after the ledger has seen the event; until then what was open before it was silent.
    void on_event(const Event& event) override {
        const bool heals = event.kind == sim::events::healed.id;
        if (!healed_ && !heals) return;
        judge_silence(event.time);
        const std::uint64_t open = ledger_.open();
        if (heals) {
            healed_ = event.time;
            healed_sequence_ = event.sequence;
            if (open > 0) tally_.observe();
        } else if (event.kind == sim::events::fault_began.id) {
            healed_.reset();
        } else if (open != open_) {
            tally_.observe();
        }
        open_ = open;
        moved_ = ledger_.last_moved().time_since_epoch().count();
    }

    /// What is open changes only when something moves, so whatever is open now was so all the
    /// while.
    void judge_silence(std::int64_t now) {
        if (!healed_ || open_ == 0) return;
        const std::int64_t since = std::max({*healed_, moved_, judged_});
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
            finding.witness.number(static_cast<std::int64_t>(open_));
            finding.witness.words(" of the ledger's entries were open.");
            return finding;
        });
    }

    const Topology& topology_;
    PropertyOptions options_;
    const Ledger& ledger_;
    std::uint64_t open_ = 0; // as of the last event, as is moved_
    std::int64_t moved_ = 0;
    std::optional<std::int64_t> healed_;
    std::uint64_t healed_sequence_ = 0;
    std::int64_t judged_ = 0; // a silence is counted once
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_heal_progress(Reading& reading, const PropertyOptions& options) {
    return std::make_unique<HealProgress>(reading, options);
}

} // namespace crier::properties
