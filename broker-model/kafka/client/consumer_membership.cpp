#include "broker-model/kafka/client/consumer_membership.hpp"

#include <algorithm>

namespace crier::broker::kafka {

namespace {

constexpr std::int32_t leaves_for_good = -1;
constexpr std::int32_t leaves_for_a_while = -2;

} // namespace

// The client makes its id, once for its life. Source: KIP-1082.
ConsumerMembership::ConsumerMembership(const ClientContext& context,
                                       const crier::kafka::ConsumerOptions& options,
                                       std::shared_ptr<ConsumerWake> wake,
                                       std::shared_ptr<CoordinatorLookup> coordinator)
    : context_(context), options_(options), wake_(std::move(wake)),
      coordinator_(std::move(coordinator)), pause_(context.process()),
      member_id_(context.unique_name()), polled_(context.now()) {}

void ConsumerMembership::close() {
    closed_ = true;
    if (context_.process().is_alive()) pause_.tell_soon();
}

GroupIdentity ConsumerMembership::identity() const {
    GroupIdentity identity;
    identity.member_id = member_id_;
    identity.instance_id = options_.group_instance_id;
    identity.generation = epoch_ > 0 ? epoch_ : -1;
    return identity;
}

ErrorCode ConsumerMembership::commit_obstacle() const {
    return epoch_ > 0 ? ErrorCode::none : ErrorCode::unknown_member_id;
}

bool ConsumerMembership::wants_join() const {
    return !closed_ && fatal_ == ErrorCode::none && !joined_;
}

void ConsumerMembership::join(std::vector<TopicId> topics, std::vector<PartitionId> held) {
    topics_ = std::move(topics);
    held_ = std::move(held);
    epoch_ = 0;
    joined_ = true;
    says_all_ = true;
    beat_soon();
    if (is_beating_) return;
    is_beating_ = true;
    context_.ports().spawn("kafka.heartbeat", run_heartbeats(shared_from_this()));
}

void ConsumerMembership::change_subscription(const std::vector<TopicId>& topics) {
    topics_ = topics;
    says_all_ = true;
    if (joined_) beat_soon();
}

void ConsumerMembership::accepted(const std::vector<PartitionId>& held, bool) {
    held_ = held;
    if (joined_) beat_soon();
}

void ConsumerMembership::beat_soon() {
    has_news_ = true;
    pause_.tell_soon();
}

// One coroutine for the life of the member. Between its beats it watches that the application
// polls. Source: Kafka AbstractHeartbeatRequestManager.poll.
asio::awaitable<void> ConsumerMembership::run_heartbeats(std::shared_ptr<ConsumerMembership> self) {
    const ClientContext& context = self->context_;
    Instant next = context.now();
    while (!self->closed_ && self->fatal_ == ErrorCode::none) {
        if (self->has_news_) next = std::min(next, context.now());
        Instant wake = self->joined_ ? next : Instant::max();
        const Instant limit = self->polled_ + self->options_.max_poll_interval;
        const bool guards = self->joined_ && !self->polling_;
        if (guards) wake = std::min(wake, std::max(limit, context.now()));
        if (wake > context.now()) co_await self->pause_.wait_until(wake);
        if (self->closed_) break;
        const bool still_guards = self->joined_ && !self->polling_;
        if (still_guards && context.now() >= self->polled_ + self->options_.max_poll_interval) {
            co_await self->say_goodbye();
            self->lose();
            continue;
        }
        if (!self->joined_ || (context.now() < next && !self->has_news_)) continue;
        self->has_news_ = false;
        const Duration wait = co_await self->beat();
        next = context.now() + wait;
    }
    self->is_beating_ = false;
}

ConsumerGroupHeartbeatRequest ConsumerMembership::request() {
    ConsumerGroupHeartbeatRequest request;
    request.group = options_.group_id;
    request.member_id = member_id_;
    request.instance_id = options_.group_instance_id;
    request.member_epoch = epoch_;
    request.owned = epoch_ == 0 ? std::vector<PartitionId>() : held_;
    if (!std::exchange(says_all_, false)) return request;
    request.client_id = options_.client_id;
    request.rebalance_timeout = options_.max_poll_interval;
    request.topics = topics_;
    request.assignor = options_.group_remote_assignor;
    return request;
}

/// Sends one heartbeat. **Returns** how long to wait for the next.
asio::awaitable<Duration> ConsumerMembership::beat() {
    const BrokerId broker = co_await coordinator_->find(options_.request_timeout);
    if (closed_) co_return Duration{};
    const auto back_off = [this] {
        says_all_ = true;
        return context_.backoff(options_.retry_backoff, std::chrono::seconds(1), ++failures_, 3);
    };
    if (broker == 0) co_return back_off();
    ConsumerGroupHeartbeatRequest sent = request();
    const std::int32_t sent_epoch = sent.member_epoch;
    const Outcome<ConsumerGroupHeartbeatAnswer> outcome =
        co_await context_.ask(broker, options_.request_timeout, 128, std::move(sent));
    if (closed_ || !joined_) co_return Duration{};
    if (outcome.has_error()) {
        coordinator_->forget(broker);
        co_return back_off();
    }
    if (epoch_ != sent_epoch) co_return Duration{}; // it has been lost meanwhile
    if (outcome->error == ErrorCode::none) {
        failures_ = 0;
        co_return heed(outcome.value());
    }
    const bool denies = coordinator_->heed(outcome->error, broker);
    if (denies || crier::kafka::is_retriable(outcome->error)) co_return back_off();
    if (outcome->error == ErrorCode::fenced_member_epoch ||
        outcome->error == ErrorCode::unknown_member_id) {
        lose();
        co_return Duration{};
    }
    fatal_ = outcome->error;
    wake_->point.tell_soon();
    co_return Duration{};
}

Duration ConsumerMembership::heed(const ConsumerGroupHeartbeatAnswer& answer) {
    epoch_ = answer.member_epoch;
    if (answer.assignment) {
        assignment_ = answer.assignment;
        wake_->point.tell_soon();
    }
    return answer.heartbeat_interval;
}

// Out of the group: the consumer learns it in its next poll, and joins again as the same member.
void ConsumerMembership::lose() {
    epoch_ = 0;
    joined_ = false;
    lost_ = true;
    assignment_.reset();
    wake_->point.tell_soon();
}

asio::awaitable<void> ConsumerMembership::leave() {
    if (joined_ && epoch_ > 0) co_await say_goodbye();
    joined_ = false;
}

// Whatever comes back, this member is gone: the session ends by itself.
asio::awaitable<void> ConsumerMembership::say_goodbye() {
    const BrokerId broker = coordinator_->known();
    if (broker == 0) co_return;
    ConsumerGroupHeartbeatRequest goodbye;
    goodbye.group = options_.group_id;
    goodbye.member_id = member_id_;
    goodbye.instance_id = options_.group_instance_id;
    goodbye.member_epoch =
        options_.group_instance_id.empty() ? leaves_for_good : leaves_for_a_while;
    const Outcome<ConsumerGroupHeartbeatAnswer> outcome =
        co_await context_.ask(broker, options_.request_timeout, 64, std::move(goodbye));
    if (outcome.has_error()) coordinator_->forget(broker);
}

} // namespace crier::broker::kafka
