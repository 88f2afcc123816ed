#include "broker-model/kafka/client/share_membership.hpp"

namespace crier::broker::kafka {

ShareMembership::ShareMembership(const ClientContext& context,
                                 const crier::kafka::ShareConsumerOptions& options,
                                 std::shared_ptr<ConsumerWake> wake)
    : context_(context), options_(options), wake_(std::move(wake)),
      coordinator_(context, options.group_id, options.request_timeout), pause_(context.process()),
      member_id_(context.unique_name()) {}

void ShareMembership::take_part(const std::vector<TopicId>& topics) {
    if (topics != topics_) {
        topics_ = topics;
        says_topics_ = true;
        pause_.tell_soon();
    }
    if (is_running_) return;
    is_running_ = true;
    context_.ports().spawn("kafka.share-heartbeat", run(shared_from_this()));
}

void ShareMembership::close() {
    closed_ = true;
    if (context_.process().is_alive()) pause_.tell_soon();
}

asio::awaitable<void> ShareMembership::run(std::shared_ptr<ShareMembership> self) {
    while (!self->closed_ && self->fatal_ == ErrorCode::none) {
        const Duration wait = co_await self->beat();
        if (self->closed_ || wait <= Duration{}) continue;
        const Instant next = self->context_.now() + wait;
        co_await self->pause_.wait_until(next);
    }
}

/// Sends one heartbeat. **Returns** how long to wait for the next.
asio::awaitable<Duration> ShareMembership::beat() {
    const auto back_off = [this] {
        says_topics_ = true;
        return context_.backoff(options_.retry_backoff, std::chrono::seconds(1), ++failures_, 4);
    };
    const BrokerId broker = co_await coordinator_.find(options_.request_timeout);
    if (broker == 0 || closed_) co_return back_off();
    ShareGroupHeartbeatRequest request;
    request.group = options_.group_id;
    request.member_id = member_id_;
    request.member_epoch = epoch_;
    if (says_topics_ || epoch_ == 0) request.topics = topics_;
    says_topics_ = false;
    const Outcome<ShareGroupHeartbeatAnswer> outcome =
        co_await context_.ask(broker, options_.request_timeout, 128, std::move(request));
    if (outcome.has_error()) {
        coordinator_.forget(broker);
        co_return back_off();
    }
    const ErrorCode error = outcome->error;
    if (error == ErrorCode::none) {
        failures_ = 0;
        epoch_ = outcome->member_epoch;
        if (outcome->assignment) assignment_ = *outcome->assignment;
        if (outcome->assignment) wake_->point.tell_soon();
        co_return outcome->heartbeat_interval;
    }
    if (coordinator_.heed(error, broker) || crier::kafka::is_retriable(error)) co_return back_off();
    if (error == ErrorCode::unknown_member_id || error == ErrorCode::fenced_member_epoch) {
        epoch_ = 0; // and joins again at once
        co_return Duration{};
    }
    fatal_ = error;
    wake_->point.tell_soon();
    co_return Duration{};
}

// No heartbeat follows, for one that is answered with "unknown member" would join again. Source:
// ShareMembershipManager.leaveGroup: who leaves sends the last heartbeat and none after it.
asio::awaitable<void> ShareMembership::leave() {
    close();
    const BrokerId broker = coordinator_.known();
    if (broker == 0 || epoch_ <= 0) co_return;
    ShareGroupHeartbeatRequest goodbye;
    goodbye.group = options_.group_id;
    goodbye.member_id = member_id_;
    goodbye.member_epoch = -1;
    // Whatever comes back, this member is gone: the session ends by itself.
    const Outcome<ShareGroupHeartbeatAnswer> outcome =
        co_await context_.ask(broker, options_.request_timeout, 64, std::move(goodbye));
    (void)outcome;
}

} // namespace crier::broker::kafka
