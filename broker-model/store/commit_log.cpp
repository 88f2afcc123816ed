#include "broker-model/store/commit_log.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace crier::broker {

namespace {

constexpr std::string_view log_file = "commit-log";

/// The log is begun anew when it has this size. **Source**: PostgreSQL max_wal_size, by far
/// smaller.
constexpr std::size_t log_size_max = 1 << 16;

} // namespace

std::vector<Commit> CommitLog::after(std::uint64_t number) const {
    std::vector<Commit> commits;
    if (synced_.number > number) commits.push_back(synced_);
    std::copy_if(unsynced_.begin(), unsynced_.end(), std::back_inserter(commits),
                 [number](const Commit& commit) { return commit.number > number; });
    return commits;
}

IoResult CommitLog::write(DiskAccess& access, Commit commit) {
    sim::File& file = access.disk().open(log_file);
    if (file.size() >= log_size_max && unsynced_.empty()) {
        const IoResult begun = access.truncate(file, 0);
        if (begun != IoResult::done) return begun;
    }
    std::array<std::byte, 8> record{};
    for (std::size_t at = 0; at < record.size(); ++at)
        record[at] = static_cast<std::byte>(commit.number >> (8 * at));
    const IoResult written = access.write(file, file.size(), record.data(), record.size());
    if (written != IoResult::done) return written;
    if (!commit.inserted.empty()) changes_.add(commit.number, std::exchange(commit.inserted, {}));
    unsynced_.push_back(std::move(commit));
    return written;
}

IoResult CommitLog::sync(DiskAccess& access) {
    const IoResult result = access.sync(access.disk().open(log_file));
    if (result != IoResult::done || unsynced_.empty()) return result;
    synced_ = std::move(unsynced_.back());
    unsynced_.clear();
    return result;
}

std::uint64_t CommitLog::lose_unsynced(std::optional<sim::Draw> draw) {
    const std::size_t kept = draw ? static_cast<std::size_t>(draw->below(unsynced_.size() + 1)) : 0;
    const std::uint64_t lost = unsynced_.size() - kept;
    if (kept > 0) synced_ = std::move(unsynced_[kept - 1]);
    unsynced_.clear();
    changes_.lose_after(synced_.number);
    return lost;
}

} // namespace crier::broker
