#pragma once

#include "broker-model/kafka/client/consumer_fetcher.hpp"
#include "broker-model/kafka/client/coordinator_lookup.hpp"
#include "broker-model/kafka/client/membership.hpp"

#include <memory>

// A membership by the classic protocol: joining, syncing, heartbeats. Source: Kafka
// AbstractCoordinator, ConsumerCoordinator.

namespace crier::broker::kafka {

class GroupMembership final : public Membership,
                              public std::enable_shared_from_this<GroupMembership> {
public:
    GroupMembership(const ClientContext& context, const crier::kafka::ConsumerOptions& options,
                    std::shared_ptr<ConsumerWake> wake,
                    std::shared_ptr<CoordinatorLookup> coordinator,
                    std::shared_ptr<MetadataCache> metadata);

    void close() override { closed_ = true; }
    [[nodiscard]] GroupIdentity identity() const override;
    [[nodiscard]] ErrorCode commit_obstacle() const override;
    void on_group_error(ErrorCode error, std::int32_t sent_generation) override;
    [[nodiscard]] bool is_lost() const override { return lost_; }
    void note_loss() override { lost_ = false; }
    [[nodiscard]] bool wants_join() const override;
    [[nodiscard]] Instant join_at() const override;
    [[nodiscard]] bool is_joining() const override { return state_ == State::joining; }
    [[nodiscard]] bool keeps_partitions() const override {
        return crier::kafka::is_cooperative(options_.assignors);
    }
    void join(std::vector<TopicId> topics, std::vector<PartitionId> held) override;
    void change_subscription(const std::vector<TopicId>&) override { rejoin_ = true; }
    [[nodiscard]] bool has_assignment() const override { return assignment_.has_value(); }
    [[nodiscard]] std::optional<std::vector<PartitionId>> take_assignment() override {
        return std::exchange(assignment_, std::nullopt);
    }
    void accepted(const std::vector<PartitionId>&, bool gave_back) override {
        if (gave_back) rejoin_ = true; // for the round in which the new owners get their share
    }
    [[nodiscard]] ErrorCode fatal() const override { return fatal_; }
    void enter_poll() override {
        polling_ = true;
        watch_topics();
    }
    void leave_poll() override {
        polling_ = false;
        polled_ = context_.now();
    }
    [[nodiscard]] asio::awaitable<void> leave() override;

private:
    enum class State : std::uint8_t { unjoined, joining, stable };
    enum class Joined : std::uint8_t { yes, again, later };

    static asio::awaitable<void> run_join(std::shared_ptr<GroupMembership> self,
                                          std::vector<TopicId> topics,
                                          std::vector<PartitionId> held);
    static asio::awaitable<void> run_heartbeats(std::shared_ptr<GroupMembership> self);

    [[nodiscard]] asio::awaitable<Joined> join_group(std::vector<TopicId> topics,
                                                     std::vector<PartitionId> held);
    [[nodiscard]] JoinGroupRequest join_request(std::vector<TopicId> topics,
                                                std::vector<PartitionId> held) const;
    [[nodiscard]] asio::awaitable<Joined> sync_group(JoinGroupAnswer joined);
    [[nodiscard]] asio::awaitable<bool> beat();
    [[nodiscard]] Joined join_failed(ErrorCode error);
    [[nodiscard]] asio::awaitable<void> leave(std::string member_id);
    void lose(bool with_member_id);
    void note_shared_out(const std::vector<GroupMember>& members);
    [[nodiscard]] bool has_new_partitions() const;
    void watch_topics();

    ClientContext context_;
    crier::kafka::ConsumerOptions options_;
    std::shared_ptr<ConsumerWake> wake_;
    std::shared_ptr<CoordinatorLookup> coordinator_;
    std::shared_ptr<MetadataCache> metadata_;
    /// Of a leader: the topics of its group and how many partitions of each it shared out last.
    std::vector<std::pair<TopicId, std::int32_t>> shared_out_;
    State state_ = State::unjoined;
    std::string member_id_;
    std::int32_t generation_ = -1;
    std::optional<std::vector<PartitionId>> assignment_;
    std::vector<PartitionId> owned_; // the last assignment, for a sticky assignor
    std::int32_t owned_generation_ = -1;
    bool rejoin_ = false;
    bool lost_ = false;
    bool polling_ = false;
    bool is_beating_ = false;
    bool closed_ = false;
    ErrorCode fatal_ = ErrorCode::none;
    int join_failures_ = 0; // in a row
    Instant join_at_{};
    Instant polled_{};
};

} // namespace crier::broker::kafka
