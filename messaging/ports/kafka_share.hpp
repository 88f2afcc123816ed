#pragma once

#include "messaging/ports/kafka.hpp"

// Share groups (KIP-932): many consumers read the same partition, and each record is delivered to
// one of them at a time, until somebody is done with it. A queue, kept in a log.

namespace crier::kafka {

/// What became of a delivered record.
enum class AcknowledgeType {
    accept,  ///< Done.
    release, ///< Not done: deliver it again, to anybody.
    reject,  ///< It can never be done: deliver it no more.
    renew,   ///< Not done yet: nobody else gets it for another while.
};

enum class AcknowledgementMode {
    implicit_all, ///< The next `poll` or `commit` accepts all that the last `poll` returned.
    explicit_each ///< Every record is acknowledged by itself before the next `poll`.
};

/// How many records one fetch acquires: whole batches, or no more than `max_poll_records`.
enum class AcquireMode { batch_optimized, record_limit };

struct ShareConsumerOptions {
    std::string client_id;
    std::string group_id;
    AcknowledgementMode acknowledgement_mode = AcknowledgementMode::implicit_all;
    Duration request_timeout = std::chrono::seconds(30);
    Duration default_api_timeout = std::chrono::seconds(60);
    Duration retry_backoff = std::chrono::milliseconds(100);
    Duration fetch_max_wait = std::chrono::milliseconds(500);
    int max_poll_records = 500; ///< More may come: batches are delivered whole.
    AcquireMode acquire_mode = AcquireMode::batch_optimized; ///< share.acquire.mode
};

struct ShareRecord {
    ConsumerRecord record;
    int delivery_count = 1; ///< This delivery included.
};

/// What became of the acknowledgements for one partition.
struct AcknowledgementOutcome {
    TopicPartition partition;
    Outcome<void> outcome;
};

/// A member of a share group. One coroutine uses it at a time.
class ShareConsumer {
public:
    virtual ~ShareConsumer() = default;

    /// Names the topics; membership begins with the next `poll`.
    virtual void subscribe(std::vector<std::string> topics) = 0;

    /// Returns records that nobody else has now, waiting up to `timeout`. **Order**: offsets
    /// ascending in a partition within one result; a record that is delivered again comes after
    /// later ones. **Errors**: throws `std::logic_error` when in explicit mode a record of the last
    /// poll is not acknowledged.
    [[nodiscard]] virtual asio::awaitable<Outcome<std::vector<ShareRecord>>>
    poll(Duration timeout) = 0;

    /// Notes what became of a record of the last poll; told with the next `poll` or `commit`.
    /// **Errors**: throws `std::logic_error` for any other record, and in implicit mode.
    virtual void acknowledge(const ShareRecord& record, AcknowledgeType type) = 0;

    /// Tells what was acknowledged, and waits. **Shape**: one outcome per partition concerned,
    /// sorted. **Errors**: failed with INVALID_RECORD_STATE when a record was not this consumer's
    /// any more; unknown when no answer came.
    [[nodiscard]] virtual asio::awaitable<std::vector<AcknowledgementOutcome>> commit() = 0;

    /// Tells what was acknowledged, gives everything else back, and leaves.
    [[nodiscard]] virtual asio::awaitable<void> close() = 0;
};

/// Makes members of share groups for one cluster.
class ShareClient {
public:
    virtual ~ShareClient() = default;
    [[nodiscard]] virtual std::unique_ptr<ShareConsumer>
    share_consumer(ShareConsumerOptions options) = 0;
};

} // namespace crier::kafka
