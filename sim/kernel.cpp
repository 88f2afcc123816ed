#include "sim/kernel.hpp"

namespace crier::sim {

namespace {

constexpr unsigned turn_bits = 40;

// What must hold also when a step throws: the step is over, and a ghost's frames are gone.
template <class End>
struct AtExit {
    End end;
    ~AtExit() { end(); }
};
template <class End>
AtExit(End) -> AtExit<End>;

} // namespace

void Process::kill() {
    alive_ = false;
    if (kernel_.current_ != this) reap();
}

void Process::reap() {
    // Destroying handlers unwinds coroutines, which end further operations. What they hand to the
    // executor is dropped, since we are dead. Their destructors run as this process: what they
    // record is a ghost's.
    Process* const outer = std::exchange(kernel_.current_, this);
    kernel_.discard_all_of(*this);
    asio::execution_context::shutdown(); // coroutines that wait in channels of this process
    state_.reset();
    kernel_.discard_all_of(*this);
    kernel_.current_ = outer;
    while (!held_.empty())
        kernel_.release(held_.pop());
}

std::uint64_t Process::resume() {
    std::uint64_t held_count = 0;
    paused_ = false;
    while (!held_.empty())
        held_count += kernel_.unshelve(held_, kernel_.now()) ? 1 : 0;
    return held_count;
}

void Kernel::discard_all_of(Process& process) {
    sweeps_ = false; // the heap is walked by index
    while (process.pending_count_ > 0) {
        for (std::size_t at = 0; at < queue_.size(); ++at) {
            Operation* const operation = queue_.at(at).operation;
            if (operation->process_ == &process && operation->is_live()) discard(operation);
        }
        discard_in(ready_, process);
        discard_in(process.held_, process);
        for (const ReadyList* shelf : shelves_)
            discard_in(*shelf, process);
    }
    sweeps_ = true;
}

void Kernel::discard_in(const ReadyList& list, const Process& process) {
    for (Operation* at = list.front(); at != nullptr; at = at->next_) {
        if (at->process_ == &process && at->is_live()) discard(at);
    }
}

void Kernel::put(ReadyList& list, Operation* operation) {
    operation->place_ = Operation::Place::list;
    list.push(operation);
}

bool Kernel::unshelve(ReadyList& shelf, Instant due) {
    Operation* operation = shelf.pop();
    operation->place_ = Operation::Place::nowhere;
    const bool is_live = operation->is_live();
    if (is_live) {
        enqueue(operation, due);
    } else {
        release(operation);
    }
    return is_live;
}

Kernel::~Kernel() {
    while (!ready_.empty())
        release(ready_.pop());
    while (!queue_.empty())
        release(queue_.pop().operation);
}

void Kernel::enqueue(Operation* operation, Instant due) {
    if (due < now_) due = now_;
    const std::uint64_t rank =
        in_order_ ? 0 : strategy_.rank(operation->process_->node(), due) & 0xFFFFFF;
    operation->key_ = (rank << turn_bits) | ++turns_;
    if (in_order_ && due == now_) {
        put(ready_, operation);
    } else {
        operation->place_ = Operation::Place::heap;
        queue_.push({due.time_since_epoch().count(), operation});
    }
}

void Kernel::discard(Operation* operation) {
    operation->function_(operation, Operation::Action::destroy);
}

// The handler is gone. The memory goes too, unless a queue still points to it.
void Kernel::retire(Operation* operation) {
    --operation->process_->pending_count_;
    if (operation->place_ == Operation::Place::nowhere) {
        release(operation);
        return;
    }
    operation->function_ = nullptr;
    if (operation->place_ == Operation::Place::heap) {
        queue_.note_tombstone();
        if (sweeps_ && queue_.wants_sweep())
            queue_.sweep([this](Operation* dead) { release(dead); });
    }
}

Operation* Kernel::take(Instant limit) {
    const auto last = limit.time_since_epoch().count();
    for (;;) {
        const bool timed = !queue_.empty() && queue_.top().time <= last;
        if (!ready_.empty() && (!timed || queue_.top().time > now_.time_since_epoch().count() ||
                                ready_.front()->key_ < queue_.top().operation->key_)) {
            Operation* operation = ready_.pop();
            if (operation->is_live()) return operation;
            release(operation);
            continue;
        }
        if (!timed) return nullptr;
        const EventQueue::Entry entry = queue_.pop();
        if (!entry.operation->is_live()) {
            queue_.note_tombstone_popped();
            release(entry.operation);
            continue;
        }
        const Instant due{Duration(entry.time)};
        if (due > now_) {
            now_ = due;
            steps_at_now_ = 0;
        }
        return entry.operation;
    }
}

bool Kernel::step(Instant limit) {
    for (;;) {
        Operation* operation = take(limit);
        if (operation == nullptr) return false;
        if (operation->process_->paused_) {
            put(operation->process_->held_, operation);
            continue;
        }
        operation->place_ = Operation::Place::nowhere;
        run(operation);
        return true;
    }
}

void Kernel::run(Operation* operation) {
    Process& process = *operation->process_;
    ++steps_;
    ++steps_at_now_;
    cause_ = operation->cause_;
    current_ = &process;
    if (watch_ != nullptr) {
        watch_->node.store(process.node(), std::memory_order_relaxed);
        watch_->steps.store(steps_, std::memory_order_relaxed);
    }
    const AtExit end{[this, &process] {
        current_ = nullptr;
        if (!process.alive_) process.reap();
    }};
    if (guard_ != nullptr) guard_->before_step(process);
    operation->function_(operation,
                         process.alive_ ? Operation::Action::run : Operation::Action::destroy);
}

} // namespace crier::sim
