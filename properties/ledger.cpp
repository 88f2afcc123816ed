#include "properties/ledger.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/reading.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace crier::properties {

namespace {

using sim::Event;

enum class UnitFate { open, effective, parked, discarded };

/// One message at one subscriber.
struct Unit {
    std::uint32_t effects = 0; // durable rows
    bool parked = false;
    bool discarded = false;
    bool attempted = false;
    bool called_done = false; // by the service: done, or a duplicate of it
    bool called_parked = false;
    bool effect_lost = false;
    bool lost_by_promotion = false;
    bool reported = false;

    [[nodiscard]] int fates() const {
        return (effects > 0 ? 1 : 0) + (parked ? 1 : 0) + (discarded ? 1 : 0);
    }
    [[nodiscard]] UnitFate fate() const {
        if (effects > 0) return UnitFate::effective;
        if (parked) return UnitFate::parked;
        return discarded ? UnitFate::discarded : UnitFate::open;
    }
};

/// One message in its flow.
struct Trail {
    std::uint64_t accepted = 0; // sequence
    std::uint64_t stored = 0;   // sequence of the first copy
    std::uint64_t partition = 0;
    std::uint64_t offset = 0;
};

/// How far a subscriber is in a partition.
struct Progress {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> delivered; // ranges of what is in the log
    std::map<std::uint64_t, std::uint64_t> shared; // of a share group: deliveries by offset
    std::uint64_t committed = 0;
    std::uint64_t commit = 0; // sequence

    [[nodiscard]] bool has(std::uint64_t offset) const {
        return std::any_of(delivered.begin(), delivered.end(), [offset](const auto& range) {
            return range.first <= offset && offset < range.second;
        });
    }
};

struct Range {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::uint64_t sequence = 0;
    bool is_deleted = false; // with its topic
};

class FlowLedger final : public Ledger, private FlowObserver, private sim::EventSink {
public:
    explicit FlowLedger(Reading& reading)
        : topology_(reading.topology()), reader_(reading.flows()),
          units_(topology_.subscribers.size()), counts_(topology_.subscribers.size()) {
        reading.flows().add(*this);
        reading.add(*this);
    }

    LedgerCounts totals() const override;
    std::vector<ServiceLedger> by_service() const override;
    std::uint64_t open() const override { return totals().unaccounted; }
    Instant last_moved() const override { return Instant(Duration(moved_)); }
    Verdict finish(const RunEnd& end) override;

private:
    using Where = std::pair<std::size_t, std::uint64_t>; // subscriber, partition

    void on_event(const Event& event) override;
    void on_accepted(const FlowMessage& message, std::uint64_t key, const Event& event) override;
    void on_unaccepted(const FlowMessage& message, const Event& event) override;
    void on_stored(const FlowMessage& message, const Event& event) override;
    void on_effect(const FlowMessage& message, std::size_t subscriber, const Event& event) override;
    void on_effect_lost(const FlowMessage& message, std::size_t subscriber,
                        const Event& event) override;
    void on_parked(const FlowMessage& message, std::size_t subscriber, const Event& event) override;
    void on_discarded(const FlowMessage& message, std::size_t subscriber,
                      const Event& event) override;
    void on_attempting(const FlowMessage& message, std::size_t subscriber,
                       const Event& event) override;
    void on_settled(const FlowMessage& message, std::size_t subscriber,
                    const Event& event) override;

    template <class Change>
    void change(const FlowMessage& message, std::size_t subscriber, const Event& event,
                Change make);
    void count(const Unit& unit, std::size_t subscriber, int sign);
    [[nodiscard]] Finding two_fates(const FlowMessage& message, std::size_t subscriber,
                                    const Event& event) const;
    [[nodiscard]] Finding unaccounted(const FlowMessage& message, std::size_t subscriber,
                                      const RunEnd& end) const;
    void diagnose(const FlowMessage& message, std::size_t subscriber, Finding& finding) const;
    void delivered(const Event& event);
    void share_delivered(const Event& event);
    void lost(const Event& event, std::uint64_t first);
    void committed(const Event& event);

