#include "properties/outbox_drain.hpp"

#include "properties/describe.hpp"
#include "properties/finding.hpp"
#include "properties/reading.hpp"
#include "sim/events.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

namespace crier::properties {

namespace {

using sim::Event;

class OutboxDrain final : public Checker, private sim::EventSink, private RowObserver {
public:
    OutboxDrain(Reading& reading, const PropertyOptions& options)
        : topology_(reading.topology()), reader_(reading.rows()), within_(options.within) {
        reading.add(*this);
        reading.rows().add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        const std::int64_t now = end.time.time_since_epoch().count();
        for (std::uint32_t number = 0; number < reader_.count(); ++number) {
            const FollowedRow& row = reader_.row(number);
            if (is_open(row) && !is_blocked(row)) judge(row, now);
        }
        return tally_.verdict("outbox-drain", topology_, end);
    }

private:
    void on_event(const Event& event) override {
        if (event.kind == sim::events::healed.id) healed_ = event.time;
        if (event.kind == sim::events::fault_began.id) healed_.reset();
    }

    void on_added(const FollowedRow& row, const Event&) override {
        if (row.table == FollowedRow::Table::outbox) tally_.observe();
    }
    void on_changed(const FollowedRow& before, const FollowedRow& after,
                    const Event& event) override {
        if (after.table != FollowedRow::Table::outbox) return;
        const auto aggregate = std::pair(after.place, after.key);
        if (after.is_dead) dead_.insert(aggregate);
        if (is_open(before) && !is_open(after)) judge(before, event.time);
    }
    void on_removed(const FollowedRow& before, const Event& event) override {
        if (is_open(before)) judge(before, event.time);
    }

    [[nodiscard]] static bool is_open(const FollowedRow& row) {
        return row.table == FollowedRow::Table::outbox && row.copies > 0 && !row.is_published &&
               !row.is_dead;
    }
    /// Whether a row of its aggregate was dead once.
    [[nodiscard]] bool is_blocked(const FollowedRow& row) const {
        return dead_.contains({row.place, row.key});
    }

    /// The row was open until `now`.
    void judge(const FollowedRow& row, std::int64_t now) {
        if (!healed_ || is_blocked(row)) return;
        const std::int64_t since = std::max(*healed_, row.added_at);
        if (now <= since + within_.count()) return;
        tally_.violate([&] { return found(row, since, now); });
    }

    [[nodiscard]] Finding found(const FollowedRow& row, std::int64_t since,
                                std::int64_t now) const {
        Finding finding;
        finding.time = now;
        finding.subjects = {row.message};
        finding.events = {row.added_by};
        Sentence& say = finding.witness;
        say.text(row.message).words(" stands in " + topology_.outboxes[row.place].name);
        say.words(" since ").time(row.added_at).words(", every fault was over at ");
        say.time(*healed_).words(", and it was still not published ");
        say.words(format_duration(now - since) + " later.");
        return finding;
    }

    const Topology& topology_;
    const RowReader& reader_;
    Duration within_;
    std::optional<std::int64_t> healed_;
    std::set<std::pair<std::size_t, std::uint64_t>> dead_; // outbox and aggregate with a dead row
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_outbox_drain(Reading& reading, const PropertyOptions& options) {
    return std::make_unique<OutboxDrain>(reading, options);
}

} // namespace crier::properties
