#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace crier::properties {

/// Numbers 64-bit hashes 0, 1, 2 … in the order of their first insertion. Lookup only: whoever
/// wants to go through them goes through the numbers, so no order depends on how hashes fall.
class Index {
public:
    /// Returns the number of `key`, a new one if it is not there yet.
    std::uint32_t insert(std::uint64_t key);

    /// Returns the number of `key` if it is there.
    [[nodiscard]] std::optional<std::uint32_t> find(std::uint64_t key) const;

    [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(keys_.size()); }
    [[nodiscard]] std::uint64_t key(std::uint32_t number) const { return keys_[number]; }

private:
    [[nodiscard]] std::size_t slot_of(std::uint64_t key) const;
    void grow();

    std::vector<std::uint64_t> keys_;  // by number
    std::vector<std::uint32_t> slots_; // number + 1, or 0; a power of two, at most half full
};

/// Values by number, made when they are first touched.
template <class T>
class ByNumber {
public:
    [[nodiscard]] decltype(auto) at(std::uint32_t number) {
        if (number >= values_.size()) values_.resize(number + std::size_t{1});
        return values_[number];
    }

    /// Returns a default value for what was never touched.
    [[nodiscard]] T get(std::uint32_t number) const {
        return number < values_.size() ? values_[number] : T{};
    }

private:
    std::vector<T> values_;
};

} // namespace crier::properties
