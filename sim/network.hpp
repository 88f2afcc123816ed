#pragma once

#include "messaging/ports/result.hpp"
#include "sim/kernel.hpp"
#include "sim/random.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <vector>

// Messages between processes over connections, and requests with answers on top of them.
// A connection (one per pair of nodes and direction) keeps order and loses nothing by itself, as
// TCP: a lost packet is a stall, a partition holds everything back until it heals, a reset loses
// what is under way. What crosses nodes waits in the kernel, where a crash of either end finds it.

namespace crier::sim {

class World;
class Node;
class Network;

/// What a message or request is, for faults and people: `inline constexpr CallKind
/// produce{"produce"};`
struct CallKind {
    std::string_view name;
    std::uint64_t id;

    consteval explicit CallKind(std::string_view kind) : name(kind), id(hash_literal(kind)) {}
};

/// Why a call has no answer.
enum class CallError {
    refused = 1, ///< Nothing listened: certainly not executed.
    reset,       ///< The connection broke: executed or not.
    timed_out,   ///< No answer in time: executed, not executed, or still to be.
};

[[nodiscard]] const boost::system::error_category& call_category() noexcept;

[[nodiscard]] inline error_code make_error_code(CallError error) {
    return {static_cast<int>(error), call_category()};
}

struct NetworkOptions {
    Duration latency_min = std::chrono::microseconds(100);
    Duration latency_max = std::chrono::microseconds(600);
    Probability tail{10'000}; ///< How often a message takes `tail_factor` times as long.
    std::int64_t tail_factor = 10;
    std::int64_t nanoseconds_per_kib = 8192; ///< 1 Gbit/s; 0: no limit.
    Duration retransmission =
        std::chrono::milliseconds(200); ///< First stall of a lost packet; doubles.
    int retransmissions_max = 6;        ///< More in a row break the connection.
};

/// What is wrong with a directed link while a fault lasts.
struct LinkFault {
    std::uint32_t fault = 0;   ///< Id in the fault engine.
    bool blocks = false;       ///< Nothing passes: held back until the fault ends.
    std::int64_t slowness = 1; ///< Latency times this.
    Probability loss{};        ///< Packets lost.
};

namespace detail {

/// A caller's place in the table of pending calls; given back when the waiting handler goes.
class CallSlot {
public:
    CallSlot(Network& network, std::uint32_t index) : network_(&network), index_(index) {}
    CallSlot(CallSlot&& other) noexcept
        : network_(std::exchange(other.network_, nullptr)), index_(other.index_) {}
    CallSlot& operator=(CallSlot&&) = delete;
    ~CallSlot();

    [[nodiscard]] std::uint32_t index() const { return index_; }

private:
    Network* network_;
    std::uint32_t index_;
};

template <class Answer, class Handler>
struct CallWaiter {
    Handler handler;
    CallSlot slot;

    void finish(Outcome<Answer> outcome) && {
        auto cancellation = asio::get_associated_cancellation_slot(handler);
        if (cancellation.is_connected()) cancellation.clear();
        { const CallSlot given_back(std::move(slot)); }
        std::move(handler)(std::move(outcome));
    }

    /// Its turn comes at the deadline.
    void operator()() && {
        std::move(*this).finish(Failure{make_error_code(CallError::timed_out), Certainty::unknown});
    }
};

} // namespace detail

/// What a fault has the server answer to one call instead of the truth.
struct Forgery {
    enum class Kind { none, fail, stale };
    Kind kind = Kind::none;
    std::int64_t error = 0; ///< With `fail`: a number of the server's own protocol.
};

/// The server's side of one call: answers it once, later or never. Valid only in the life of the
/// process that received it; dropped unanswered, the caller times out.
template <class Answer>
class Reply {
public:
    Reply() = default;
    Reply(Network& network, Process& server, std::uint32_t slot, std::uint32_t generation,
          std::uint32_t forging = 0)
        : network_(&network), server_(&server), slot_(slot), generation_(generation),
          forging_(forging) {}
    Reply(Reply&& other) noexcept
        : network_(std::exchange(other.network_, nullptr)), server_(other.server_),
          slot_(other.slot_), generation_(other.generation_), forging_(other.forging_) {}
    Reply& operator=(Reply&& other) noexcept {
        network_ = std::exchange(other.network_, nullptr);
        server_ = other.server_;
        slot_ = other.slot_;
        generation_ = other.generation_;
        forging_ = other.forging_;
        return *this;
    }

