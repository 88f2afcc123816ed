#include "broker-model/store/commit_ledger.hpp"

#include "broker-model/events.hpp"
#include "sim/world.hpp"

#include <algorithm>

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

CommitLedger::CommitLedger(sim::World& world, const DatabaseOptions& options, CommitLog& log)
    : world_(world), log_(log), database_text_(world.history().name(options.name)) {
    for (const RowWatch& watch : options.watches) {
        Watch& added = watches_.emplace_back();
        added.table = world.history().name(watched_table(options.name, watch));
        for (const FollowedColumn& column : watch.followed)
            added.followed.push_back(world.history().name(column.as));
    }
}

void CommitLedger::committed(const sim::Process& server, const Commit& commit) {
    commits_ = commit.number;
    world_.record_as(&server, events::committed, database_text_, commits_, commit.client);
    const bool synced = log_.synced().number >= commits_;
    if (synced) unsynced_.clear();
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
        if (!synced) unsynced_.push_back({commits_, change});
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

/// A power loss took the change of a followed row back.
void CommitLedger::tell_loss(const sim::Process& server, const WatchedChange& change) {
    if (change.from) return tell_change(server, {change.to, change.from});
    world_.record_as(&server, events::row_lost, watches_[change.to->watch].table,
                     change.to->identity);
}

// What a ghost has written is found by the next life.
void CommitLedger::recovered(const sim::Process& server) {
    for (const Commit& commit : log_.after(commits_))
        committed(server, commit);
    const std::uint64_t last = log_.written().number;
    const auto is_followed = [this](const Unsynced& each) {
        const WatchedRow& row = each.change.to ? *each.change.to : *each.change.from;
        return !watches_[row.watch].followed.empty();
    };
    for (const Unsynced& each : unsynced_) {
        if (each.commit <= last || is_followed(each)) continue;
        const WatchedRow& row = *each.change.to;
        world_.record_as(&server, events::row_lost, watches_[row.watch].table, row.identity);
    }
    // The latest first, so that a row comes to what it was.
    for (auto each = unsynced_.rbegin(); each != unsynced_.rend(); ++each) {
        if (each->commit > last && is_followed(*each)) tell_loss(server, each->change);
    }
    std::erase_if(unsynced_, [&](const Unsynced& each) {
        return each.commit > last || each.commit <= log_.synced().number;
    });
}

} // namespace crier::broker
