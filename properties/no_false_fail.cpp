#include "properties/no_false_fail.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/index.hpp"
#include "properties/reading.hpp"
#include "sim/hash.hpp"

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class NoFalseFail final : public Checker, private sim::EventSink, private SendObserver {
public:
    explicit NoFalseFail(Reading& reading) : topology_(reading.topology()) {
        reading.add(*this);
        reading.sends().add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("no-false-fail", topology_, end);
    }

private:
    struct Known {
        std::uint32_t sent = 0;
        std::uint32_t failed = 0;
        std::uint64_t stored = 0; // sequence of the event; 0: not
    };

    void on_event(const Event& event) override {
        const bool is_there =
            event.kind == broker_events::stored.id || event.kind == broker_events::written.id;
        if (!is_there) return;
        const auto number = index_.find(sim::mix(event.operands[0], event.operands[2]));
        if (!number) return;
        Known& known = known_.at(*number);
        if (known.stored == 0) known.stored = event.sequence;
        judge(known, event.operands[0], event.operands[2], event);
    }

    void on_sent(const Send& send, const Event&) override {
        if (send.message == 0) return;
        ++known_.at(index_.insert(sim::mix(send.partition, send.message))).sent;
    }

    void on_failed(const Send& send, const Event& event) override {
        if (send.message == 0) return;
        tally_.observe();
        Known& known = known_.at(index_.insert(sim::mix(send.partition, send.message)));
        ++known.failed;
        judge(known, send.partition, send.message, event);
    }

    void judge(const Known& known, std::uint64_t partition, std::uint64_t message,
               const Event& event) {
        if (known.failed == 0 || known.failed < known.sent || known.stored == 0) return;
        tally_.violate([&] {
            Finding finding;
            finding.time = event.time;
            finding.subjects = {message};
            finding.events = {known.stored, event.sequence};
            Sentence& say = finding.witness;
            say.text(message).words(" is in ").text(partition);
            say.words(", and its producer says that it is not and never will be (");
            say.time(event.time).words(").");
            return finding;
        });
    }

    const Topology& topology_;
    Index index_;
    ByNumber<Known> known_;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_no_false_fail(Reading& reading, const PropertyOptions&) {
    return std::make_unique<NoFalseFail>(reading);
}

} // namespace crier::properties
