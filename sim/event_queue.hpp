#pragma once

#include "sim/operation.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

namespace crier::sim {

/// Operations by (time, key), the least first: a 4-ary heap whose entries are two words, so that
/// the four children of one are one cache line. Keys stay in the operations, since times seldom
/// tie. Cancelled operations stay as tombstones until they surface or make up half of the heap.
class EventQueue {
public:
    struct Entry {
        std::int64_t time;
        Operation* operation;

        [[nodiscard]] bool before(const Entry& other) const {
            return time < other.time ||
                   (time == other.time && operation->key_ < other.operation->key_);
        }
    };

    EventQueue() : heap_(padding) {}

    [[nodiscard]] bool empty() const { return size() == 0; }
    [[nodiscard]] std::size_t size() const { return heap_.size() - padding; }
    [[nodiscard]] const Entry& top() const { return heap_[padding]; }

    /// Returns the entry at `index` of the heap, in no order that means anything; for crashes.
    [[nodiscard]] const Entry& at(std::size_t index) const { return heap_[index + padding]; }

    void push(Entry entry) {
        std::size_t hole = size();
        heap_.push_back(entry);
        while (hole > 0) {
            const std::size_t parent = (hole - 1) / arity;
            if (!entry.before(slot(parent))) break;
            slot(hole) = slot(parent);
            hole = parent;
        }
        slot(hole) = entry;
    }

    Entry pop() {
        const Entry least = slot(0);
        const Entry last = heap_.back();
        heap_.pop_back();
        if (!empty()) {
            sink(0, last);
            __builtin_prefetch(slot(0).operation); // its turn is next, most likely
        }
        return least;
    }

    /// Tells that one more operation in the heap became a tombstone, or that one surfaced.
    void note_tombstone() { ++tombstones_; }
    void note_tombstone_popped() { --tombstones_; }
    [[nodiscard]] bool wants_sweep() const { return tombstones_ > 64 && tombstones_ * 2 > size(); }

    /// Removes all tombstones, handing each to `release`.
    template <class Release>
    void sweep(Release release) {
        std::size_t kept = 0;
        for (std::size_t at = 0; at < size(); ++at) {
            if (slot(at).operation->is_live()) {
                slot(kept++) = slot(at);
            } else {
                release(slot(at).operation);
            }
        }
        heap_.resize(kept + padding);
        tombstones_ = 0;
        for (std::size_t at = kept / arity + 1; at-- > 0;) {
            if (at < kept) sink(at, slot(at));
        }
    }

private:
    static constexpr std::size_t arity = 4;
    static constexpr std::size_t padding = 3; // puts the children of each entry on one line

    template <class T>
    struct LineAllocator {
        using value_type = T;
        static constexpr std::align_val_t line{64};

        LineAllocator() = default;
        template <class U>
        LineAllocator(const LineAllocator<U>&) {}
        T* allocate(std::size_t count) {
            return static_cast<T*>(::operator new(count * sizeof(T), line));
        }
        void deallocate(T* memory, std::size_t) { ::operator delete(memory, line); }
        friend bool operator==(const LineAllocator&, const LineAllocator&) { return true; }
    };

    [[nodiscard]] Entry& slot(std::size_t index) { return heap_[index + padding]; }

    void sink(std::size_t hole, Entry entry) {
        const std::size_t end = size();
        for (;;) {
            const std::size_t first = hole * arity + 1;
            if (first >= end) break;
            std::size_t least = first;
            const std::size_t last = std::min(first + arity, end);
            for (std::size_t child = first + 1; child < last; ++child) {
                if (slot(child).before(slot(least))) least = child;
            }
            if (!slot(least).before(entry)) break;
            slot(hole) = slot(least);
            hole = least;
        }
        slot(hole) = entry;
    }

    std::vector<Entry, LineAllocator<Entry>> heap_;
    std::size_t tombstones_ = 0;
};

} // namespace crier::sim
