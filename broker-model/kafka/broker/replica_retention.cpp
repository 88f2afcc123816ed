#include "broker-model/events.hpp"
#include "broker-model/kafka/broker/replica_manager.hpp"

#include <algorithm>

// Where logs begin: what retention deletes. Source: Kafka LogManager.cleanupLogs.

namespace crier::broker::kafka {

// Each replica deletes by its own clock; a follower also follows its leader's log start.
void ReplicaManager::delete_old_segments() {
    const std::int64_t now = home_.timestamp_now();
    for (const auto& replica : replicas_) {
        if (!replica) continue;
        const Offset before = replica->log->start();
        replica->log->delete_old(now, replica->high_watermark);
        note_start(*replica, before, "retention");
    }
    settle();
    home_.kernel().at(home_.process,
                      home_.now() + home_.cluster.options().log_retention_check_interval,
                      [this] { delete_old_segments(); });
}

// Each broker compacts its own copies when it finds the time, as Kafka's cleaner threads do: what a
// reader still finds depends on whom it asks, and when. Source: Kafka LogCleaner.
void ReplicaManager::clean_logs() {
    sim::World& world = home_.world();
    std::vector<RemovedRecord> removed;
    for (const auto& replica : replicas_) {
        if (!replica || replica->owner != nullptr) continue;
        PartitionLog& log = *replica->log;
        removed.clear();
        const std::uint64_t gone = log.compact(log.last_stable_offset(replica->high_watermark),
                                               home_.timestamp_now(), &removed);
        if (gone == 0 || !replica->leads()) continue;
        const std::uint64_t partition = home_.cluster.info(replica->id).name_text;
        world.record_as(&home_.process, events::log_compacted, partition, gone);
        for (const RemovedRecord& record : removed) {
            world.record_as(&home_.process, events::record_compacted, partition, record.offset,
                            record.is_tombstone);
        }
    }
    home_.kernel().at(home_.process, home_.now() + home_.cluster.options().log_cleaner_backoff,
                      [this] { clean_logs(); });
}

void ReplicaManager::forget_producers() {
    const ClusterOptions& options = home_.cluster.options();
    const std::int64_t oldest = home_.timestamp_now() - options.producer_id_expiration.count();
    for (const auto& replica : replicas_) {
        if (replica) replica->log->forget_producers_before(oldest);
    }
    home_.kernel().at(home_.process, home_.now() + options.producer_id_expiration_check_interval,
                      [this] { forget_producers(); });
}

void ReplicaManager::note_start(Replica& replica, Offset before, std::string_view why) {
    if (replica.log->start() == before) return;
    if (!replica.leads()) {
        // The leader learns it with the next fetch.
        const BrokerId leader = replica.state.leader;
        if (leader != 0 && replica.part == Replica::Part::follower)
            fetchers_[leader - 1].add(replica.id);
        return;
    }
    sim::World& world = home_.world();
    world.record_as(&home_.process, events::log_start_moved,
                    home_.cluster.info(replica.id).name_text, replica.log->start(),
                    world.history().name(why));
    for (Peer& peer : replica.peers)
        list(replica, peer, false);
}

// Source: Kafka Partition.deleteRecordsOnLeader, DelayedDeleteRecords.
void ReplicaManager::delete_records(const DeleteRecordsRequest& request,
                                    sim::Reply<DeleteRecordsAnswer> reply) {
    DeleteRecordsAnswer answer;
    Replica* const replica = find(request.partition);
    if (replica == nullptr || !replica->leads()) {
        answer.error = ErrorCode::not_leader_or_follower;
        return reply(answer);
    }
    PartitionLog& log = *replica->log;
    const Offset offset = request.offset == -1 ? replica->high_watermark : request.offset;
    if (log.options().compacts && !log.options().deletes) {
        answer.error = ErrorCode::policy_violation;
    } else if (offset < 0 || offset > replica->high_watermark) {
        answer.error = ErrorCode::offset_out_of_range;
    }
    if (answer.error != ErrorCode::none) return reply(answer);
    const Offset before = log.start();
    log.raise_start(offset);
    note_start(*replica, before, "delete-records");
    PendingDelete pending{request.partition, offset, std::move(reply),
                          home_.now() + request.timeout};
    alarm_.need(pending.deadline);
    deletes_.push_back(std::move(pending));
    settle();
}

Offset ReplicaManager::low_watermark(const Replica& replica) const {
    Offset low = replica.log->start();
    for (const Peer& peer : replica.peers) {
        const auto& live = metadata_->live_brokers;
        if (std::find(live.begin(), live.end(), peer.broker) == live.end()) continue;
        low = std::min(low, peer.log_start);
    }
    return low;
}

void ReplicaManager::answer_deletes() {
    std::erase_if(deletes_, [this](PendingDelete& pending) {
        DeleteRecordsAnswer answer;
        const Replica* const replica = find(pending.partition);
        if (replica == nullptr || !replica->leads()) {
            answer.error = ErrorCode::not_leader_or_follower;
        } else if (const Offset low = low_watermark(*replica); low >= pending.offset) {
            answer.low_watermark = low;
        } else if (pending.deadline <= home_.now()) {
            answer.error = ErrorCode::request_timed_out;
        } else {
            return false;
        }
        pending.reply(answer);
        return true;
    });
}

} // namespace crier::broker::kafka
