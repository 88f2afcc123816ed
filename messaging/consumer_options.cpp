#include "messaging/consumer_options.hpp"

#include <algorithm>

namespace crier::messaging {

std::vector<std::string> ConsumerOptions::validate() const {
    std::vector<std::string> problems = retry.validate();
    if (name.empty()) problems.emplace_back("name must not be empty");
    if (inbox_table.empty()) problems.emplace_back("inbox-table must not be empty");
    if (concurrency == 0) problems.emplace_back("concurrency must be at least 1");
    if (prefetch == 0) problems.emplace_back("prefetch must be at least 1");
    if (receive_wait <= Duration::zero()) problems.emplace_back("receive-wait must be positive");
    if (revoke_grace < Duration::zero()) {
        problems.emplace_back("revoke-grace must not be negative");
    }
    if (delivery_limit < 1) problems.emplace_back("delivery-limit must be at least 1");
    if (inbox_transaction != InboxTransaction::same && deduplicate != Deduplicate::inbox) {
        problems.emplace_back("inbox-transaction needs deduplicate: inbox");
    }
    if (marker_hit != MarkerHit::waits && inbox_transaction != InboxTransaction::marker) {
        problems.emplace_back("marker-hit needs inbox-transaction: marker");
    }
    if (marker_expiry < std::chrono::milliseconds(1)) {
        problems.emplace_back("marker-expiry must be at least 1ms");
    }
    if (inbox_retention < Duration::zero()) {
        problems.emplace_back("inbox-retention must not be negative");
    }
    if (prune_interval <= Duration::zero()) {
        problems.emplace_back("prune-interval must be positive");
    }
    const bool forgets = inbox_retention > Duration::zero();
    const Duration open_max = std::max(marker_expiry, retry.backoff_max);
    if (forgets && inbox_retention <= open_max) {
        problems.emplace_back("inbox-retention must be longer than marker-expiry and backoff-max");
    }
    return problems;
}

} // namespace crier::messaging
