#include "broker-model/kafka/client/coordinator_lookup.hpp"

#include <algorithm>

namespace crier::broker::kafka {

asio::awaitable<BrokerId> CoordinatorLookup::find(Duration timeout) {
    if (coordinator_ != 0) co_return coordinator_;
    FindCoordinatorRequest request;
    request.id = group_;
    const BrokerId broker = context_.any_broker(failures_);
    const Duration limit = std::min(timeout, request_timeout_);
    const Outcome<FindCoordinatorAnswer> outcome =
        co_await context_.ask(broker, limit, 64, std::move(request));
    if (outcome.has_error() || outcome->error != ErrorCode::none) {
        ++failures_;
    } else {
        failures_ = 0;
        coordinator_ = outcome->coordinator;
    }
    co_return coordinator_;
}

} // namespace crier::broker::kafka
