#pragma once

#include "broker-model/kafka/client/client_context.hpp"
#include "broker-model/kafka/client/consumer_fetcher.hpp"
#include "broker-model/kafka/client/coordinator_lookup.hpp"
#include "broker-model/kafka/client/membership.hpp"

#include <memory>
#include <vector>

// The commits of a consumer, and the look-up of what was committed. A commit is refused by the
// coordinator, or here when the member knows that it is out; it is never called failed when an
// attempt may have been carried out. Source: Kafka ConsumerCoordinator, CommitRequestManager.

namespace crier::broker::kafka {

class GroupOffsets : public std::enable_shared_from_this<GroupOffsets> {
public:
    GroupOffsets(const ClientContext& context, const crier::kafka::ConsumerOptions& options,
                 std::shared_ptr<ConsumerWake> wake, std::shared_ptr<CoordinatorLookup> coordinator,
                 std::shared_ptr<Membership> member, std::shared_ptr<MetadataCache> metadata);

    /// Ends all activity.
    void close() { closed_ = true; }

    /// Commits and waits, trying again until `timeout`; `in_any_epoch`: also when meanwhile the
    /// member's epoch has moved. **Errors**: as `Consumer::commit`.
    [[nodiscard]] asio::awaitable<Outcome<void>>
    commit(std::vector<PartitionOffset> offsets, Duration timeout, bool in_any_epoch = false);

    /// When positions that moved `moves` times are to be committed by themselves, or
    /// `Instant::max()`.
    [[nodiscard]] Instant auto_commit_at(std::uint64_t moves) const;

    /// Commits in the background, without trying again by itself.
    void start_auto_commit(std::vector<PartitionOffset> offsets, std::uint64_t moves);

    /// Looks up what was committed for the partitions of `fetcher` that have no position, unless
    /// that is under way, and wakes the consumer.
    void start_lookup(const std::shared_ptr<ConsumerFetcher>& fetcher);
    [[nodiscard]] Instant lookup_at() const { return lookup_at_; }

    /// Asks what was committed for the partitions, trying again until `timeout`.
    [[nodiscard]] asio::awaitable<Outcome<std::vector<PartitionOffset>>>
    committed(std::vector<PartitionId> partitions, Duration timeout);

private:
    static asio::awaitable<void> run_auto_commit(std::shared_ptr<GroupOffsets> self,
                                                 std::vector<PartitionOffset> offsets,
                                                 std::uint64_t moves);
    static asio::awaitable<void> run_lookup(std::shared_ptr<GroupOffsets> self,
                                            std::shared_ptr<ConsumerFetcher> fetcher,
                                            std::vector<PartitionId> partitions);
    [[nodiscard]] asio::awaitable<Outcome<OffsetCommitAnswer>>
    send_commit(BrokerId coordinator, std::vector<PartitionOffset> offsets, Duration timeout);
    [[nodiscard]] asio::awaitable<Outcome<OffsetFetchAnswer>>
    ask_committed(BrokerId coordinator, std::vector<PartitionId> partitions, Duration timeout);
    static void reset_all(ConsumerFetcher& fetcher, const std::vector<PartitionId>& partitions);
    [[nodiscard]] bool may_commit() const { return member_->commit_obstacle() == ErrorCode::none; }

    ClientContext context_;
    crier::kafka::ConsumerOptions options_;
    std::shared_ptr<ConsumerWake> wake_;
    std::shared_ptr<CoordinatorLookup> coordinator_;
    std::shared_ptr<Membership> member_;
    std::shared_ptr<MetadataCache> metadata_;
    bool is_auto_committing_ = false;
    bool is_looking_up_ = false;
    bool closed_ = false;
    Instant lookup_at_{};
    Instant auto_commit_at_{};
    std::uint64_t committed_moves_ = 0;
};

} // namespace crier::broker::kafka
