#include "properties/stuck_in_progress.hpp"

#include "properties/describe.hpp"
#include "properties/finding.hpp"
#include "properties/lease.hpp"
#include "properties/reading.hpp"
#include "sim/events.hpp"

#include <map>
#include <optional>
#include <set>
#include <utility>

namespace crier::properties {

namespace {

using sim::Event;

class StuckInProgress final : public Checker, private sim::EventSink, private RowObserver {
public:
    StuckInProgress(Reading& reading, const PropertyOptions& options)
        : topology_(reading.topology()), reader_(reading.rows()), within_(options.within) {
        reading.add(*this);
        reading.rows().add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        for (std::uint32_t number = 0; number < reader_.count(); ++number)
            judge(reader_.row(number), end.time.time_since_epoch().count());
        return tally_.verdict("stuck-in-progress", topology_, end);
    }

private:
    // Comes after the readers, which know the process's next life already.
    void on_event(const Event& event) override {
        if (event.kind != sim::events::crashed.id) return;
        const Life now = reader_.life_of(event.node);
        deaths_[{now.node, now.number - 1}] = event.time;
    }

    void on_added(const FollowedRow& row, const Event&) override {
        if (is_in_progress(row)) tally_.observe();
    }
    void on_changed(const FollowedRow& before, const FollowedRow& after,
                    const Event& event) override {
        if (after.is_dead) dead_.insert({after.place, after.key});
        judge(before, event.time);
        if (!is_in_progress(before) && is_in_progress(after)) tally_.observe();
    }
    void on_removed(const FollowedRow& before, const Event& event) override {
        judge(before, event.time);
    }

    [[nodiscard]] bool is_in_progress(const FollowedRow& row) const {
        if (row.copies == 0) return false;
        if (row.table == FollowedRow::Table::inbox) return reader_.is_working(row);
        return row.table == FollowedRow::Table::outbox && row.owner != 0 && !row.is_published &&
               !row.is_dead && !dead_.contains({row.place, row.key});
    }

    /// Returns since when somebody else may take the row.
    [[nodiscard]] std::optional<std::int64_t> free_since(const FollowedRow& row) const {
        if (row.until) {
            const std::int64_t left = *row.until - wall_milliseconds(0);
            return left * 1'000'000 + topology_.clock_error.count();
        }
        const auto death = deaths_.find({row.holder.node, row.holder.number});
        if (death == deaths_.end()) return std::nullopt;
        return death->second;
    }

    /// The row was as it is until `now`.
    void judge(const FollowedRow& row, std::int64_t now) {
        if (!is_in_progress(row)) return;
        const std::optional<std::int64_t> since = free_since(row);
        if (!since || now <= *since + within_.count()) return;
        tally_.violate([&] {
            const bool is_inbox = row.table == FollowedRow::Table::inbox;
            const std::string& table = is_inbox ? topology_.subscribers[row.place].inbox.name
                                                : topology_.outboxes[row.place].name;
            Finding finding;
            finding.time = now;
            finding.subjects = {row.message};
            finding.events = {row.held_by};
            if (is_inbox) finding.subscriber = row.place;
            Sentence& say = finding.witness;
            say.text(row.message).words(" is in the hands of ").node(row.holder.node);
            say.words(" by " + table + " since ").time(row.held_since);
            say.words(row.until ? ", its lease ended at " : ", which died at ").time(*since);
            say.words(", and nobody has taken it for ");
            say.words(format_duration(now - *since) + ".");
            return finding;
        });
    }

    const Topology& topology_;
    const RowReader& reader_;
    Duration within_;
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::int64_t> deaths_; // by life
    std::set<std::pair<std::size_t, std::uint64_t>> dead_; // outbox and aggregate with a dead row
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_stuck_in_progress(Reading& reading, const PropertyOptions& options) {
    return std::make_unique<StuckInProgress>(reading, options);
}

} // namespace crier::properties