    [[nodiscard]] explicit operator bool() const { return network_ != nullptr; }

    /// Sends the answer; `bytes` is its size on the wire.
    void operator()(Answer answer, std::size_t bytes = 64);

    /// Returns what a fault has the server answer; asked before anything is executed.
    [[nodiscard]] Forgery forgery() const;

    /// Says that the answer is forged, and how in words, which go into the history.
    void note_forged(std::string_view answer) const;

private:
    Network* network_ = nullptr;
    Process* server_ = nullptr;
    std::uint32_t slot_ = 0;
    std::uint32_t generation_ = 0;
    std::uint32_t forging_ = 0; // the fault that does it
};

struct CallOptions {
    Duration timeout = std::chrono::seconds(30);
    std::size_t bytes = 64; ///< Size of the request on the wire.
    std::uint64_t subject =
        0; ///< Identity of what it carries, which keys its latency; 0: the time does.
};

/// All links of a world, and the calls under way.
class Network {
public:
    Network(World& world, Kernel& kernel, const Random& random, NetworkOptions options);

    /// Sends a message: `arrival(Process& receiver)` runs as a step of the receiving process, in
    /// order with everything else from `from` to `to`. Lost when the receiver dies first, or
    /// the connection breaks.
    template <class Arrival>
    void send(Process& from, Node& to, const CallKind& kind, std::size_t bytes,
              std::uint64_t subject, Arrival&& arrival);

    /// Calls `serve(Process& server, Reply<Answer>)` on `server` and awaits the answer. If it has a
    /// `name(names)`, that is asked for the names of what the call is about when a fault wants to
    /// know.
    /// **Errors**: `CallError` with its certainty. **Cancellation**: all types;
    /// `operation_aborted`, unknown; the request is not taken back.
    template <class Answer, class Serve>
    asio::awaitable<Outcome<Answer>> call(Process& client, Node& server, const CallKind& kind,
                                          CallOptions options, Serve serve) {
        return async_call<Answer>(client, server, kind, options, std::move(serve),
                                  asio::use_awaitable);
    }

    /// As `call`; completes `void(Outcome<Answer>)`.
    template <class Answer, class Serve, class CompletionToken>
    auto async_call(Process& client, Node& server, const CallKind& kind, CallOptions options,
                    Serve serve, CompletionToken&& token);

    /// Adds or removes a trouble of the link from one node to another.
    void add_fault(std::uint32_t from, std::uint32_t to, LinkFault fault);
    void remove_faults(std::uint32_t fault);

    /// Breaks the connections between two nodes: what is under way is lost, pending calls end
    /// `reset`.
    void reset(std::uint32_t a, std::uint32_t b);

    /// A process died and its machine lives: the peers' pending calls to it end `reset`, soon.
    void process_died(const Process& process);

    /// A machine lost power: what it had under way is lost, and nobody is told.
    void power_lost(std::uint32_t node);

    [[nodiscard]] std::uint64_t messages() const { return messages_; }
    [[nodiscard]] const NetworkOptions& options() const { return options_; }

private:
    template <class Answer>
    friend class Reply;
    friend class detail::CallSlot;

    struct Link {
        std::uint32_t from = 0;
        std::uint32_t to = 0;
        std::int64_t last_arrival = 0;
        std::int64_t busy_until = 0;
        std::uint32_t epoch = 0; // counts breaks; what was sent before one does not arrive
        std::int64_t slowness = 1;
        std::uint32_t blocks = 0;
        Probability loss{};
        std::vector<LinkFault> faults;
        ReadyList stalled;
    };

