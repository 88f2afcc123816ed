#pragma once

#include "broker-model/kafka/client/client_context.hpp"

#include <functional>
#include <memory>

// What one client believes about the cluster: who leads which partition. It may be stale, as the
// broker that told it may have been. It is refreshed on demand and when it is old, never by a timer
// of its own, so that an idle client costs nothing.

namespace crier::broker::kafka {

class MetadataCache : public std::enable_shared_from_this<MetadataCache> {
public:
    /// `on_update` is called at the end of a step in which metadata arrived, until `close`.
    MetadataCache(const ClientContext& context, Duration request_timeout, Duration retry_backoff,
                  std::function<void()> on_update);

    [[nodiscard]] bool is_known() const { return metadata_ != nullptr; }

    /// Returns the leader as far as known, or 0.
    [[nodiscard]] BrokerId leader(PartitionId partition) const {
        return knows(partition) ? metadata_->partitions[partition].leader : 0;
    }

    /// Returns the leader epoch as far as known, or -1.
    [[nodiscard]] std::int32_t leader_epoch(PartitionId partition) const {
        return knows(partition) ? metadata_->partitions[partition].leader_epoch : -1;
    }

    /// Returns how many partitions the topic has as far as known; 0: it is not there.
    [[nodiscard]] std::int32_t partition_count(TopicId topic) const {
        return is_known() ? view().partition_count(topic) : 0;
    }

    /// Returns the id of the topic as far as known, or 0.
    [[nodiscard]] std::uint32_t topic_id(PartitionId partition) const {
        return knows(partition) ? metadata_->partitions[partition].topic_id : 0;
    }

    /// Returns the topics as this client knows them; as they are, while it knows nothing.
    [[nodiscard]] TopicView view() const {
        const Cluster& cluster = context_.cluster();
        return is_known() ? TopicView(cluster, *metadata_) : TopicView(cluster);
    }

    /// Asks a broker, unless that is under way; not more often than the backoff allows.
    void refresh();

    /// Refreshes metadata that is unknown or old. **Source**: metadata.max.age.ms.
    void refresh_if_old() {
        if (metadata_ == nullptr || context_.now() - updated_ >= age_max) refresh();
    }

    /// Ends all activity.
    void close() { on_update_ = nullptr; }

private:
    static constexpr Duration age_max = std::chrono::minutes(5);

    [[nodiscard]] bool knows(PartitionId partition) const {
        return metadata_ != nullptr && partition < metadata_->partitions.size();
    }
    void ask();
    void on_answer(Outcome<MetadataAnswer> outcome);

    ClientContext context_;
    Duration request_timeout_;
    Duration retry_backoff_;
    std::function<void()> on_update_;
    std::shared_ptr<const ClusterMetadata> metadata_;
    Instant updated_{};
    Instant not_before_{};       // of the next request
    std::uint64_t failures_ = 0; // in a row
    bool under_way_ = false;
};

} // namespace crier::broker::kafka
