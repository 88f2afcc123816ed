#include "broker-model/kafka/broker.hpp"

#include "broker-model/kafka/broker_api.hpp"
#include "broker-model/kafka/controller.hpp"

#include <algorithm>

namespace crier::broker::kafka {

Broker::Broker(Cluster& cluster, sim::Node& node, BrokerId id)
    : home_(cluster, node, id), groups_(home_), replicas_(home_, groups_) {
    groups_.use(replicas_);
    register_self();
}

void Broker::register_self() {
    sim::Node& controller = home_.cluster.controller();
    sim::CallOptions options;
    options.timeout = home_.cluster.options().broker_session_timeout / 2;
    RegisterBrokerRequest request;
    request.broker = home_.id;
    home_.network().async_call<RegisterBrokerAnswer>(
        home_.process, controller, calls::register_broker, options,
        [&cluster = home_.cluster, &controller, request](sim::Process&,
                                                         sim::Reply<RegisterBrokerAnswer> reply) {
            serve_request(cluster, controller, request, std::move(reply));
        },
        [this](Outcome<RegisterBrokerAnswer> outcome) {
            if (!outcome) {
                constexpr Duration retry = std::chrono::milliseconds(100);
                home_.kernel().at(home_.process, home_.now() + retry, [this] { register_self(); });
                return;
            }
            home_.broker_epoch = outcome->broker_epoch;
            replicas_.apply(outcome->metadata);
            send_heartbeat();
        });
}

void Broker::send_heartbeat() {
    sim::Node& controller = home_.cluster.controller();
    sim::CallOptions options;
    options.timeout = home_.cluster.options().broker_session_timeout / 2;
    BrokerHeartbeatRequest request;
    request.broker = home_.id;
    request.broker_epoch = home_.broker_epoch;
    request.metadata_version = replicas_.metadata()->version;
    home_.network().async_call<BrokerHeartbeatAnswer>(
        home_.process, controller, calls::broker_heartbeat, options,
        [&cluster = home_.cluster, &controller, request](sim::Process&,
                                                         sim::Reply<BrokerHeartbeatAnswer> reply) {
            serve_request(cluster, controller, request, std::move(reply));
        },
        [this, sent = home_.now()](Outcome<BrokerHeartbeatAnswer> outcome) {
            take_heartbeat(sent, std::move(outcome));
        });
}

void Broker::take_heartbeat(Instant sent, Outcome<BrokerHeartbeatAnswer> outcome) {
    if (outcome) {
        if (!outcome->is_known) return register_self();
        replicas_.apply(outcome->metadata);
    }
    home_.kernel().at(home_.process, sent + home_.cluster.options().broker_heartbeat_interval,
                      [this] { send_heartbeat(); });
}

void Broker::take_metadata(const std::shared_ptr<const ClusterMetadata>& metadata) {
    if (home_.broker_epoch != 0) replicas_.apply(metadata);
}

FindCoordinatorAnswer Broker::find_coordinator(const std::string& group) const {
    const ClusterMetadata& known = *replicas_.metadata();
    FindCoordinatorAnswer answer;
    answer.coordinator = known.partitions[home_.cluster.offsets_partition(group)].leader;
    if (answer.coordinator == 0) answer.error = ErrorCode::coordinator_not_available;
    return answer;
}

// Kafka's brokers get blocks of ids from the controller; here the epoch of the registration makes
// them unique in the cluster, without a message.
InitProducerIdAnswer Broker::init_producer_id() {
    InitProducerIdAnswer answer;
    if (home_.broker_epoch == 0) {
        answer.error = ErrorCode::coordinator_load_in_progress;
        return answer;
    }
    answer.id = static_cast<std::int64_t>(home_.broker_epoch << 24) + producer_count_++;
    answer.epoch = 0;
    return answer;
}

namespace {

Controller* controller_on(sim::Node& node) {
    return static_cast<Controller*>(node.program());
}

} // namespace

void serve_request(Cluster&, sim::Node& node, MetadataRequest, sim::Reply<MetadataAnswer> reply) {
    Broker* const broker = Broker::on(node);
    if (broker == nullptr) return;
    MetadataAnswer answer;
    answer.metadata = broker->replicas().metadata();
    const std::size_t bytes = 64 + 32 * answer.metadata->partitions.size();
    reply(std::move(answer), bytes);
}

void serve_request(Cluster&, sim::Node& node, ProduceRequest request,
                   sim::Reply<ProduceAnswer> reply) {
    if (Broker* const broker = Broker::on(node)) {
        broker->replicas().produce(std::move(request), std::move(reply));
    }
}

void serve_request(Cluster&, sim::Node& node, InitProducerIdRequest,
                   sim::Reply<InitProducerIdAnswer> reply) {
    if (Broker* const broker = Broker::on(node)) reply(broker->init_producer_id());
}

void serve_request(Cluster&, sim::Node& node, FetchRequest request, sim::Reply<FetchAnswer> reply) {
    if (Broker* const broker = Broker::on(node)) {
        broker->replicas().fetch(std::move(request), std::move(reply));
    }
}

void serve_request(Cluster&, sim::Node& node, ListOffsetsRequest request,
                   sim::Reply<ListOffsetsAnswer> reply) {
    if (Broker* const broker = Broker::on(node)) reply(broker->replicas().list_offsets(request));
}

void serve_request(Cluster&, sim::Node& node, OffsetsForLeaderEpochRequest request,
                   sim::Reply<OffsetsForLeaderEpochAnswer> reply) {
    if (Broker* const broker = Broker::on(node)) {
        reply(broker->replicas().offsets_for_leader_epoch(request));
    }
}

void serve_request(Cluster&, sim::Node& node, DeleteRecordsRequest request,
                   sim::Reply<DeleteRecordsAnswer> reply) {
    if (Broker* const broker = Broker::on(node)) {
        broker->replicas().delete_records(request, std::move(reply));
    }
}

void serve_request(Cluster&, sim::Node& node, FindCoordinatorRequest request,
                   sim::Reply<FindCoordinatorAnswer> reply) {
    if (Broker* const broker = Broker::on(node)) reply(broker->find_coordinator(request.group));
}

void serve_request(Cluster&, sim::Node& node, JoinGroupRequest request,
                   sim::Reply<JoinGroupAnswer> reply) {
    if (Broker* const broker = Broker::on(node)) {
        broker->groups().join(std::move(request), std::move(reply));
    }
}

void serve_request(Cluster&, sim::Node& node, SyncGroupRequest request,
                   sim::Reply<SyncGroupAnswer> reply) {
    if (Broker* const broker = Broker::on(node)) {
        broker->groups().sync(std::move(request), std::move(reply));
    }
}

void serve_request(Cluster&, sim::Node& node, HeartbeatRequest request,
                   sim::Reply<ErrorAnswer> reply) {
    if (Broker* const broker = Broker::on(node)) reply(broker->groups().heartbeat(request));
}

void serve_request(Cluster&, sim::Node& node, LeaveGroupRequest request,
                   sim::Reply<ErrorAnswer> reply) {
    if (Broker* const broker = Broker::on(node)) reply(broker->groups().leave(request));
}

void serve_request(Cluster&, sim::Node& node, OffsetCommitRequest request,
                   sim::Reply<OffsetCommitAnswer> reply) {
    if (Broker* const broker = Broker::on(node)) {
        broker->groups().commit(std::move(request), std::move(reply));
    }
}

void serve_request(Cluster&, sim::Node& node, OffsetFetchRequest request,
                   sim::Reply<OffsetFetchAnswer> reply) {
    if (Broker* const broker = Broker::on(node)) reply(broker->groups().fetch(request));
}

void serve_request(Cluster&, sim::Node& node, RegisterBrokerRequest request,
                   sim::Reply<RegisterBrokerAnswer> reply) {
    if (auto* const controller = controller_on(node)) reply(controller->register_broker(request));
}

void serve_request(Cluster&, sim::Node& node, BrokerHeartbeatRequest request,
                   sim::Reply<BrokerHeartbeatAnswer> reply) {
    if (auto* const controller = controller_on(node)) reply(controller->heartbeat(request));
}

void serve_request(Cluster&, sim::Node& node, AlterPartitionRequest request,
                   sim::Reply<AlterPartitionAnswer> reply) {
    if (auto* const controller = controller_on(node)) reply(controller->alter_partition(request));
}

} // namespace crier::broker::kafka
