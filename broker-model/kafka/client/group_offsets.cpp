#include "broker-model/kafka/client/group_offsets.hpp"

#include <algorithm>

namespace crier::broker::kafka {

namespace {

/// Whether a commit that was answered so certainly had no effect. The coordinator answers the
/// others also when its log took the commit and did not finish replicating it. Source: Kafka
/// GroupCoordinatorService.handleOperationException.
bool is_refusal(const OffsetCommitAnswer& answer) {
    if (answer.is_partial) return false;
    switch (answer.error) {
    case ErrorCode::offset_metadata_too_large:
    case ErrorCode::unknown_topic_id:
    case ErrorCode::coordinator_load_in_progress:
    case ErrorCode::illegal_generation:
    case ErrorCode::unknown_member_id:
    case ErrorCode::rebalance_in_progress:
    case ErrorCode::fenced_instance_id:
    case ErrorCode::stale_member_epoch:
    case ErrorCode::unknown_topic_or_partition: return true;
    default: return false;
    }
}

Failure commit_failure(ErrorCode error, bool maybe_done) {
    return Failure{make_error_code(error), maybe_done ? Certainty::unknown : Certainty::failed};
}

} // namespace

GroupOffsets::GroupOffsets(const ClientContext& context,
                           const crier::kafka::ConsumerOptions& options,
                           std::shared_ptr<ConsumerWake> wake,
                           std::shared_ptr<CoordinatorLookup> coordinator,
                           std::shared_ptr<Membership> member,
                           std::shared_ptr<MetadataCache> metadata)
    : context_(context), options_(options), wake_(std::move(wake)),
      coordinator_(std::move(coordinator)), member_(std::move(member)),
      metadata_(std::move(metadata)),
      auto_commit_at_(context.now() + options.auto_commit_interval) {}

asio::awaitable<Outcome<OffsetCommitAnswer>>
GroupOffsets::send_commit(BrokerId coordinator, std::vector<PartitionOffset> offsets,
                          Duration timeout) {
    GroupIdentity identity = member_->identity();
    const std::int32_t generation = identity.generation;
    OffsetCommitRequest request;
    request.group = options_.group_id;
    request.member_id = std::move(identity.member_id);
    request.instance_id = std::move(identity.instance_id);
    request.generation = generation;
    request.offsets = std::move(offsets);
    for (PartitionOffset& offset : request.offsets)
        offset.topic_id = metadata_->topic_id(offset.partition);
    const std::size_t bytes = 64 + 16 * request.offsets.size();
    Outcome<OffsetCommitAnswer> outcome =
        co_await context_.ask(coordinator, timeout, bytes, std::move(request));
    if (outcome.has_error()) {
        coordinator_->forget(coordinator);
    } else if (outcome->error == ErrorCode::unknown_topic_id) {
        metadata_->refresh();
    } else if (!coordinator_->heed(outcome->error, coordinator)) {
        member_->on_group_error(outcome->error, generation);
    }
    co_return outcome;
}

asio::awaitable<Outcome<void>> GroupOffsets::commit(std::vector<PartitionOffset> offsets,
                                                    Duration timeout, bool in_any_epoch) {
    const Instant deadline = context_.now() + timeout;
    // What was begun before goes over the same connection first.
    if (is_auto_committing_) co_await context_.ports().sleep(Duration::zero());
    bool maybe_done = false;
    for (int attempt = 1;; ++attempt) {
        const BrokerId broker = co_await coordinator_->find(deadline - context_.now());
        const ErrorCode obstacle = member_->commit_obstacle();
        if (obstacle != ErrorCode::none) co_return commit_failure(obstacle, maybe_done);
        if (broker != 0 && context_.now() < deadline) {
            const Duration limit = std::min(options_.request_timeout, deadline - context_.now());
            std::vector<PartitionOffset> sent = offsets;
            const Outcome<OffsetCommitAnswer> outcome =
                co_await send_commit(broker, std::move(sent), limit);
            if (outcome.has_error()) {
                maybe_done = maybe_done || outcome.error().certainty == Certainty::unknown;
            } else if (outcome->error == ErrorCode::none) {
                co_return boost::system::in_place_value;
            } else {
                maybe_done = maybe_done || !is_refusal(*outcome);
                const bool again =
                    crier::kafka::is_retriable(outcome->error) ||
                    (in_any_epoch && outcome->error == ErrorCode::stale_member_epoch);
                if (!again) co_return commit_failure(outcome->error, maybe_done);
            }
        }
        const Duration wait =
            context_.backoff(options_.retry_backoff, std::chrono::seconds(1), attempt, 1);
        if (context_.now() + wait >= deadline) {
            co_return commit_failure(ErrorCode::request_timed_out, maybe_done);
        }
        co_await context_.ports().sleep(wait);
    }
}

Instant GroupOffsets::auto_commit_at(std::uint64_t moves) const {
    const bool due = options_.enable_auto_commit && !is_auto_committing_ && may_commit() &&
                     moves != committed_moves_;
    return due ? auto_commit_at_ : Instant::max();
}

void GroupOffsets::start_auto_commit(std::vector<PartitionOffset> offsets, std::uint64_t moves) {
    auto_commit_at_ = context_.now() + options_.auto_commit_interval;
    is_auto_committing_ = true;
    context_.ports().spawn("kafka.auto-commit",
                           run_auto_commit(shared_from_this(), std::move(offsets), moves));
}

asio::awaitable<void> GroupOffsets::run_auto_commit(std::shared_ptr<GroupOffsets> self,
                                                    std::vector<PartitionOffset> offsets,
                                                    std::uint64_t moves) {
    const Duration limit = self->options_.request_timeout;
    const std::int32_t generation = self->member_->identity().generation;
    const BrokerId broker = co_await self->coordinator_->find(limit);
    bool done = false;
    if (broker != 0 && !self->closed_ && self->member_->identity().generation == generation) {
        const Outcome<OffsetCommitAnswer> outcome =
            co_await self->send_commit(broker, std::move(offsets), limit);
        done = outcome.has_value() && outcome->error == ErrorCode::none;
    }
    self->is_auto_committing_ = false;
    if (self->closed_) co_return;
    if (done) {
        self->committed_moves_ = moves;
    } else {
        self->auto_commit_at_ = self->context_.now() + self->options_.retry_backoff;
    }
    self->wake_->point.tell_soon(); // the time of the next commit has changed
}

asio::awaitable<Outcome<OffsetFetchAnswer>>
GroupOffsets::ask_committed(BrokerId coordinator, std::vector<PartitionId> partitions,
                            Duration timeout) {
    GroupIdentity identity = member_->identity();
    const std::int32_t generation = identity.generation;
    OffsetFetchRequest request;
    request.group = options_.group_id;
    request.member_id = std::move(identity.member_id);
    request.member_epoch = generation;
    request.partitions = std::move(partitions);
    const std::size_t bytes = 64 + 8 * request.partitions.size();
    Outcome<OffsetFetchAnswer> outcome =
        co_await context_.ask(coordinator, timeout, bytes, std::move(request));
    if (outcome.has_error()) {
        coordinator_->forget(coordinator);
    } else if (outcome->error != ErrorCode::none &&
               !coordinator_->heed(outcome->error, coordinator)) {
        member_->on_group_error(outcome->error, generation);
    }
    co_return outcome;
}

void GroupOffsets::start_lookup(const std::shared_ptr<ConsumerFetcher>& fetcher) {
    if (is_looking_up_ || !may_commit() || lookup_at_ > context_.now()) return;
    std::vector<PartitionId> partitions = fetcher->without_position();
    if (partitions.empty()) return;
    if (options_.group_id.empty()) return reset_all(*fetcher, partitions);
    is_looking_up_ = true;
    context_.ports().spawn("kafka.offset-fetch",
                           run_lookup(shared_from_this(), fetcher, std::move(partitions)));
}

// The answer counts only in the generation that asked: later the partitions may have been
// another's.
asio::awaitable<void> GroupOffsets::run_lookup(std::shared_ptr<GroupOffsets> self,
                                               std::shared_ptr<ConsumerFetcher> fetcher,
                                               std::vector<PartitionId> partitions) {
    const std::int32_t generation = self->member_->identity().generation;
    const Duration limit = self->options_.request_timeout;
    const BrokerId broker = co_await self->coordinator_->find(limit);
    bool done = false;
    if (broker != 0 && !self->closed_) {
        const Outcome<OffsetFetchAnswer> outcome =
            co_await self->ask_committed(broker, std::move(partitions), limit);
        done = outcome.has_value() && outcome->error == ErrorCode::none;
        const bool counts =
            done && !self->closed_ && self->member_->identity().generation == generation;
        if (counts) {
            for (const PartitionOffset& offset : outcome->offsets)
                fetcher->note_committed(offset);
        }
    }
    self->is_looking_up_ = false;
    if (self->closed_) co_return;
    if (!done) self->lookup_at_ = self->context_.now() + self->options_.retry_backoff;
    self->wake_->point.tell_soon();
}

// Without a group nothing was ever committed.
void GroupOffsets::reset_all(ConsumerFetcher& fetcher, const std::vector<PartitionId>& partitions) {
    for (const PartitionId partition : partitions)
        fetcher.note_committed({partition, -1});
}

asio::awaitable<Outcome<std::vector<PartitionOffset>>>
GroupOffsets::committed(std::vector<PartitionId> partitions, Duration timeout) {
    const Instant deadline = context_.now() + timeout;
    for (int attempt = 1;; ++attempt) {
        const BrokerId broker = co_await coordinator_->find(deadline - context_.now());
        if (broker != 0 && context_.now() < deadline) {
            const Duration limit = std::min(options_.request_timeout, deadline - context_.now());
            std::vector<PartitionId> asked = partitions;
            Outcome<OffsetFetchAnswer> outcome =
                co_await ask_committed(broker, std::move(asked), limit);
            if (outcome.has_value()) {
                const ErrorCode error = outcome->error;
                if (error == ErrorCode::none) co_return std::move(outcome->offsets);
                if (!crier::kafka::is_retriable(error)) co_return commit_failure(error, false);
            }
        }
        const Duration wait =
            context_.backoff(options_.retry_backoff, std::chrono::seconds(1), attempt, 2);
        if (context_.now() + wait >= deadline) {
            co_return commit_failure(ErrorCode::request_timed_out, false);
        }
        co_await context_.ports().sleep(wait);
    }
}

} // namespace crier::broker::kafka
