#pragma once

#include "broker-model/kafka/client/consumer_fetcher.hpp"
#include "broker-model/kafka/client/group_offsets.hpp"
#include "broker-model/kafka/client/membership.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

// The consumer port: what happens inside `poll`, in the order of the Java client: membership and
// its callbacks, automatic commits of what earlier polls handed out, positions, records. An eager
// member gives everything back before it joins again; a cooperative one goes on with what it has,
// and gives back what it learns to be another's. Source: Kafka ClassicKafkaConsumer.poll,
// ConsumerCoordinator.poll.

namespace crier::broker::kafka {

class SimConsumer final : public crier::kafka::Consumer {
public:
    SimConsumer(const ClientContext& context, crier::kafka::ConsumerOptions options);
    ~SimConsumer() override;

    void subscribe(std::vector<std::string> topics,
                   crier::kafka::RebalanceListener* listener) override;
    void assign(std::vector<crier::kafka::TopicPartition> partitions) override;
    [[nodiscard]] asio::awaitable<Outcome<std::vector<crier::kafka::ConsumerRecord>>>
    poll(Duration timeout) override;
    [[nodiscard]] asio::awaitable<Outcome<void>>
    commit(std::vector<crier::kafka::TopicPartitionOffset> offsets) override;
    [[nodiscard]] asio::awaitable<Outcome<std::vector<crier::kafka::TopicPartitionOffset>>>
    committed(std::vector<crier::kafka::TopicPartition> partitions) override;
    void pause(const crier::kafka::TopicPartition& partition) override;
    void resume(const crier::kafka::TopicPartition& partition) override;
    void seek(const crier::kafka::TopicPartition& partition, Offset offset) override;
    [[nodiscard]] asio::awaitable<Outcome<Offset>>
    position(crier::kafka::TopicPartition partition) override;
    [[nodiscard]] asio::awaitable<Outcome<std::vector<crier::kafka::TopicPartitionOffset>>>
    beginning_offsets(std::vector<crier::kafka::TopicPartition> partitions) override;
    [[nodiscard]] asio::awaitable<Outcome<std::vector<crier::kafka::TopicPartitionOffset>>>
    end_offsets(std::vector<crier::kafka::TopicPartition> partitions) override;
    [[nodiscard]] asio::awaitable<Outcome<std::vector<crier::kafka::TopicPartitionOffset>>>
    offsets_for_times(std::vector<crier::kafka::TopicPartitionTime> times) override;
    [[nodiscard]] std::vector<crier::kafka::TopicPartition> assignment() const override;
    [[nodiscard]] crier::kafka::GroupMetadata group_metadata() const override;
    [[nodiscard]] asio::awaitable<void> close() override;

private:
    using Callback = asio::awaitable<void> (crier::kafka::RebalanceListener::*)(
        std::vector<crier::kafka::TopicPartition>);
    using Partitions = std::vector<PartitionId>; // sorted

    struct Lookup {
        crier::kafka::TopicPartition partition;
        std::int64_t timestamp = 0;
    };
    [[nodiscard]] asio::awaitable<Outcome<std::vector<crier::kafka::TopicPartitionOffset>>>
    look_up(std::vector<Lookup> lookups);
    void become(std::shared_ptr<Membership> member);
    [[nodiscard]] bool has_group_news() const;
    [[nodiscard]] asio::awaitable<void> take_part();
    [[nodiscard]] asio::awaitable<void> accept(Partitions given);
    [[nodiscard]] asio::awaitable<void> prepare_join();
    [[nodiscard]] asio::awaitable<void> give_back(Partitions partitions);
    [[nodiscard]] asio::awaitable<void> lose();
    [[nodiscard]] asio::awaitable<void> commit_positions();
    [[nodiscard]] asio::awaitable<void> tell(Callback callback, Partitions partitions);
    void record(const sim::EventKind& kind, const Partitions& partitions, std::uint64_t member = 0);
    [[nodiscard]] Partitions unsubscribed() const;
    [[nodiscard]] std::vector<crier::kafka::TopicPartition> names(const Partitions& ids) const;
    [[nodiscard]] PartitionId find(const crier::kafka::TopicPartition& partition) const;
    [[nodiscard]] Instant next_wake(Instant deadline) const;

    ClientContext context_;
    crier::kafka::ConsumerOptions options_;
    std::uint64_t group_text_;
    std::shared_ptr<ConsumerWake> wake_;
    std::shared_ptr<ConsumerFetcher> fetcher_;
    std::shared_ptr<CoordinatorLookup> coordinator_;
    std::shared_ptr<Membership> member_;
    std::shared_ptr<GroupOffsets> offsets_;
    std::vector<TopicId> topics_; // sorted
    crier::kafka::RebalanceListener* listener_ = nullptr;
    std::int32_t generation_ = -1; // of what is held
    crier::kafka::GroupMetadata group_metadata_;
    bool is_assigned_ = false; // by the application: it is no member
    bool closed_ = false;
};

} // namespace crier::broker::kafka
