#include "properties/outbox_no_missing.hpp"

#include "properties/finding.hpp"
#include "properties/reading.hpp"

namespace crier::properties {

namespace {

using sim::Event;

class OutboxNoMissing final : public Checker, private FlowObserver {
public:
    explicit OutboxNoMissing(Reading& reading)
        : topology_(reading.topology()), reader_(reading.flows()) {
        reading.flows().add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        for (std::uint32_t number = 0; number < reader_.count(); ++number) {
            const FlowMessage message = reader_.message(number);
            const bool from_table = topology_.flows[message.flow].accepted_table_text != 0;
            if (!from_table || !reader_.is_accepted(number)) continue;
            tally_.observe();
            if (!stored_.get(number)) tally_.miss([&] { return missing(message, end); });
        }
        return tally_.verdict("outbox-no-missing", topology_, end);
    }

private:
    struct Accepted {
        std::uint64_t sequence = 0;
        std::int64_t time = 0;
    };

    void on_accepted(const FlowMessage& message, std::uint64_t, const Event& event) override {
        accepted_.at(message.number) = {event.sequence, event.time};
    }
    void on_stored(const FlowMessage& message, const Event&) override {
        stored_.at(message.number) = true;
    }

    [[nodiscard]] Finding missing(const FlowMessage& message, const RunEnd& end) const {
        const Flow& flow = topology_.flows[message.flow];
        const Accepted accepted = accepted_.get(message.number);
        Finding finding;
        finding.time = end.time.time_since_epoch().count();
        finding.subjects = {message.text};
        finding.events = {accepted.sequence};
        finding.witness.text(message.text).words(" is in " + flow.accepted_table + " since ");
        finding.witness.time(accepted.time).words(" and was not published to ");
        finding.witness.words(topology_.channels[flow.channel].name + " by the end, at ");
        finding.witness.time(finding.time).words(".");
        return finding;
    }

    const Topology& topology_;
    const FlowReader& reader_;
    ByNumber<Accepted> accepted_;
    ByNumber<bool> stored_;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_outbox_no_missing(Reading& reading, const PropertyOptions&) {
    return std::make_unique<OutboxNoMissing>(reading);
}

} // namespace crier::properties
