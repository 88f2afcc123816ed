#include "messaging/consumer_options.hpp"

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
    if (inbox_transaction == InboxTransaction::own && deduplicate != Deduplicate::inbox) {
        problems.emplace_back("inbox-transaction: own needs deduplicate: inbox");
    }
    return problems;
}

} // namespace crier::messaging
