#include "broker-model/kafka/groups/share_manager.hpp"

#include "broker-model/kafka/broker_request.hpp"

#include <algorithm>

namespace crier::broker::kafka {

namespace {

constexpr Duration state_timeout = std::chrono::seconds(5);
constexpr std::int32_t last_epoch = -1; // of a session

std::vector<PartitionId> partitions_of(const ShareFetchRequest& request) {
    std::vector<PartitionId> partitions;
    for (const ShareFetchPartition& part : request.partitions)
        partitions.push_back(part.partition);
    return partitions;
}

} // namespace

ShareManager::ShareManager(BrokerHome& home, ReplicaManager& replicas)
    : home_(home), replicas_(replicas), ports_(home.node) {}

void ShareManager::fetch(ShareFetchRequest request, sim::Reply<ShareFetchAnswer> reply) {
    ports_.spawn("share-fetch", serve(std::move(request), std::move(reply), true));
}

void ShareManager::acknowledge(ShareFetchRequest request, sim::Reply<ShareFetchAnswer> reply) {
    ports_.spawn("share-acknowledge", serve(std::move(request), std::move(reply), false));
}

// What is acknowledged is settled first, so that it can be acquired again by the same request.
asio::awaitable<void> ShareManager::serve(ShareFetchRequest request,
                                          sim::Reply<ShareFetchAnswer> reply, bool fetches) {
    ShareFetchAnswer answer;
    answer.error = check_session(request);
    if (answer.error != ErrorCode::none) {
        reply(std::move(answer));
        co_return;
    }
    const Instant deadline = home_.now() + request.max_wait;
    for (ShareFetchPartition& part : request.partitions) {
        ShareFetchPartitionAnswer& told = answer.partitions.emplace_back();
        told.partition = part.partition;
        told.error = co_await open(request.group, part.partition);
        if (part.acknowledgements.empty()) continue;
        told.acknowledge_error = told.error;
        if (told.error != ErrorCode::none) continue;
        std::vector<AcknowledgementBatch> batches = std::move(part.acknowledgements);
        told.acknowledge_error =
            co_await settle(request.group, request.member_id, part.partition, std::move(batches));
    }
    if (request.session_epoch == last_epoch) end_session(request);
    std::size_t taken = 0;
    for (bool is_over = !fetches || request.session_epoch == last_epoch; !is_over;) {
        for (ShareFetchPartitionAnswer& told : answer.partitions) {
            if (told.error != ErrorCode::none || taken >= request.max_records) continue;
            taken += acquire(request, request.max_records - taken, told);
        }
        const bool has_error = std::any_of(
            answer.partitions.begin(), answer.partitions.end(),
            [](const ShareFetchPartitionAnswer& it) { return it.error != ErrorCode::none; });
        is_over = taken > 0 || has_error || home_.now() >= deadline;
        if (is_over) break;
        std::vector<PartitionId> partitions = partitions_of(request);
        co_await wait_for_records(request.group, std::move(partitions), deadline);
    }
    reply(std::move(answer), 64 + 100 * taken);
}

// Source: Kafka SharePartitionManager.newContext, ShareSession.
ErrorCode ShareManager::check_session(const ShareFetchRequest& request) {
    const std::pair<std::string, std::string> member(request.group, request.member_id);
    const auto known = sessions_.find(member);
    if (request.session_epoch == 0) {
        if (known != sessions_.end()) end_session(request); // its answer was lost: begin again
        if (sessions_.size() >= home_.cluster.options().share.max_share_sessions) {
            return ErrorCode::share_session_limit_reached;
        }
        sessions_[member] = 1;
        return ErrorCode::none;
    }
    if (known == sessions_.end()) return ErrorCode::share_session_not_found;
    if (request.session_epoch == last_epoch) return ErrorCode::none;
    if (request.session_epoch != known->second) return ErrorCode::invalid_share_session_epoch;
    ++known->second;
    return ErrorCode::none;
}

/// Gives back what the member has here.
void ShareManager::end_session(const ShareFetchRequest& request) {
    sessions_.erase({request.group, request.member_id});
    for (const auto& [name, held] : held_) {
        if (name.first != request.group) continue;
        if (held->records.release(request.member_id)) keep_later(name.first, name.second);
    }
}

ShareManager::Shared ShareManager::find(const std::string& group, PartitionId partition) const {
    const auto found = held_.find({group, partition});
    return found == held_.end() ? nullptr : found->second;
}

bool ShareManager::still_leads(PartitionId partition, const Held& held) const {
    const Replica* const replica = replicas_.find(partition);
    return replica != nullptr && replica->leads() && replica->state.topic_id == held.topic_id &&
           replica->state.leader_epoch == held.leader_epoch;
}

/// Gets to know the group's state of the partition, unless this term of the leader has it already.
asio::awaitable<ErrorCode> ShareManager::open(std::string group, PartitionId partition) {
    const Replica* const replica = replicas_.find(partition);
    if (replica == nullptr || !replica->leads()) {
        held_.erase({group, partition});
        co_return ErrorCode::not_leader_or_follower;
    }
    const Shared known = find(group, partition);
    if (known && still_leads(partition, *known)) co_return ErrorCode::none;
    const std::int32_t epoch = replica->state.leader_epoch;
    const std::uint32_t topic_id = replica->state.topic_id;
    ReadShareStateRequest request;
    request.group = group;
    request.partition = partition;
    request.leader_epoch = epoch;
    const PartitionId home = home_.cluster.offsets_partition(group);
    const BrokerId coordinator = replicas_.metadata()->partitions[home].leader;
    if (coordinator == 0) co_return ErrorCode::coordinator_not_available;
    const Outcome<ReadShareStateAnswer> found =
        co_await ask<ReadShareStateAnswer>(coordinator, calls::read_share_state, request);
    if (found.has_error()) co_return ErrorCode::coordinator_not_available;
    if (found->error != ErrorCode::none) co_return found->error;
    const Replica* const now = replicas_.find(partition);
    if (now == nullptr || !now->leads() || now->state.leader_epoch != epoch ||
        now->state.topic_id != topic_id) {
        co_return ErrorCode::not_leader_or_follower;
    }
    const Shared meanwhile = find(group, partition);
    if (meanwhile && still_leads(partition, *meanwhile)) co_return ErrorCode::none;
    const ShareLimits& limits = home_.cluster.options().share;
    ShareState kept = found->state;
    const bool is_new = kept.start < 0;
    if (is_new) {
        const bool latest = limits.auto_offset_reset == crier::kafka::OffsetReset::latest;
        kept.start = latest ? now->high_watermark : now->log->start();
    }
    const auto held = std::make_shared<Held>(limits, kept, epoch);
    held->topic_id = topic_id;
    held_[{group, partition}] = held;
    if (!is_new) co_return ErrorCode::none;
    const ErrorCode error = co_await keep(std::move(group), partition);
    co_return error;
}

asio::awaitable<ErrorCode> ShareManager::settle(std::string group, std::string member,
                                                PartitionId partition,
                                                std::vector<AcknowledgementBatch> batches) {
    const Shared held = find(group, partition);
    ErrorCode result = ErrorCode::none;
    bool has_changed = false;
    for (const AcknowledgementBatch& batch : batches) {
        const ErrorCode error = held->records.acknowledge(member, batch, home_.now());
        if (error != ErrorCode::none) result = error;
        const bool renews = batch.type == crier::kafka::AcknowledgeType::renew;
        has_changed = has_changed || (error == ErrorCode::none && !renews);
    }
    if (!has_changed) co_return result;
    const ErrorCode kept = co_await keep(std::move(group), partition);
    co_return kept != ErrorCode::none ? kept : result;
}

// What could not be kept is not known to be: the next request begins with what was kept before.
asio::awaitable<ErrorCode> ShareManager::keep(std::string group, PartitionId partition) {
    const Shared held = find(group, partition);
    WriteShareStateRequest request;
    request.group = group;
    request.partition = partition;
    request.leader_epoch = held->leader_epoch;
    request.state = held->records.state();
    const PartitionId home = home_.cluster.offsets_partition(group);
    const BrokerId coordinator = replicas_.metadata()->partitions[home].leader;
    ErrorCode error = ErrorCode::coordinator_not_available;
    if (coordinator != 0) {
        const Outcome<ErrorAnswer> written =
            co_await ask<ErrorAnswer>(coordinator, calls::write_share_state, std::move(request));
        if (written.has_value()) error = written->error;
    }
    if (error != ErrorCode::none && find(group, partition) == held) {
        held_.erase({group, partition});
    }
    co_return error;
}

namespace {

asio::awaitable<void> ignore(asio::awaitable<ErrorCode> work) {
    const ErrorCode error = co_await std::move(work);
    (void)error;
}

} // namespace

void ShareManager::keep_later(const std::string& group, PartitionId partition) {
    ports_.spawn("share-state", ignore(keep(group, partition)));
}

std::size_t ShareManager::acquire(const ShareFetchRequest& request, std::size_t limit,
                                  ShareFetchPartitionAnswer& answer) {
    const Shared held = find(request.group, answer.partition);
    if (!held || !still_leads(answer.partition, *held)) {
        answer.error = ErrorCode::not_leader_or_follower;
        return 0;
    }
    const Replica& replica = *replicas_.find(answer.partition);
    SharePartition& records = held->records;
    records.raise_start(replica.log->start());
    if (records.expire(home_.now())) keep_later(request.group, answer.partition);
    const Offset from = records.next_offset();
    const crier::kafka::Isolation isolation = home_.cluster.options().share.isolation;
    const Offset end = replica.readable_end(isolation);
    if (from >= end) return 0;
    constexpr std::size_t bytes_max = 1048576;
    replica.log->read(from, end, bytes_max, true, answer.batches);
    std::vector<AbortedTransaction> aborted;
    if (isolation == crier::kafka::Isolation::read_committed && !answer.batches.empty()) {
        aborted = replica.log->aborted(from, answer.batches.back().end_offset());
    }
    const Offset before = records.next_offset();
    answer.acquired = records.acquire(request.member_id, home_.now(), limit, answer.batches,
                                      std::move(aborted), request.is_exact);
    // What was for nobody is passed over, and more may lie behind.
    const bool goes_on = answer.acquired.empty() && records.next_offset() > before;
    if (goes_on) {
        answer.batches.clear();
        return acquire(request, limit, answer);
    }
    if (answer.acquired.empty()) answer.batches.clear();
    std::size_t count = 0;
    for (const AcquiredRecords& range : answer.acquired)
        count += static_cast<std::size_t>(range.last - range.first + 1);
    watch(request.group, answer.partition);
    return count;
}

// As a reader of its own log; what is given back meanwhile is seen when that is over.
asio::awaitable<void> ShareManager::wait_for_records(std::string group,
                                                     std::vector<PartitionId> partitions,
                                                     Instant deadline) {
    FetchRequest request;
    request.isolation = home_.cluster.options().share.isolation;
    Instant unlocked = deadline;
    for (const PartitionId partition : partitions) {
        const Shared held = find(group, partition);
        if (!held) continue;
        unlocked = std::min(unlocked, held->records.next_expiry());
        FetchPartition& asked = request.partitions.emplace_back();
        asked.partition = partition;
        asked.fetch_offset = held->records.end();
    }
    request.max_wait = std::max(unlocked - home_.now(), Duration(1));
    const Outcome<FetchAnswer> outcome =
        co_await ask<FetchAnswer>(home_.id, calls::fetch, std::move(request));
    (void)outcome;
}

/// Takes back what is held for too long, also when nobody fetches.
void ShareManager::watch(const std::string& group, PartitionId partition) {
    const Shared held = find(group, partition);
    const Instant end = held->records.next_expiry();
    if (end >= held->watched) return;
    held->watched = end;
    home_.kernel().at(home_.process, end, [this, group, partition, held, end] {
        if (held->watched != end) return;
        held->watched = Instant::max();
        if (find(group, partition) != held) return;
        if (held->records.expire(home_.now())) keep_later(group, partition);
        if (held->records.next_expiry() != Instant::max()) watch(group, partition);
    });
}

template <class Answer, class Request>
asio::awaitable<Outcome<Answer>> ShareManager::ask(BrokerId broker, const sim::CallKind& kind,
                                                   Request request) {
    sim::Node& node = home_.cluster.broker(broker);
    sim::CallOptions options;
    options.timeout = state_timeout;
    BrokerRequest<Request, Answer> serve(home_.cluster, node, std::move(request));
    return home_.network().template async_call<Answer>(home_.process, node, kind, options,
                                                       std::move(serve), asio::use_awaitable);
}

} // namespace crier::broker::kafka
