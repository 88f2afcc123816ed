#include "broker-model/store/commit_ledger.hpp"

#include "broker-model/events.hpp"
#include "sim/world.hpp"

#include <algorithm>

namespace crier::broker {

CommitLedger::CommitLedger(sim::World& world, const DatabaseOptions& options, CommitMark& mark)
    : world_(world), mark_(mark), database_text_(world.history().name(options.name)) {
    for (const RowWatch& watch : options.watches) {
        table_texts_.push_back(world.history().name(options.name + "." + watch.table));
    }
    mark_.next = 1;
}

void CommitLedger::removed(const WatchedRow& row) {
    const auto found = std::find(pending_.rbegin(), pending_.rend(), row);
    if (found != pending_.rend()) pending_.erase(std::next(found).base());
}

void CommitLedger::changed(const WatchedRow& from, const WatchedRow& to) {
    const auto found = std::find(pending_.rbegin(), pending_.rend(), from);
    if (found != pending_.rend()) *found = to;
}

void CommitLedger::record(const sim::Process& server, std::uint32_t client) {
    ++commits_;
    mark_.next = commits_ + 1;
    world_.record_as(&server, events::committed, database_text_, commits_, client);
    const bool synced = mark_.synced >= commits_;
    if (synced) unsynced_.clear();
    for (const WatchedRow& row : pending_) {
        world_.record_as(&server, events::row_durable, table_texts_[row.watch], row.identity,
                         row.key, commits_);
        if (!synced) unsynced_.push_back({commits_, row});
    }
    pending_.clear();
}

// A ghost records nothing: what it has committed is found by the next life.
bool CommitLedger::committed(const sim::Process& server, std::uint32_t client) {
    if (!server.is_alive()) return false;
    const bool wrote = mark_.written == mark_.next;
    if (wrote) record(server, client);
    pending_.clear();
    return wrote;
}

void CommitLedger::recovered(const sim::Process& server) {
    if (mark_.written == mark_.next) record(server, server.node());
    pending_.clear();
    for (const Unsynced& each : unsynced_) {
        if (each.commit <= mark_.written) continue;
        world_.record_as(&server, events::row_lost, table_texts_[each.row.watch],
                         each.row.identity);
    }
    std::erase_if(unsynced_, [this](const Unsynced& each) {
        return each.commit > mark_.written || each.commit <= mark_.synced;
    });
}

} // namespace crier::broker
