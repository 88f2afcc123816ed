#include "broker-model/store/commit_ledger.hpp"

#include "broker-model/events.hpp"
#include "sim/world.hpp"

#include <algorithm>
#include <utility>

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

CommitLedger::CommitLedger(sim::World& world, const DatabaseOptions& options,
                           std::vector<CommitLog*> logs)
    : world_(world), logs_(std::move(logs)), log_(logs_.front()),
      database_text_(world.history().name(options.name)) {
    for (const RowWatch& watch : options.watches)
        table_texts_.push_back(world.history().name(options.name + "." + watch.table));
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
    std::erase_if(unsafe_,
                  [safe_until](const Unsafe& each) { return each.commit <= safe_until; });
    for (const WatchedRow& row : commit.rows) {
        world_.record_as(&server, events::row_durable, table_texts_[row.watch], row.identity,
                         row.key, commits_);
        if (safe_until < commits_) unsafe_.push_back({commits_, row});
    }
}

// What a ghost has written is found by the next life.
void CommitLedger::recovered(const sim::Process& server) {
    for (const Commit& commit : log_->after(commits_))
        committed(server, commit);
    const std::uint64_t last = log_->written().number;
    const bool by_promotion = std::exchange(was_promoted_, false);
    for (const Unsafe& each : unsafe_) {
        if (each.commit <= last) continue;
        world_.record_as(&server, events::row_lost, table_texts_[each.row.watch],
                         each.row.identity, by_promotion ? 1 : 0);
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
