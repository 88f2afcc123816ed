#include "properties/attempts_exact.hpp"

#include "broker-model/events.hpp"
#include "messaging/ports/observer.hpp"
#include "properties/finding.hpp"
#include "properties/index.hpp"
#include "properties/reading.hpp"
#include "sim/events.hpp"
#include "sim/hash.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

namespace crier::properties {

namespace {

using sim::Event;

class AttemptsExact final : public Checker, private sim::EventSink {
public:
    explicit AttemptsExact(Reading& reading)
        : topology_(reading.topology()), routes_(reading.flows().routes()),
          at_once_(sim::hash_text(not_retryable)) {
        reading.add(*this);
    }

    void on_event(const Event& event) override {
        switch (event.kind) {
        case broker::events::stored.id: stored(event); break;
        case sim::events::crashed.id:
        case sim::events::power_lost.id:
        case sim::events::paused.id: ++interruptions_.at(event.node); break;
        case broker::events::lost.id:
        case broker::events::revoked.id: ++losses_[{event.operands[1], event.operands[0]}]; break;
        case broker::events::share_delivered.id: share_delivered(event); break;
        case sim::events::attempting.id: attempt(event, false); break;
        case sim::events::attempt_failed.id: attempt(event, true); break;
        case sim::events::settled.id: settled(event); break;
        case broker::events::dead_lettered.id: parked(event); break;
        default: break;
        }
    }

    Verdict finish(const RunEnd& end) override;

private:
    /// One life of one replica that attempted the message.
    struct Attempter {
        std::uint32_t node = 0;
        std::uint32_t incarnation = 0;
        std::uint32_t interruptions = 0; // of the node, before its first attempt
    };
    struct Trying {
        std::uint32_t failed = 0;
        std::uint32_t losses = 0; // of the partition, before the first attempt
        std::uint64_t reason = 0; // of the last failure
        std::uint64_t first = 0;  // sequence of the first attempt
        std::uint64_t last = 0;   // sequence of the last failure
        std::vector<Attempter> attempters;
        std::size_t active = 0;  // index of who acted last
        bool overlapped = false; // somebody went on after another had begun
    };
    /// Parkings with the wrong number of attempts; the reason may excuse too few.
    struct Wrong {
        std::uint64_t count = 0;
        Finding first;
    };
    using Pair = std::pair<std::uint64_t, std::uint64_t>;

    void stored(const Event& event) {
        const PartitionPlace* place = routes_.place(event.operands[0]);
        if (place == nullptr || topology_.channels[place->channel].dead_letters) return;
        const std::uint32_t number = index_.insert(sim::mix(event.operands[2], place->channel + 1));
        partitions_.at(number) = event.operands[0];
        offsets_.at(number) = event.operands[1];
    }

    // The count of a share group stands for attempts that nobody else has counted.
    void share_delivered(const Event& event) {
        std::uint64_t& most =
            deliveries_[{event.operands[1], event.operands[0]}][event.operands[2]];
        most = std::max(most, event.operands[3]);
    }

    [[nodiscard]] std::uint64_t deliveries(std::size_t subscriber, std::uint64_t message) const {
        const Subscriber& who = topology_.subscribers[subscriber];
        const auto number = index_.find(sim::mix(message, who.channel + 1));
        if (!number) return 0;
        const auto found = deliveries_.find({who.group_text, partitions_.get(*number)});
        if (found == deliveries_.end()) return 0;
        const auto at = found->second.find(offsets_.get(*number));
        return at == found->second.end() ? 0 : at->second;
    }

    void attempt(const Event& event, bool failed) {
        for (const std::size_t subscriber : routes_.subscribers_of_node(event.node)) {
            if (topology_.subscribers[subscriber].attempts_max <= 0) continue;
            Trying& trying = trying_[{subscriber, event.operands[0]}];
            if (trying.attempters.empty()) {
                trying.first = event.sequence;
                trying.losses = losses(subscriber, event.operands[0]);
            }
            act(trying, event);
            if (!failed) continue;
            ++trying.failed;
            trying.reason = event.operands[2];
            trying.last = event.sequence;
        }
    }

    void act(Trying& trying, const Event& event) {
        auto& attempters = trying.attempters;
        const auto found =
            std::find_if(attempters.begin(), attempters.end(), [&](const Attempter& who) {
                return who.node == event.node && who.incarnation == event.incarnation;
            });
        const auto active = static_cast<std::size_t>(found - attempters.begin());
        if (found == attempters.end()) {
            attempters.push_back({event.node, event.incarnation, interruptions_.get(event.node)});
        } else if (active != trying.active) {
            trying.overlapped = true;
        }
        trying.active = active;
    }

    void settled(const Event& event) {
        // What is called parked is judged when its dead letter comes.
        if (event.operands[1] == fates_.parked) return;
        for (const std::size_t subscriber : routes_.subscribers_of_node(event.node)) {
            trying_.erase({subscriber, event.operands[0]});
            forget_deliveries(subscriber, event.operands[0]);
        }
    }

    // Should it be delivered again, the count says again how often in all.
    void forget_deliveries(std::size_t subscriber, std::uint64_t message) {
        if (deliveries_.empty()) return;
        const Subscriber& who = topology_.subscribers[subscriber];
        const auto number = index_.find(sim::mix(message, who.channel + 1));
        if (!number) return;
        const auto found = deliveries_.find({who.group_text, partitions_.get(*number)});
        if (found != deliveries_.end()) found->second.erase(offsets_.get(*number));
    }

