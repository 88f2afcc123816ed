#pragma once

#include "messaging/ports/clock.hpp"
#include "sim/network.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Faults, scripted and drawn, in one grammar: what, on whom, when, for how long. The engine carries
// them out, ends them, and counts what each one hit. Which faults a seed gets is planned elsewhere.

namespace crier::sim {

class Node;
class World;

enum class FaultKind {
    crash,      ///< The process dies; it starts again when the fault ends.
    power_loss, ///< The machine dies: unsynced writes go; it starts again when the fault ends.
    stop,       ///< The process is told to stop, and killed if it has not when the fault ends; then
                ///< it starts again.
    pause,      ///< The process freezes.
    partition,  ///< Nothing passes between `nodes` and `peers`.
    slow_link,  ///< Latency between `nodes` and `peers` times `amount`.
    lossy_link, ///< `amount` packets of a million between `nodes` and `peers` are lost.
    reset,      ///< Connections between `nodes` and `peers` break, once.
    clock_jump, ///< The wall clock of `nodes` is off by `amount` nanoseconds.
    slow_disk,  ///< The disk of `nodes` is `amount` times as slow.
    full_disk,  ///< The disk of `nodes` takes no new data.
    failing_disk, ///< All I/O of `nodes` fails: of files that they read and write themselves.
    drop_request, ///< A call vanishes on its way.
    lose_answer,  ///< A call is executed, and its answer vanishes.
    delay_call,   ///< A call leaves late by `duration`.
    fail_call,    ///< A call is not executed: the server answers with the error `amount`.
    stale_answer, ///< The server answers a call with what was true before.
    act,          ///< `FaultSpec::act` does it, once.
};

/// A point that every process reaches before each of its steps: it dies there while it waits.
inline constexpr std::string_view await_point = "await";

/// Returns the name that scenarios and reports use: `power-loss`.
[[nodiscard]] std::string_view name_of(FaultKind kind);

/// When a fault begins.
struct FaultTrigger {
    enum class When {
        at,    ///< At a time.
        call,  ///< At the `nth` call of that kind from or to one of `nodes`.
        point, ///< When one of `nodes` reaches the named point for the `nth` time.
    };
    When when = When::at;
    Instant at{};                   ///< Of a call: those before do not count.
    std::string name;               ///< Of the call kind or point.
    std::uint32_t nth = 1;          ///< Counted over all of `nodes`, from 1.
    std::vector<std::string> about; ///< What a call must concern, all of it: topics, groups …
    std::uint32_t strikes = 1; ///< How many calls a fault of calls befalls, from the `nth` on; 0:
                               ///< all …
    Duration window{};         ///< … until so long after `at`; zero: until healing …
    Probability chance{1'000'000}; ///< … each with this probability.
};

struct FaultSpec {
    FaultKind kind = FaultKind::crash;
    std::vector<std::uint32_t> nodes;
    std::vector<std::uint32_t> peers; ///< The other side of a link fault; empty: all other nodes.
    bool one_way = false;             ///< A link fault only from `nodes` to `peers`.
    FaultTrigger trigger;
    Duration duration{}; ///< Until the fault ends by itself.
    std::int64_t amount = 0;
    std::uint32_t id = 0; ///< What history calls it; 0: its number here.
    std::string what;     ///< In words, for people: `crash billing/2 for 3s`.
    std::function<std::vector<std::uint32_t>()> resolve; ///< If set, gives `nodes` when asked.
    std::function<std::vector<std::uint32_t>()> resolve_peers; ///< If set, gives `peers`.
    bool thorough = false;     ///< A power loss takes everything that was not synced.
    std::function<bool()> act; ///< What `act` does. **Returns** whether it hit anything.
};

/// What became of a planned fault.
struct FaultRecord {
    FaultSpec spec;
    bool began = false;
    bool withheld = false;  ///< The fault budget was used up when it was due.
    std::uint64_t hits = 0; ///< Processes killed, messages held back, answers lost …
};

/// What a fault does to one call.
struct CallVerdict {
    enum class Action { pass, drop_request, lose_answer, delay, forge };
    Action action = Action::pass;
    Duration delay{};
    std::uint32_t fault = 0;
};

/// Names of what one call is about, as hashes: a topic, its partition, a group. In any order.
using CallNames = std::vector<std::uint64_t>;

/// Carries out the faults of one run, which it numbers from 1.
class FaultEngine final : StepGuard {
public:
    explicit FaultEngine(World& world) : world_(world) {}

    /// Adds a fault; those with a time must lie ahead. **Returns** its number.
    std::uint32_t add(FaultSpec spec);

    /// Asked before a fault begins on these nodes; on false it is withheld. Unset: all may begin.
    void set_budget(std::function<bool(FaultKind, std::span<const std::uint32_t>)> budget) {
        budget_ = std::move(budget);
    }

    /// Ends all faults that last, starts what is down, and lets no further fault begin.
    void heal();

    [[nodiscard]] bool is_healed() const { return healed_; }

    /// Whether any fault lasts.
    [[nodiscard]] bool is_active() const { return active_count_ > 0; }

    [[nodiscard]] std::span<const FaultRecord> records() const { return records_; }

    void note_hit(std::uint32_t fault) { ++records_[fault - 1].hits; }

    /// Whether any fault waits for calls; `on_call` need not be asked otherwise.
    [[nodiscard]] bool watches_calls() const { return call_watch_count_ > 0 && !healed_; }

    /// A call is about to leave.
    [[nodiscard]] CallVerdict on_call(const CallKind& kind, std::uint32_t client,
                                      std::uint32_t server, const CallNames& about);

    /// A process reached a named point; it may be dead when this returns.
    void on_point(std::uint32_t node, std::uint64_t point);

private:
    void before_step(Process& process) override;

    struct CallWatch {
        std::uint32_t fault;
        std::uint64_t kind;
        CallNames about;
        std::uint32_t left;    // matches until it begins
        std::uint32_t strikes; // still to come; 0: without end
        bool is_over = false;
    };

    struct PointWatch {
        std::uint32_t fault;
        std::uint64_t name;
        std::uint32_t left; // matches until it begins; 0: has begun
    };

    struct Active {
        std::vector<std::uint32_t> nodes;        // on which it took hold
        std::vector<std::uint32_t> incarnations; // of those, when it did
        bool lasts = false;
    };

    [[nodiscard]] bool matches(CallWatch& watch, std::uint32_t client, std::uint32_t server,
                               const CallNames& about);
    void close(CallWatch& watch);
    void note_end(const FaultSpec& spec);
    [[nodiscard]] CallVerdict strike(std::uint32_t id);
    void begin(std::uint32_t id);
    void perform(std::uint32_t id);
    void take_hold(std::uint32_t id, std::uint32_t node, Active& active);
    void let_go(std::uint32_t id);
    void set_disk(Node& node);
    void change_links(std::uint32_t id, const std::vector<std::uint32_t>& nodes);
    [[nodiscard]] std::vector<std::uint32_t>
    peers_of(const FaultSpec& spec, const std::vector<std::uint32_t>& nodes) const;

    World& world_;
    const std::uint64_t await_ = hash_text(await_point);
    std::vector<FaultRecord> records_;
    std::vector<Active> active_;
    std::vector<CallWatch> call_watches_;
    std::vector<PointWatch> point_watches_;
    std::uint32_t call_watch_count_ = 0;
    std::uint32_t active_count_ = 0;
    std::function<bool(FaultKind, std::span<const std::uint32_t>)> budget_;
    bool healed_ = false;
};

} // namespace crier::sim
