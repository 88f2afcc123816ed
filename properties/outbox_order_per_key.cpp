#include "properties/outbox_order_per_key.hpp"

#include "properties/finding.hpp"
#include "properties/key_order.hpp"
#include "properties/reading.hpp"
#include "sim/hash.hpp"

namespace crier::properties {

namespace {

using sim::Event;

class OutboxOrderPerKey final : public Checker, private FlowObserver {
public:
    explicit OutboxOrderPerKey(Reading& reading)
        : topology_(reading.topology()), reader_(reading.flows()) {
        reading.flows().add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("outbox-order-per-key", topology_, end);
    }

private:
    void on_accepted(const FlowMessage& message, std::uint64_t key, const Event& event) override {
        if (is_direct(message) || is_empty_text(key)) return;
        keys_.at(message.number) = key;
        const auto inversion = order_.expect(message.number, sim::mix(key, message.flow));
        if (order_.happened(message.number).sequence != 0) tally_.observe();
        if (inversion) violate(*inversion, event);
    }

    void on_unaccepted(const FlowMessage& message, const Event&) override {
        order_.withdraw(message.number);
    }

    void on_stored(const FlowMessage& message, const Event& event) override {
        if (is_direct(message) || order_.happened(message.number).sequence != 0) return;
        const auto inversion = order_.happen(message.number, {event.sequence, event.time});
        if (order_.is_expected(message.number)) tally_.observe();
        if (inversion) violate(*inversion, event);
    }

    void violate(const KeyOrder::Inversion& inversion, const Event& event) {
        tally_.violate([&] {
            const FlowMessage first = reader_.message(inversion.first);
            const FlowMessage second = reader_.message(inversion.second);
            const KeyOrder::When late = order_.happened(inversion.first);
            const KeyOrder::When early = order_.happened(inversion.second);
            const Flow& flow = topology_.flows[first.flow];
            Finding finding;
            finding.time = event.time;
            finding.subjects = {first.text, second.text};
            finding.events = {early.sequence, late.sequence, event.sequence};
            Sentence& say = finding.witness;
            say.text(first.text).words(" was accepted before ").text(second.text);
            say.words(" (both of ").text(keys_.get(inversion.first)).words("), but in ");
            say.words(topology_.channels[flow.channel].name).words(" ").text(second.text);
            say.words(" was stored first, at ").time(early.time).words("; ");
            say.text(first.text).words(" followed at ").time(late.time).words(".");
            return finding;
        });
    }

    [[nodiscard]] bool is_direct(const FlowMessage& message) const {
        return topology_.flows[message.flow].accepted_table_text == 0;
    }

    const Topology& topology_;
    const FlowReader& reader_;
    KeyOrder order_;
    ByNumber<std::uint64_t> keys_; // aggregate by message
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_outbox_order_per_key(Reading& reading, const PropertyOptions&) {
    return std::make_unique<OutboxOrderPerKey>(reading);
}

} // namespace crier::properties
