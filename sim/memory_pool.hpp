#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

namespace crier::sim {

/// Blocks of a few sizes, recycled through free lists; larger requests go to the allocator.
/// What was handed out must be given back before the pool goes.
class MemoryPool {
public:
    MemoryPool() = default;
    MemoryPool(const MemoryPool&) = delete;
    MemoryPool& operator=(const MemoryPool&) = delete;

    [[nodiscard]] void* allocate(std::size_t size) {
        const std::size_t index = class_of(size);
        if (index >= classes) return ::operator new(size);
        Free*& head = free_[index];
        if (head == nullptr) refill(index);
        Free* block = head;
        head = block->next;
        return block;
    }

    void release(void* block, std::size_t size) noexcept {
        const std::size_t index = class_of(size);
        if (index >= classes) {
            ::operator delete(block);
            return;
        }
        auto* free = static_cast<Free*>(block);
        free->next = free_[index];
        free_[index] = free;
    }

private:
    struct Free {
        Free* next;
    };
    static constexpr std::size_t granule = 64;
    static constexpr std::size_t classes = 8; // up to 512 bytes
    static constexpr std::size_t slab_bytes = 32768;

    struct alignas(64) Slab {
        std::array<std::byte, slab_bytes> bytes;
    };

    static constexpr std::size_t class_of(std::size_t size) {
        return (size + granule - 1) / granule - 1;
    }

    void refill(std::size_t index) {
        const std::size_t size = (index + 1) * granule;
        slabs_.push_back(std::make_unique<Slab>()); // aligned: small blocks are one cache line
        std::byte* slab = slabs_.back()->bytes.data();
        for (std::size_t at = slab_bytes / size; at-- > 0;) {
            auto* block = reinterpret_cast<Free*>(slab + at * size);
            block->next = free_[index];
            free_[index] = block;
        }
    }

    std::array<Free*, classes> free_{};
    std::vector<std::unique_ptr<Slab>> slabs_;
};

} // namespace crier::sim
