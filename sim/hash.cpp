#include "sim/hash.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace crier::sim {

std::uint64_t hash_text(std::string_view text) noexcept {
    const std::uint64_t hash = XXH3_64bits(text.data(), text.size());
    return hash == 0 ? 1 : hash;
}

} // namespace crier::sim