    const Topology& topology_;
    const FlowReader& reader_;
    ByNumber<Trail> trails_;
    std::vector<ByNumber<Unit>> units_; // by subscriber
    std::vector<LedgerCounts> counts_;  // by subscriber
    std::map<Where, Progress> progress_;
    std::map<std::uint64_t, std::vector<Range>> lost_; // by partition
    Tally tally_;
    std::int64_t moved_ = 0;
};

void FlowLedger::on_event(const Event& event) {
    if (event.kind == broker::events::delivered.id) delivered(event);
    if (event.kind == broker::events::share_delivered.id) share_delivered(event);
    if (event.kind == broker::events::offset_committed.id) committed(event);
    if (event.kind == broker::events::records_lost.id) lost(event, event.operands[1]);
    if (event.kind == broker::events::partition_deleted.id) lost(event, 0);
}

// What is stored at these offsets next is something else, and has not been delivered.
void FlowLedger::lost(const Event& event, std::uint64_t first) {
    const bool is_deleted = event.kind == broker::events::partition_deleted.id;
    const std::uint64_t last = is_deleted ? UINT64_MAX : event.operands[2];
    lost_[event.operands[0]].push_back({first, last, event.sequence, is_deleted});
    for (auto& [where, progress] : progress_) {
        if (where.second != event.operands[0]) continue;
        if (is_deleted) progress.committed = progress.commit = 0;
        progress.shared.erase(progress.shared.lower_bound(first), progress.shared.end());
        for (auto& range : progress.delivered)
            range.second = std::min(range.second, std::max(range.first, first));
        std::erase_if(progress.delivered,
                      [](const auto& range) { return range.first == range.second; });
    }
}

void FlowLedger::delivered(const Event& event) {
    const auto subscriber = reader_.routes().subscriber(event.operands[1], event.operands[0]);
    if (!subscriber) return;
    Progress& progress = progress_[{*subscriber, event.operands[0]}];
    const std::uint64_t first = event.operands[2];
    const std::uint64_t end = event.operands[3];
    if (!progress.delivered.empty() && progress.delivered.back().first <= first &&
        first <= progress.delivered.back().second) {
        progress.delivered.back().second = std::max(progress.delivered.back().second, end);
    } else {
        progress.delivered.emplace_back(first, end);
    }
}

void FlowLedger::share_delivered(const Event& event) {
    const auto subscriber = reader_.routes().subscriber(event.operands[1], event.operands[0]);
    if (!subscriber) return;
    ++progress_[{*subscriber, event.operands[0]}].shared[event.operands[2]];
    moved_ = event.time;
}

void FlowLedger::committed(const Event& event) {
    const auto subscriber = reader_.routes().subscriber(event.operands[1], event.operands[0]);
    if (!subscriber) return;
    Progress& progress = progress_[{*subscriber, event.operands[0]}];
    if (event.operands[2] <= progress.committed) return;
    progress.committed = event.operands[2];
    progress.commit = event.sequence;
    moved_ = event.time;
}

void FlowLedger::on_accepted(const FlowMessage& message, std::uint64_t, const Event& event) {
    trails_.at(message.number).accepted = event.sequence;
    for (const std::size_t subscriber : topology_.flows[message.flow].subscribers) {
        if (!reader_.routes().counts(subscriber)) continue;
        tally_.observe();
        count(units_[subscriber].at(message.number), subscriber, 1);
    }
    moved_ = event.time;
}

void FlowLedger::on_unaccepted(const FlowMessage& message, const Event& event) {
    trails_.at(message.number).accepted = 0;
    for (const std::size_t subscriber : topology_.flows[message.flow].subscribers) {
        if (!reader_.routes().counts(subscriber)) continue;
        count(units_[subscriber].at(message.number), subscriber, -1);
    }
    moved_ = event.time;
}

void FlowLedger::on_stored(const FlowMessage& message, const Event& event) {
    Trail& trail = trails_.at(message.number);
    if (trail.stored != 0) return;
    trail.stored = event.sequence;
    trail.partition = event.operands[0];
    trail.offset = event.operands[1];
}

void FlowLedger::on_effect(const FlowMessage& message, std::size_t subscriber, const Event& event) {
    change(message, subscriber, event, [](Unit& unit) { ++unit.effects; });
}

void FlowLedger::on_effect_lost(const FlowMessage& message, std::size_t subscriber,
                                const Event& event) {
    change(message, subscriber, event, [&event](Unit& unit) {
        if (unit.effects > 0) --unit.effects;
        unit.effect_lost = true;
        unit.lost_by_promotion = event.operands[2] != 0;
    });
}

void FlowLedger::on_parked(const FlowMessage& message, std::size_t subscriber, const Event& event) {
    change(message, subscriber, event, [](Unit& unit) { unit.parked = true; });
}

void FlowLedger::on_discarded(const FlowMessage& message, std::size_t subscriber,
                              const Event& event) {
    change(message, subscriber, event, [](Unit& unit) { unit.discarded = true; });
}

void FlowLedger::on_attempting(const FlowMessage& message, std::size_t subscriber, const Event&) {
    units_[subscriber].at(message.number).attempted = true;
}

void FlowLedger::on_settled(const FlowMessage& message, std::size_t subscriber,
                            const Event& event) {
    const FateTexts& fates = reader_.fates();
    const std::uint64_t fate = event.operands[1];
    Unit& unit = units_[subscriber].at(message.number);
    if (fate == fates.done || fate == fates.duplicate) unit.called_done = true;
    if (fate == fates.parked) unit.called_parked = true;
    moved_ = event.time;
}

template <class Change>
void FlowLedger::change(const FlowMessage& message, std::size_t subscriber, const Event& event,
                        Change make) {
    moved_ = event.time;
    Unit& unit = units_[subscriber].at(message.number);
    const bool counted = reader_.is_accepted(message.number) && reader_.routes().counts(subscriber);
    if (counted) count(unit, subscriber, -1);
    make(unit);
    if (!counted) return;
    count(unit, subscriber, 1);
    if (unit.fates() < 2 || unit.reported) return;
    unit.reported = true;
    tally_.violate([&] { return two_fates(message, subscriber, event); });
}

void FlowLedger::count(const Unit& unit, std::size_t subscriber, int sign) {
    const auto step = static_cast<std::uint64_t>(sign); // -1 wraps, which is what subtracting is
    LedgerCounts& counts = counts_[subscriber];
    counts.accepted += step;
    switch (unit.fate()) {
    case UnitFate::open: counts.unaccounted += step; break;
    case UnitFate::effective: counts.effective += step; break;
    case UnitFate::parked: counts.parked += step; break;
    case UnitFate::discarded: counts.discarded += step; break;
    }
}

LedgerCounts FlowLedger::totals() const {
    LedgerCounts sum;
    for (const LedgerCounts& counts : counts_) {
        sum.accepted += counts.accepted;
        sum.effective += counts.effective;
        sum.parked += counts.parked;
        sum.discarded += counts.discarded;
        sum.expired += counts.expired;
        sum.unaccounted += counts.unaccounted;
    }
    return sum;
}

std::vector<ServiceLedger> FlowLedger::by_service() const {
    std::vector<ServiceLedger> services;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        if (reader_.routes().counts(i)) {
            services.push_back({topology_.subscribers[i].service, counts_[i]});
        }
    }
    return services;
}

