#include "broker-model/kafka/broker/replica_manager.hpp"
#include "broker-model/kafka/log/batch_validation.hpp"

#include <algorithm>

// The way of a batch into the leader's log, and the wait for its followers.

namespace crier::broker::kafka {

void ReplicaManager::produce(ProduceRequest request, const std::vector<Admission>& admissions,
                             sim::Reply<ProduceAnswer> reply) {
    const std::uint32_t slot = open_produce(request.timeout);
    produces_[slot].answer.partitions.reserve(request.partitions.size());
    for (std::size_t at = 0; at < request.partitions.size(); ++at) {
        const ProducePartition& asked = request.partitions[at];
        Writing writing{asked.partition, asked.batch, asked.producer};
        writing.topic_id = asked.topic_id;
        if (!admissions.empty()) writing.admission = admissions[at];
        append_to(slot, writing, request.acks);
    }
    PendingProduce& pending = produces_[slot];
    pending.answer.throttle = throttle(request);
    pending.reply = std::move(reply);
    if (pending.left == 0) {
        done_produces_.push_back(slot);
    } else {
        alarm_.need(pending.deadline);
    }
    settle();
}

void ReplicaManager::append(const Writing& writing, Duration timeout,
                            std::function<void(ErrorCode)> done) {
    const std::uint32_t slot = open_produce(timeout);
    append_to(slot, writing, Acks::all);
    PendingProduce& pending = produces_[slot];
    pending.done = std::move(done);
    if (pending.left == 0) {
        done_produces_.push_back(slot);
    } else {
        alarm_.need(pending.deadline);
    }
    settle();
}

Duration ReplicaManager::throttle(const ProduceRequest& request) {
    if (!produce_quota_.concerns(request.client)) return Duration{};
    std::size_t bytes = 0;
    for (const ProducePartition& partition : request.partitions)
        bytes += partition.batch->bytes;
    return produce_quota_.count(request.client, static_cast<std::int64_t>(bytes), home_.now());
}

std::uint32_t ReplicaManager::open_produce(Duration timeout) {
    if (free_produces_.empty()) {
        free_produces_.push_back(static_cast<std::uint32_t>(produces_.size()));
        produces_.emplace_back();
    }
    const std::uint32_t slot = free_produces_.back();
    free_produces_.pop_back();
    PendingProduce& pending = produces_[slot];
    pending.live = true;
    pending.left = 0;
    pending.deadline = home_.now() + timeout;
    return slot;
}

void ReplicaManager::append_to(std::uint32_t slot, const Writing& writing, Acks acks) {
    ProducePartitionAnswer answer;
    answer.partition = writing.partition;
    answer.error = try_append(writing, acks, answer);
    if (answer.error == ErrorCode::none) {
        Replica& replica = *find(writing.partition);
        const Offset end = answer.base_offset + static_cast<Offset>(writing.batch->records.size());
        if (acks == Acks::all && replica.high_watermark < end) {
            PendingProduce& pending = produces_[slot];
            // Until the watermark gets there. Source: Kafka DelayedProduce.
            answer.error = ErrorCode::request_timed_out;
            const auto index = static_cast<std::uint32_t>(pending.answer.partitions.size());
            const auto later = std::upper_bound(
                replica.produces.begin(), replica.produces.end(), end,
                [](Offset limit, const WaitingProduce& it) { return limit < it.required; });
            replica.produces.insert(later, {end, slot, pending.generation, index});
            ++pending.left;
        }
    }
    produces_[slot].answer.partitions.push_back(std::move(answer));
}

// A copy of what is stored already is answered as the first was, and waits as it did.
ErrorCode ReplicaManager::try_append(const Writing& writing, Acks acks,
                                     ProducePartitionAnswer& answer) {
    Replica* const replica = find(writing.partition);
    const ErrorCode unknown = check_topic(writing.partition, writing.topic_id);
    if (unknown != ErrorCode::none) return unknown;
    if (replica == nullptr) return ErrorCode::not_leader_or_follower;
    if (!replica->leads() || !home_.process.is_alive()) return ErrorCode::not_leader_or_follower;
    if (acks == Acks::all && replica->is_under_min_insync()) return ErrorCode::not_enough_replicas;
    if (writing.admission.error != ErrorCode::none) return writing.admission.error;
    if (home_.node.disk().is_full()) return ErrorCode::kafka_storage_error;
    const std::int64_t now = home_.timestamp_now();
    if (writing.marker == Marker::none) {
        BatchVerdict valid = validate(*writing.batch, replica->log->options(), now);
        answer.bad_records = std::move(valid.bad_records);
        if (valid.error != ErrorCode::none) return valid.error;
    }
    const ProducerStates::Verdict verdict = judge(*replica, writing);
    if (verdict.error != ErrorCode::none) return verdict.error;
    answer.base_offset = verdict.copy_at;
    if (answer.base_offset >= 0) return ErrorCode::none;
    for (Peer& peer : replica->peers) {
        replica->note_caught_up(peer, sessions_[peer.broker - 1].last_fetch);
    }
    answer.base_offset = replica->append(writing, now);
    note_written(*replica);
    return ErrorCode::none;
}

ProducerStates::Verdict ReplicaManager::judge(const Replica& replica,
                                              const Writing& writing) const {
    const TransactionRules rules = home_.cluster.transaction_rules();
    const ProducerStates& producers = replica.log->producers();
    if (writing.marker == Marker::none) {
        return producers.judge(writing.producer, writing.batch->records.size(), rules,
                               writing.admission.guard);
    }
    return {producers.judge_marker(writing.producer, writing.coordinator_epoch, rules)};
}

void ReplicaManager::note_written(Replica& replica) {
    sim::Disk& disk = home_.node.disk();
    disk.add_time(disk.options().write_time);
    const std::int64_t interval = home_.cluster.options().flush_interval;
    if (interval > 0 && replica.log->end() - replica.log->flushed_end() >= interval) {
        replica.log->flush();
        disk.add_time(disk.options().sync_time);
    }
    if (!replica.leads()) return;
    for (Peer& peer : replica.peers)
        list(replica, peer, true);
    advance(replica);
}

void ReplicaManager::settle_waiting(const WaitingProduce& waiting, ErrorCode error) {
    PendingProduce& pending = produces_[waiting.slot];
    if (!pending.live || pending.generation != waiting.generation) return; // timed out before
    ProducePartitionAnswer& answer = pending.answer.partitions[waiting.index];
    answer.error = error;
    if (error != ErrorCode::none) answer.base_offset = -1;
    if (--pending.left == 0) done_produces_.push_back(waiting.slot);
}

void ReplicaManager::end_waiting(Replica& replica, ErrorCode error) {
    for (const WaitingProduce& waiting : replica.produces)
        settle_waiting(waiting, error);
    replica.produces.clear();
}

void ReplicaManager::close_produce(std::uint32_t slot) {
    PendingProduce& pending = produces_[slot];
    ProduceAnswer answer = std::exchange(pending.answer, {});
    sim::Reply<ProduceAnswer> reply = std::move(pending.reply);
    const std::function<void(ErrorCode)> done = std::exchange(pending.done, nullptr);
    pending.live = false;
    ++pending.generation;
    free_produces_.push_back(slot);
    if (done) return done(answer.partitions.front().error);
    const std::size_t bytes = 64 + 16 * answer.partitions.size();
    const Duration io = home_.take_disk_time();
    if (io == Duration{}) return reply(std::move(answer), bytes);
    home_.kernel().at(home_.process, home_.now() + io,
                      [late = std::move(reply), answer = std::move(answer), bytes]() mutable {
                          late(std::move(answer), bytes);
                      });
}

} // namespace crier::broker::kafka
