#pragma once

#include "messaging/kafka/handle.hpp"
#include "messaging/ports/kafka.hpp"

#include <atomic>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

// The blocking half of the consumer: one librdkafka member and its queue. Every function but
// `interrupt` runs on the consumer's worker thread.

namespace crier::messaging::kafka {

using Partitions = std::vector<crier::kafka::TopicPartition>;

/// The group gives partitions; the rebalance waits for `Member::assign`.
struct Assigned {
    Partitions partitions;
};

/// The group takes partitions back; the rebalance waits for `Member::unassign`.
struct Revoked {
    Partitions partitions;
    bool lost = false; ///< Another member may hold them already.
};

/// What one look at the queue brought.
using Polled = std::variant<std::vector<crier::kafka::ConsumerRecord>, Assigned, Revoked, Failure>;

/// What the process asked for since the last look.
struct Changes {
    std::vector<std::string> topics; ///< Not empty: subscribe first.
    std::map<crier::kafka::TopicPartition, bool> pauses;
    std::map<crier::kafka::TopicPartition, crier::kafka::Offset> seeks;
};

/// One membership.
class Member final {
public:
    Member(const Settings& settings, crier::kafka::ConsumerOptions options);
    ~Member();
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;

    /// Applies `changes`, then waits up to `timeout` for something. No records: nothing came. What
    /// the last poll returned counts as consumed now. A change that fails for the moment is tried
    /// again by the next poll, before anything is returned.
    [[nodiscard]] Polled poll(const Changes& changes, Duration timeout);

    /// Starts fetching, from `positions` where given, else from the committed offsets. A
    /// cooperative member goes on with what it has beside.
    void assign(const Partitions& partitions,
                const std::map<crier::kafka::TopicPartition, crier::kafka::Offset>& positions);

    /// Replaces what is fetched, outside of any group's rebalance.
    void assign_all(const Partitions& partitions,
                    const std::map<crier::kafka::TopicPartition, crier::kafka::Offset>& positions);

    /// Stops fetching: everything, or of a cooperative member these.
    void unassign(const Partitions& partitions);

    /// Answers an assignment without taking it.
    void decline();

    /// Returns the membership as a transactional producer over librdkafka reads it.
    [[nodiscard]] crier::kafka::GroupMetadata group_metadata() const;

    [[nodiscard]] Outcome<void>
    commit(const std::vector<crier::kafka::TopicPartitionOffset>& offsets);

    [[nodiscard]] Outcome<crier::kafka::Offset>
    position(const crier::kafka::TopicPartition& partition);

    /// Returns where the partitions begin, or where they end.
    [[nodiscard]] Outcome<std::vector<crier::kafka::TopicPartitionOffset>>
    watermarks(const Partitions& partitions, bool high);
    [[nodiscard]] Outcome<std::vector<crier::kafka::TopicPartitionOffset>>
    offsets_for_times(const std::vector<crier::kafka::TopicPartitionTime>& times);
    [[nodiscard]] Outcome<std::vector<crier::kafka::TopicPartitionOffset>>
    committed(const Partitions& partitions);

    /// Commits what counts as consumed if commits are automatic.
    void commit_consumed();

    /// Begins to leave the group; `poll_close` tells how it goes on, nothing: it has left.
    void start_close();
    [[nodiscard]] std::optional<Polled> poll_close();

    /// Makes the look at the queue under way return; from any thread.
    void interrupt();

private:
    using Deadline = std::chrono::steady_clock::time_point;

    [[nodiscard]] bool is_cooperative() const;
    void note(const Changes& changes);
    std::optional<Failure> subscribe();
    void pause_and_resume();
    std::optional<Failure> seek(Deadline deadline);
    std::optional<Polled> collect(Event first);
    Polled rebalance(const Event& event);
    void store_consumed();

    crier::kafka::ConsumerOptions options_;
    rd_kafka_t* handle_;
    Queue queue_;
    Changes changes_; ///< Asked for and not done yet.
    Event pending_;   ///< Came behind records that had to be returned first.
    std::map<crier::kafka::TopicPartition, crier::kafka::Offset> consumed_; ///< Next offsets.
    std::atomic<bool> interrupted_ = false;
};

} // namespace crier::messaging::kafka
