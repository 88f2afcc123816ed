#include "sim/strategy.hpp"

#include "messaging/ports/ensure.hpp"

namespace crier::sim {

std::unique_ptr<Strategy> make_strategy(StrategyKind kind, std::uint64_t seed) {
    switch (kind) {
    case StrategyKind::in_order: return std::make_unique<InOrder>();
    case StrategyKind::random: return std::make_unique<SeededRandom>(seed);
    case StrategyKind::priorities: return std::make_unique<Priorities>(seed);
    }
    ensure(false, "an unknown strategy");
    return nullptr;
}

} // namespace crier::sim
