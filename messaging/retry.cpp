#include "messaging/retry.hpp"

#include <algorithm>
#include <cstdint>

namespace crier::messaging {

std::vector<std::string> RetryPolicy::validate() const {
    std::vector<std::string> problems;
    if (attempts < 1) problems.emplace_back("attempts must be at least 1");
    if (backoff < Duration::zero()) problems.emplace_back("backoff must not be negative");
    if (factor < 1) problems.emplace_back("factor must be at least 1");
    if (backoff_max < backoff) problems.emplace_back("backoff-max must not be less than backoff");
    if (jitter < 0 || jitter > 100) problems.emplace_back("jitter must be 0 to 100 percent");
    return problems;
}

Duration retry_delay(const RetryPolicy& policy, Ids& ids, std::string_view purpose,
                     std::string_view subject, int failures) {
    Duration delay = policy.backoff;
    for (int step = 1; step < failures && delay < policy.backoff_max; ++step) {
        // Compared by division, since the product may not fit.
        delay =
            delay > policy.backoff_max / policy.factor ? policy.backoff_max : delay * policy.factor;
        if (delay == Duration::zero()) break;
    }
    delay = std::min(delay, policy.backoff_max);
    const Duration::rep reach = delay.count() / 100 * policy.jitter;
    if (reach == 0) return delay;
    const std::uint64_t bits = ids.draw(purpose, subject, static_cast<std::uint64_t>(failures));
    const std::uint64_t range = 2 * static_cast<std::uint64_t>(reach) + 1;
    return delay - Duration(reach) + Duration(static_cast<Duration::rep>(bits % range));
}

} // namespace crier::messaging
