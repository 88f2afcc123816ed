#pragma once

#include "broker-model/kafka/broker_request.hpp"
#include "broker-model/kafka/cluster.hpp"
#include "sim/process_ports.hpp"
#include "sim/world.hpp"

#include <cstdint>
#include <string>
#include <utility>

// What all parts of one producer or consumer share, and how they ask brokers.

namespace crier::broker::kafka {

/// The answer to a request, and the kind of call that it is.
template <class Request>
struct CallOf;

template <class AnswerType, const sim::CallKind& Kind>
struct CallOfKind {
    using Answer = AnswerType;
    static constexpr const sim::CallKind& kind = Kind;
};

template <>
struct CallOf<MetadataRequest> : CallOfKind<MetadataAnswer, calls::metadata> {};
template <>
struct CallOf<ProduceRequest> : CallOfKind<ProduceAnswer, calls::produce> {};
template <>
struct CallOf<InitProducerIdRequest> : CallOfKind<InitProducerIdAnswer, calls::init_producer_id> {};
template <>
struct CallOf<AddPartitionsRequest>
    : CallOfKind<AddPartitionsAnswer, calls::add_partitions_to_txn> {};
template <>
struct CallOf<AddOffsetsRequest> : CallOfKind<AddPartitionsAnswer, calls::add_offsets_to_txn> {};
template <>
struct CallOf<EndTransactionRequest> : CallOfKind<EndTransactionAnswer, calls::end_txn> {};
template <>
struct CallOf<TxnOffsetCommitRequest> : CallOfKind<OffsetCommitAnswer, calls::txn_offset_commit> {};
template <>
struct CallOf<FetchRequest> : CallOfKind<FetchAnswer, calls::fetch> {};
template <>
struct CallOf<ListOffsetsRequest> : CallOfKind<ListOffsetsAnswer, calls::list_offsets> {};
template <>
struct CallOf<OffsetsForLeaderEpochRequest>
    : CallOfKind<OffsetsForLeaderEpochAnswer, calls::offsets_for_leader_epoch> {};
template <>
struct CallOf<DeleteRecordsRequest> : CallOfKind<DeleteRecordsAnswer, calls::delete_records> {};
template <>
struct CallOf<CreateTopicsRequest> : CallOfKind<ErrorAnswer, calls::create_topics> {};
template <>
struct CallOf<CreatePartitionsRequest> : CallOfKind<ErrorAnswer, calls::create_partitions> {};
template <>
struct CallOf<DeleteTopicsRequest> : CallOfKind<ErrorAnswer, calls::delete_topics> {};
template <>
struct CallOf<FindCoordinatorRequest> : CallOfKind<FindCoordinatorAnswer, calls::find_coordinator> {
};
template <>
struct CallOf<JoinGroupRequest> : CallOfKind<JoinGroupAnswer, calls::join_group> {};
template <>
struct CallOf<SyncGroupRequest> : CallOfKind<SyncGroupAnswer, calls::sync_group> {};
template <>
struct CallOf<HeartbeatRequest> : CallOfKind<ErrorAnswer, calls::heartbeat> {};
template <>
struct CallOf<LeaveGroupRequest> : CallOfKind<ErrorAnswer, calls::leave_group> {};
template <>
struct CallOf<OffsetCommitRequest> : CallOfKind<OffsetCommitAnswer, calls::offset_commit> {};
template <>
struct CallOf<OffsetFetchRequest> : CallOfKind<OffsetFetchAnswer, calls::offset_fetch> {};
template <>
struct CallOf<ConsumerGroupHeartbeatRequest>
    : CallOfKind<ConsumerGroupHeartbeatAnswer, calls::consumer_group_heartbeat> {};
template <>
struct CallOf<ShareGroupHeartbeatRequest>
    : CallOfKind<ShareGroupHeartbeatAnswer, calls::share_group_heartbeat> {};
template <>
struct CallOf<ShareFetchRequest> : CallOfKind<ShareFetchAnswer, calls::share_fetch> {};
template <>
struct CallOf<ShareAcknowledgeRequest> : CallOfKind<ShareFetchAnswer, calls::share_acknowledge> {};

template <class Request>
using AnswerOf = typename CallOf<Request>::Answer;

/// One producer or consumer in one life of a process: where it runs and who it is.
class ClientContext {
public:
    /// `number` tells the clients of one process apart.
    ClientContext(Cluster& cluster, sim::Node& home, sim::ProcessPorts& ports, std::uint64_t number)
        : cluster_(cluster), home_(home), process_(home.process()), ports_(ports), number_(number) {
    }

