#include "broker-model/kafka/broker/replica_manager.hpp"

#include "broker-model/kafka/record_ledger.hpp"

#include <algorithm>

// What the controller says, and what follows when a high watermark moves.

namespace crier::broker::kafka {

namespace {

BrokerLogs& logs_of(BrokerHome& home) {
    constexpr std::string_view name = "kafka-logs";
    if (home.node.disk().find(name) == nullptr) {
        home.node.disk().attach(name, std::make_unique<BrokerLogs>());
    }
    return static_cast<BrokerLogs&>(*home.node.disk().find(name));
}

} // namespace

ReplicaManager::ReplicaManager(BrokerHome& home, InternalTopics internal)
    : home_(home), internal_(internal), metadata_(home.cluster.first_metadata()),
      replicas_(home.cluster.partition_count()), sessions_(home.cluster.broker_count()),
      produce_quota_(home.cluster.options().producer_byte_rate),
      fetch_quota_(home.cluster.options().consumer_byte_rate), alarm_(home.process, *this) {
    for (BrokerId leader = 1; leader <= home.cluster.broker_count(); ++leader) {
        fetchers_.emplace_back(home, *this, leader);
    }
    shrink_isrs();
    const Duration interval = home.cluster.options().log_retention_check_interval;
    home.kernel().at(home.process,
                     home.now() + std::min<Duration>(interval, std::chrono::seconds(30)),
                     [this] { delete_old_segments(); });
    home.kernel().at(home.process,
                     home.now() + home.cluster.options().producer_id_expiration_check_interval,
                     [this] { forget_producers(); });
    bool any_compacts = false;
    for (PartitionId id = 0; id < home.cluster.partition_count(); ++id) {
        const TopicOptions& topic = home.cluster.topic(home.cluster.info(id).topic);
        any_compacts = any_compacts || (!home.cluster.is_internal(id) && topic.log.compacts);
    }
    is_cleaning_ = any_compacts;
    if (is_cleaning_) clean_logs();
}

// Its log may be there from a life before.
void ReplicaManager::open(const PartitionState& state) {
    if (std::find(state.replicas.begin(), state.replicas.end(), home_.id) == state.replicas.end()) {
        return;
    }
    auto replica = std::make_unique<Replica>();
    const Cluster& cluster = home_.cluster;
    const TopicOptions& topic = cluster.topic(cluster.info(state.partition).topic);
    replica->id = state.partition;
    replica->state.topic_id = state.topic_id;
    replica->log = &logs_of(home_).open(state.partition, state.topic_id, topic.log);
    replica->min_insync = std::min(topic.min_insync, topic.replication);
    if (cluster.is_offsets(state.partition)) replica->owner = &internal_.groups;
    if (cluster.is_transactions(state.partition)) replica->owner = &internal_.transactions;
    if (replica->owner == nullptr && topic.log.compacts && !std::exchange(is_cleaning_, true)) {
        clean_logs();
    }
    replica->high_watermark = replica->log->kept_high_watermark();
    replicas_[state.partition] = std::move(replica);
}

Replica* ReplicaManager::find(PartitionId partition) {
    return partition < replicas_.size() ? replicas_[partition].get() : nullptr;
}

void ReplicaManager::apply(std::shared_ptr<const ClusterMetadata> metadata) {
    if (!metadata || metadata->version <= metadata_->version) return;
    former_metadata_ = std::exchange(metadata_, std::move(metadata));
    if (replicas_.size() < metadata_->partitions.size()) {
        replicas_.resize(metadata_->partitions.size());
    }
    std::vector<PartitionId> deleted;
    for (const PartitionState& state : metadata_->partitions) {
        const Replica* const known = replicas_[state.partition].get();
        if (known != nullptr && known->state.topic_id != state.topic_id) close(state.partition);
        const PartitionId id = state.partition;
        const bool was_there = id < former_metadata_->partitions.size() &&
                               former_metadata_->partitions[id].is_created();
        if (was_there && former_metadata_->partitions[id].topic_id != state.topic_id) {
            deleted.push_back(id);
        }
        if (state.is_created() && !replicas_[state.partition]) open(state);
        Replica* const replica = find(state.partition);
        if (replica == nullptr) continue;
        apply(*replica, state);
        invite(*replica);
    }
    for (ReplicaFetcher& fetcher : fetchers_)
        fetcher.go_on();
    settle();
    if (!deleted.empty()) internal_.groups.deleted(deleted);
}

// Its topic is deleted, and perhaps there is another of that name by now. Source: Kafka
// ReplicaManager.stopPartitions.
void ReplicaManager::close(PartitionId partition) {
    Replica& replica = *replicas_[partition];
    const BrokerId leader = replica.state.leader;
    if (leader != 0 && leader != home_.id) fetchers_[leader - 1].remove(partition);
    end_waiting(replica, ErrorCode::unknown_topic_or_partition);
    for (const std::uint32_t slot : replica.fetches) {
        if (!std::exchange(fetches_[slot].woken, true)) woken_fetches_.push_back(slot);
    }
    logs_of(home_).drop(partition);
    replicas_[partition].reset();
}

// Source: Kafka LogManager.shutdown, CleanShutdownFileHandler; the watermarks are checkpointed,
// too.
void ReplicaManager::shut_down() {
    for (const auto& replica : replicas_) {
        if (replica) replica->log->close(replica->high_watermark);
    }
    note_clean_epoch(home_.broker_epoch);
}

void ReplicaManager::note_clean_epoch(std::uint64_t epoch) {
    logs_of(home_).clean_epoch = epoch;
}

std::uint64_t ReplicaManager::take_clean_epoch() {
    return std::exchange(logs_of(home_).clean_epoch, 0);
}

void ReplicaManager::apply(Replica& replica, const PartitionState& next) {
    const PartitionState& now = replica.state;
    if (next.leader_epoch < now.leader_epoch || next.partition_epoch <= now.partition_epoch) return;
    const bool is_new_epoch = next.leader_epoch != now.leader_epoch;
    if (is_new_epoch && now.leader != 0 && now.leader != home_.id) {
        fetchers_[now.leader - 1].remove(replica.id);
    }
    const bool led = replica.leads();
    replica.state = next;
    replica.is_altering = false;
    replica.joining.clear();
    if (next.leader == home_.id) {
        if (is_new_epoch || !led) begin_leading(replica);
        advance(replica);
        return;
    }
    if (led) resign(replica);
    replica.part = Replica::Part::follower;
    if (is_new_epoch && next.leader != 0) fetchers_[next.leader - 1].add(replica.id);
}

void ReplicaManager::begin_leading(Replica& replica) {
    replica.lead(home_.id, home_.now());
    home_.cluster.ledger().leads(home_.process, replica.state, *replica.log);
    if (replica.owner != nullptr) replica.owner->leads(replica);
}

void ReplicaManager::resign(Replica& replica) {
    replica.peers.clear();
    end_waiting(replica, ErrorCode::not_leader_or_follower);
    for (const std::uint32_t slot : replica.fetches) {
        if (!std::exchange(fetches_[slot].woken, true)) woken_fetches_.push_back(slot);
    }
    if (replica.owner != nullptr) replica.owner->resigned(replica);
}

void ReplicaManager::advance(Replica& replica) {
    const Offset allowed = replica.allowed_watermark(
        home_.now(), home_.cluster.options().replica_lag_time_max, metadata_->live_brokers);
    if (allowed <= replica.high_watermark) return;
    replica.high_watermark = allowed;
    replica.log->note_high_watermark(allowed, home_.now());
    home_.cluster.ledger().stored_up_to(home_.process, replica.state, *replica.log, allowed);
    // The watermark stands while too few are in sync, so whoever waits then waits on, until it is
    // enough again or the request times out: NOT_ENOUGH_REPLICAS_AFTER_APPEND is never said.
    // Source: Kafka Partition.checkEnoughReplicasReachOffset with the rule of KIP-966.
    while (!replica.produces.empty() && replica.produces.front().required <= allowed) {
        settle_waiting(replica.produces.front(), ErrorCode::none);
        replica.produces.pop_front();
    }
    for (const std::uint32_t slot : replica.fetches) {
        if (!std::exchange(fetches_[slot].woken, true)) woken_fetches_.push_back(slot);
    }
    for (Peer& peer : replica.peers)
        list(replica, peer, false); // they learn it with the next answer
    if (replica.owner != nullptr) {
        replica.log->compact_internal(replica.log->last_stable_offset(allowed),
                                      home_.timestamp_now());
        replica.owner->watermark_moved(replica);
    }
}

// Ends when nothing is ready any more; what it calls back may append and so make more ready.
void ReplicaManager::settle() {
    if (settling_) return;
    settling_ = true;
    while (!done_produces_.empty() || !woken_fetches_.empty()) {
        while (!done_produces_.empty()) {
            const std::uint32_t slot = done_produces_.back();
            done_produces_.pop_back();
            close_produce(slot);
        }
        while (!woken_fetches_.empty()) {
            const std::uint32_t slot = woken_fetches_.back();
            woken_fetches_.pop_back();
            ParkedFetch& parked = fetches_[slot];
            parked.woken = false;
            if (parked.live && answer_consumer(parked.request, parked.reply, false)) unpark(slot);
        }
    }
    for (BrokerId follower = 1; follower <= sessions_.size(); ++follower) {
        FollowerSession& session = sessions_[follower - 1];
        if (session.is_ready && session.parked) answer_session(follower, session);
    }
    if (!deletes_.empty()) answer_deletes();
    settling_ = false;
}

void ReplicaManager::pass_deadlines() {
    const Instant now = home_.now();
    for (std::uint32_t slot = 0; slot < produces_.size(); ++slot) {
        PendingProduce& pending = produces_[slot];
        if (!pending.live || pending.left == 0) continue;
        if (pending.deadline <= now) {
            done_produces_.push_back(slot); // with the error that it began with: timed out
            pending.left = 0;
            ++pending.generation;
        } else {
            alarm_.need(pending.deadline);
        }
    }
    for (std::uint32_t slot = 0; slot < fetches_.size(); ++slot) {
        ParkedFetch& parked = fetches_[slot];
        if (!parked.live) continue;
        if (parked.deadline <= now) {
            (void)answer_consumer(parked.request, parked.reply, true);
            unpark(slot);
        } else {
            alarm_.need(parked.deadline);
        }
    }
    for (const PendingDelete& pending : deletes_) {
        if (pending.deadline > now) alarm_.need(pending.deadline);
    }
    for (BrokerId follower = 1; follower <= sessions_.size(); ++follower) {
        FollowerSession& session = sessions_[follower - 1];
        if (!session.parked) continue;
        if (session.deadline <= now) {
            answer_session(follower, session);
        } else {
            alarm_.need(session.deadline);
        }
    }
    settle();
}

} // namespace crier::broker::kafka
