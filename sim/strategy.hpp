#pragma once

#include "sim/random.hpp"

#include <memory>

namespace crier::sim {

/// Decides which node goes first among those that have work at one instant. The steps of one node
/// keep their order: a process is one thread.
class Strategy {
public:
    virtual ~Strategy() = default;

    /// Whether everything runs in the order in which it became due; then `rank` is not asked.
    [[nodiscard]] virtual bool is_in_order() const { return false; }

    /// Returns the rank (24 bits, lower first) of `node` for what falls due at `due`.
    [[nodiscard]] virtual std::uint32_t rank(std::uint32_t node, Instant due) = 0;
};

/// First due, first run.
class InOrder final : public Strategy {
public:
    [[nodiscard]] bool is_in_order() const override { return true; }
    [[nodiscard]] std::uint32_t rank(std::uint32_t, Instant) override { return 0; }
};

/// Nodes race: at each instant they go in an order drawn for that instant.
class SeededRandom final : public Strategy {
public:
    explicit SeededRandom(std::uint64_t seed) : random_(seed) {}

    [[nodiscard]] std::uint32_t rank(std::uint32_t node, Instant due) override {
        static constexpr Purpose turn{"schedule.turn"};
        const auto when = static_cast<std::uint64_t>(due.time_since_epoch().count());
        return static_cast<std::uint32_t>(random_.draw(turn, node, when).bits() >> 40);
    }

private:
    Random random_;
};

/// Nodes have fixed priorities, drawn once: some are always late, which finds races that a fair
/// order hides. Source: the priority idea of Burckhardt et al., "A randomized scheduler with
/// probabilistic guarantees of finding bugs" (PCT), without its change points.
class Priorities final : public Strategy {
public:
    explicit Priorities(std::uint64_t seed) : random_(seed) {}

    [[nodiscard]] std::uint32_t rank(std::uint32_t node, Instant) override {
        static constexpr Purpose priority{"schedule.priority"};
        return static_cast<std::uint32_t>(random_.draw(priority, node).bits() >> 40);
    }

private:
    Random random_;
};

enum class StrategyKind { in_order, random, priorities };

/// Returns a strategy of that kind for a run with this seed.
[[nodiscard]] std::unique_ptr<Strategy> make_strategy(StrategyKind kind, std::uint64_t seed);

} // namespace crier::sim
