#pragma once

#include "messaging/ports/ensure.hpp"
#include "sim/event_queue.hpp"
#include "sim/memory_pool.hpp"
#include "sim/strategy.hpp"

#include <atomic>
#include <boost/asio/execution.hpp>
#include <boost/asio/execution_context.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// Virtual time and turns. A kernel runs the operations of processes one after another, ordered by
// (time, key); a process is what a crash destroys at once. Nothing here knows nodes, networks or
// faults.

namespace crier::sim {

class Kernel;
class Process;

/// Runs what is handed to it as a turn of one process. What a dead process is handed is destroyed
/// unrun: so Asio's own unwinding of coroutines, which posts their frames, ends them at once.
class Executor {
public:
    explicit Executor(Process& process) noexcept : process_(&process) {}

    template <class Function>
    void execute(Function&& function) const;

    [[nodiscard]] asio::execution_context& query(asio::execution::context_t) const noexcept;
    static constexpr asio::execution::blocking_t query(asio::execution::blocking_t) noexcept {
        return asio::execution::blocking.never;
    }

    friend bool operator==(const Executor&, const Executor&) noexcept = default;

    [[nodiscard]] Process& process() const noexcept { return *process_; }

private:
    Process* process_;
};

/// One life of a simulated process: the Asio execution context of its coroutines, and what ends at
/// once when it dies. Once dead it stays dead; a restart is another `Process`.
class Process : public asio::execution_context {
public:
    Process(Kernel& kernel, std::uint32_t node, std::uint32_t incarnation)
        : kernel_(kernel), node_(node), incarnation_(incarnation) {}
    ~Process() { kill(); }

    [[nodiscard]] Kernel& kernel() const { return kernel_; }
    [[nodiscard]] std::uint32_t node() const { return node_; }
    [[nodiscard]] std::uint32_t incarnation() const { return incarnation_; }
    [[nodiscard]] Executor executor() { return Executor(*this); }

    /// Whether it still acts on the world. False from the instant of death, also while its current
    /// step still runs on as a ghost.
    [[nodiscard]] bool is_alive() const { return alive_; }
    [[nodiscard]] bool is_paused() const { return paused_; }

    /// Ends the process. In the middle of its own step it becomes a ghost, whose frames go when the
    /// step is over; otherwise coroutines and pending operations are destroyed before this returns.
    void kill();

    /// Freezes the process: what falls due is held back.
    void pause() { paused_ = true; }

    /// Lets it go on, in the order in which things fell due. **Returns** how many were held back.
    std::uint64_t resume();

    /// Keeps `state` until the process is dead and its frames are gone.
    void own(std::shared_ptr<void> state) { state_ = std::move(state); }

private:
    friend class Kernel;

    void reap();

    Kernel& kernel_;
    std::uint32_t node_;
    std::uint32_t incarnation_;
    bool alive_ = true;
    bool paused_ = false;
    std::uint64_t pending_count_ = 0; // operations that a crash would have to find
    ReadyList held_;
    std::shared_ptr<void> state_;
};

/// An operation that holds a handler. The handler may end before the operation's memory does, which
/// stays as a tombstone while a queue points to it; hence the union.
template <class Handler>
class Task final : public Operation {
public:
    template <class Source>
    Task(Process& process, Source&& handler)
        : Operation(process, &act, sizeof(Task)), handler_(std::forward<Source>(handler)) {}
    ~Task() {}

private:
    friend class Kernel;

    static void act(Operation* operation, Action action);

    union {
        Handler handler_;
    };
};

/// Told of each step before it is made.
class StepGuard {
public:
    virtual ~StepGuard() = default;

    /// A step of `process` is about to run; if this kills it, the step is not made.
    virtual void before_step(Process& process) = 0;
};

/// What a watchdog sees of a run.
struct StepWatch {
    std::atomic<std::uint64_t> steps{0};
    std::atomic<std::uint32_t> node{0};
};

/// The turns of one run.
class Kernel {
public:
    explicit Kernel(Strategy& strategy) : strategy_(strategy) {}
    ~Kernel();
    Kernel(const Kernel&) = delete;
    Kernel& operator=(const Kernel&) = delete;

    /// Returns the virtual time; the run starts at zero.
    [[nodiscard]] Instant now() const { return now_; }

    /// Returns the process whose step is running, or null between steps.
    [[nodiscard]] Process* current() const { return current_; }

    /// Whether something recorded now would come from a ghost.
    [[nodiscard]] bool is_ghost() const { return current_ != nullptr && !current_->alive_; }

    /// Runs `handler()` as a step of `process` at `due`, or now when that has passed.
    template <class Handler>
    Task<std::decay_t<Handler>>* at(Process& process, Instant due, Handler&& handler);

    /// Runs `handler()` as a step of `process` now, after this step.
    template <class Handler>
    void post(Process& process, Handler&& handler);