    /// Whether and when a message arrives.
    struct Passage {
        Link* link = nullptr;
        bool stalled = false;
        Instant due{};
    };

    struct Pending {
        using Deliver = void (*)(Operation* task, void* answer);
        using Fail = void (*)(Operation* task, Failure failure);
        Operation* task = nullptr;
        Deliver deliver = nullptr;
        Fail fail = nullptr;
        Process* client = nullptr;
        std::uint32_t server = 0; // node
        std::uint32_t server_incarnation = 0;
        std::uint32_t generation = 0;
        std::uint32_t lose_answer = 0; // fault that does it
        const CallKind* kind = nullptr;
    };

    [[nodiscard]] Link& link(std::uint32_t from, std::uint32_t to);
    [[nodiscard]] Passage pass(Process& from, Node& to, const CallKind& kind, std::size_t bytes,
                               std::uint64_t subject);
    void note_stall(const Link& link, const CallKind& kind);
    void refresh(Link& link);
    void break_link(Link& link);
    [[nodiscard]] std::uint32_t open_slot(Pending pending);
    void close_slot(std::uint32_t index);
    /// What faults make of a call before it leaves.
    struct Admission {
        bool passes = true; // false: dropped
        Duration delay{};
        std::uint32_t forging = 0;
    };
    [[nodiscard]] bool is_watched() const;
    [[nodiscard]] Admission admit(std::uint32_t slot, const Process& client, const Node& server,
                                  const CallKind& kind, const std::vector<std::uint64_t>& about);
    [[nodiscard]] Forgery forgery(std::uint32_t fault) const;
    void note_forged(std::uint32_t fault, std::uint32_t slot, std::uint32_t generation,
                     const Process& server, std::string_view answer);
    void refuse(std::uint32_t slot, Node& server);
    void fail_later(std::uint32_t slot, Failure failure);
    void lost_answer(std::uint32_t slot, const Process& server);
    [[nodiscard]] static Process* running_process(Node& node);
    [[nodiscard]] static std::uint32_t id_of(const Node& node);
    [[nodiscard]] Node& node_of(std::uint32_t id);

