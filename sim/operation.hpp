#pragma once

#include "messaging/ports/clock.hpp"

#include <cstdint>

namespace crier::sim {

class Process;

/// A pending piece of work of one process, type-erased. A crash finds it whatever it waits for:
/// time or a turn, in the kernel's queues; the end of a pause or of a partition, on a shelf.
class Operation {
public:
    enum class Action { run, destroy };
    using Function = void (*)(Operation*, Action);

    Operation(Process& process, Function function, std::uint32_t size)
        : function_(function), process_(&process), size_(size) {}
    Operation(const Operation&) = delete;
    Operation& operator=(const Operation&) = delete;

    [[nodiscard]] Process& process() const { return *process_; }

    /// Whether the work is still to be done; a cancelled operation is only memory in the queue.
    [[nodiscard]] bool is_live() const { return function_ != nullptr; }

private:
    friend class Kernel;
    friend class EventQueue;
    friend class ReadyList;
    template <class Handler>
    friend class Task;

    enum class Place : std::uint8_t { nowhere, heap, list };

    Function function_;
    Process* process_;
    Operation* next_ = nullptr; // in a list
    std::uint64_t key_ = 0;     // turn among what is due at one instant
    std::uint64_t cause_ = 0;   // the history event that led to it
    std::uint32_t size_;
    Place place_ = Place::nowhere; // what points to it, so that its memory must stay
};

/// First in, first out, through the operations themselves.
class ReadyList {
public:
    [[nodiscard]] bool empty() const { return head_ == nullptr; }
    [[nodiscard]] Operation* front() const { return head_; }

    void push(Operation* operation) {
        operation->next_ = nullptr;
        (head_ == nullptr ? head_ : tail_->next_) = operation;
        tail_ = operation;
    }

    Operation* pop() {
        Operation* operation = head_;
        head_ = operation->next_;
        return operation;
    }

private:
    Operation* head_ = nullptr;
    Operation* tail_ = nullptr;
};

} // namespace crier::sim