    void parked(const Event& event) {
        for (const std::size_t subscriber : routes_.subscribers_of_service(event.operands[1])) {
            const int attempts_max = topology_.subscribers[subscriber].attempts_max;
            if (attempts_max <= 0) continue;
            const std::uint32_t before = judged_.size();
            judged_.insert(sim::mix(event.operands[0], subscriber + 1));
            if (judged_.size() == before) continue; // another copy of the dead letter
            tally_.observe();
            const auto found = trying_.find({subscriber, event.operands[0]});
            const Trying trying = found == trying_.end() ? Trying{} : found->second;
            if (found != trying_.end()) trying_.erase(found);
            judge(trying, subscriber, static_cast<std::uint32_t>(attempts_max), event);
            forget_deliveries(subscriber, event.operands[0]);
        }
    }

    void judge(const Trying& trying, std::size_t subscriber, std::uint32_t wanted,
               const Event& event) {
        const std::uint32_t most = wanted + excess(trying, subscriber, wanted, event.operands[0]);
        if (trying.failed >= wanted && trying.failed <= most) return;
        const bool too_few = trying.failed < wanted;
        if (too_few && deliveries(subscriber, event.operands[0]) >= wanted) return;
        Wrong& wrong = wrong_[too_few ? trying.reason : 0];
        if (wrong.count++ > 0) return;
        wrong.first.time = event.time;
        wrong.first.subscriber = subscriber;
        wrong.first.subjects = {event.operands[0]};
        wrong.first.events = {trying.first, trying.last, event.sequence};
        Sentence& say = wrong.first.witness;
        say.text(event.operands[0]).words(" was parked for ").text(event.operands[1]);
        say.words(" at ").time(event.time).words(" after ").number(trying.failed);
        say.words(" failed attempts, and the service makes ").number(wanted);
        if (too_few || most == wanted) {
            say.words(".");
        } else {
            say.words("; what interrupted it explains no more than ").number(most).words(".");
        }
    }

    /// Returns how many attempts more than wanted the interruptions explain.
    [[nodiscard]] std::uint32_t excess(const Trying& trying, std::size_t subscriber,
                                       std::uint32_t wanted, std::uint64_t message) const {
        if (trying.attempters.empty()) return 0;
        std::uint32_t count = losses(subscriber, message) - trying.losses;
        for (std::size_t i = 0; i < trying.attempters.size(); ++i) {
            const Attempter& who = trying.attempters[i];
            const std::uint32_t own = interruptions_.get(who.node) - who.interruptions;
            // One that another took over from was interrupted, even if it never learnt of it.
            const bool superseded = i + 1 < trying.attempters.size();
            count += superseded ? std::max(own, 1U) : own;
        }
        if (!trying.overlapped) return count;
        const auto others = static_cast<std::uint32_t>(trying.attempters.size() - 1);
        return std::max(count, wanted * others);
    }

    [[nodiscard]] std::uint32_t losses(std::size_t subscriber, std::uint64_t message) const {
        const Subscriber& who = topology_.subscribers[subscriber];
        const auto number = index_.find(sim::mix(message, who.channel + 1));
        if (!number) return 0;
        const auto found = losses_.find({who.group_text, partitions_.get(*number)});
        return found == losses_.end() ? 0 : found->second;
    }

    const Topology& topology_;
    const Routes& routes_;
    FateTexts fates_;
    std::uint64_t at_once_;
    Index index_;                        // of messages in their channels
    ByNumber<std::uint64_t> partitions_; // where they are stored
    ByNumber<std::uint64_t> offsets_;
    std::map<Pair, std::map<std::uint64_t, std::uint64_t>> deliveries_; // by offset: the highest
    ByNumber<std::uint32_t> interruptions_;                             // by node
    std::map<Pair, std::uint32_t> losses_;                              // by group and partition
    std::map<Pair, Trying> trying_;        // by subscriber and message; on their way
    Index judged_;                         // by subscriber and message
    std::map<std::uint64_t, Wrong> wrong_; // by reason, 0 for what no reason excuses
    Tally tally_;
};

Verdict AttemptsExact::finish(const RunEnd& end) {
    std::vector<const Wrong*> blamed;
    for (const auto& [reason, wrong] : wrong_) {
        const std::string text =
            end.texts == nullptr || reason == 0 ? std::string() : end.texts->find(reason);
        const bool excused = reason == at_once_ || text.rfind(not_retryable, 0) == 0;
        if (!excused) blamed.push_back(&wrong);
    }
    std::stable_sort(blamed.begin(), blamed.end(), [](const Wrong* a, const Wrong* b) {
        return a->first.events.back() < b->first.events.back();
    });
    for (const Wrong* wrong : blamed) {
        for (std::uint64_t i = 0; i < wrong->count; ++i) {
            tally_.violate([&] { return wrong->first; });
        }
    }
    return tally_.verdict("attempts-exact", topology_, end);
}

} // namespace

std::unique_ptr<Checker> make_attempts_exact(Reading& reading, const PropertyOptions&) {
    return std::make_unique<AttemptsExact>(reading);
}

} // namespace crier::properties
