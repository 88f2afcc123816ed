#include "broker-model/store/commit_ledger.hpp"

#include "broker-model/events.hpp"
#include "sim/world.hpp"

#include <algorithm>

namespace crier::broker {

std::vector<WatchedRow> rows_brought(const std::vector<WatchedChange>& changes) {
    std::vector<WatchedRow> rows;
    for (const WatchedChange& change : changes) {
        const auto found =
            change.from ? std::find(rows.rbegin(), rows.rend(), *change.from) : rows.rend();
        if (!change.from) {
            rows.push_back(*change.to);
        } else if (found == rows.rend()) {
            continue; // a row of an earlier commit
        } else if (change.to) {
            *found = *change.to;
        } else {
            rows.erase(std::next(found).base());
        }
    }
    return rows;
}

CommitLedger::CommitLedger(sim::World& world, const DatabaseOptions& options, CommitLog& log)
    : world_(world), log_(log), database_text_(world.history().name(options.name)) {
    for (const RowWatch& watch : options.watches)
        table_texts_.push_back(world.history().name(options.name + "." + watch.table));
}

void CommitLedger::committed(const sim::Process& server, const Commit& commit) {
    commits_ = commit.number;
    world_.record_as(&server, events::committed, database_text_, commits_, commit.client);
    const bool synced = log_.synced().number >= commits_;
    if (synced) unsynced_.clear();
    for (const WatchedRow& row : commit.rows) {
        world_.record_as(&server, events::row_durable, table_texts_[row.watch], row.identity,
                         row.key, commits_);
        if (!synced) unsynced_.push_back({commits_, row});
    }
}

// What a ghost has written is found by the next life.
void CommitLedger::recovered(const sim::Process& server) {
    for (const Commit& commit : log_.after(commits_))
        committed(server, commit);
    const std::uint64_t last = log_.written().number;
    for (const Unsynced& each : unsynced_) {
        if (each.commit <= last) continue;
        world_.record_as(&server, events::row_lost, table_texts_[each.row.watch],
                         each.row.identity);
    }
    std::erase_if(unsynced_, [&](const Unsynced& each) {
        return each.commit > last || each.commit <= log_.synced().number;
    });
}

} // namespace crier::broker
