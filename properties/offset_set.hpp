#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace crier::properties {

/// Offsets of one partition, one bit each.
class OffsetSet {
public:
    void add(std::uint64_t first, std::uint64_t end) {
        if (bits_.size() < end) bits_.resize(end);
        for (std::uint64_t at = first; at < end; ++at)
            bits_[at] = true;
    }

    /// Takes out [first, end).
    void remove(std::uint64_t first, std::uint64_t end) {
        for (std::uint64_t at = first; at < end && at < bits_.size(); ++at)
            bits_[at] = false;
    }

    [[nodiscard]] bool has(std::uint64_t offset) const {
        return offset < bits_.size() && bits_[offset];
    }

    /// Returns the first of them in [from, end), or `end`.
    [[nodiscard]] std::uint64_t first_in(std::uint64_t from, std::uint64_t end) const {
        while (from < end && !has(from))
            ++from;
        return from;
    }

    /// Returns one more than the highest offset that was ever added.
    [[nodiscard]] std::uint64_t size() const { return bits_.size(); }

private:
    std::vector<bool> bits_;
};

} // namespace crier::properties
