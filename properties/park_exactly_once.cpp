#include "properties/park_exactly_once.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/index.hpp"
#include "properties/reading.hpp"
#include "sim/hash.hpp"

namespace crier::properties {

namespace {

using sim::Event;

class ParkExactlyOnce final : public Checker, private sim::EventSink {
public:
    explicit ParkExactlyOnce(Reading& reading)
        : topology_(reading.topology()), routes_(reading.flows().routes()) {
        reading.add(*this);
    }

    void on_event(const Event& event) override {
        if (event.kind != broker::events::dead_lettered.id) return;
        Parking& parking =
            parkings_.at(index_.insert(sim::mix(event.operands[0], event.operands[1])));
        if (parking.sequence == 0) {
            tally_.observe();
            parking = {event.operands[2], event.sequence, event.time, false};
            return;
        }
        if (parking.letter == event.operands[2] || parking.reported) return;
        parking.reported = true;
        tally_.violate([&] { return twice(parking, event); });
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("park-exactly-once", topology_, end);
    }

private:
    struct Parking {
        std::uint64_t letter = 0;
        std::uint64_t sequence = 0;
        std::int64_t time = 0;
        bool reported = false;
    };

    [[nodiscard]] Finding twice(const Parking& parking, const Event& event) const {
        Finding finding;
        finding.time = event.time;
        finding.subjects = {event.operands[0]};
        finding.events = {parking.sequence, event.sequence};
        const auto subscribers = routes_.subscribers_of_service(event.operands[1]);
        if (!subscribers.empty()) finding.subscriber = subscribers.front();
        Sentence& say = finding.witness;
        say.text(event.operands[0]).words(" was parked twice for ").text(event.operands[1]);
        say.words(": as ").text(parking.letter).words(" at ").time(parking.time);
        say.words(" and as ").text(event.operands[2]).words(" at ").time(event.time).words(".");
        return finding;
    }

    const Topology& topology_;
    const Routes& routes_;
    Index index_; // of messages at services
    ByNumber<Parking> parkings_;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_park_exactly_once(Reading& reading, const PropertyOptions&) {
    return std::make_unique<ParkExactlyOnce>(reading);
}

} // namespace crier::properties
