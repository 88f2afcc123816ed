#include "properties/marker_identity.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/reading.hpp"

#include <algorithm>
#include <map>
#include <vector>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class MarkerIdentity final : public Checker, private sim::EventSink {
public:
    explicit MarkerIdentity(Reading& reading) : topology_(reading.topology()) {
        reading.add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("marker-identity", topology_, end);
    }

private:
    /// A node that uses a transactional id, and what its latest life to begin something began last.
    struct Owner {
        std::uint32_t node = 0;
        std::uint64_t transaction = 0;
        std::uint64_t sequence = 0; // of the event that told of it
    };

    void on_event(const Event& event) override {
        if (event.kind == broker_events::transaction_begun.id) {
            begin(event);
        } else if (event.kind == broker_events::transaction_decided.id) {
            decide(event);
        }
    }

    void begin(const Event& event) {
        std::vector<Owner>& owners = owners_[event.operands[1]];
        auto own = std::find_if(owners.begin(), owners.end(),
                                [&event](const Owner& it) { return it.node == event.node; });
        if (own == owners.end()) own = owners.insert(owners.end(), {event.node, 0, 0});
        own->transaction = event.operands[0];
        own->sequence = event.sequence;
    }

    void decide(const Event& event) {
        const std::uint64_t asked = event.operands[3];
        if (asked == 0) return; // the coordinator's own decision
        tally_.observe();
        const std::vector<Owner>& owners = owners_[event.operands[0]];
        const bool is_current = std::any_of(owners.begin(), owners.end(), [asked](const Owner& it) {
            return it.transaction == asked;
        });
        if (is_current) return;
        tally_.violate([&] {
            Finding finding;
            finding.time = event.time;
            finding.events = {event.sequence};
            Sentence& say = finding.witness;
            say.words("The request to ").text(event.operands[2]).words(" ").text(asked);
            say.words(" was executed at ").time(event.time);
            const auto last =
                std::max_element(owners.begin(), owners.end(), [](const Owner& a, const Owner& b) {
                    return a.sequence < b.sequence;
                });
            if (last != owners.end()) {
                finding.events.push_back(last->sequence);
                say.words(", when its producer had begun ").text(last->transaction);
            }
            say.words(".");
            return finding;
        });
    }

    const Topology& topology_;
    std::map<std::uint64_t, std::vector<Owner>> owners_; // by transactional id
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_marker_identity(Reading& reading, const PropertyOptions&) {
    return std::make_unique<MarkerIdentity>(reading);
}

} // namespace crier::properties
