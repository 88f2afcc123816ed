#pragma once

#include "broker-model/kafka/protocol.hpp"
#include "messaging/ports/clock.hpp"

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

// What a consumer sees of its membership in a group, whichever protocol the group speaks. It runs
// in the background; the consumer looks at it inside `poll` and tells the application. It never
// joins by itself, so who does not poll does not come back.

namespace crier::broker::kafka {

/// Who a consumer is for the coordinator that takes its commits.
struct GroupIdentity {
    std::string member_id;
    std::string instance_id;
    std::int32_t generation = -1; ///< Or the member epoch; -1: nobody of the group.
};

class Membership {
public:
    virtual ~Membership() = default;

    /// Ends all activity, without leaving.
    virtual void close() = 0;

    [[nodiscard]] virtual GroupIdentity identity() const = 0;

    /// Returns why this consumer may not commit at the moment, or `none`.
    [[nodiscard]] virtual ErrorCode commit_obstacle() const = 0;

    /// Takes notice of what the coordinator answered to a request that was sent in `generation`.
    virtual void on_group_error(ErrorCode error, std::int32_t generation) = 0;

    /// Whether the coordinator threw this member out, or it left for not polling, and the consumer
    /// has not taken notice.
    [[nodiscard]] virtual bool is_lost() const = 0;
    virtual void note_loss() = 0;

    /// Whether it is time to join, for the first time or again.
    [[nodiscard]] virtual bool wants_join() const = 0;

    /// When `wants_join` becomes true by itself, or `Instant::max()`.
    [[nodiscard]] virtual Instant join_at() const = 0;

    [[nodiscard]] virtual bool is_joining() const = 0;

    /// Whether its partitions stay its own while it joins again.
    [[nodiscard]] virtual bool keeps_partitions() const = 0;

    /// Whether it commits automatically before every change of its partitions, not only before it
    /// joins.
    [[nodiscard]] virtual bool commits_before_giving_back() const { return false; }

    /// Starts one attempt to join; `topics` are sorted, `held` is what it has kept. The consumer is
    /// woken when it is over.
    virtual void join(std::vector<TopicId> topics, std::vector<PartitionId> held) = 0;

    /// The consumer wants other topics than it joined with.
    virtual void change_subscription(const std::vector<TopicId>& topics) = 0;

    [[nodiscard]] virtual bool has_assignment() const = 0;

    /// Returns what the group gave this member, once.
    [[nodiscard]] virtual std::optional<std::vector<PartitionId>> take_assignment() = 0;

    /// The consumer has given back what is not among the assignment, if it had such, and holds
    /// `held` now.
    virtual void accepted(const std::vector<PartitionId>& held, bool gave_back) = 0;

    /// Returns why this member can never take part, if so.
    [[nodiscard]] virtual ErrorCode fatal() const = 0;

    /// The application is in `poll`, or has left it.
    virtual void enter_poll() = 0;
    virtual void leave_poll() = 0;

    /// Tells the coordinator, if it is known, that this member goes.
    [[nodiscard]] virtual asio::awaitable<void> leave() = 0;
};

/// Of a consumer that chose its partitions itself. It commits as nobody, which the coordinator
/// takes as long as the group has no members.
class NoMembership final : public Membership {
public:
    void close() override {}
    [[nodiscard]] GroupIdentity identity() const override { return {}; }
    [[nodiscard]] ErrorCode commit_obstacle() const override { return ErrorCode::none; }
    void on_group_error(ErrorCode, std::int32_t) override {}
    [[nodiscard]] bool is_lost() const override { return false; }
    void note_loss() override {}
    [[nodiscard]] bool wants_join() const override { return false; }
    [[nodiscard]] Instant join_at() const override { return Instant::max(); }
    [[nodiscard]] bool is_joining() const override { return false; }
    [[nodiscard]] bool keeps_partitions() const override { return true; }
    void join(std::vector<TopicId>, std::vector<PartitionId>) override {}
    void change_subscription(const std::vector<TopicId>&) override {}
    [[nodiscard]] bool has_assignment() const override { return false; }
    [[nodiscard]] std::optional<std::vector<PartitionId>> take_assignment() override { return {}; }
    void accepted(const std::vector<PartitionId>&, bool) override {}
    [[nodiscard]] ErrorCode fatal() const override { return ErrorCode::none; }
    void enter_poll() override {}
    void leave_poll() override {}
    [[nodiscard]] asio::awaitable<void> leave() override { co_return; }
};

} // namespace crier::broker::kafka