Finding FlowLedger::two_fates(const FlowMessage& message, std::size_t subscriber,
                              const Event& event) const {
    const Subscriber& who = topology_.subscribers[subscriber];
    const Unit unit = units_[subscriber].get(message.number);
    Finding finding;
    finding.time = event.time;
    finding.subscriber = subscriber;
    finding.subjects = {message.text};
    finding.events = {trails_.get(message.number).accepted, event.sequence};
    finding.witness.text(message.text).words(" has two fates at " + who.service + ": it ");
    finding.witness.words(unit.effects > 0 ? "took effect" : "was discarded");
    finding.witness.words(unit.parked ? " and it was parked" : " and it was discarded");
    finding.witness.words("; both are true since ").time(event.time).words(".");
    return finding;
}

Finding FlowLedger::unaccounted(const FlowMessage& message, std::size_t subscriber,
                                const RunEnd& end) const {
    const Trail trail = trails_.get(message.number);
    Finding finding;
    finding.time = end.time.time_since_epoch().count();
    finding.subscriber = subscriber;
    finding.subjects = {message.text};
    finding.events = {trail.accepted, trail.stored};
    finding.witness.text(message.text).words(" was accepted and is unaccounted for at ");
    finding.witness.words(topology_.subscribers[subscriber].service).words(": ");
    diagnose(message, subscriber, finding);
    return finding;
}