    [[nodiscard]] Cluster& cluster() const { return cluster_; }
    [[nodiscard]] sim::Node& home() const { return home_; }
    [[nodiscard]] sim::World& world() const { return home_.world(); }
    [[nodiscard]] sim::Process& process() const { return process_; }
    [[nodiscard]] sim::ProcessPorts& ports() const { return ports_; }
    [[nodiscard]] sim::Kernel& kernel() const { return process_.kernel(); }
    [[nodiscard]] Instant now() const { return process_.kernel().now(); }
    /// Returns what tells the clients of one process apart.
    [[nodiscard]] std::uint64_t number() const { return number_; }

    /// Returns who this client is to brokers' quotas, by its client id, or as a client of its own
    /// without one. **Source**: Kafka numbers the clients of a process: `producer-1`.
    [[nodiscard]] std::uint64_t quota_name(const std::string& client_id) const {
        if (!client_id.empty()) return world().history().name(client_id);
        return sim::mix(home_.name_text(), number_);
    }

    /// Returns a name that no other client of the world has: `billing/1-2-3`.
    [[nodiscard]] std::string unique_name() const {
        return home_.name() + "-" + std::to_string(process_.incarnation()) + "-" +
               std::to_string(number_);
    }

    /// Records what this client did or was told. It causes nothing by itself.
    template <class... Operands>
    void record(const sim::EventKind& kind, Operands... operands) const {
        const std::uint64_t cause = kernel().cause();
        world().record_as(&process_, kind, operands...);
        kernel().set_cause(cause);
    }

    /// Returns a draw of this client's own.
    [[nodiscard]] sim::Draw draw(sim::Purpose purpose, std::uint64_t subject,
                                 std::uint64_t attempt) const {
        return world().random().draw(purpose, home_.name_text(), process_.incarnation(), number_,
                                     subject, attempt);
    }

    /// Returns how long to wait before attempt `attempt + 1` (attempts count from 1): doubling from
    /// `first` up to `longest`, 20 percent more or less. **Source**: Kafka ExponentialBackoff,
    /// KIP-580.
    [[nodiscard]] Duration backoff(Duration first, Duration longest, int attempt,
                                   std::uint64_t subject) const;

    /// Returns some broker to ask what every broker knows; another one after each failure.
    [[nodiscard]] BrokerId any_broker(std::uint64_t failures) const;

    /// Asks a broker and awaits its answer.
    template <class Request>
    [[nodiscard]] asio::awaitable<Outcome<AnswerOf<Request>>>
    ask(BrokerId broker, Duration timeout, std::size_t bytes, Request request) const {
        return ask(broker, timeout, bytes, std::move(request), asio::use_awaitable);
    }

    /// As above; completes `void(Outcome<Answer>)`.
    template <class Request, class CompletionToken>
    auto ask(BrokerId broker, Duration timeout, std::size_t bytes, Request request,
             CompletionToken&& token) const {
        sim::Node& node = cluster_.broker(broker);
        sim::CallOptions options;
        options.timeout = timeout;
        options.bytes = bytes;
        BrokerRequest<Request, AnswerOf<Request>> serve(cluster_, node, std::move(request));
        return world().network().template async_call<AnswerOf<Request>>(
            process_, node, CallOf<Request>::kind, options, std::move(serve),
            std::forward<CompletionToken>(token));
    }

private:
    Cluster& cluster_;
    sim::Node& home_;
    sim::Process& process_;
    sim::ProcessPorts& ports_;
    std::uint64_t number_;
};

/// A timer that is only ever moved to an earlier time: what became due later is found when it
/// fires. Its handler keeps whatever must outlive it alive.
class EarliestTimer {
public:
    /// Runs `handler()` at `due`, unless a run is already set for then or before.
    template <class Handler>
    void arm(sim::Process& process, Instant due, Handler handler) {
        if (task_ != nullptr && due_ <= due) return;
        disarm(process);
        due_ = due;
        task_ = process.kernel().at(process, due, [this, run = std::move(handler)]() mutable {
            task_ = nullptr;
            run();
        });
    }

    void disarm(sim::Process& process) {
        if (task_ != nullptr && process.is_alive()) process.kernel().discard(task_);
        task_ = nullptr;
    }

private:
    sim::Operation* task_ = nullptr;
    Instant due_{};
};

} // namespace crier::broker::kafka
