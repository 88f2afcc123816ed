#pragma once

#include "broker-model/kafka/protocol.hpp"
#include "broker-model/wait_point.hpp"

#include <cstdint>
#include <memory>
#include <vector>

// What a producer keeps between a call of `send` and its outcomes. A batch owns its records and
// knows in runs to which calls they belong: nothing is allocated per record.

namespace crier::broker::kafka {

/// One call of `Producer::send`.
struct SendCall {
    explicit SendCall(sim::Process& process) : finished(process) {}

    std::vector<Outcome<crier::kafka::RecordMetadata>> outcomes;
    std::size_t open = 0;                ///< Records without an outcome.
    std::vector<std::uint32_t> homeless; ///< Records whose topic or partition there is not.
    WaitPoint finished; ///< Also told when metadata arrives that the call waits for.
};

/// Records of one partition that are sent as one.
struct ProducerBatch {
    /// A run of records that came with one call.
    struct Share {
        std::shared_ptr<SendCall> call;
        std::uint32_t count = 0;
    };

    PartitionId partition = 0;
    std::uint64_t sequence = 0;           ///< In the order of creation, from 1.
    std::shared_ptr<RecordBatch> records; ///< Not changed any more once it was sent.
    ProducerStamp stamp;                  ///< Set when an idempotent producer first sends it.
    std::vector<std::uint32_t> places;    ///< Of each record in its call.
    std::uint64_t first_send = 0;         ///< Number of its first record, see events::sent.
    std::vector<Share> shares;
    Instant created{};
    Instant retry_at{};
    int attempts = 0;
    std::size_t memory = 0;    ///< Of the producer's buffer, that it takes up.
    bool is_split = false;     ///< Part of one that was too large.
    bool is_full = false;      ///< Takes no more records.
    bool maybe_stored = false; ///< Some attempt was sent and not definitely refused.
    bool is_done = false;      ///< Its outcomes are out, and an answer changes nothing.
};

/// Returns the batch's records in batches of up to `size` bytes, at least one record each, with
/// their places in the calls and their sequences. **Source**: Kafka ProducerBatch.split.
[[nodiscard]] std::vector<std::unique_ptr<ProducerBatch>> split(const ProducerBatch& batch,
                                                                std::size_t size);

} // namespace crier::broker::kafka
