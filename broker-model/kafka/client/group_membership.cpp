#include "broker-model/kafka/client/group_membership.hpp"

#include "broker-model/kafka/assignors/assignors.hpp"

#include <algorithm>
#include <set>

namespace crier::broker::kafka {

GroupMembership::GroupMembership(const ClientContext& context,
                                 const crier::kafka::ConsumerOptions& options,
                                 std::shared_ptr<ConsumerWake> wake,
                                 std::shared_ptr<CoordinatorLookup> coordinator,
                                 std::shared_ptr<MetadataCache> metadata)
    : context_(context), options_(options), wake_(std::move(wake)),
      coordinator_(std::move(coordinator)), metadata_(std::move(metadata)), polled_(context.now()) {
}

GroupIdentity GroupMembership::identity() const {
    GroupIdentity identity;
    identity.member_id = member_id_;
    identity.instance_id = options_.group_instance_id;
    identity.generation = generation_;
    return identity;
}

// Between two attempts to join it is still the member that it was.
ErrorCode GroupMembership::commit_obstacle() const {
    if (state_ == State::stable) return ErrorCode::none;
    const bool rebalances = state_ == State::joining || generation_ >= 0;
    return rebalances ? ErrorCode::rebalance_in_progress : ErrorCode::unknown_member_id;
}

bool GroupMembership::wants_join() const {
    if (closed_ || fatal_ != ErrorCode::none) return false;
    if (state_ == State::unjoined) return join_at_ <= context_.now();
    return state_ == State::stable && (rejoin_ || has_new_partitions());
}

// The leader alone looks, and only as often as its metadata grow old. Source: Kafka
// ConsumerCoordinator.rejoinNeededOrPending: assignmentSnapshot against metadataSnapshot.
bool GroupMembership::has_new_partitions() const {
    return metadata_->is_known() &&
           std::any_of(shared_out_.begin(), shared_out_.end(), [this](const auto& entry) {
               return metadata_->partition_count(entry.first) != entry.second;
           });
}

// For a topic that is missing, metadata are asked for until it is there. Source: Kafka
// Metadata.handleMetadataResponse: an InvalidMetadataException of a topic requests an update.
void GroupMembership::watch_topics() {
    if (shared_out_.empty()) return;
    const bool lacks_one =
        metadata_->is_known() &&
        std::any_of(shared_out_.begin(), shared_out_.end(), [this](const auto& entry) {
            return metadata_->partition_count(entry.first) == 0;
        });
    if (lacks_one) {
        metadata_->refresh();
    } else {
        metadata_->refresh_if_old();
    }
}

void GroupMembership::note_shared_out(const std::vector<GroupMember>& members) {
    std::set<TopicId> topics;
    for (const GroupMember& member : members)
        topics.insert(member.topics.begin(), member.topics.end());
    for (const TopicId topic : topics)
        shared_out_.emplace_back(topic, metadata_->view().partition_count(topic));
}

Instant GroupMembership::join_at() const {
    return state_ == State::unjoined && join_at_ > context_.now() ? join_at_ : Instant::max();
}

void GroupMembership::join(std::vector<TopicId> topics, std::vector<PartitionId> held) {
    state_ = State::joining;
    rejoin_ = false;
    context_.ports().spawn("kafka.join",
                           run_join(shared_from_this(), std::move(topics), std::move(held)));
    if (is_beating_) return;
    is_beating_ = true;
    context_.ports().spawn("kafka.heartbeat", run_heartbeats(shared_from_this()));
}

asio::awaitable<void> GroupMembership::run_join(std::shared_ptr<GroupMembership> self,
                                                std::vector<TopicId> topics,
                                                std::vector<PartitionId> held) {
    const Joined joined = co_await self->join_group(std::move(topics), std::move(held));
    if (self->closed_) co_return;
    if (joined == Joined::yes) {
        self->state_ = State::stable;
        self->join_failures_ = 0;
    } else {
        self->state_ = State::unjoined;
        self->join_at_ = self->context_.now();
        if (joined == Joined::later) {
            self->join_at_ += self->context_.backoff(
                self->options_.retry_backoff, std::chrono::seconds(1), ++self->join_failures_, 0);
        }
    }
    self->wake_->point.tell_soon();
}

JoinGroupRequest GroupMembership::join_request(std::vector<TopicId> topics,
                                               std::vector<PartitionId> held) const {
    JoinGroupRequest request;
    request.group = options_.group_id;
    request.instance_id = options_.group_instance_id;
    request.client_id = options_.client_id;
    request.session_timeout = options_.session_timeout;
    request.rebalance_timeout = options_.max_poll_interval;
    for (const crier::kafka::Assignor assignor : options_.assignors) {
        request.protocols.emplace_back(assignor_info(assignor).protocol);
        if (assignor == crier::kafka::Assignor::sticky) {
            request.owned = owned_;
            request.owned_generation = owned_generation_;
        } else if (keeps_partitions()) {
            request.owned = held;
            request.owned_generation = generation_;
        }
    }
    request.topics = std::move(topics);
    return request;
}

asio::awaitable<GroupMembership::Joined>
GroupMembership::join_group(std::vector<TopicId> topics, std::vector<PartitionId> held) {
    const JoinGroupRequest request = join_request(std::move(topics), std::move(held));
    // The coordinator answers when all have joined. Source: Kafka
    // AbstractCoordinator.joinGroupTimeoutMs.
    const Duration limit =
        std::max(options_.request_timeout, options_.max_poll_interval + std::chrono::seconds(5));
    for (;;) {
        const BrokerId broker = co_await coordinator_->find(options_.request_timeout);
        if (closed_ || broker == 0) co_return Joined::later;
        JoinGroupRequest sent = request;
        sent.member_id = member_id_;
        Outcome<JoinGroupAnswer> outcome =
            co_await context_.ask(broker, limit, 256, std::move(sent));
        if (closed_) co_return Joined::later;
        if (outcome.has_error()) {
            coordinator_->forget(broker);
            co_return Joined::later;
        }
        JoinGroupAnswer& answer = outcome.value();
        if (answer.error == ErrorCode::member_id_required) {
            member_id_ = std::move(answer.member_id);
            continue;
        }
        if (answer.error != ErrorCode::none) {
            if (answer.error != ErrorCode::coordinator_load_in_progress) {
                coordinator_->forget(broker);
            }
            co_return join_failed(answer.error);
        }
        const Joined joined = co_await sync_group(std::move(answer));
        co_return joined;
    }
}

asio::awaitable<GroupMembership::Joined> GroupMembership::sync_group(JoinGroupAnswer joined) {
    member_id_ = std::move(joined.member_id);
    generation_ = joined.generation;
    const std::int32_t generation = generation_;
    const BrokerId broker = coordinator_->known();
    if (broker == 0) co_return Joined::later; // a heartbeat met its end meanwhile
    SyncGroupRequest request;
    request.group = options_.group_id;
    request.member_id = member_id_;
    request.instance_id = options_.group_instance_id;
    request.generation = generation;
    shared_out_.clear();
    if (joined.leader == member_id_) note_shared_out(joined.members);
    if (joined.leader == member_id_ && !joined.skip_assignment) {
        request.assignments =
            find_assignor(joined.protocol).assign(metadata_->view(), joined.members);
    }
    Outcome<SyncGroupAnswer> outcome =
        co_await context_.ask(broker, options_.request_timeout, 256, std::move(request));
    if (closed_ || generation_ != generation) co_return Joined::later;
    if (outcome.has_error()) {
        coordinator_->forget(broker);
        co_return Joined::later;
    }
    if (outcome->error != ErrorCode::none) {
        coordinator_->heed(outcome->error, broker);
        co_return join_failed(outcome->error);
    }
    assignment_ = std::move(outcome->partitions);
    owned_ = *assignment_;
    owned_generation_ = generation;
    co_return Joined::yes;
}

GroupMembership::Joined GroupMembership::join_failed(ErrorCode error) {
    switch (error) {
    case ErrorCode::unknown_member_id: member_id_.clear(); [[fallthrough]];
    case ErrorCode::illegal_generation:
        generation_ = -1;
        lost_ = true; // what a cooperative member has kept
        return Joined::again;
    case ErrorCode::rebalance_in_progress: return Joined::again;
    default:
        if (crier::kafka::is_fatal(make_error_code(error))) fatal_ = error;
        return Joined::later;
    }
}

// One coroutine for the life of the member. Between its beats it watches that the application
// polls. Source: Kafka AbstractCoordinator.HeartbeatThread.
asio::awaitable<void> GroupMembership::run_heartbeats(std::shared_ptr<GroupMembership> self) {
    const ClientContext& context = self->context_;
    Instant next = context.now() + self->options_.heartbeat_interval;
    while (!self->closed_ && self->fatal_ == ErrorCode::none) {
        Instant wake = next;
        const bool guards = self->state_ == State::stable && !self->polling_;
        const Instant poll_limit = self->polled_ + self->options_.max_poll_interval;
        if (guards) wake = std::min(wake, poll_limit);
        co_await context.ports().sleep(wake - context.now());
        if (self->closed_) break;
        const bool still_guards = self->state_ == State::stable && !self->polling_;
        if (still_guards && context.now() >= self->polled_ + self->options_.max_poll_interval) {
            std::string member_id = self->member_id_;
            self->lose(true);
            co_await self->leave(std::move(member_id));
            continue;
        }
        if (context.now() < next) continue;
        if (self->generation_ < 0 || self->state_ == State::unjoined) {
            next = context.now() + self->options_.heartbeat_interval;
            continue;
        }
        const bool answered = co_await self->beat();
        next = context.now() +
               (answered ? self->options_.heartbeat_interval : self->options_.retry_backoff);
    }
    self->is_beating_ = false;
}

asio::awaitable<bool> GroupMembership::beat() {
    const BrokerId broker = co_await coordinator_->find(options_.request_timeout);
    if (closed_) co_return true;
    if (broker == 0) co_return false;
    HeartbeatRequest request;
    request.group = options_.group_id;
    request.member_id = member_id_;
    request.instance_id = options_.group_instance_id;
    request.generation = generation_;
    const std::int32_t generation = generation_;
    const Duration limit = std::min(options_.request_timeout, options_.session_timeout);
    const Outcome<ErrorAnswer> outcome =
        co_await context_.ask(broker, limit, 64, std::move(request));
    if (closed_) co_return true;
    if (outcome.has_error()) {
        coordinator_->forget(broker);
        co_return false;
    }
    if (!coordinator_->heed(outcome->error, broker)) on_group_error(outcome->error, generation);
    co_return outcome->error == ErrorCode::none ||
        outcome->error == ErrorCode::rebalance_in_progress;
}

void GroupMembership::on_group_error(ErrorCode error, std::int32_t sent_generation) {
    // What was said of a membership that is over concerns nobody.
    if (state_ != State::stable || generation_ != sent_generation) return;
    switch (error) {
    case ErrorCode::rebalance_in_progress:
        rejoin_ = true;
        wake_->point.tell_soon();
        break;
    case ErrorCode::illegal_generation: lose(false); break;
    case ErrorCode::unknown_member_id: lose(true); break;
    case ErrorCode::fenced_instance_id: // another has its place; the next poll says so
        fatal_ = error;
        wake_->point.tell_soon();
        break;
    default: break;
    }
}

void GroupMembership::lose(bool with_member_id) {
    state_ = State::unjoined;
    join_at_ = context_.now();
    generation_ = -1;
    lost_ = true;
    rejoin_ = false;
    shared_out_.clear();
    assignment_.reset();
    if (with_member_id) member_id_.clear();
    wake_->point.tell_soon();
}

asio::awaitable<void> GroupMembership::leave() {
    return leave(member_id_);
}

asio::awaitable<void> GroupMembership::leave(std::string member_id) {
    const BrokerId broker = coordinator_->known();
    if (member_id.empty() || broker == 0 || !options_.group_instance_id.empty()) co_return;
    LeaveGroupRequest request;
    request.group = options_.group_id;
    request.member_id = std::move(member_id);
    // Whatever comes back, this member is gone: the session ends by itself.
    const Outcome<ErrorAnswer> outcome =
        co_await context_.ask(broker, options_.request_timeout, 64, std::move(request));
    if (outcome.has_error()) coordinator_->forget(broker);
}

} // namespace crier::broker::kafka
