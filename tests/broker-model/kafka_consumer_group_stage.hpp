#pragma once

#include "tests/broker-model/kafka_group_stage.hpp"

// A consumer group of the new protocol (KIP-848) whose members are played by hand.

namespace crier::broker::kafka {

using Partitions = std::vector<PartitionId>;

/// A target is made at once, for three members at most.
inline ClusterOptions prompt() {
    ClusterOptions options;
    options.consumer_group_assignment_interval = {};
    options.consumer_group_max_size = 3;
    return options;
}

/// Plays the members of the group `billing` by the new protocol, too.
class ConsumerGroupStage : public GroupStage {
protected:
    explicit ConsumerGroupStage(ClusterOptions options = prompt())
        : GroupStage(std::move(options)) {}

    ConsumerGroupHeartbeatRequest beat_of(const std::string& id, std::int32_t epoch,
                                          std::optional<Partitions> owned = {}) const {
        ConsumerGroupHeartbeatRequest request;
        request.group = "billing";
        request.member_id = id;
        request.member_epoch = epoch;
        request.owned = std::move(owned);
        if (epoch != 0) return request;
        request.rebalance_timeout = seconds(10);
        request.topics = std::vector<TopicId>{0};
        request.owned = Partitions();
        return request;
    }
    ConsumerGroupHeartbeatAnswer send(ConsumerGroupHeartbeatRequest request) {
        return kafka
            .call<ConsumerGroupHeartbeatAnswer>(coordinator(), calls::consumer_group_heartbeat,
                                                std::move(request))
            .value();
    }
    ConsumerGroupHeartbeatAnswer beat(const std::string& id, std::int32_t epoch,
                                      std::optional<Partitions> owned = {}) {
        return send(beat_of(id, epoch, std::move(owned)));
    }
    ErrorCode error_of(const std::string& id, std::int32_t epoch,
                       std::optional<Partitions> owned = {}) {
        return beat(id, epoch, std::move(owned)).error;
    }
    ErrorCode fetch_error(const std::string& id, std::int32_t epoch) {
        OffsetFetchRequest request;
        request.group = "billing";
        request.member_id = id;
        request.member_epoch = epoch;
        request.partitions = {0};
        return kafka.call<OffsetFetchAnswer>(coordinator(), calls::offset_fetch, request)->error;
    }

    /// A has 0 and 1 and B has 2 and 3, both in epoch 2.
    void settle_two() {
        EXPECT_EQ(beat("A", 0).member_epoch, 1);
        EXPECT_EQ(beat("B", 0).member_epoch, 2);
        EXPECT_EQ(beat("A", 1).assignment, (Partitions{0, 1}));
        EXPECT_EQ(beat("A", 1, Partitions{0, 1}).member_epoch, 2);
        EXPECT_EQ(beat("B", 2, Partitions{}).assignment, (Partitions{2, 3}));
    }
};

} // namespace crier::broker::kafka
