#pragma once

#include "messaging/ports/kafka.hpp"
#include "messaging/ports/process.hpp"
#include "messaging/signal.hpp"

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// Reads records and writes what follows from them, with the positions, in one transaction: a reader
// of committed records sees the consequences of every record exactly once, whatever crashes. What
// the function does outside of Kafka is not covered. Source: KIP-447; Kafka's
// ExactlyOnceMessageProcessor example.

namespace crier::messaging {

/// How a member that lost its partitions is kept from committing for them.
enum class CopierFence {
    member, ///< The coordinator checks member and generation.
    none,   ///< Only the group is named: a zombie's offsets and records are taken.
};

/// Where reading goes on after a transaction was aborted.
enum class AfterAbort {
    rewind, ///< At the first record of the aborted batch.
    go_on,  ///< After it: what was aborted is lost.
};

struct CopierOptions {
    std::vector<std::string> from;
    /// Names the transactional id, and has to stay the same over restarts: so the next life ends
    /// what this one left open.
    kafka::ProducerOptions producer;
    kafka::ConsumerOptions consumer;
    CopierFence fence = CopierFence::member;
    AfterAbort after_abort = AfterAbort::rewind;
    Duration poll_wait = std::chrono::milliseconds(100); ///< Also the longest unnoticed stop.
    Duration backoff = std::chrono::seconds(1);          ///< After a failure.

    /// Returns everything that is wrong with the options; empty: nothing.
    [[nodiscard]] std::vector<std::string> validate() const;
};

/// The points that a copier reaches.
inline constexpr std::array<std::string_view, 3> copier_points{"copier.received", "copier.sent",
                                                               "copier.committed"};

/// Returns what follows from a record; may be nothing.
using CopyFunction = std::function<std::vector<kafka::ProducerRecord>(kafka::ConsumerRecord)>;

class TransactionalCopier {
public:
    /// **Requires**: valid options; `client` outlives the copier.
    TransactionalCopier(ProcessPorts ports, kafka::Client& client, CopierOptions options,
                        CopyFunction function);

    /// Works until `stop`; called once. A producer that was fenced is replaced by another with the
    /// same id, as a restart would.
    [[nodiscard]] asio::awaitable<void> run();

    /// Completes when `run` has ended its transaction and left the group.
    [[nodiscard]] asio::awaitable<void> stop();

private:
    asio::awaitable<bool> begin_producing();
    asio::awaitable<void> copy(std::vector<kafka::ConsumerRecord> records);
    asio::awaitable<bool> write(std::vector<kafka::ProducerRecord> records,
                                std::vector<kafka::TopicPartitionOffset> positions);
    asio::awaitable<bool> end(bool committed);
    void rewind(const std::vector<kafka::TopicPartitionOffset>& firsts);

    ProcessPorts ports_;
    kafka::Client& client_;
    CopierOptions options_;
    CopyFunction function_;
    std::unique_ptr<kafka::TransactionalProducer> producer_;
    std::unique_ptr<kafka::Consumer> consumer_;
    bool running_ = false;
    bool stopping_ = false;
    Gate finished_;
};

} // namespace crier::messaging
