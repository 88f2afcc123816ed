#pragma once

#include "messaging/ports/clock.hpp"

#include <array>
#include <cstdint>
#include <map>

// How many bytes a second each client may send or fetch, and how long one that had more has to be
// silent. Measured in samples of one second over the last eleven. Source: Kafka ClientQuotaManager,
// metrics.stats.Rate, QuotaUtils.throttleTime; KIP-13, KIP-219.

namespace crier::broker::kafka {

class ClientQuota {
public:
    /// `rate`: bytes a second, 0: no limit.
    explicit ClientQuota(std::int64_t rate) : rate_(rate) {}

    /// Whether the client's bytes are counted.
    [[nodiscard]] bool concerns(std::uint64_t client) const { return rate_ > 0 && client != 0; }

    /// Returns what the rate allows in the whole samples of the window.
    [[nodiscard]] std::size_t window_bytes() const {
        return static_cast<std::size_t>(rate_ * (samples - 1));
    }

    /// Counts `bytes` of the client. **Returns** how long it has to wait now.
    [[nodiscard]] Duration count(std::uint64_t client, std::int64_t bytes, Instant now);

    /// Takes back what was counted last: it was not handed out after all.
    void uncount(std::uint64_t client, std::int64_t bytes, Instant now);

private:
    static constexpr std::int64_t samples = 11;
    static constexpr Duration sample_length = std::chrono::seconds(1);

    struct Usage {
        std::array<std::int64_t, samples> bytes{};
        std::int64_t newest = 0; // number of the sample
    };

    [[nodiscard]] Usage& usage_at(std::uint64_t client, Instant now);

    std::int64_t rate_;
    std::map<std::uint64_t, Usage> usages_; // by client
};

} // namespace crier::broker::kafka
