#include "properties/assigned_all.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/holders.hpp"
#include "properties/reading.hpp"

#include <map>
#include <utility>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class AssignedAll final : public Checker, private sim::EventSink {
public:
    explicit AssignedAll(Reading& reading) : topology_(reading.topology()) { reading.add(*this); }

    Verdict finish(const RunEnd& end) override {
        for (std::size_t at = 0; at < topology_.subscribers.size(); ++at)
            judge(at, end);
        return tally_.verdict("assigned-all", topology_, end);
    }

private:
    void on_event(const Event& event) override { holders_.read(event); }

    void judge(std::size_t subscriber, const RunEnd& end) {
        const Subscriber& who = topology_.subscribers[subscriber];
        if (who.shares) return;
        for (const std::uint64_t partition : topology_.channels[who.channel].partition_texts) {
            tally_.observe();
            if (!holders_.of({who.group_text, partition}).empty()) continue;
            tally_.miss([&] {
                Finding finding;
                finding.time = end.time.time_since_epoch().count();
                finding.subscriber = subscriber;
                finding.witness.words("Nobody of " + who.service + " holds ").text(partition);
                finding.witness.words(" at the end, at ").time(finding.time).words(".");
                return finding;
            });
        }
    }

    const Topology& topology_;
    Holders holders_;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_assigned_all(Reading& reading, const PropertyOptions&) {
    return std::make_unique<AssignedAll>(reading);
}

} // namespace crier::properties
