#pragma once

#include "broker-model/kafka/client/client_context.hpp"
#include "broker-model/wait_point.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

// The client's side of transactions: where the producer stands, what its transaction holds, and the
// talk with the coordinator about it. It knows no batches: the sender asks it whether a partition
// may be written to, and tells it of failures. Source: Kafka TransactionManager; KIP-98, KIP-360,
// KIP-447, KIP-890.

namespace crier::broker::kafka {

using crier::kafka::TransactionPhase;

class ProducerTransactions : public std::enable_shared_from_this<ProducerTransactions> {
public:
    /// `on_progress` is called when a partition may be written to from now on.
    ProducerTransactions(const ClientContext& context, const crier::kafka::ProducerOptions& options,
                         std::function<void()> on_progress)
        : context_(context), options_(options), on_progress_(std::move(on_progress)) {}

    /// Ends all activity; calls under way fail.
    void close() { on_progress_ = nullptr; }

    [[nodiscard]] TransactionPhase phase() const { return phase_; }
    /// Returns the name of the latest transaction as events have it.
    [[nodiscard]] std::uint64_t name() const { return name_; }
    /// Tells the history that the client knows how the transaction ended.
    void tell_ended(bool committed) const;
    /// Returns what made the phase `abortable` or `fatal`.
    [[nodiscard]] ErrorCode error() const { return error_; }
    [[nodiscard]] std::int64_t producer() const { return producer_; }
    [[nodiscard]] std::int16_t epoch() const { return epoch_; }

    /// Whether a batch may be sent to the partition. Before transaction.version 2 the coordinator
    /// is told of it first; then `on_progress` follows.
    [[nodiscard]] bool may_send(PartitionId partition);

    /// A batch has failed for good.
    void note_failure(ErrorCode error);

    /// Takes the transactional id.
    [[nodiscard]] asio::awaitable<Outcome<void>> take_id();

    /// **Errors**: this and the following throw `std::logic_error` in the wrong phase.
    void begin();
    void expect_transaction() const;

    [[nodiscard]] asio::awaitable<Outcome<void>> send_offsets(std::vector<PartitionOffset> offsets,
                                                              crier::kafka::GroupMetadata group);

    /// Ends the transaction; everything sent has its outcome. The id or epoch may be another then.
    [[nodiscard]] asio::awaitable<Outcome<void>> end(bool committed);

    /// Whether an end that was begun with this verdict may go on, or be begun.
    void expect_end(bool committed) const;

private:
    struct Coordinator {
        BrokerId broker = 0; // 0: to be found
        std::uint64_t failures = 0;
    };
    /// What an answer means for the producer.
    enum class Effect { none, again, again_elsewhere, abortable, fatal };

    [[nodiscard]] static Effect effect_of(ErrorCode error);

    /// Asks until there is an answer that stands, or the deadline is there; enters the phase that
    /// the answer means. **Errors**: unknown when it may have been carried out all the same.
    template <class Request>
    [[nodiscard]] asio::awaitable<Outcome<AnswerOf<Request>>> ask(Request request, std::string id,
                                                                  bool of_group, Instant deadline);
    [[nodiscard]] asio::awaitable<void> find(std::string id, bool of_group, Instant deadline);
    [[nodiscard]] Coordinator& coordinator(bool of_group) {
        return of_group ? group_coordinator_ : coordinator_;
    }

    static asio::awaitable<void> run_adding(std::shared_ptr<ProducerTransactions> self);
    [[nodiscard]] asio::awaitable<Outcome<void>> renew_epoch(Instant deadline);
    [[nodiscard]] bool tells_partitions() const;
    void fail(ErrorCode error, TransactionPhase phase);

    ClientContext context_;
    crier::kafka::ProducerOptions options_;
    std::function<void()> on_progress_; // null: closed
    TransactionPhase phase_ = TransactionPhase::uninitialized;
    ErrorCode error_ = ErrorCode::none;
    std::int64_t producer_ = -1;
    std::int16_t epoch_ = -1;
    bool needs_renewal_ = false;    // of the epoch, by the client
    bool ends_with_commit_ = false; // of what is unsettled
    bool has_offsets_ = false;
    std::vector<PartitionId> added_; // sorted
    std::vector<PartitionId> to_add_;
    bool is_adding_ = false;
    Coordinator coordinator_;
    Coordinator group_coordinator_;
    std::string group_;          // whose coordinator that is
    std::uint64_t begun_ = 0;    // transactions
    std::uint64_t name_ = 0;     // of the latest
    std::uint64_t attempts_ = 0; // of all calls, which tells their draws apart
};

} // namespace crier::broker::kafka
