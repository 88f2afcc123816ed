#pragma once

#include <cstdint>
#include <string_view>

// The hashes of the simulator, the same on every machine and compiler: XXH3 for texts of a run,
// FNV-1a for names that are known when it is compiled.

namespace crier::sim {

__extension__ using UnsignedWide = unsigned __int128; ///< For products of two words.
__extension__ using SignedWide = __int128;

/// Returns the 64-bit hash of `text`; never 0, so that 0 can mean "none".
[[nodiscard]] std::uint64_t hash_text(std::string_view text) noexcept;

/// Returns a well-mixed combination of two words (the SplitMix64 finaliser over their sum of
/// products).
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
    std::uint64_t x = a * 0x9E3779B97F4A7C15u + (b ^ 0xD1B54A32D192ED03u);
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

/// Returns a hash of a literal at compile time (FNV-1a, then mixed); for names of purposes.
[[nodiscard]] constexpr std::uint64_t hash_literal(std::string_view text) noexcept {
    std::uint64_t hash = 0xCBF29CE484222325u;
    for (const char c : text)
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
    return mix(hash, text.size());
}

} // namespace crier::sim
