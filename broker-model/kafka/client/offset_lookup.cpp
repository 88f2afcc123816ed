#include "broker-model/kafka/client/offset_lookup.hpp"

#include <algorithm>

namespace crier::broker::kafka {

// One after another: which of them is asked first is not specified.
asio::awaitable<Outcome<std::vector<Offset>>>
look_up_offsets(ClientContext context, std::shared_ptr<MetadataCache> metadata,
                crier::kafka::ConsumerOptions options, std::vector<ListOffsetsRequest> requests) {
    const Instant deadline = context.now() + options.default_api_timeout;
    std::vector<Offset> offsets;
    while (offsets.size() < requests.size()) {
        const ListOffsetsRequest request = requests[offsets.size()];
        if (const BrokerId leader = metadata->leader(request.partition); leader != 0) {
            const Duration limit = std::min(options.request_timeout, deadline - context.now());
            const Outcome<ListOffsetsAnswer> answer =
                co_await context.ask(leader, limit, 64, request);
            if (answer.has_value() && answer->error == ErrorCode::none) {
                offsets.push_back(answer->offset);
                continue;
            }
            if (answer.has_value() && !crier::kafka::is_retriable(answer->error)) {
                co_return Failure{make_error_code(answer->error), Certainty::failed};
            }
        }
        metadata->refresh();
        if (context.now() + options.retry_backoff >= deadline) {
            co_return Failure{make_error_code(ErrorCode::request_timed_out), Certainty::failed};
        }
        co_await context.ports().sleep(options.retry_backoff);
    }
    co_return std::move(offsets);
}

} // namespace crier::broker::kafka
