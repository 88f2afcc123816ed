#pragma once

#include "broker-model/events.hpp"
#include "broker-model/kafka/client/client_context.hpp"
#include "broker-model/kafka/client/metadata_cache.hpp"
#include "broker-model/kafka/client/producer_accumulator.hpp"
#include "broker-model/kafka/client/producer_partitioner.hpp"
#include "broker-model/kafka/client/producer_sequences.hpp"
#include "broker-model/kafka/client/producer_transactions.hpp"

#include <memory>
#include <vector>

// Sends what a producer accumulated, and decides what became of it. The invariant: every record
// gets exactly one outcome, and "failed" only if no request that held it can have been executed.
// Everything happens in callbacks; no coroutine runs per record or batch.
// Source: Kafka Sender, RecordAccumulator.

namespace crier::broker::kafka {

class ProducerSender : public std::enable_shared_from_this<ProducerSender> {
public:
    ProducerSender(const ClientContext& context, crier::kafka::ProducerOptions options);
    ~ProducerSender();

    /// Returns the transactions, null without a transactional id. Its id and epoch count for what
    /// is sent once `take_over_id` was called.
    [[nodiscard]] const std::shared_ptr<ProducerTransactions>& transactions() const {
        return transactions_;
    }
    void take_over_id() { sequences_.take_id(transactions_->producer(), transactions_->epoch()); }

    /// Drops what was never sent: it fails with `error`.
    void drop_unsent(ErrorCode error);

    [[nodiscard]] MetadataCache& metadata() { return *metadata_; }
    [[nodiscard]] const crier::kafka::ProducerOptions& options() const { return options_; }
    [[nodiscard]] const ClientContext& context() const { return context_; }

    /// Has `call` told when metadata arrives.
    void await_metadata(std::shared_ptr<SendCall> call) { uninformed_.push_back(std::move(call)); }

    /// Has `call` told when memory comes free, in the order of such calls.
    void await_memory(const std::shared_ptr<SendCall>& call);
    void leave_memory_queue(const std::shared_ptr<SendCall>& call);

    /// Appends the records from `next` on, whose outcomes go to `call`, as far as there is memory.
    /// A record for a topic or partition that does not exist is left alone; one that is too large
    /// has its outcome at once. **Returns** the first that there is no memory for, or `limit`.
    std::size_t append(std::vector<crier::kafka::ProducerRecord>& records, std::size_t next,
                       const std::shared_ptr<SendCall>& call, std::size_t limit = SIZE_MAX);

    /// Appends those of the call's records whose topic or partition there is by now.
    void append_homeless(std::vector<crier::kafka::ProducerRecord>& records,
                         const std::shared_ptr<SendCall>& call);

    /// Makes everything appended ready, and has `call` told when it has its outcomes; `call.open`
    /// counts the batches left.
    void flush(const std::shared_ptr<SendCall>& call);

    /// Sends what is ready. For callers that are coroutines.
    void send_ready();

    /// Ends all activity; outcomes that are not out yet never come.
    void close();

private:
    void heed_failure();
    struct Connection {
        std::vector<std::unique_ptr<ProducerBatch>> building;
        std::size_t building_bytes = 0;
        int in_flight = 0;
        int refusals = 0;     // in a row
        Instant not_before{}; // reconnect.backoff.ms
    };
    struct Flight {
        BrokerId broker = 0;
        std::vector<std::unique_ptr<ProducerBatch>> batches; // empty: free
    };
    struct FlushWait {
        std::uint64_t up_to = 0; // sequence of batches
        std::shared_ptr<SendCall> call;
    };

    void tell_opened() const;
    void tell_failed(const ProducerBatch& batch, const Failure& failure) const;
    /// Returns the number of a send as events have it.
    [[nodiscard]] std::uint64_t send_number(std::uint64_t number) const {
        return (context_.number() << events::send_bits) + number;
    }
    [[nodiscard]] std::optional<PartitionId> place(TopicId topic,
                                                   const crier::kafka::ProducerRecord& record);
    void choose_sticky(TopicId topic);
    void request_id();
    void drain();
    [[nodiscard]] bool gather();
    void depart(BrokerId broker);
    void arrive(std::uint32_t flight, const Outcome<ProduceAnswer>& outcome);
    void lose_connection(BrokerId broker);
    void note_connection(BrokerId broker, const Outcome<ProduceAnswer>& outcome);
    void settle(std::unique_ptr<ProducerBatch> batch, const ProducePartitionAnswer& answer,
                bool surely_not_stored);
    void split_and_retry(std::unique_ptr<ProducerBatch> batch);
    void refuse(ProducerBatch& batch, const ProducePartitionAnswer& answer);
    void succeed(ProducerBatch& batch, Offset base_offset);
    void fail(ProducerBatch& batch, ErrorCode error, bool expired = false);
    template <class OutcomeOf>
    void complete(ProducerBatch& batch, OutcomeOf outcome_of);
    void expire();
    void arm_expiry(Instant created);
    void tell_finished();
    void on_metadata();

    ClientContext context_;
    crier::kafka::ProducerOptions options_;
    std::shared_ptr<MetadataCache> metadata_;
    ProducerAccumulator accumulator_;
    StickyPartitions sticky_;
    ProducerSequences sequences_;
    std::uint64_t client_; // to quotas
    std::shared_ptr<ProducerTransactions> transactions_;
    bool is_idempotent_;
    bool requesting_id_ = false;
    std::uint64_t id_refusals_ = 0;       // in a row
    std::vector<Connection> connections_; // by BrokerId
    std::vector<Flight> flights_;
    std::vector<std::uint32_t> free_flights_;
    std::vector<std::uint8_t> is_muted_; // by PartitionId; only with one request in flight
    std::vector<FlushWait> flushes_;
    std::vector<std::shared_ptr<SendCall>> finished_;
    std::vector<std::shared_ptr<SendCall>> uninformed_;
    std::vector<std::shared_ptr<SendCall>> short_of_memory_;
    std::vector<PartitionLoad> loads_; // for one choice
    std::uint64_t incomplete_ = 0;     // batches without outcomes
    EarliestTimer ready_timer_;
    EarliestTimer expiry_timer_;
    bool closed_ = false;
};

} // namespace crier::broker::kafka