/// Says how far it came, the farthest that is known.
void FlowLedger::diagnose(const FlowMessage& message, std::size_t subscriber,
                          Finding& finding) const {
    const Trail trail = trails_.get(message.number);
    const Unit unit = units_[subscriber].get(message.number);
    Sentence& say = finding.witness;
    if (unit.effect_lost) {
        say.words("its effect was durable and is gone with ");
        say.words(unit.lost_by_promotion ? "a fail-over." : "a power loss.");
        return;
    }
    if (trail.stored == 0) {
        say.words("it was never published.");
        return;
    }
    const auto found = progress_.find({subscriber, trail.partition});
    const Progress progress = found == progress_.end() ? Progress{} : found->second;
    say.words("it is stored at ").text(trail.partition).words(" offset ");
    say.number(static_cast<std::int64_t>(trail.offset)).words(", ");
    const auto losses = lost_.find(trail.partition);
    if (losses != lost_.end() && !unit.attempted) {
        for (const Range& range : losses->second) {
            const bool covers = trail.offset >= range.first && trail.offset <= range.last;
            if (!covers || range.sequence < trail.stored) continue;
            finding.events.push_back(range.sequence);
            say.words(range.is_deleted ? "and its topic was deleted."
                                       : "and the broker lost that record.");
            return;
        }
    }
    const bool passed = progress.committed > trail.offset;
    if (passed) finding.events.push_back(progress.commit);
    if (unit.called_parked) {
        say.words("and was called parked, but no dead letter of it is stored.");
    } else if (unit.called_done) {
        say.words("and was called done, but it has no durable effect.");
    } else if (const auto shared = progress.shared.find(trail.offset);
               shared != progress.shared.end()) {
        say.words("and came to no end in ").number(static_cast<std::int64_t>(shared->second));
        say.words(shared->second == 1 ? " delivery." : " deliveries.");
    } else if (unit.attempted) {
        say.words(passed ? "was consumed and dropped: it was attempted without a durable effect, "
                           "and the committed offset has passed it."
                         : "and was still being handled at the end.");
    } else if (progress.has(trail.offset)) {
        say.words(passed ? "was consumed and dropped: no attempt was made, and the committed "
                           "offset has passed it."
                         : "and was received, but no attempt was made.");
    } else {
        say.words(!passed ? "and was never received."
                  : progress.commit < trail.stored
                      ? "and was never received: its offset had been used and committed before."
                      : "and the committed offset has passed it although it was never received.");
    }
}

Verdict FlowLedger::finish(const RunEnd& end) {
    for (std::uint32_t number = 0; number < reader_.count(); ++number) {
        if (!reader_.is_accepted(number)) continue;
        const FlowMessage message = reader_.message(number);
        for (const std::size_t subscriber : topology_.flows[message.flow].subscribers) {
            if (!reader_.routes().counts(subscriber)) continue;
            if (units_[subscriber].get(number).fate() != UnitFate::open) continue;
            tally_.miss([&] { return unaccounted(message, subscriber, end); });
        }
    }
    return tally_.verdict("ledger", topology_, end);
}

/// The property: its bookkeeping is there anyway.
class LedgerChecker final : public Checker {
public:
    explicit LedgerChecker(Reading& reading) : ledger_(reading.ledger()) {}

    Verdict finish(const RunEnd& end) override { return ledger_.finish(end); }

private:
    Ledger& ledger_;
};

} // namespace

std::unique_ptr<Ledger> make_ledger(Reading& reading) {
    return std::make_unique<FlowLedger>(reading);
}

std::unique_ptr<Checker> make_ledger_checker(Reading& reading, const PropertyOptions&) {
    return std::make_unique<LedgerChecker>(reading);
}

} // namespace crier::properties
