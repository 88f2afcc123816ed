#include "broker-model/store/commit_ledger.hpp"

#include "broker-model/events.hpp"
#include "sim/world.hpp"

#include <algorithm>
#include <utility>

namespace crier::broker {

std::vector<WatchedChange> net_changes(const std::vector<WatchedChange>& changes) {
    std::vector<WatchedChange> net;
    for (const WatchedChange& change : changes) {
        const auto found =
            change.from ? std::find_if(net.rbegin(), net.rend(),
                                       [&](const auto& each) { return each.to == change.from; })
                        : net.rend();
        if (found == net.rend()) {
            net.push_back(change);
            continue;
        }
        found->to = change.to;
        if (found->from == found->to) net.erase(std::next(found).base());
    }
    return net;
}

CommitLedger::CommitLedger(sim::World& world, const DatabaseOptions& options,
                           std::vector<CommitLog*> logs)
    : world_(world), logs_(std::move(logs)), log_(logs_.front()),
      database_text_(world.history().name(options.name)) {
    for (const RowWatch& watch : options.watches) {
        Watch& added = watches_.emplace_back();
        added.table = world.history().name(watched_table(options.name, watch));
        for (const FollowedColumn& column : watch.followed)
            added.followed.push_back(world.history().name(column.as));
    }
}

/// Returns the last commit that no loss of power takes back, and no promotion. A node that has
/// another timeline is not promoted before it has taken the primary's.
std::uint64_t CommitLedger::safe() const {
    std::uint64_t safe = log_->synced().number;
    for (const CommitLog* const log : logs_) {
        const bool follows = log->synced().timeline == log_->synced().timeline;
        safe = std::min(safe, follows ? log->synced().number : 0);
    }
    return safe;
}

void CommitLedger::committed(const sim::Process& server, const Commit& commit) {
    commits_ = commit.number;
    world_.record_as(&server, events::committed, database_text_, commits_, commit.client);
    const std::uint64_t safe_until = safe();
    std::erase_if(unsafe_, [safe_until](const Unsafe& each) { return each.commit <= safe_until; });
    for (const WatchedChange& change : commit.changes) {
        const WatchedRow& row = change.to ? *change.to : *change.from;
        if (!watches_[row.watch].followed.empty()) {
            tell_change(server, change);
        } else if (!change.from && change.to) {
            world_.record_as(&server, events::row_durable, watches_[row.watch].table, row.identity,
                             row.key, commits_);
        } else {
            continue;
        }
        if (safe_until < commits_) unsafe_.push_back({commits_, change});
    }
}

/// Tells what a followed row has come to: its columns first.
void CommitLedger::tell_change(const sim::Process& server, const WatchedChange& change) {
    const WatchedRow& row = change.to ? *change.to : *change.from;
    const Watch& watch = watches_[row.watch];
    if (!change.to) {
        world_.record_as(&server, events::row_removed, watch.table, row.identity, commits_);
        return;
    }
    for (std::size_t at = 0; at < watch.followed.size(); ++at) {
        const FollowedValue before = change.from ? change.from->followed[at] : FollowedValue{};
        const FollowedValue& value = row.followed[at];
        if (value == before) continue;
        if (value.type == FollowedValue::Type::none) {
            world_.record_as(&server, events::column_cleared, watch.table, row.identity,
                             watch.followed[at]);
        } else {
            world_.record_as(&server,
                             value.type == FollowedValue::Type::text ? events::column_text
                                                                     : events::column_number,
                             watch.table, row.identity, watch.followed[at], value.value);
        }
    }
    if (change.from) {
        world_.record_as(&server, events::row_changed, watch.table, row.identity, commits_);
    } else {
        world_.record_as(&server, events::row_added, watch.table, row.identity, row.key, commits_);
    }
}

/// A power loss or a promotion took the change of a followed row back.
void CommitLedger::tell_loss(const sim::Process& server, const WatchedChange& change,
                             bool by_promotion) {
    if (change.from) return tell_change(server, {change.to, change.from});
    world_.record_as(&server, events::row_lost, watches_[change.to->watch].table,
                     change.to->identity, by_promotion ? 1 : 0);
}

// What a ghost has written is found by the next life.
void CommitLedger::recovered(const sim::Process& server) {
    for (const Commit& commit : log_->after(commits_))
        committed(server, commit);
    const std::uint64_t last = log_->written().number;
    const bool by_promotion = std::exchange(was_promoted_, false);
    const auto is_followed = [this](const Unsafe& each) {
        const WatchedRow& row = each.change.to ? *each.change.to : *each.change.from;
        return !watches_[row.watch].followed.empty();
    };
    for (const Unsafe& each : unsafe_) {
        if (each.commit <= last || is_followed(each)) continue;
        const WatchedRow& row = *each.change.to;
        world_.record_as(&server, events::row_lost, watches_[row.watch].table, row.identity,
                         by_promotion ? 1 : 0);
    }
    // The latest first, so that a row comes to what it was.
    for (auto each = unsafe_.rbegin(); each != unsafe_.rend(); ++each) {
        if (each->commit > last && is_followed(*each))
            tell_loss(server, each->change, by_promotion);
    }
    const std::uint64_t safe_until = safe();
    std::erase_if(unsafe_, [&](const Unsafe& each) {
        return each.commit > last || each.commit <= safe_until;
    });
}

void CommitLedger::promoted(const sim::Process& server, std::size_t node) {
    const std::uint64_t last = logs_[node]->written().number;
    log_ = logs_[node];
    was_promoted_ = true;
    world_.record_as(&server, events::promoted, database_text_, last,
                     commits_ > last ? commits_ - last : 0);
}

} // namespace crier::broker
