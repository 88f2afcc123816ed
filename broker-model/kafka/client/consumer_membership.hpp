#pragma once

#include "broker-model/kafka/client/consumer_fetcher.hpp"
#include "broker-model/kafka/client/coordinator_lookup.hpp"
#include "broker-model/kafka/client/membership.hpp"

#include <memory>

// A membership by the new consumer protocol (KIP-848): one heartbeat that says everything. The
// coordinator shares out; the member gives back what it is told to, says so, and gets the rest.
// Source: Kafka AbstractMembershipManager, ConsumerHeartbeatRequestManager.

namespace crier::broker::kafka {

class ConsumerMembership final : public Membership,
                                 public std::enable_shared_from_this<ConsumerMembership> {
public:
    ConsumerMembership(const ClientContext& context, const crier::kafka::ConsumerOptions& options,
                       std::shared_ptr<ConsumerWake> wake,
                       std::shared_ptr<CoordinatorLookup> coordinator);

    void close() override;
    [[nodiscard]] GroupIdentity identity() const override;
    [[nodiscard]] ErrorCode commit_obstacle() const override;
    void on_group_error(ErrorCode, std::int32_t) override {} // only heartbeats decide
    [[nodiscard]] bool is_lost() const override { return lost_; }
    void note_loss() override { lost_ = false; }
    [[nodiscard]] bool wants_join() const override;
    [[nodiscard]] Instant join_at() const override { return Instant::max(); }
    [[nodiscard]] bool is_joining() const override { return joined_ && epoch_ <= 0; }
    [[nodiscard]] bool keeps_partitions() const override { return true; }
    [[nodiscard]] bool commits_before_giving_back() const override { return true; }
    void join(std::vector<TopicId> topics, std::vector<PartitionId> held) override;
    void change_subscription(const std::vector<TopicId>& topics) override;
    [[nodiscard]] bool has_assignment() const override { return assignment_.has_value(); }
    [[nodiscard]] std::optional<std::vector<PartitionId>> take_assignment() override {
        return std::exchange(assignment_, std::nullopt);
    }
    void accepted(const std::vector<PartitionId>& held, bool gave_back) override;
    [[nodiscard]] ErrorCode fatal() const override { return fatal_; }
    void enter_poll() override { polling_ = true; }
    void leave_poll() override {
        polling_ = false;
        polled_ = context_.now();
    }
    [[nodiscard]] asio::awaitable<void> leave() override;

private:
    static asio::awaitable<void> run_heartbeats(std::shared_ptr<ConsumerMembership> self);
    [[nodiscard]] asio::awaitable<Duration> beat();
    [[nodiscard]] ConsumerGroupHeartbeatRequest request();
    [[nodiscard]] Duration heed(const ConsumerGroupHeartbeatAnswer& answer);
    void lose();
    void beat_soon();
    [[nodiscard]] asio::awaitable<void> say_goodbye();

    ClientContext context_;
    crier::kafka::ConsumerOptions options_;
    std::shared_ptr<ConsumerWake> wake_;
    std::shared_ptr<CoordinatorLookup> coordinator_;
    WaitPoint pause_; // between two heartbeats
    std::string member_id_;
    std::int32_t epoch_ = 0;
    std::vector<TopicId> topics_;
    std::vector<PartitionId> held_;
    std::optional<std::vector<PartitionId>> assignment_;
    bool joined_ = false;   // or on the way to be
    bool says_all_ = true;  // the next heartbeat repeats what the coordinator may not know
    bool has_news_ = false; // the next heartbeat is due at once
    bool lost_ = false;
    bool polling_ = false;
    bool is_beating_ = false;
    bool closed_ = false;
    int failures_ = 0; // in a row
    ErrorCode fatal_ = ErrorCode::none;
    Instant polled_{};
};

} // namespace crier::broker::kafka