    World& world_;
    Kernel& kernel_;
    const Random& random_;
    NetworkOptions options_;
    std::deque<Link> links_;
    std::vector<std::uint32_t> link_index_; // open addressing over links_, by (from, to)
    std::vector<Pending> pending_;
    std::vector<std::uint32_t> free_slots_;
    std::uint64_t messages_ = 0;
};

inline detail::CallSlot::~CallSlot() {
    if (network_ != nullptr) network_->close_slot(index_);
}

template <class Arrival>
void Network::send(Process& from, Node& to, const CallKind& kind, std::size_t bytes,
                   std::uint64_t subject, Arrival&& arrival) {
    Process* const receiver = running_process(to);
    if (receiver == nullptr || !from.is_alive()) return;
    const Passage passage = pass(from, to, kind, bytes, subject);
    if (passage.link == nullptr) return;
    auto arriving = [link = passage.link, epoch = passage.link->epoch, receiver,
                     arrive = std::forward<Arrival>(arrival)]() mutable {
        if (link->epoch == epoch) arrive(*receiver);
    };
    if (passage.stalled) {
        kernel_.shelve(passage.link->stalled, *receiver, std::move(arriving));
        note_stall(*passage.link, kind);
    } else {
        kernel_.at(*receiver, passage.due, std::move(arriving));
    }
}

template <class Answer, class Serve, class CompletionToken>
auto Network::async_call(Process& client, Node& server, const CallKind& kind, CallOptions options,
                         Serve serve, CompletionToken&& token) {
    return asio::async_initiate<CompletionToken, void(Outcome<Answer>)>(
        [](auto&& handler, Network* network, Process* caller, Node* callee, const CallKind* what,
           CallOptions how, Serve request) {
            using Waiter = detail::CallWaiter<Answer, std::decay_t<decltype(handler)>>;
            using Waiting = Task<Waiter>;
            Kernel& kernel = network->kernel_;
            Process* const receiver = running_process(*callee);
            Pending pending;
            pending.client = caller;
            pending.server = id_of(*callee);
            pending.server_incarnation = receiver == nullptr ? 0 : receiver->incarnation();
            pending.kind = what;
            pending.deliver = [](Operation* task, void* answer) {
                Kernel& home = task->process().kernel();
                home.take_back(static_cast<Waiting*>(task))
                    .finish(std::move(*static_cast<Answer*>(answer)));
            };
            pending.fail = [](Operation* task, Failure failure) {
                Kernel& home = task->process().kernel();
                home.take_back(static_cast<Waiting*>(task)).finish(failure);
            };
            const std::uint32_t slot = network->open_slot(pending);
            auto cancellation = asio::get_associated_cancellation_slot(handler);
            auto* task = kernel.at(
                *caller, kernel.now() + how.timeout,
                Waiter{std::forward<decltype(handler)>(handler), detail::CallSlot(*network, slot)});
            network->pending_[slot].task = task;
            if (cancellation.is_connected()) {
                cancellation.assign([task](asio::cancellation_type) {
                    Process& process = task->process();
                    Waiter waiter = process.kernel().take_back(task);
                    auto connected = asio::get_associated_cancellation_slot(waiter.handler);
                    process.kernel().post(process, [waiting = std::move(waiter)]() mutable {
                        std::move(waiting).finish(
                            Failure{asio::error::operation_aborted, Certainty::unknown});
                    });
                    connected.clear();
                });
            }
            if (!caller->is_alive()) return; // a ghost's request goes nowhere
            if (receiver == nullptr) return network->refuse(slot, *callee);
            Admission admission;
            if (network->is_watched()) {
                std::vector<std::uint64_t> about;
                if constexpr (requires { request.name(about); }) request.name(about);
                admission = network->admit(slot, *caller, *callee, *what, about);
                if (!admission.passes) return;
            }
            const std::uint32_t generation = network->pending_[slot].generation;
            auto arrive = [network, slot, generation, forging = admission.forging,
                           serving = std::move(request)](Process& at) mutable {
                serving(at, Reply<Answer>(*network, at, slot, generation, forging));
            };
            if (admission.delay > Duration{}) {
                // Held at the sender: the caller's own step sends it later, in no order with
                // others.
                kernel.at(*caller, kernel.now() + admission.delay,
                          [network, caller, callee, what, how, sent = std::move(arrive)]() mutable {
                              network->send(*caller, *callee, *what, how.bytes, how.subject,
                                            std::move(sent));
                          });
            } else {
                network->send(*caller, *callee, *what, how.bytes, how.subject, std::move(arrive));
            }
        },
        token, this, &client, &server, &kind, options, std::move(serve));
}

template <class Answer>
Forgery Reply<Answer>::forgery() const {
    return forging_ == 0 || network_ == nullptr ? Forgery{} : network_->forgery(forging_);
}

template <class Answer>
void Reply<Answer>::note_forged(std::string_view answer) const {
    network_->note_forged(forging_, slot_, generation_, *server_, answer);
}

template <class Answer>
void Reply<Answer>::operator()(Answer answer, std::size_t bytes) {
    Network* const network = std::exchange(network_, nullptr);
    if (network == nullptr || !server_->is_alive()) return;
    const Network::Pending& pending = network->pending_[slot_];
    if (pending.generation != generation_ || pending.task == nullptr)
        return; // nobody waits any more
    if (pending.lose_answer != 0) return network->lost_answer(slot_, *server_);
    network->send(*server_, network->node_of(pending.client->node()), *pending.kind, bytes, 0,
                  [network, slot = slot_, generation = generation_,
                   answered = std::move(answer)](Process& client) mutable {
                      const Network::Pending& waiting = network->pending_[slot];
                      if (waiting.generation != generation || waiting.client != &client) return;
                      waiting.deliver(waiting.task, &answered);
                  });
}

} // namespace crier::sim

template <>
struct boost::system::is_error_code_enum<crier::sim::CallError> : std::true_type {};
