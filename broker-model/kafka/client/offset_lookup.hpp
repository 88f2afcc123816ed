#pragma once

#include "broker-model/kafka/client/client_context.hpp"
#include "broker-model/kafka/client/metadata_cache.hpp"

#include <memory>
#include <vector>

// Where partitions begin and end, and where a time is in them: asked of their leaders.

namespace crier::broker::kafka {

/// Asks for each offset until it is known. **Shape**: one per request, same order. **Errors**: the
/// first that is not worth another try; REQUEST_TIMED_OUT when `default_api_timeout` is over.
/// **Source**: Kafka OffsetFetcher.fetchOffsetsByTimes.
[[nodiscard]] asio::awaitable<Outcome<std::vector<Offset>>>
look_up_offsets(ClientContext context, std::shared_ptr<MetadataCache> metadata,
                crier::kafka::ConsumerOptions options, std::vector<ListOffsetsRequest> requests);

} // namespace crier::broker::kafka
