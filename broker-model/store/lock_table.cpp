#include "broker-model/store/lock_table.hpp"

#include <algorithm>
#include <xxhash.h>

namespace crier::broker {

namespace {

constexpr std::uint64_t unique_key_mark = std::uint64_t{1} << 63;

} // namespace

LockKey row_key(std::uint32_t table, std::int64_t row_id) {
    return {table, static_cast<std::uint64_t>(row_id)};
}

LockKey unique_key(std::uint32_t table, std::size_t index, const void* values, std::size_t length) {
    const XXH128_hash_t hash =
        XXH3_128bits_withSeed(values, length, (std::uint64_t{table} << 16) + index);
    return {hash.high64 | unique_key_mark, hash.low64};
}

LockTable::Sessions LockTable::holders_against(SessionId session, LockKey key,
                                               LockMode mode) const {
    Sessions sessions;
    const auto found = locks_.find(key);
    if (found == locks_.end()) return sessions;
    for (const Holder& holder : found->second) {
        if (holder.session != session && conflict(holder.mode, mode))
            sessions.push_back(holder.session);
    }
    return sessions;
}

std::optional<LockMode> LockTable::mode_of(SessionId session, LockKey key) const {
    const auto found = locks_.find(key);
    if (found == locks_.end()) return std::nullopt;
    for (const Holder& holder : found->second) {
        if (holder.session == session) return holder.mode;
    }
    return std::nullopt;
}

void LockTable::acquire(SessionId session, LockKey key, LockMode mode, std::vector<LockKey>& held) {
    Holders& holders = locks_[key];
    for (Holder& holder : holders) {
        if (holder.session != session) continue;
        holder.mode = std::max(holder.mode, mode);
        return;
    }
    holders.push_back({session, mode});
    held.push_back(key);
}

void LockTable::release(SessionId session, const std::vector<LockKey>& held) {
    for (const LockKey& key : held) {
        const auto found = locks_.find(key);
        Holders& holders = found->second;
        holders.erase(std::find_if(holders.begin(), holders.end(), [session](const Holder& holder) {
            return holder.session == session;
        }));
        if (holders.empty()) locks_.erase(found);
    }
}

} // namespace crier::broker
