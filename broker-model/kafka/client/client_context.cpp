#include "broker-model/kafka/client/client_context.hpp"

#include <algorithm>

namespace crier::broker::kafka {

Duration ClientContext::backoff(Duration first, Duration longest, int attempt,
                                std::uint64_t subject) const {
    static constexpr sim::Purpose jitter{"kafka.client.backoff"};
    Duration base = std::min(first, longest);
    for (int doubled = 1; doubled < attempt && base < longest; ++doubled) {
        base = std::min(base * 2, longest);
    }
    const sim::Draw drawn = draw(jitter, subject, static_cast<std::uint64_t>(attempt));
    return drawn.between(base * 8 / 10, base * 12 / 10);
}

BrokerId ClientContext::any_broker(std::uint64_t failures) const {
    static constexpr sim::Purpose choice{"kafka.client.any-broker"};
    const auto when = static_cast<std::uint64_t>(now().time_since_epoch().count());
    const std::uint64_t count = cluster_.broker_count();
    const sim::Draw drawn = draw(choice, failures == 0 ? when : 0, 0);
    return static_cast<BrokerId>(1 + (drawn.below(count) + failures) % count);
}

} // namespace crier::broker::kafka
