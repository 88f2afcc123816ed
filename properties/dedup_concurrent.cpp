#include "properties/dedup_concurrent.hpp"

#include "properties/finding.hpp"
#include "properties/reading.hpp"

#include <algorithm>

namespace crier::properties {

namespace {

using sim::Event;

class DedupConcurrent final : public Checker, private FlowObserver, private RowObserver {
public:
    explicit DedupConcurrent(Reading& reading)
        : topology_(reading.topology()), reader_(reading.rows()),
          units_(topology_.subscribers.size()) {
        reading.flows().add(*this);
        reading.rows().add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("dedup-concurrent", topology_, end);
    }

private:
    struct Attempt {
        Life by;
        std::uint64_t sequence = 0; // of its begin
    };
    struct Effect {
        Life by;
        std::uint64_t sequence = 0;
    };
    struct Unit {
        std::vector<Attempt> attempts; // the last of each process
        std::vector<Effect> effects;
    };

    void on_attempting(const FlowMessage& message, std::size_t subscriber,
                       const Event& event) override {
        std::vector<Attempt>& attempts = units_[subscriber].at(message.number).attempts;
        const Life by = reader_.life_of(event.node);
        const auto known = std::find_if(attempts.begin(), attempts.end(),
                                        [&](const Attempt& each) { return each.by == by; });
        if (known == attempts.end()) {
            attempts.push_back({by, event.sequence});
        } else {
            known->sequence = event.sequence;
        }
    }

    // The row is told behind its commit, so who asked for that is known only then: rows come to
    // `RowReader` after flows, and commits before rows.
    void on_effect(const FlowMessage& message, std::size_t subscriber,
                   const Event& event) override {
        const Life by = reader_.committer(event.node);
        Unit& unit = units_[subscriber].at(message.number);
        if (unit.effects.empty()) tally_.observe();
        for (const Effect& earlier : unit.effects) {
            if (earlier.by == by || !overlap(unit, earlier, by)) continue;
            tally_.violate([&] { return found(message, subscriber, earlier, by, event); });
            break;
        }
        unit.effects.push_back({by, event.sequence});
    }
    void on_effect_lost(const FlowMessage& message, std::size_t subscriber, const Event&) override {
        std::vector<Effect>& effects = units_[subscriber].at(message.number).effects;
        if (!effects.empty()) effects.pop_back();
    }

    /// Whether the other process had begun before the earlier effect was durable.
    [[nodiscard]] static bool overlap(const Unit& unit, const Effect& earlier, const Life& by) {
        return std::any_of(unit.attempts.begin(), unit.attempts.end(), [&](const Attempt& each) {
            return each.by == by && each.sequence < earlier.sequence;
        });
    }

    [[nodiscard]] Finding found(const FlowMessage& message, std::size_t subscriber,
                                const Effect& earlier, const Life& by, const Event& event) const {
        Finding finding;
        finding.time = event.time;
        finding.subscriber = subscriber;
        finding.subjects = {message.text};
        finding.events = {earlier.sequence, event.sequence};
        Sentence& say = finding.witness;
        say.node(by.node).words(" and ").node(earlier.by.node).words(" had ");
        say.text(message.text).words(" in work at once, and both took effect in ");
        say.words(topology_.subscribers[subscriber].effects_table + ", the second at ");
        say.time(event.time).words(".");
        return finding;
    }

    const Topology& topology_;
    const RowReader& reader_;
    std::vector<ByNumber<Unit>> units_; // by subscriber, then message of a flow
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_dedup_concurrent(Reading& reading, const PropertyOptions&) {
    return std::make_unique<DedupConcurrent>(reading);
}

} // namespace crier::properties
