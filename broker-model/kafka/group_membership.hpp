#pragma once

#include "broker-model/kafka/client_context.hpp"
#include "broker-model/kafka/consumer_fetcher.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

// A consumer's membership in its group, as the coordinator sees it: joining, heartbeats, commits.
// It runs in the background; the consumer looks at it inside `poll` and tells the application. It
// never joins by itself, so who does not poll does not come back. Source: Kafka
// AbstractCoordinator, ConsumerCoordinator (classic protocol).

namespace crier::broker::kafka {

class GroupMembership : public std::enable_shared_from_this<GroupMembership> {
public:
    GroupMembership(const ClientContext& context, const crier::kafka::ConsumerOptions& options,
                    std::shared_ptr<ConsumerWake> wake);

    /// Ends all activity, without leaving.
    void close() { closed_ = true; }

    [[nodiscard]] std::int32_t generation() const { return generation_; }
    [[nodiscard]] const std::string& member_id() const { return member_id_; }

    /// Whether the coordinator threw this member out, or it left for not polling, and the consumer
    /// has not taken notice.
    [[nodiscard]] bool is_lost() const { return lost_; }
    void note_loss() { lost_ = false; }

    /// Whether it is time to join, for the first time or again.
    [[nodiscard]] bool wants_join() const;

    /// Asks for a new round, after the subscription changed.
    void request_join() { rejoin_ = true; }

    /// Whether its partitions stay its own while the group rebalances.
    [[nodiscard]] bool is_cooperative() const {
        return crier::kafka::is_cooperative(options_.assignors);
    }

    /// Starts one attempt to join; `topics` are sorted, `held` is what it has kept. The consumer is
    /// woken when it is over.
    void join(std::vector<TopicId> topics, std::vector<PartitionId> held);

    [[nodiscard]] bool is_joining() const { return state_ == State::joining; }

    [[nodiscard]] bool has_assignment() const { return assignment_.has_value(); }

    /// Returns what the group gave this member, once.
    [[nodiscard]] std::optional<std::vector<PartitionId>> take_assignment() {
        return std::exchange(assignment_, std::nullopt);
    }

    /// Returns why this member can never join, if so.
    [[nodiscard]] ErrorCode fatal() const { return fatal_; }

    /// When `wants_join` becomes true by itself, or `Instant::max()`.
    [[nodiscard]] Instant join_at() const;

    /// The application is in `poll`, or has left it.
    void enter_poll() { polling_ = true; }
    void leave_poll() {
        polling_ = false;
        polled_ = context_.now();
    }

    /// Commits and waits, trying again until `timeout`. **Errors**: as `Consumer::commit`.
    [[nodiscard]] asio::awaitable<Outcome<void>> commit(std::vector<PartitionOffset> offsets,
                                                        Duration timeout);

    /// When positions that moved `moves` times are to be committed by themselves, or
    /// `Instant::max()`.
    [[nodiscard]] Instant auto_commit_at(std::uint64_t moves) const;

    /// Commits in the background, without trying again by itself.
    void start_auto_commit(std::vector<PartitionOffset> offsets, std::uint64_t moves);

    /// Looks up what was committed for the partitions of `fetcher` that have no position, unless
    /// that is under way, and wakes the consumer.
    void start_lookup(const std::shared_ptr<ConsumerFetcher>& fetcher);
    [[nodiscard]] Instant lookup_at() const { return lookup_at_; }

    /// Tells the coordinator, if it is known, that this member goes; a static one just goes.
    [[nodiscard]] asio::awaitable<void> leave();

private:
    [[nodiscard]] asio::awaitable<void> leave(std::string member_id);
    enum class State : std::uint8_t { unjoined, joining, stable };
    enum class Joined : std::uint8_t { yes, again, later };

    static asio::awaitable<void> run_join(std::shared_ptr<GroupMembership> self,
                                          std::vector<TopicId> topics,
                                          std::vector<PartitionId> held);
    static asio::awaitable<void> run_heartbeats(std::shared_ptr<GroupMembership> self);
    static asio::awaitable<void> run_auto_commit(std::shared_ptr<GroupMembership> self,
                                                 std::vector<PartitionOffset> offsets,
                                                 std::uint64_t moves);
    static asio::awaitable<void> run_lookup(std::shared_ptr<GroupMembership> self,
                                            std::shared_ptr<ConsumerFetcher> fetcher,
                                            std::vector<PartitionId> partitions);

    [[nodiscard]] asio::awaitable<BrokerId> find_coordinator(Duration timeout);
    [[nodiscard]] asio::awaitable<Joined> join_group(std::vector<TopicId> topics,
                                                     std::vector<PartitionId> held);
    [[nodiscard]] JoinGroupRequest join_request(std::vector<TopicId> topics,
                                                std::vector<PartitionId> held) const;
    [[nodiscard]] asio::awaitable<Joined> sync_group(JoinGroupAnswer joined);
    [[nodiscard]] asio::awaitable<bool> beat();
    [[nodiscard]] asio::awaitable<Outcome<OffsetCommitAnswer>>
    send_commit(BrokerId coordinator, std::vector<PartitionOffset> offsets, Duration timeout);
    [[nodiscard]] Joined join_failed(ErrorCode error);
    void forget_coordinator(BrokerId broker) {
        if (coordinator_ == broker) coordinator_ = 0;
    }
    void on_group_error(ErrorCode error, BrokerId broker, std::int32_t sent_generation);
    void lose(bool with_member_id);

    ClientContext context_;
    crier::kafka::ConsumerOptions options_;
    std::shared_ptr<ConsumerWake> wake_;
    State state_ = State::unjoined;
    BrokerId coordinator_ = 0; // 0: to be found
    std::uint64_t coordinator_failures_ = 0;
    std::string member_id_;
    std::int32_t generation_ = -1;
    std::optional<std::vector<PartitionId>> assignment_;
    std::vector<PartitionId> owned_; // the last assignment, for a sticky assignor
    std::int32_t owned_generation_ = -1;
    bool rejoin_ = false;
    bool lost_ = false;
    bool polling_ = false;
    bool is_beating_ = false;
    bool is_auto_committing_ = false;
    bool is_looking_up_ = false;
    bool closed_ = false;
    ErrorCode fatal_ = ErrorCode::none;
    int join_failures_ = 0; // in a row
    Instant join_at_{};
    Instant lookup_at_{};
    Instant polled_{};
    Instant auto_commit_at_{};
    std::uint64_t committed_moves_ = 0;
};

} // namespace crier::broker::kafka
