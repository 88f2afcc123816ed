#include "properties/inbox_atomic.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/reading.hpp"

namespace crier::properties {

namespace {

using sim::Event;

class InboxAtomic final : public Checker,
                          private sim::EventSink,
                          private FlowObserver,
                          private RowObserver {
public:
    explicit InboxAtomic(Reading& reading)
        : topology_(reading.topology()), reader_(reading.rows()),
          records_(topology_.subscribers.size()) {
        reading.add(*this);
        reading.flows().add(*this);
        reading.rows().add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        judge_effects();
        return tally_.verdict("inbox-atomic", topology_, end);
    }

private:
    /// An effect, until all of its commit was told.
    struct Effect {
        std::uint64_t message = 0;
        std::size_t subscriber = 0;
        std::uint64_t commit = 0;
        std::int64_t time = 0;
        std::uint64_t sequence = 0;
    };
    struct Record {
        std::uint64_t commit = 0; // that made the message done
        std::uint64_t sequence = 0;
    };

    // What belongs to a commit follows it at once, so anything else says that it is complete.
    void on_event(const Event& event) override {
        if (event.kind == broker::events::committed.id) judge_effects();
    }

    void on_effect(const FlowMessage& message, std::size_t subscriber,
                   const Event& event) override {
        if (topology_.subscribers[subscriber].inbox.text == 0) return;
        effects_.push_back(
            {message.text, subscriber, event.operands[3], event.time, event.sequence});
    }

    void on_added(const FollowedRow& row, const Event& event) override {
        note(row, event.operands[3], event);
    }
    void on_changed(const FollowedRow& before, const FollowedRow& after,
                    const Event& event) override {
        if (!reader_.is_done(before)) note(after, event.operands[2], event);
    }

    void note(const FollowedRow& row, std::uint64_t commit, const Event& event) {
        if (!reader_.is_done(row)) return;
        records_[row.place].at(messages_.insert(row.message)) = {commit, event.sequence};
    }

    void judge_effects() {
        for (const Effect& effect : effects_)
            judge(effect);
        effects_.clear();
    }

    void judge(const Effect& effect) {
        tally_.observe();
        const Record record = records_[effect.subscriber].get(messages_.insert(effect.message));
        if (record.commit == effect.commit) return;
        tally_.violate([&] {
            const Subscriber& who = topology_.subscribers[effect.subscriber];
            Finding finding;
            finding.time = effect.time;
            finding.subscriber = effect.subscriber;
            finding.subjects = {effect.message};
            finding.events = {record.sequence, effect.sequence};
            Sentence& say = finding.witness;
            say.text(effect.message).words(" took effect in " + who.effects_table + " at ");
            say.time(effect.time).words(", and that commit did not make it done in ");
            say.words(who.inbox.name);
            say.words(record.commit == 0 ? ": none has until now." : ": an earlier one has.");
            return finding;
        });
    }

    const Topology& topology_;
    const RowReader& reader_;
    Index messages_;
    std::vector<ByNumber<Record>> records_; // by subscriber, then message
    std::vector<Effect> effects_;           // of the commit that is being told
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_inbox_atomic(Reading& reading, const PropertyOptions&) {
    return std::make_unique<InboxAtomic>(reading);
}

} // namespace crier::properties
