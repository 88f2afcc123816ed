#include "broker-model/kafka/broker/client_quota.hpp"

#include <algorithm>
#include <numeric>

namespace crier::broker::kafka {

ClientQuota::Usage& ClientQuota::usage_at(std::uint64_t client, Instant now) {
    const std::int64_t number = now.time_since_epoch() / sample_length;
    Usage& usage = usages_[client];
    // Samples that nothing was counted in are empty.
    const std::int64_t passed = std::min(number - usage.newest, samples);
    for (std::int64_t at = 1; at <= passed; ++at) {
        usage.bytes[static_cast<std::size_t>((number - passed + at) % samples)] = 0;
    }
    usage.newest = number;
    return usage;
}

Duration ClientQuota::count(std::uint64_t client, std::int64_t bytes, Instant now) {
    Usage& usage = usage_at(client, now);
    usage.bytes[static_cast<std::size_t>(usage.newest % samples)] += bytes;
    const std::int64_t sum =
        std::accumulate(usage.bytes.begin(), usage.bytes.end(), std::int64_t{0});
    // All samples but the newest are whole.
    const Duration window = (samples - 1) * sample_length + now.time_since_epoch() % sample_length;
    const std::int64_t allowed = rate_ * (window / std::chrono::milliseconds(1)) / 1'000;
    if (sum <= allowed) return Duration{};
    // Until the mean over the window and the wait is the rate again.
    const std::int64_t excess_ms = (sum - allowed) * 1'000 / rate_;
    return std::chrono::milliseconds(excess_ms);
}

void ClientQuota::uncount(std::uint64_t client, std::int64_t bytes, Instant now) {
    Usage& usage = usage_at(client, now);
    usage.bytes[static_cast<std::size_t>(usage.newest % samples)] -= bytes;
}

} // namespace crier::broker::kafka
