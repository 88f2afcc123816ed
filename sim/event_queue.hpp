#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/operation.hpp"

namespace crier::sim {

/// Operations by (time, key), the least first: a 4-ary heap of small entries. Cancelled operations stay
/// as tombstones until they surface or make up half of the heap.
class EventQueue {
public:
    struct Entry {
        std::int64_t time;
        std::uint64_t key;
        Operation* operation;

        [[nodiscard]] bool before(const Entry& other) const {
            return time < other.time || (time == other.time && key < other.key);
        }
    };

    [[nodiscard]] bool empty() const { return heap_.empty(); }
    [[nodiscard]] std::size_t size() const { return heap_.size(); }
    [[nodiscard]] const Entry& top() const { return heap_.front(); }

    void push(Entry entry) {
        std::size_t hole = heap_.size();
        heap_.push_back(entry);
        while (hole > 0) {
            const std::size_t parent = (hole - 1) / arity;
            if (!entry.before(heap_[parent])) break;
            heap_[hole] = heap_[parent];
            hole = parent;
        }
        heap_[hole] = entry;
    }

    Entry pop() {
        const Entry least = heap_.front();
        const Entry last = heap_.back();
        heap_.pop_back();
        if (!heap_.empty()) sink(0, last);
        return least;
    }

    /// Tells that one more operation in the heap became a tombstone.
    void note_tombstone() { ++tombstones_; }
    void note_tombstone_popped() { --tombstones_; }
    [[nodiscard]] bool wants_sweep() const {
        return tombstones_ > 64 && tombstones_ * 2 > heap_.size();
    }

    /// Removes all tombstones, handing each to `release`.
    template <class Release>
    void sweep(Release release) {
        const auto dead = std::stable_partition(heap_.begin(), heap_.end(), [](const Entry& entry) {
            return entry.operation->is_live();
        });
        for (auto entry = dead; entry != heap_.end(); ++entry) release(entry->operation);
        heap_.erase(dead, heap_.end());
        tombstones_ = 0;
        for (std::size_t at = heap_.size() / arity + 1; at-- > 0;) {
            if (at < heap_.size()) sink(at, heap_[at]);
        }
    }

private:
    static constexpr std::size_t arity = 4;

    void sink(std::size_t hole, Entry entry) {
        const std::size_t size = heap_.size();
        for (;;) {
            const std::size_t first = hole * arity + 1;
            if (first >= size) break;
            std::size_t least = first;
            const std::size_t end = std::min(first + arity, size);
            for (std::size_t child = first + 1; child < end; ++child) {
                if (heap_[child].before(heap_[least])) least = child;
            }
            if (!heap_[least].before(entry)) break;
            heap_[hole] = heap_[least];
            hole = least;
        }
        heap_[hole] = entry;
    }

    std::vector<Entry> heap_;
    std::size_t tombstones_ = 0;
};

} // namespace crier::sim
