#include "broker-model/store/change_log.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace crier::broker {

namespace {

constexpr std::string_view slots_file = "replication-slots";

} // namespace

void ChangeLog::add(std::uint64_t commit, std::vector<InsertedRow> rows) {
    InsertedRows& added = commits_.emplace_back();
    added.commit = commit;
    added.rows = std::make_shared<const std::vector<InsertedRow>>(std::move(rows));
}

void ChangeLog::lose_after(std::uint64_t commit) {
    while (!commits_.empty() && commits_.back().commit > commit)
        commits_.pop_back();
}

// **Source**: PostgreSQL slot.c SaveSlotToPath: written beside, synced, and renamed.
IoResult ChangeLog::save(DiskAccess& access, const std::string& slot, std::uint64_t confirmed) {
    std::array<std::byte, 8> record{};
    for (std::size_t at = 0; at < record.size(); ++at)
        record[at] = static_cast<std::byte>(confirmed >> (8 * at));
    sim::File& file = access.disk().open(slots_file);
    const IoResult written = access.write(file, 0, record.data(), record.size());
    if (written != IoResult::done) return written;
    const IoResult synced = access.sync(file);
    if (synced != IoResult::done) return synced;
    slots_[slot] = confirmed;
    forget_unasked();
    return IoResult::done;
}

void ChangeLog::forget_unasked() {
    std::uint64_t oldest = std::numeric_limits<std::uint64_t>::max();
    for (const auto& [name, confirmed] : slots_)
        oldest = std::min(oldest, confirmed);
    while (!commits_.empty() && commits_.front().commit <= oldest)
        commits_.pop_front();
}

std::vector<InsertedRows> ChangeLog::read(std::uint64_t after, std::uint64_t last,
                                          std::size_t max) const {
    std::vector<InsertedRows> commits;
    std::size_t count = 0;
    auto next = std::upper_bound(
        commits_.begin(), commits_.end(), after,
        [](std::uint64_t commit, const InsertedRows& rows) { return commit < rows.commit; });
    for (; next != commits_.end() && next->commit <= last; ++next) {
        if (!commits.empty() && count >= max) break;
        count += next->rows->size() + 2;
        commits.push_back(*next);
    }
    return commits;
}

} // namespace crier::broker
