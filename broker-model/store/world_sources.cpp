#include "broker-model/store/world_sources.hpp"

#include "sim/world.hpp"

namespace crier::broker {

std::uint64_t WorldSources::random(std::uint64_t index) {
    static constexpr sim::Purpose sql_random{"store.random"};
    if (node_ == nullptr) return 0;
    const sim::Draw draw = node_->world().random().draw(
        sql_random, node_->id(), client_,
        static_cast<std::uint64_t>(arrived_.time_since_epoch().count()), index);
    return draw.bits();
}

WallTime WorldSources::wall_now() {
    if (node_ == nullptr) return sim::WallClock{}.read(Instant{});
    return node_->wall_clock().read(node_->world().now());
}

} // namespace crier::broker
