#pragma once

#include "broker-model/kafka/client/client_context.hpp"
#include "broker-model/kafka/client/consumer_fetcher.hpp"
#include "broker-model/kafka/client/coordinator_lookup.hpp"
#include "messaging/ports/kafka_share.hpp"

#include <memory>

// A membership in a share group: heartbeats that tell what to fetch. Nothing is owned, so nothing
// is given back. Source: Kafka ShareMembershipManager, ShareHeartbeatRequestManager.

namespace crier::broker::kafka {

class ShareMembership : public std::enable_shared_from_this<ShareMembership> {
public:
    ShareMembership(const ClientContext& context, const crier::kafka::ShareConsumerOptions& options,
                    std::shared_ptr<ConsumerWake> wake);

    /// Joins, unless it has, and goes on with these topics; sorted.
    void take_part(const std::vector<TopicId>& topics);
    void close();

    [[nodiscard]] const std::string& member_id() const { return member_id_; }
    [[nodiscard]] const std::vector<PartitionId>& assignment() const { return assignment_; }
    [[nodiscard]] ErrorCode fatal() const { return fatal_; }

    /// Tells the coordinator, if it is known, that this member goes.
    [[nodiscard]] asio::awaitable<void> leave();

private:
    static asio::awaitable<void> run(std::shared_ptr<ShareMembership> self);
    [[nodiscard]] asio::awaitable<Duration> beat();

    ClientContext context_;
    crier::kafka::ShareConsumerOptions options_;
    std::shared_ptr<ConsumerWake> wake_;
    CoordinatorLookup coordinator_;
    WaitPoint pause_; // between two heartbeats
    std::string member_id_;
    std::int32_t epoch_ = 0;
    std::vector<TopicId> topics_;
    std::vector<PartitionId> assignment_;
    bool says_topics_ = true;
    bool is_running_ = false;
    bool closed_ = false;
    int failures_ = 0; // in a row
    ErrorCode fatal_ = ErrorCode::none;
};

} // namespace crier::broker::kafka
