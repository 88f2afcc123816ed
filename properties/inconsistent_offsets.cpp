#include "properties/inconsistent_offsets.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/reading.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <vector>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class InconsistentOffsets final : public Checker, private sim::EventSink, private SendObserver {
public:
    explicit InconsistentOffsets(Reading& reading)
        : topology_(reading.topology()), routes_(reading.flows().routes()),
          sends_(reading.sends()) {
        reading.add(*this);
        reading.sends().add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("inconsistent-offsets", topology_, end);
    }

private:
    struct Log {
        std::vector<std::uint64_t> claims; // by offset: the message; 0: none yet
        std::uint64_t firm_end = std::numeric_limits<std::uint64_t>::max(); // what came back
    };

    void on_event(const Event& event) override {
        switch (event.kind) {
        case broker_events::stored.id:
        case broker_events::written.id:
        case broker_events::received.id:
            claim(event.operands[0], event.operands[1], event.operands[2], event);
            break;
        case broker_events::records_lost.id: {
            if (!routes_.may_lose(event.operands[0])) break;
            Log& log = logs_[event.operands[0]];
            log.firm_end = std::min(log.firm_end, event.operands[1]);
            break;
        }
        case broker_events::partition_deleted.id: // answers about the old records still come
            logs_[event.operands[0]] = {{}, 0};
            break;
        default: break;
        }
    }

    void on_acknowledged(const Send& send, std::uint64_t offset, const Event& event) override {
        if (sends_.producer(send).waits_for_all) claim(send.partition, offset, send.message, event);
    }

    void claim(std::uint64_t partition, std::uint64_t offset, std::uint64_t message,
               const Event& event) {
        if (message == 0 || routes_.place(partition) == nullptr) return;
        Log& log = logs_[partition];
        if (offset >= log.firm_end) return;
        if (log.claims.size() <= offset) log.claims.resize(offset + 1);
        std::uint64_t& known = log.claims[offset];
        if (known == 0) {
            known = message;
            return;
        }
        tally_.observe();
        if (known == message) return;
        tally_.violate([&] {
            Finding finding;
            finding.time = event.time;
            finding.subjects = {message, known};
            finding.events = {event.sequence};
            Sentence& say = finding.witness;
            say.text(partition).words(" offset ").number(static_cast<std::int64_t>(offset));
            say.words(" is ").text(known).words(" to one and ").text(message);
            say.words(" to another, at ").time(event.time).words(".");
            return finding;
        });
    }

    const Topology& topology_;
    const Routes& routes_;
    const SendReader& sends_;
    std::map<std::uint64_t, Log> logs_;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_inconsistent_offsets(Reading& reading, const PropertyOptions&) {
    return std::make_unique<InconsistentOffsets>(reading);
}

} // namespace crier::properties
