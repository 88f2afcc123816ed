#pragma once

#include "broker-model/kafka/client/client_context.hpp"

#include <string>

// Which broker coordinates a consumer's group, as its client knows it.

namespace crier::broker::kafka {

class CoordinatorLookup {
public:
    CoordinatorLookup(const ClientContext& context, std::string group, Duration request_timeout)
        : context_(context), group_(std::move(group)), request_timeout_(request_timeout) {}

    /// Returns the coordinator, asking some broker if it is not known; 0: nobody could say.
    [[nodiscard]] asio::awaitable<BrokerId> find(Duration timeout);

    [[nodiscard]] BrokerId known() const { return coordinator_; }

    /// The broker could not be reached, or is not it any more.
    void forget(BrokerId broker) {
        if (coordinator_ == broker) coordinator_ = 0;
    }

    /// Forgets the broker if it said that it is not the coordinator. **Returns** whether it did.
    bool heed(ErrorCode error, BrokerId broker) {
        const bool denies =
            error == ErrorCode::not_coordinator || error == ErrorCode::coordinator_not_available;
        if (denies) forget(broker);
        return denies;
    }

private:
    ClientContext context_;
    std::string group_;
    Duration request_timeout_;
    BrokerId coordinator_ = 0; // 0: to be found
    std::uint64_t failures_ = 0;
};

} // namespace crier::broker::kafka
