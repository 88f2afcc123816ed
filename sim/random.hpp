#pragma once

#include "messaging/ports/clock.hpp"
#include "sim/hash.hpp"

#include <concepts>
#include <cstdint>

// Random numbers keyed by what is being decided. A draw is a pure function of (seed, purpose,
// subject): there is no stream to advance, so leaving one decision out moves no other.

namespace crier::sim {

/// What a draw is for: `constexpr Purpose latency{"network.latency"};`
struct Purpose {
    std::uint64_t id;

    consteval explicit Purpose(std::string_view name) : id(hash_literal(name)) {}
};

/// A probability as an integer ratio.
struct Probability {
    std::uint32_t per_million = 0;

    friend bool operator==(Probability, Probability) = default;
};

/// One draw: 64 uniform bits and the integer distributions over them.
class Draw {
public:
    constexpr explicit Draw(std::uint64_t bits) : bits_(bits) {}

    [[nodiscard]] constexpr std::uint64_t bits() const { return bits_; }

    /// Returns a uniform number below `bound` (1 or more), by multiplication: no modulo bias to
    /// speak of.
    [[nodiscard]] constexpr std::uint64_t below(std::uint64_t bound) const {
        return static_cast<std::uint64_t>((static_cast<UnsignedWide>(bits_) * bound) >> 64);
    }

    /// Returns a uniform duration in [low, high].
    [[nodiscard]] constexpr Duration between(Duration low, Duration high) const {
        if (high <= low) return low;
        const auto span = static_cast<std::uint64_t>((high - low).count()) + 1;
        return low + Duration(static_cast<std::int64_t>(below(span)));
    }

    /// Returns whether an event of this probability happens.
    [[nodiscard]] constexpr bool happens(Probability probability) const {
        return below(1'000'000) < probability.per_million;
    }

    /// Returns an exponentially distributed duration with this mean, in integers only:
    /// -ln(u) by a table-free bitwise logarithm in 2^-32 units.
    [[nodiscard]] Duration exponential(Duration mean) const;

    /// Returns another draw that follows from this one, for a second number of one decision.
    [[nodiscard]] constexpr Draw next(std::uint64_t index) const {
        return Draw(mix(bits_, index + 1));
    }

private:
    std::uint64_t bits_;
};

/// The source of all draws of one run.
class Random {
public:
    explicit Random(std::uint64_t seed) : seed_(seed) {}

    [[nodiscard]] std::uint64_t seed() const { return seed_; }

    /// Returns the draw for one decision: `draw(latency, from, to, sent_at)`.
    template <class... Subject>
    requires(std::convertible_to<Subject, std::uint64_t>&&...) [[nodiscard]] Draw
        draw(Purpose purpose, Subject... subject) const {
        std::uint64_t bits = mix(seed_, purpose.id);
        ((bits = mix(bits, static_cast<std::uint64_t>(subject))), ...);
        return Draw(bits);
    }

private:
    std::uint64_t seed_;
};

} // namespace crier::sim
