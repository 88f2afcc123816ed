#include "broker-model/kafka/broker_request.hpp"

#include "broker-model/kafka/broker/broker.hpp"
#include "sim/hash.hpp"

#include <algorithm>

namespace crier::broker::kafka {

void name_partition(const Cluster& cluster, PartitionId partition,
                    std::vector<std::uint64_t>& names) {
    const PartitionInfo& info = cluster.info(partition);
    names.push_back(info.name_text);
    names.push_back(sim::hash_text(cluster.topic(info.topic).name));
}

void name_group(std::string_view group, std::vector<std::uint64_t>& names) {
    names.push_back(sim::hash_text(group));
}

void serve_stale(Cluster&, sim::Node& node, const MetadataRequest&,
                 sim::Reply<MetadataAnswer> reply) {
    Broker* const broker = Broker::on(node);
    if (broker == nullptr) return;
    MetadataAnswer answer;
    answer.metadata = broker->replicas().former_metadata();
    reply(std::move(answer));
}

void serve_stale(Cluster& cluster, sim::Node& node, const FindCoordinatorRequest& request,
                 sim::Reply<FindCoordinatorAnswer> reply) {
    Broker* const broker = Broker::on(node);
    if (broker == nullptr) return;
    const ClusterMetadata& former = *broker->replicas().former_metadata();
    FindCoordinatorAnswer answer;
    const PartitionId partition = request.is_transaction
                                      ? cluster.transactions_partition(request.id)
                                      : cluster.offsets_partition(request.id);
    answer.coordinator = former.partitions[partition].leader;
    if (answer.coordinator == 0) answer.error = ErrorCode::coordinator_not_available;
    reply(answer);
}

// With the watermark where the reader already is, nothing comes before the wait is over.
void serve_stale(Cluster&, sim::Node& node, const FetchRequest& request,
                 sim::Reply<FetchAnswer> reply) {
    sim::Process& process = node.process();
    process.kernel().at(process, process.kernel().now() + request.max_wait,
                        [held = std::move(reply)]() mutable { held(FetchAnswer{}); });
}

void serve_stale(Cluster&, sim::Node& node, const ListOffsetsRequest& request,
                 sim::Reply<ListOffsetsAnswer> reply) {
    Broker* const broker = Broker::on(node);
    if (broker == nullptr) return;
    ListOffsetsAnswer answer = broker->replicas().list_offsets(request);
    if (answer.error == ErrorCode::none && request.timestamp == latest_timestamp) {
        const PartitionLog& log = *broker->replicas().find(request.partition)->log;
        const Offset last = std::max(log.start(), answer.offset - 1);
        if (!log.batches().empty() && last < answer.offset)
            answer.offset = log.batches()[log.find(last)].base_offset;
    }
    reply(answer);
}

void serve_stale(Cluster&, sim::Node& node, const OffsetFetchRequest& request,
                 sim::Reply<OffsetFetchAnswer> reply) {
    if (Broker* const broker = Broker::on(node)) reply(broker->groups().fetch_former(request));
}

} // namespace crier::broker::kafka
