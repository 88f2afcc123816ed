#include "properties/index.hpp"

namespace crier::properties {

std::uint32_t Index::insert(std::uint64_t key) {
    if (keys_.size() * 2 >= slots_.size()) grow();
    const std::size_t slot = slot_of(key);
    if (slots_[slot] == 0) {
        keys_.push_back(key);
        slots_[slot] = size();
    }
    return slots_[slot] - 1;
}

std::optional<std::uint32_t> Index::find(std::uint64_t key) const {
    if (slots_.empty()) return std::nullopt;
    const std::uint32_t found = slots_[slot_of(key)];
    if (found == 0) return std::nullopt;
    return found - 1;
}

/// Keys are hashes already, so their low bits are as good as any.
std::size_t Index::slot_of(std::uint64_t key) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t slot = key & mask;
    while (slots_[slot] != 0 && keys_[slots_[slot] - 1] != key)
        slot = (slot + 1) & mask;
    return slot;
}

void Index::grow() {
    slots_.assign(slots_.empty() ? 16 : slots_.size() * 2, 0);
    for (std::uint32_t number = 0; number < size(); ++number) {
        slots_[slot_of(keys_[number])] = number + 1;
    }
}

} // namespace crier::properties
