#include "properties/producer_fencing.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/reading.hpp"

#include <map>
#include <utility>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class ProducerFencing final : public Checker, private sim::EventSink {
public:
    explicit ProducerFencing(Reading& reading) : topology_(reading.topology()) {
        reading.add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("producer-fencing", topology_, end);
    }

private:
    /// Who has a transactional id.
    struct Owner {
        std::uint64_t producer = 0;
        std::uint64_t epoch = 0;
        std::uint64_t sequence = 0; // of the event
    };

    void on_event(const Event& event) override {
        switch (event.kind) {
        case broker_events::transactional_id_taken.id:
            owners_[event.operands[0]] = {event.operands[2], event.operands[1], event.sequence};
            ids_[event.operands[2]] = event.operands[0];
            break;
        case broker_events::transaction_written.id:
            writers_[{event.operands[0], event.operands[3]}] = event.operands[1];
            judge(event, event.operands[1], event.operands[2], " took records");
            break;
        case broker_events::transaction_marked.id:
            if (const auto writer = writers_.find({event.operands[0], event.operands[1]});
                writer != writers_.end()) {
                judge(event, writer->second, event.operands[3], " took a marker");
                writers_.erase(writer);
            }
            break;
        case broker_events::records_lost.id:
        case broker_events::partition_deleted.id: seen_.erase(event.operands[0]); break;
        default: break;
        }
    }

    void judge(const Event& event, std::uint64_t producer, std::uint64_t epoch, const char* what) {
        tally_.observe();
        const auto [seen, is_first] =
            seen_[event.operands[0]].try_emplace(producer, Seen{epoch, event.sequence});
        const Seen highest = seen->second;
        if (epoch >= highest.epoch) seen->second = {epoch, event.sequence};
        if (epoch < highest.epoch) {
            tally_.violate([&] {
                Finding finding = accepted(event, epoch, what, highest.sequence);
                finding.witness.words(", after it had heard of epoch ");
                finding.witness.number(static_cast<std::int64_t>(highest.epoch)).words(".");
                return finding;
            });
            return;
        }
        const auto id = ids_.find(producer);
        if (id == ids_.end()) return; // it was not taken, but given with the end of a transaction
        const Owner& owner = owners_[id->second];
        const bool is_fenced = owner.producer != producer || epoch < owner.epoch;
        if (!is_fenced) return;
        tally_.violate([&] {
            Finding finding = accepted(event, epoch, what, owner.sequence);
            Sentence& say = finding.witness;
            say.words(", when ").text(id->second).words(" belonged to one with epoch ");
            say.number(static_cast<std::int64_t>(owner.epoch)).words(".");
            return finding;
        });
    }

    static Finding accepted(const Event& event, std::uint64_t epoch, const char* what,
                            std::uint64_t fence) {
        Finding finding;
        finding.time = event.time;
        finding.events = {fence, event.sequence};
        Sentence& say = finding.witness;
        say.text(event.operands[0]).words(what).words(" of a producer with epoch ");
        say.number(static_cast<std::int64_t>(epoch)).words(" at ").time(event.time);
        return finding;
    }

    /// The highest epoch of a producer that a partition has heard of.
    struct Seen {
        std::uint64_t epoch = 0;
        std::uint64_t sequence = 0; // of the event
    };

    const Topology& topology_;
    std::map<std::uint64_t, std::map<std::uint64_t, Seen>> seen_; // by partition and producer
    std::map<std::uint64_t, Owner> owners_;                       // by transactional id
    std::map<std::uint64_t, std::uint64_t> ids_;                  // transactional ids by producer
    // Producers of what is open, by partition and transaction.
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> writers_;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_producer_fencing(Reading& reading, const PropertyOptions&) {
    return std::make_unique<ProducerFencing>(reading);
}

} // namespace crier::properties
