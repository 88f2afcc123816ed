// What a coordinator forgets: commits that are too old, groups that nobody needs, and what
// administrators delete. Source: Kafka OffsetMetadataManager.cleanupExpiredOffsets,
// ClassicGroup.offsetExpirationCondition, GroupMetadataManager.

#include "broker-model/kafka/groups/group_coordinator.hpp"

#include <algorithm>

namespace crier::broker::kafka {

bool GroupCoordinator::is_subscribed(const Shard& shard, std::string_view group, TopicId topic) {
    if (const auto found = shard.groups.find(group); found != shard.groups.end()) {
        return found->second.subscribes(topic);
    }
    const auto found = shard.consumer_groups.find(group);
    if (found == shard.consumer_groups.end()) return false;
    return std::any_of(found->second.members.begin(), found->second.members.end(),
                       [topic](const auto& entry) {
                           const std::vector<TopicId>& topics = entry.second.topics;
                           return std::binary_search(topics.begin(), topics.end(), topic);
                       });
}

/// Returns from when on the retention of a commit counts, if it does: a group's commits are kept
/// while it rebalances, and after its last member left for as long as anybody's.
std::optional<std::int64_t> GroupCoordinator::kept_since(const Shard& shard,
                                                         const std::string& group,
                                                         const Committed& commit) {
    const auto found = shard.groups.find(group);
    if (found == shard.groups.end() || found->second.phase == Group::Phase::stable) {
        return commit.time;
    }
    if (found->second.phase != Group::Phase::empty) return std::nullopt;
    return std::max(found->second.empty_since, commit.time);
}

void GroupCoordinator::clean_up(Shard& shard) {
    shard.cleanup = home_.now() + home_.cluster.options().offsets_retention_check_interval;
    std::vector<std::string> names;
    for (const auto& [name, offsets] : shard.offsets.groups())
        names.push_back(name);
    for (const auto& [name, group] : shard.groups) {
        if (!shard.offsets.groups().contains(name)) names.push_back(name);
    }
    for (const auto& [name, group] : shard.consumer_groups) {
        if (!shard.offsets.groups().contains(name)) names.push_back(name);
    }
    std::vector<Record> tombstones;
    for (const std::string& name : names)
        clean_up(shard, name, home_.timestamp_now(), tombstones);
    if (!tombstones.empty()) append(shard, std::move(tombstones), [](ErrorCode) {});
}

void GroupCoordinator::clean_up(Shard& shard, const std::string& group, std::int64_t now,
                                std::vector<Record>& tombstones) {
    const std::int64_t retention = home_.cluster.options().offsets_retention.count();
    const bool by_commit = home_.cluster.options().offsets_expire_by_commit;
    std::size_t left = 0;
    const CommittedOffsets::Groups& commits = shard.offsets.groups();
    if (const auto offsets = commits.find(group); offsets != commits.end()) {
        for (const auto& [partition, commit] : offsets->second) {
            const std::optional<std::int64_t> since =
                by_commit ? commit.time : kept_since(shard, group, commit);
            const bool is_old =
                since && now - *since >= retention && !shard.offsets.is_pending(group, partition);
            const bool is_in_use =
                !by_commit && is_subscribed(shard, group, home_.cluster.info(partition).topic);
            if (is_old && !is_in_use) {
                tombstones.push_back(write_offset_tombstone(group, partition));
            } else {
                ++left;
            }
        }
    }
    if (left == 0 && !shard.offsets.is_pending(group)) forget(shard, group, tombstones);
}

/// Forgets the group itself if it has no members.
void GroupCoordinator::forget(Shard& shard, const std::string& group,
                              std::vector<Record>& tombstones) {
    const auto classic = shard.groups.find(group);
    if (classic != shard.groups.end() && classic->second.phase == Group::Phase::empty &&
        classic->second.pending.empty()) {
        tombstones.push_back(write_group_tombstone(group));
        shard.groups.erase(classic);
    }
    const auto other = shard.consumer_groups.find(group);
    if (other != shard.consumer_groups.end() && other->second.members.empty()) {
        tombstones.push_back(write_consumer_group_tombstone(group));
        shard.consumer_groups.erase(other);
    }
}

// With a topic go its commits, and what share groups know of it. Source: Kafka
// GroupCoordinatorShard.onPartitionsDeleted.
void GroupCoordinator::deleted(const std::vector<PartitionId>& partitions) {
    for (const auto& [at, held] : shards_.all()) {
        Shard& shard = *held;
        if (!shard.is_loaded) continue;
        std::vector<Record> records;
        for (const auto& [group, commits] : shard.offsets.groups()) {
            for (const PartitionId partition : partitions) {
                if (commits.contains(partition))
                    records.push_back(write_offset_tombstone(group, partition));
            }
        }
        for (auto& [name, kept] : shard.share_states) {
            if (std::find(partitions.begin(), partitions.end(), name.second) == partitions.end())
                continue;
            kept = {};
            kept.group = name.first;
            kept.partition = name.second;
            records.push_back(write_record(kept));
        }
        if (!records.empty()) append(shard, std::move(records), [](ErrorCode) {});
    }
}

void GroupCoordinator::delete_group(const std::string& group, sim::Reply<ErrorAnswer> reply) {
    ErrorAnswer answer;
    Shard* const shard = find_shard(group, answer.error);
    if (shard == nullptr) return reply(answer);
    const Group* const classic = find_group(*shard, group);
    const ConsumerGroup* const other = find_consumer_group(*shard, group);
    const CommittedOffsets::Groups& commits = shard->offsets.groups();
    const auto offsets = commits.find(group);
    if (classic == nullptr && other == nullptr && offsets == commits.end()) {
        answer.error = ErrorCode::group_id_not_found;
    } else if ((classic != nullptr && classic->phase != Group::Phase::empty) ||
               (other != nullptr && !other->members.empty())) {
        answer.error = ErrorCode::non_empty_group;
    }
    if (answer.error != ErrorCode::none) return reply(answer);
    std::vector<Record> tombstones;
    if (offsets != commits.end()) {
        for (const auto& [partition, commit] : offsets->second)
            tombstones.push_back(write_offset_tombstone(group, partition));
    }
    forget(*shard, group, tombstones);
    if (tombstones.empty()) return reply(answer);
    append(*shard, std::move(tombstones), when_written(answer, std::move(reply)));
}

void GroupCoordinator::delete_offsets(const OffsetDeleteRequest& request,
                                      sim::Reply<ErrorAnswer> reply) {
    ErrorAnswer answer;
    Shard* const shard = find_shard(request.group, answer.error);
    if (shard == nullptr) return reply(answer);
    const CommittedOffsets::Groups& commits = shard->offsets.groups();
    const auto offsets = commits.find(request.group);
    const bool is_known = offsets != commits.end() ||
                          find_group(*shard, request.group) != nullptr ||
                          find_consumer_group(*shard, request.group) != nullptr;
    if (!is_known) answer.error = ErrorCode::group_id_not_found;
    std::vector<Record> tombstones;
    for (const PartitionId partition : request.partitions) {
        if (is_subscribed(*shard, request.group, home_.cluster.info(partition).topic)) {
            answer.error = ErrorCode::group_subscribed_to_topic;
        } else if (offsets != commits.end() && offsets->second.contains(partition)) {
            tombstones.push_back(write_offset_tombstone(request.group, partition));
        }
    }
    if (answer.error != ErrorCode::none || tombstones.empty()) return reply(answer);
    append(*shard, std::move(tombstones), when_written(answer, std::move(reply)));
}

} // namespace crier::broker::kafka
