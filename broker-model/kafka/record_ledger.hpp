#pragma once

#include "broker-model/kafka/log/partition_log.hpp"

#include <vector>

// The world's truth about what is stored: per partition how far its records were told to the
// history, over all changes of leadership. Each record below a high watermark is told once, by the
// leader that moved the watermark; a transaction's when its marker is below it, and until then only
// as written. What a later leader lacks is told as lost.

namespace crier::sim {
class World;
struct EventKind;
} // namespace crier::sim

namespace crier::broker::kafka {

class Cluster;

class RecordLedger {
public:
    explicit RecordLedger(const Cluster& cluster);

    /// The controller makes the partition, as part of a topic of that id.
    void begins(PartitionId partition, std::uint32_t topic_id);
    /// The controller deletes the partition, and with it all that is stored there.
    void ends(const sim::Process& controller, PartitionId partition);

    /// A broker begins to lead `state.partition` with this log.
    void leads(const sim::Process& leader, const PartitionState& state, const PartitionLog& log);

    /// The leader has everything below `high_watermark` for good. A deposed leader that does not
    /// know it yet is not believed, nor one of a topic that is deleted.
    void stored_up_to(const sim::Process& leader, const PartitionState& state,
                      const PartitionLog& log, Offset high_watermark);

    /// The leader serves a reader of committed records up to before `offset`; believed like
    /// stored_up_to.
    void stable_up_to(const sim::Process& leader, const PartitionState& state, Offset offset);

    /// Returns how many records of the partition were told as stored and not lost since.
    [[nodiscard]] Offset stored_end(PartitionId partition) const { return told_[partition].end; }

private:
    struct OpenTransaction {
        std::int64_t producer = -1;
        Offset first = 0;
        std::int16_t epoch = -1;       // of its last batch, …
        std::uint64_t transaction = 0; // … and what the client meant it for
    };
    /// How far an idempotent producer is in its numbering.
    struct Sequence {
        std::int64_t producer = -1;
        std::int16_t epoch = -1;
        std::int32_t next = 0;
    };
    /// An offset that must not go back while one leader leads.
    struct Mark {
        std::int32_t epoch = -1;
        std::uint32_t life = 0;
        Offset offset = 0;
    };
    struct Told {
        std::uint32_t topic_id = 0;
        Offset end = 0;
        std::int32_t leader_epoch = -1;    // the newest that anybody led in
        std::vector<EpochStart> epochs;    // of what was told
        std::vector<OpenTransaction> open; // without a verdict
        std::vector<Sequence> sequences;   // by producer, ascending
        Mark watermark;
        Mark stable;
    };
    /// What is known of a record when it is told.
    enum class Fate { stored, written, aborted };

    void tell(const sim::Process& leader, PartitionId partition, const StoredBatch& batch,
              Offset from, Offset to, Fate fate);
    void tell_sequence(const sim::Process& leader, PartitionId partition, const StoredBatch& batch);
    /// Whether a later leader was told of, or the topic is deleted.
    [[nodiscard]] bool is_former(const PartitionState& state) const;
    void check_mark(Mark& mark, const sim::Process& leader, PartitionId partition,
                    std::int32_t epoch, Offset offset, const sim::EventKind& fell);
    void tell_written(const sim::Process& leader, PartitionId partition, const StoredBatch& batch);
    void tell_ended(const sim::Process& leader, PartitionId partition, const PartitionLog& log,
                    const StoredBatch& marker);
    void tell(const sim::Process& leader, PartitionId partition, Offset offset,
              const Record& record, Fate fate);
    [[nodiscard]] std::uint64_t message_of(PartitionId partition, Offset offset,
                                           const Record& record) const;
    void tell_commit(const sim::Process& leader, const Record& record);

    const Cluster& cluster_;
    sim::World& world_;
    std::vector<Told> told_; // by partition
};

} // namespace crier::broker::kafka
