#include "properties/idempotent_producer.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/reading.hpp"

#include <map>
#include <utility>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class IdempotentProducer final : public Checker, private sim::EventSink {
public:
    explicit IdempotentProducer(Reading& reading) : topology_(reading.topology()) {
        reading.add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("idempotent-producer", topology_, end);
    }

private:
    struct Begun {
        std::uint64_t epoch = 0;
        std::uint64_t sequence = 0; // of the event
    };

    void on_event(const Event& event) override {
        switch (event.kind) {
        case broker_events::records_lost.id:
        case broker_events::partition_deleted.id: begun_.erase(event.operands[0]); break;
        case broker_events::sequence_begun.id: begin(event); break;
        default: break;
        }
    }

    void begin(const Event& event) {
        tally_.observe();
        const std::uint64_t epoch = event.operands[2];
        const auto [known, is_new] =
            begun_[event.operands[0]].try_emplace(event.operands[1], Begun{epoch, event.sequence});
        if (is_new) return;
        const Begun before = std::exchange(known->second, Begun{epoch, event.sequence});
        const bool follows = epoch > before.epoch && event.operands[3] == 0;
        if (follows || epoch < before.epoch) return; // producer-fencing's matter
        tally_.violate([&] {
            Finding finding;
            finding.time = event.time;
            finding.events = {before.sequence, event.sequence};
            Sentence& say = finding.witness;
            say.text(event.operands[0]).words(" has a batch of producer ");
            say.number(static_cast<std::int64_t>(event.operands[1])).words(" (epoch ");
            say.number(static_cast<std::int64_t>(epoch)).words(") with sequence ");
            say.number(static_cast<std::int64_t>(event.operands[3])).words(" at ");
            say.time(event.time)
                .words(", which does not follow the batch before: a copy or a gap.");
            return finding;
        });
    }

    const Topology& topology_;
    std::map<std::uint64_t, std::map<std::uint64_t, Begun>> begun_; // by partition and producer
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_idempotent_producer(Reading& reading, const PropertyOptions&) {
    return std::make_unique<IdempotentProducer>(reading);
}

} // namespace crier::properties
