#include "sim/random.hpp"

#include <bit>

namespace crier::sim {

namespace {

// Returns -log2(u / 2^64) in 2^-32 units for u in [1, 2^64), by squaring: exact to the last bits
// and the same on every machine, which the floating-point logarithm is not.
std::uint64_t minus_log2(std::uint64_t u) {
    const int leading = std::countl_zero(u);
    std::uint64_t mantissa = u << leading; // in [2^63, 2^64): 1.63 fixed point
    std::uint64_t fraction = 0;
    for (int i = 0; i < 32; ++i) {
        const auto square = static_cast<UnsignedWide>(mantissa) * mantissa; // in [2^126, 2^128)
        fraction <<= 1;
        if ((square >> 127) != 0) {
            fraction |= 1;
            mantissa = static_cast<std::uint64_t>(square >> 64);
        } else {
            mantissa = static_cast<std::uint64_t>(square >> 63);
        }
    }
    // log2(u) = 63 - leading + fraction / 2^32
    const std::uint64_t log2 = (static_cast<std::uint64_t>(63 - leading) << 32) + fraction;
    return (std::uint64_t{64} << 32) - log2;
}

} // namespace

Duration Draw::exponential(Duration mean) const {
    constexpr std::uint64_t ln2 = 2977044472; // ln 2 in 2^-32 units
    const std::uint64_t log2 = minus_log2(bits_ == 0 ? 1 : bits_);
    const auto ln = static_cast<std::uint64_t>((static_cast<UnsignedWide>(log2) * ln2) >> 32);
    const auto scaled =
        (static_cast<UnsignedWide>(static_cast<std::uint64_t>(mean.count())) * ln) >> 32;
    return Duration(static_cast<std::int64_t>(scaled));
}

} // namespace crier::sim
