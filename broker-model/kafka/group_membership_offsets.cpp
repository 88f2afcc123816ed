// The commits of a group member, and the look-up of what was committed. A commit is refused by the
// coordinator, or by the member itself when it knows that it is out; it is never called failed when
// an attempt may have been carried out.

#include "broker-model/kafka/group_membership.hpp"

#include <algorithm>

namespace crier::broker::kafka {

namespace {

/// Whether a commit that was answered so certainly had no effect. The coordinator answers the
/// others also when its log took the commit and did not finish replicating it. Source: Kafka
/// GroupCoordinatorService.handleOperationException.
bool is_refusal(ErrorCode error) {
    switch (error) {
    case ErrorCode::coordinator_load_in_progress:
    case ErrorCode::illegal_generation:
    case ErrorCode::unknown_member_id:
    case ErrorCode::rebalance_in_progress:
    case ErrorCode::fenced_instance_id:
    case ErrorCode::offset_metadata_too_large:
    case ErrorCode::unknown_topic_or_partition: return true;
    default: return false;
    }
}

Failure commit_failure(ErrorCode error, bool maybe_done) {
    return Failure{make_error_code(error), maybe_done ? Certainty::unknown : Certainty::failed};
}

} // namespace

asio::awaitable<Outcome<OffsetCommitAnswer>>
GroupMembership::send_commit(BrokerId coordinator, std::vector<PartitionOffset> offsets,
                             Duration timeout) {
    OffsetCommitRequest request;
    request.group = options_.group_id;
    request.member_id = member_id_;
    request.instance_id = options_.group_instance_id;
    request.generation = generation_;
    request.offsets = std::move(offsets);
    const std::int32_t generation = generation_;
    const std::size_t bytes = 64 + 16 * request.offsets.size();
    Outcome<OffsetCommitAnswer> outcome =
        co_await context_.ask(coordinator, timeout, bytes, std::move(request));
    if (outcome.has_error()) {
        forget_coordinator(coordinator);
    } else {
        on_group_error(outcome->error, coordinator, generation);
    }
    co_return outcome;
}

asio::awaitable<Outcome<void>> GroupMembership::commit(std::vector<PartitionOffset> offsets,
                                                       Duration timeout) {
    const Instant deadline = context_.now() + timeout;
    // What was begun before goes over the same connection first.
    if (is_auto_committing_) co_await context_.ports().sleep(Duration::zero());
    bool maybe_done = false;
    for (int attempt = 1;; ++attempt) {
        const BrokerId broker = co_await find_coordinator(deadline - context_.now());
        if (state_ != State::stable) {
            // Between two attempts to join it is still the member that it was.
            const bool rebalances = state_ == State::joining || generation_ >= 0;
            const ErrorCode reason =
                rebalances ? ErrorCode::rebalance_in_progress : ErrorCode::unknown_member_id;
            co_return commit_failure(reason, maybe_done);
        }
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
                maybe_done = maybe_done || !is_refusal(outcome->error);
                if (!crier::kafka::is_retriable(outcome->error)) {
                    co_return commit_failure(outcome->error, maybe_done);
                }
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

Instant GroupMembership::auto_commit_at(std::uint64_t moves) const {
    const bool due = options_.enable_auto_commit && !is_auto_committing_ &&
                     state_ == State::stable && moves != committed_moves_;
    return due ? auto_commit_at_ : Instant::max();
}

void GroupMembership::start_auto_commit(std::vector<PartitionOffset> offsets, std::uint64_t moves) {
    auto_commit_at_ = context_.now() + options_.auto_commit_interval;
    is_auto_committing_ = true;
    context_.ports().spawn("kafka.auto-commit",
                           run_auto_commit(shared_from_this(), std::move(offsets), moves));
}

asio::awaitable<void> GroupMembership::run_auto_commit(std::shared_ptr<GroupMembership> self,
                                                       std::vector<PartitionOffset> offsets,
                                                       std::uint64_t moves) {
    const Duration limit = self->options_.request_timeout;
    const std::int32_t generation = self->generation_;
    const BrokerId broker = co_await self->find_coordinator(limit);
    bool done = false;
    if (broker != 0 && !self->closed_ && self->generation_ == generation) {
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

void GroupMembership::start_lookup(const std::shared_ptr<ConsumerFetcher>& fetcher) {
    if (is_looking_up_ || state_ != State::stable || lookup_at_ > context_.now()) return;
    std::vector<PartitionId> partitions = fetcher->without_position();
    if (partitions.empty()) return;
    is_looking_up_ = true;
    context_.ports().spawn("kafka.offset-fetch",
                           run_lookup(shared_from_this(), fetcher, std::move(partitions)));
}

// The answer counts only in the generation that asked: later the partitions may have been
// another's.
asio::awaitable<void> GroupMembership::run_lookup(std::shared_ptr<GroupMembership> self,
                                                  std::shared_ptr<ConsumerFetcher> fetcher,
                                                  std::vector<PartitionId> partitions) {
    const std::int32_t generation = self->generation_;
    const Duration limit = self->options_.request_timeout;
    const BrokerId broker = co_await self->find_coordinator(limit);
    bool done = false;
    if (broker != 0 && !self->closed_) {
        OffsetFetchRequest request;
        request.group = self->options_.group_id;
        request.partitions = std::move(partitions);
        const std::size_t bytes = 64 + 8 * request.partitions.size();
        const Outcome<OffsetFetchAnswer> outcome =
            co_await self->context_.ask(broker, limit, bytes, std::move(request));
        if (outcome.has_error()) {
            self->forget_coordinator(broker);
        } else if (outcome->error != ErrorCode::none) {
            self->on_group_error(outcome->error, broker, generation);
        } else {
            done = true;
            const bool counts = !self->closed_ && self->generation_ == generation;
            if (counts) {
                for (const PartitionOffset& offset : outcome->offsets) {
                    fetcher->note_committed(offset);
                }
            }
        }
    }
    self->is_looking_up_ = false;
    if (self->closed_) co_return;
    if (!done) self->lookup_at_ = self->context_.now() + self->options_.retry_backoff;
    self->wake_->point.tell_soon();
}

} // namespace crier::broker::kafka
