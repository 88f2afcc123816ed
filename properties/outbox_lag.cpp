#include "properties/outbox_lag.hpp"

#include "properties/describe.hpp"
#include "properties/finding.hpp"
#include "properties/reading.hpp"

namespace crier::properties {

namespace {

using sim::Event;

class OutboxLag final : public Checker, private FlowObserver {
public:
    OutboxLag(Reading& reading, const PropertyOptions& options)
        : topology_(reading.topology()), within_(options.within) {
        reading.flows().add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        Verdict verdict = tally_.verdict("outbox-lag", topology_, end);
        if (verdict.observations > 0)
            verdict.remark = "the longest lag was " + format_duration(longest_);
        return verdict;
    }

private:
    struct Accepted {
        std::uint64_t sequence = 0;
        std::int64_t time = 0;
    };

    void on_accepted(const FlowMessage& message, std::uint64_t, const Event& event) override {
        if (topology_.flows[message.flow].accepted_table_text != 0)
            accepted_.at(message.number) = {event.sequence, event.time};
    }

    void on_stored(const FlowMessage& message, const Event& event) override {
        Accepted& accepted = accepted_.at(message.number);
        if (accepted.sequence == 0) return;
        const Accepted was = std::exchange(accepted, {});
        const std::int64_t lag = event.time - was.time;
        longest_ = std::max(longest_, lag);
        tally_.observe();
        if (lag <= within_.count()) return;
        tally_.violate([&] {
            const Flow& flow = topology_.flows[message.flow];
            Finding finding;
            finding.time = event.time;
            finding.subjects = {message.text};
            finding.events = {was.sequence, event.sequence};
            Sentence& say = finding.witness;
            say.text(message.text).words(" was accepted by " + flow.accepted_table + " at ");
            say.time(was.time).words(" and stored in " + topology_.channels[flow.channel].name);
            say.words(" only " + format_duration(lag) + " later, at ").time(event.time);
            say.words(".");
            return finding;
        });
    }

    const Topology& topology_;
    Duration within_;
    ByNumber<Accepted> accepted_; // and not stored yet
    std::int64_t longest_ = 0;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_outbox_lag(Reading& reading, const PropertyOptions& options) {
    return std::make_unique<OutboxLag>(reading, options);
}

} // namespace crier::properties
