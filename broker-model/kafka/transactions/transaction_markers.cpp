#include "broker-model/kafka/transactions/transaction_markers.hpp"

#include "broker-model/kafka/broker/broker_home.hpp"
#include "broker-model/kafka/broker/replica_manager.hpp"
#include "broker-model/kafka/broker_api.hpp"

#include <algorithm>
#include <map>

namespace crier::broker::kafka {

namespace {

// Whether the partition needs no marker of this round any more: it has it, or has a later one.
// Source: TransactionMarkerRequestCompletionHandler.onComplete.
bool is_final(ErrorCode error) {
    return error == ErrorCode::none || error == ErrorCode::invalid_producer_epoch ||
           error == ErrorCode::transaction_coordinator_fenced;
}

} // namespace

void TransactionMarkers::send() {
    if (is_over_) return;
    std::map<BrokerId, std::vector<PartitionId>> by_leader;
    const ClusterMetadata& known = *replicas_.metadata();
    // What is deleted needs no marker. Source: TransactionMarkerChannelManager
    // .addTxnMarkersToBrokerQueue.
    std::erase_if(verdict_.partitions, [&known](PartitionId partition) {
        return partition < known.partitions.size() && known.partitions[partition].topic_id == 0;
    });
    if (verdict_.partitions.empty()) {
        is_over_ = true;
        return done_();
    }
    bool has_leaderless = false;
    for (const PartitionId partition : verdict_.partitions) {
        if (std::find(under_way_.begin(), under_way_.end(), partition) != under_way_.end())
            continue;
        const bool is_known = partition < known.partitions.size(); // it may be very new
        const BrokerId leader = is_known ? known.partitions[partition].leader : 0;
        has_leaderless = has_leaderless || leader == 0;
        if (leader != 0) by_leader[leader].push_back(partition);
    }
    for (auto& [leader, partitions] : by_leader)
        send_to(leader, std::move(partitions));
    if (has_leaderless) send_again();
}

void TransactionMarkers::send_again() {
    if (std::exchange(is_retrying_, true)) return;
    constexpr Duration pause = std::chrono::milliseconds(100); // retry.backoff.ms
    home_.kernel().at(home_.process, home_.now() + pause, [self = shared_from_this()] {
        self->is_retrying_ = false;
        self->send();
    });
}

void TransactionMarkers::send_to(BrokerId leader, std::vector<PartitionId> partitions) {
    under_way_.insert(under_way_.end(), partitions.begin(), partitions.end());
    WriteMarkersRequest request = verdict_;
    request.partitions = partitions;
    sim::CallOptions options;
    options.bytes = 64 + 8 * partitions.size();
    sim::Node& node = home_.cluster.broker(leader);
    home_.network().async_call<WriteMarkersAnswer>(
        home_.process, node, calls::write_txn_markers, options,
        [&cluster = home_.cluster, &node,
         sent = std::move(request)](sim::Process&, sim::Reply<WriteMarkersAnswer> reply) mutable {
            serve_request(cluster, node, std::move(sent), std::move(reply));
        },
        [self = shared_from_this(), asked = std::move(partitions)](
            const Outcome<WriteMarkersAnswer>& outcome) { self->note(asked, outcome); });
}

void TransactionMarkers::note(const std::vector<PartitionId>& asked,
                              const Outcome<WriteMarkersAnswer>& outcome) {
    bool has_failed = outcome.has_error();
    for (std::size_t at = 0; at < asked.size(); ++at) {
        std::erase(under_way_, asked[at]);
        const bool is_written = outcome.has_value() && is_final(outcome->errors[at]);
        if (is_written) {
            std::erase(verdict_.partitions, asked[at]);
        } else {
            has_failed = true;
        }
    }
    if (is_over_) return;
    if (verdict_.partitions.empty()) {
        is_over_ = true;
        return done_();
    }
    if (has_failed) send_again();
}

} // namespace crier::broker::kafka
