#include "properties/outbox_no_phantom.hpp"

#include "properties/finding.hpp"
#include "properties/reading.hpp"

#include <optional>
#include <set>

namespace crier::properties {

namespace {

using sim::Event;

class OutboxNoPhantom final : public Checker, private FlowObserver {
public:
    explicit OutboxNoPhantom(Reading& reading)
        : topology_(reading.topology()), reader_(reading.flows()) {
        reading.flows().add(*this);
        for (const Flow& flow : topology_.flows) {
            if (flow.accepted_table_text == 0) direct_channels_.insert(flow.channel);
        }
    }

    Verdict finish(const RunEnd& end) override {
        if (phantom_) finish_witness();
        return tally_.verdict("outbox-no-phantom", topology_, end);
    }

private:
    struct Stored {
        std::uint64_t sequence = 0;
        bool reported = false;
    };
    /// The first event that was stored too early or for nothing.
    struct Phantom {
        FlowMessage message;
        std::int64_t stored = 0; // time
        std::uint64_t accepted_sequence = 0;
        std::int64_t accepted = 0; // time
    };

    void on_stored(const FlowMessage& message, const Event& event) override {
        if (!is_judged_here(message)) return;
        tally_.observe();
        Stored& stored = stored_.at(message.number);
        if (stored.sequence == 0) stored.sequence = event.sequence;
        const std::size_t channel = topology_.flows[message.flow].channel;
        if (stored.reported || reader_.is_accepted_by(channel, message.text)) return;
        stored.reported = true;
        tally_.violate([&] {
            phantom_ = Phantom{message, event.time, 0, 0};
            Finding finding;
            finding.time = event.time;
            finding.subjects = {message.text};
            finding.events = {event.sequence};
            return finding;
        });
    }

    void on_accepted(const FlowMessage& message, std::uint64_t, const Event& event) override {
        if (!phantom_ || phantom_->accepted_sequence != 0) return;
        const bool same = message.text == phantom_->message.text &&
                          topology_.flows[message.flow].channel ==
                              topology_.flows[phantom_->message.flow].channel;
        if (!same) return;
        phantom_->accepted_sequence = event.sequence;
        phantom_->accepted = event.time;
    }

    void on_unaccepted(const FlowMessage& message, const Event& event) override {
        // The copies are kept under the first flow of the channel.
        const std::size_t channel = topology_.flows[message.flow].channel;
        const auto number =
            reader_.find(reader_.routes().flows_of_channel(channel).front(), message.text);
        if (!number || reader_.is_accepted_by(channel, message.text)) return;
        Stored& stored = stored_.at(*number);
        if (stored.sequence == 0 || stored.reported) return;
        stored.reported = true;
        tally_.violate([&] {
            Finding finding;
            finding.time = event.time;
            finding.subjects = {message.text};
            finding.events = {stored.sequence, event.sequence};
            finding.witness.text(message.text).words(" is stored in ");
            finding.witness.words(topology_.channels[channel].name + ", but its row in ");
            finding.witness.words(topology_.flows[message.flow].accepted_table);
            const bool by_promotion = event.operands[2] != 0;
            finding.witness.words(by_promotion ? " is gone since a fail-over at "
                                               : " is gone since a power loss at ");
            finding.witness.time(event.time).words(".");
            return finding;
        });
    }

    void finish_witness() {
        const Flow& flow = topology_.flows[phantom_->message.flow];
        Finding& finding = tally_.first();
        finding.events.push_back(phantom_->accepted_sequence);
        Sentence& say = finding.witness;
        say.text(phantom_->message.text).words(" was stored in ");
        say.words(topology_.channels[flow.channel].name + " at ").time(phantom_->stored);
        if (phantom_->accepted_sequence != 0) {
            say.words(", before its row in " + flow.accepted_table + " was durable at ");
            say.time(phantom_->accepted).words(".");
        } else {
            say.words(", but no row of it was ever durable in " + flow.accepted_table + ".");
        }
    }

    /// A copy is told for every flow into the channel and is judged for the first.
    [[nodiscard]] bool is_judged_here(const FlowMessage& message) const {
        const std::size_t channel = topology_.flows[message.flow].channel;
        return !direct_channels_.contains(channel) &&
               reader_.routes().flows_of_channel(channel).front() == message.flow;
    }

    const Topology& topology_;
    const FlowReader& reader_;
    std::set<std::size_t> direct_channels_;
    ByNumber<Stored> stored_;
    std::optional<Phantom> phantom_;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_outbox_no_phantom(Reading& reading, const PropertyOptions&) {
    return std::make_unique<OutboxNoPhantom>(reading);
}

} // namespace crier::properties
