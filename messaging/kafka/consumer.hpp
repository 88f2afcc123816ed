#pragma once

#include "messaging/asio_worker.hpp"
#include "messaging/kafka/settings.hpp"
#include "messaging/ports/kafka.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

// A group member over librdkafka. librdkafka is asked on the worker's thread; what it says of the
// group comes back as an event, and the rebalance waits until the listener has finished on the
// process's executor. So a listener may commit, and partitions never change hands behind the
// process's back.

namespace crier::messaging::kafka {

class Member;

/// Receives records of a group. `pause`, `resume` and `seek` of a partition that is not held do
/// nothing.
/// **Lifetime**: destroyed without `close` it leaves the group the hard way: by session timeout.
class RdkafkaConsumer final : public crier::kafka::Consumer {
    using Partitions = std::vector<crier::kafka::TopicPartition>;

public:
    RdkafkaConsumer(asio::any_io_executor executor, const Settings& settings,
                    crier::kafka::ConsumerOptions options);
    ~RdkafkaConsumer() override;
    RdkafkaConsumer(const RdkafkaConsumer&) = delete;
    RdkafkaConsumer& operator=(const RdkafkaConsumer&) = delete;

    void subscribe(std::vector<std::string> topics,
                   crier::kafka::RebalanceListener* listener) override;
    void assign(Partitions partitions) override;

    /// **Errors**: those that the broker reports for the subscription; the client goes on trying,
    /// so poll again. Lost connections are no errors.
    [[nodiscard]] asio::awaitable<Outcome<std::vector<crier::kafka::ConsumerRecord>>>
    poll(Duration timeout) override;
    [[nodiscard]] asio::awaitable<Outcome<void>>
    commit(std::vector<crier::kafka::TopicPartitionOffset> offsets) override;
    [[nodiscard]] asio::awaitable<Outcome<std::vector<crier::kafka::TopicPartitionOffset>>>
    committed(Partitions partitions) override;
    void pause(const crier::kafka::TopicPartition& partition) override;
    void resume(const crier::kafka::TopicPartition& partition) override;
    void seek(const crier::kafka::TopicPartition& partition, crier::kafka::Offset offset) override;
    [[nodiscard]] asio::awaitable<Outcome<crier::kafka::Offset>>
    position(crier::kafka::TopicPartition partition) override;
    [[nodiscard]] asio::awaitable<Outcome<std::vector<crier::kafka::TopicPartitionOffset>>>
    beginning_offsets(std::vector<crier::kafka::TopicPartition> partitions) override;
    [[nodiscard]] asio::awaitable<Outcome<std::vector<crier::kafka::TopicPartitionOffset>>>
    end_offsets(std::vector<crier::kafka::TopicPartition> partitions) override;
    [[nodiscard]] asio::awaitable<Outcome<std::vector<crier::kafka::TopicPartitionOffset>>>
    offsets_for_times(std::vector<crier::kafka::TopicPartitionTime> times) override;
    [[nodiscard]] std::vector<crier::kafka::TopicPartition> assignment() const override;
    [[nodiscard]] crier::kafka::GroupMetadata group_metadata() const override { return group_; }
    [[nodiscard]] asio::awaitable<void> close() override;

private:
    void require_held(const crier::kafka::TopicPartition& partition) const;
    asio::awaitable<Outcome<std::vector<crier::kafka::TopicPartitionOffset>>>
    watermarks(std::vector<crier::kafka::TopicPartition> partitions, bool high);
    asio::awaitable<void> take(Partitions partitions);
    asio::awaitable<void> unassign(Partitions partitions, bool lost);
    asio::awaitable<void> hand_back(Partitions partitions);
    asio::awaitable<void> decline();

    crier::kafka::ConsumerOptions options_;
    crier::kafka::RebalanceListener* listener_ = nullptr;
    crier::kafka::GroupMetadata group_; ///< As of the last assignment.
    std::set<crier::kafka::TopicPartition> assigned_;
    std::map<crier::kafka::TopicPartition, bool> pauses_; ///< Asked for, not yet told.
    std::map<crier::kafka::TopicPartition, crier::kafka::Offset>
        seeks_; ///< Asked for, not yet told.
    std::map<crier::kafka::TopicPartition, crier::kafka::Offset> positions_; ///< Where known.
    std::vector<std::string> topics_; ///< To subscribe to at the next poll.
    bool subscribed_ = false;
    bool is_assigned_ = false;    ///< By the process: it is no member.
    bool has_assignment_ = false; ///< To be told at the next poll.
    bool closed_ = false;
    std::unique_ptr<Member> member_; ///< Used by the worker only.
    AsioWorker worker_;              ///< Last: its end waits for the jobs that use the rest.
};

} // namespace crier::messaging::kafka
