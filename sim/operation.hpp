#pragma once

#include "messaging/ports/clock.hpp"

#include <cstdint>

namespace crier::sim {

class Process;

/// A pending piece of work of one process, type-erased. It is in the process's list from creation to
/// its end, so that a crash finds it whatever it waits for: time, a turn, an answer.
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
    friend class Process;
    friend class Kernel;
    friend class ReadyList;
    template <class Handler>
    friend class Task;

    Function function_;
    Process* process_;
    Operation* previous_ = nullptr;
    Operation* next_ = nullptr;  // in the process's list
    Operation* follower_ = nullptr; // in a ready or held list
    std::uint64_t key_ = 0;      // turn among what is due at one instant
    std::uint64_t cause_ = 0;    // the history event that led to it
    std::uint32_t size_;
    enum class Place : std::uint8_t { nowhere, heap, list };
    Place place_ = Place::nowhere; // what else points to it, so that its memory must stay
};

/// First in, first out, through the operations themselves.
class ReadyList {
public:
    [[nodiscard]] bool empty() const { return head_ == nullptr; }
    [[nodiscard]] Operation* front() const { return head_; }

    void push(Operation* operation) {
        operation->follower_ = nullptr;
        (head_ == nullptr ? head_ : tail_->follower_) = operation;
        tail_ = operation;
    }

    Operation* pop() {
        Operation* operation = head_;
        head_ = operation->follower_;
        return operation;
    }

private:
    Operation* head_ = nullptr;
    Operation* tail_ = nullptr;
};

} // namespace crier::sim