    /// Ends a pending operation and returns its handler.
    template <class Handler>
    [[nodiscard]] Handler take_back(Task<Handler>* task);

    /// Destroys an operation and its handler unrun.
    void discard(Operation* operation);

    /// Names a list on which operations may wait for something other than time; crashes look there.
    void add_shelf(ReadyList& shelf) { shelves_.push_back(&shelf); }

    /// Keeps `handler` on a shelf that was added before.
    template <class Handler>
    void shelve(ReadyList& shelf, Process& process, Handler&& handler);

    /// Takes the first of a shelf, and lets it run at `due`. **Returns** whether it was still live.
    bool unshelve(ReadyList& shelf, Instant due);

    /// Runs the next step, if there is one at or before `limit`. **Returns** false otherwise.
    /// An exception that escapes the step's handler escapes here, after the step was closed.
    bool step(Instant limit);

    /// Moves time to `limit` when nothing is due before.
    void advance_to(Instant limit) {
        if (now_ < limit) now_ = limit;
    }

    [[nodiscard]] std::uint64_t steps() const { return steps_; }
    [[nodiscard]] std::size_t pending() const { return queue_.size(); }

    /// Returns the steps made since virtual time last moved.
    [[nodiscard]] std::uint64_t steps_at_now() const { return steps_at_now_; }

    /// The history event to which what happens now is due; operations inherit it.
    [[nodiscard]] std::uint64_t cause() const { return cause_; }
    void set_cause(std::uint64_t cause) { cause_ = cause; }

    /// Asks `guard` before each step from now on; null: nobody. It must be
    /// there as long as steps are made.
    void set_guard(StepGuard* guard) { guard_ = guard; }

    /// Shows a watchdog on another thread which node's step runs, and that steps are made.
    void show_to(StepWatch* watch) { watch_ = watch; }

private:
    friend class Process;
    template <class Handler>
    friend class Task;

    template <class Handler>
    Task<std::decay_t<Handler>>* make(Process& process, Handler&& handler);

    void enqueue(Operation* operation, Instant due);
    void put(ReadyList& list, Operation* operation);
    void discard_all_of(Process& process);
    void discard_in(const ReadyList& list, const Process& process);
    void release(Operation* operation) { pool_.release(operation, operation->size_); }
    void retire(Operation* operation);
    Operation* take(Instant limit);
    void run(Operation* operation);

    Strategy& strategy_;
    std::vector<ReadyList*> shelves_;
    bool sweeps_ = true;
    Instant now_{};
    EventQueue queue_;
    ReadyList ready_;
    MemoryPool pool_;
    Process* current_ = nullptr;
    std::uint64_t turns_ = 0;
    std::uint64_t steps_ = 0;
    std::uint64_t steps_at_now_ = 0;
    std::uint64_t cause_ = 0;
    StepWatch* watch_ = nullptr;
    StepGuard* guard_ = nullptr;
    bool in_order_ = strategy_.is_in_order();
};

template <class Handler>
void Task<Handler>::act(Operation* operation, Action action) {
    auto* task = static_cast<Task*>(operation);
    Handler handler(std::move(task->handler_));
    task->handler_.~Handler();
    task->process().kernel().retire(
        operation); // before the handler: its next operation takes the memory
    if (action == Action::run) std::move(handler)();
}

template <class Handler>
Task<std::decay_t<Handler>>* Kernel::make(Process& process, Handler&& handler) {
    using TaskType = Task<std::decay_t<Handler>>;
    static_assert(alignof(TaskType) <= alignof(std::max_align_t));
    auto* task =
        new (pool_.allocate(sizeof(TaskType))) TaskType(process, std::forward<Handler>(handler));
    Operation* operation = task;
    operation->cause_ = cause_;
    ++process.pending_count_;
    return task;
}

template <class Handler>
Task<std::decay_t<Handler>>* Kernel::at(Process& process, Instant due, Handler&& handler) {
    auto* task = make(process, std::forward<Handler>(handler));
    enqueue(task, due);
    return task;
}

template <class Handler>
void Kernel::post(Process& process, Handler&& handler) {
    enqueue(make(process, std::forward<Handler>(handler)), now_);
}

template <class Handler>
void Kernel::shelve(ReadyList& shelf, Process& process, Handler&& handler) {
    put(shelf, make(process, std::forward<Handler>(handler)));
}

template <class Handler>
Handler Kernel::take_back(Task<Handler>* task) {
    Handler handler(std::move(task->handler_));
    task->handler_.~Handler();
    retire(task);
    return handler;
}

template <class Function>
void Executor::execute(Function&& function) const {
    Process& process = *process_;
    if (process.is_alive()) {
        process.kernel().post(process, std::forward<Function>(function));
    } else {
        const std::decay_t<Function> dropped(std::forward<Function>(function));
        (void)dropped;
    }
}

inline asio::execution_context& Executor::query(asio::execution::context_t) const noexcept {
    return *process_;
}

} // namespace crier::sim
