#include "broker-model/kafka/broker/broker.hpp"

#include "broker-model/kafka/broker_api.hpp"
#include "broker-model/kafka/controller/controller.hpp"

#include <algorithm>

namespace crier::broker::kafka {

Broker::Broker(Cluster& cluster, sim::Node& node, BrokerId id)
    : home_(cluster, node, id), producer_ids_(home_), groups_(home_),
      transactions_(home_, producer_ids_), replicas_(home_, {groups_, transactions_}),
      verifier_(home_, replicas_), shares_(home_, replicas_) {
    groups_.use(replicas_);
    transactions_.use(replicas_);
    register_self();
}

void Broker::register_self() {
    sim::Node& controller = home_.cluster.controller();
    sim::CallOptions options;
    options.timeout = home_.cluster.options().broker_session_timeout / 2;
    RegisterBrokerRequest request;
    request.broker = home_.id;
    request.clean_epoch = replicas_.take_clean_epoch();
    home_.network().async_call<RegisterBrokerAnswer>(
        home_.process, controller, calls::register_broker, options,
        [&cluster = home_.cluster, &controller, request](sim::Process&,
                                                         sim::Reply<RegisterBrokerAnswer> reply) {
            serve_request(cluster, controller, request, std::move(reply));
        },
        [this, request](Outcome<RegisterBrokerAnswer> outcome) {
            if (!outcome) {
                replicas_.note_clean_epoch(request.clean_epoch);
                constexpr Duration retry = std::chrono::milliseconds(100);
                home_.kernel().at(home_.process, home_.now() + retry, [this] { register_self(); });
                return;
            }
            home_.broker_epoch = outcome->broker_epoch;
            replicas_.apply(outcome->metadata);
            send_heartbeat();
        });
}

void Broker::stop(Duration, std::function<void()> done) {
    if (home_.broker_epoch == 0) return done(); // nobody knows that it was there
    stopped_ = std::move(done);
    send_heartbeat();
}

void Broker::send_heartbeat() {
    const std::uint64_t round = ++heartbeats_;
    sim::Node& controller = home_.cluster.controller();
    sim::CallOptions options;
    options.timeout = home_.cluster.options().broker_session_timeout / 2;
    BrokerHeartbeatRequest request;
    request.broker = home_.id;
    request.broker_epoch = home_.broker_epoch;
    request.metadata_version = replicas_.metadata()->version;
    request.wants_stop = stopped_ != nullptr;
    home_.network().async_call<BrokerHeartbeatAnswer>(
        home_.process, controller, calls::broker_heartbeat, options,
        [&cluster = home_.cluster, &controller, request](sim::Process&,
                                                         sim::Reply<BrokerHeartbeatAnswer> reply) {
            serve_request(cluster, controller, request, std::move(reply));
        },
        [this, sent = home_.now(), round](Outcome<BrokerHeartbeatAnswer> outcome) {
            if (round == heartbeats_) take_heartbeat(sent, std::move(outcome));
        });
}

void Broker::take_heartbeat(Instant sent, Outcome<BrokerHeartbeatAnswer> outcome) {
    if (outcome) {
        if (!outcome->is_known) return register_self();
        replicas_.apply(outcome->metadata);
        if (outcome->may_stop && stopped_) {
            replicas_.shut_down();
            return std::exchange(stopped_, nullptr)();
        }
    }
    Duration interval = home_.cluster.options().broker_heartbeat_interval;
    if (stopped_ && outcome && !std::exchange(has_asked_to_stop_, true)) {
        interval = std::chrono::milliseconds(50); // the first time it asks again soon, as in Kafka
    }
    home_.kernel().at(home_.process, sent + interval, [this, round = heartbeats_] {
        if (round == heartbeats_) send_heartbeat();
    });
}

void Broker::take_metadata(const std::shared_ptr<const ClusterMetadata>& metadata) {
    if (home_.broker_epoch != 0) replicas_.apply(metadata);
}

FindCoordinatorAnswer Broker::find_coordinator(const FindCoordinatorRequest& request) {
    const Cluster& cluster = home_.cluster;
    const PartitionState& state =
        replicas_.metadata()
            ->partitions[request.is_transaction ? cluster.transactions_partition(request.id)
                                                : cluster.offsets_partition(request.id)];
    FindCoordinatorAnswer answer;
    answer.coordinator = state.leader;
    if (answer.coordinator == 0) answer.error = ErrorCode::coordinator_not_available;
    if (request.is_transaction && !state.is_created()) ask_for_transaction_topic();
    return answer;
}

// Source: Kafka AutoTopicCreationManager: who asked for the coordinator asks again.
void Broker::ask_for_transaction_topic() {
    sim::Node& controller = home_.cluster.controller();
    CreateTopicRequest request;
    request.topic = home_.cluster.transaction_topic();
    home_.network().send(
        home_.process, controller, calls::create_topic, 64, 0,
        [&controller, request](sim::Process&) { serve_request(controller, request); });
}

std::size_t Broker::count_of_partitions() const {
    const std::vector<PartitionState>& partitions = replicas_.metadata()->partitions;
    return static_cast<std::size_t>(
        std::count_if(partitions.begin(), partitions.end(), [this](const PartitionState& state) {
            return home_.cluster.is_needed(state);
        }));
}

InitProducerIdAnswer Broker::init_producer_id() {
    InitProducerIdAnswer answer;
    if (!producer_ids_.is_ready()) {
        answer.error = ErrorCode::coordinator_load_in_progress;
        return answer;
    }
    answer.id = producer_ids_.next();
    answer.epoch = 0;
    return answer;
}

void Broker::produce(ProduceRequest request, sim::Reply<ProduceAnswer> reply) {
    if (request.transactional_id.empty()) {
        return replicas_.produce(std::move(request), {}, std::move(reply));
    }
    std::vector<TransactionVerifier::Subject> subjects;
    for (const ProducePartition& asked : request.partitions)
        subjects.push_back({asked.partition, asked.producer});
    const auto held = std::make_shared<std::pair<ProduceRequest, sim::Reply<ProduceAnswer>>>(
        std::move(request), std::move(reply));
    verifier_.admit(held->first.transactional_id, subjects,
                    [this, held](const std::vector<Admission>& admissions) {
                        replicas_.produce(std::move(held->first), admissions,
                                          std::move(held->second));
                    });
}

void Broker::commit_in_transaction(TxnOffsetCommitRequest request,
                                   sim::Reply<OffsetCommitAnswer> reply) {
    const TransactionVerifier::Subject subject{
        home_.cluster.offsets_partition(request.commit.group),
        {request.producer, request.epoch, -1, true}};
    const auto held =
        std::make_shared<std::pair<TxnOffsetCommitRequest, sim::Reply<OffsetCommitAnswer>>>(
            std::move(request), std::move(reply));
    verifier_.admit(held->first.transactional_id, {subject},
                    [this, held](const std::vector<Admission>& admissions) {
                        groups_.commit(held->first, admissions.front(), std::move(held->second));
                    });
}

void Broker::add_offsets(const AddOffsetsRequest& request, sim::Reply<AddPartitionsAnswer> reply) {
    AddPartitionsRequest added;
    added.transactional_id = request.transactional_id;
    added.producer = request.producer;
    added.epoch = request.epoch;
    added.partitions = {home_.cluster.offsets_partition(request.group)};
    transactions_.add_partitions(added, std::move(reply));
}

void Broker::write_markers(const WriteMarkersRequest& request,
                           sim::Reply<WriteMarkersAnswer> reply) {
    struct Pending {
        sim::Reply<WriteMarkersAnswer> reply;
        WriteMarkersAnswer answer;
        std::size_t left = 0;
    };
    const auto pending = std::make_shared<Pending>();
    pending->reply = std::move(reply);
    pending->answer.errors.resize(request.partitions.size());
    pending->left = request.partitions.size();
    auto batch = std::make_shared<RecordBatch>();
    batch->records.emplace_back();
    batch->bytes = 78; // of a control batch
    batch->max_timestamp = home_.timestamp_now();
    constexpr Duration timeout = std::chrono::seconds(30); // request.timeout.ms
    for (std::size_t at = 0; at < request.partitions.size(); ++at) {
        const Writing writing{request.partitions[at],   batch, request.producer, {}, request.marker,
                              request.coordinator_epoch};
        replicas_.append(writing, timeout, [pending, at](ErrorCode error) {
            pending->answer.errors[at] = error;
            if (--pending->left == 0) pending->reply(std::move(pending->answer));
        });
    }
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
    const std::size_t bytes = 64 + 32 * broker->count_of_partitions();
    reply(std::move(answer), bytes);
}

void serve_request(Cluster&, sim::Node& node, ProduceRequest request,
                   sim::Reply<ProduceAnswer> reply) {
    if (Broker* const broker = Broker::on(node)) {
        broker->produce(std::move(request), std::move(reply));
    }
}

void serve_request(Cluster&, sim::Node& node, InitProducerIdRequest request,
                   sim::Reply<InitProducerIdAnswer> reply) {
    Broker* const broker = Broker::on(node);
    if (broker == nullptr) return;
    if (request.transactional_id.empty()) return reply(broker->init_producer_id());
    broker->transactions().take_id(request, std::move(reply));
}

void serve_request(Cluster&, sim::Node& node, AddPartitionsRequest request,
                   sim::Reply<AddPartitionsAnswer> reply) {
    if (Broker* const broker = Broker::on(node)) {
        broker->transactions().add_partitions(request, std::move(reply));
    }
}

void serve_request(Cluster&, sim::Node& node, AddOffsetsRequest request,
                   sim::Reply<AddPartitionsAnswer> reply) {
    if (Broker* const broker = Broker::on(node)) broker->add_offsets(request, std::move(reply));
}

void serve_request(Cluster&, sim::Node& node, EndTransactionRequest request,
                   sim::Reply<EndTransactionAnswer> reply) {
    if (Broker* const broker = Broker::on(node)) {
        broker->transactions().end(request, std::move(reply));
    }
}

void serve_request(Cluster&, sim::Node& node, WriteMarkersRequest request,
                   sim::Reply<WriteMarkersAnswer> reply) {
    if (Broker* const broker = Broker::on(node)) broker->write_markers(request, std::move(reply));
}

void serve_request(Cluster&, sim::Node& node, TxnOffsetCommitRequest request,
                   sim::Reply<OffsetCommitAnswer> reply) {
    if (Broker* const broker = Broker::on(node)) {
        broker->commit_in_transaction(std::move(request), std::move(reply));
    }
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
    if (Broker* const broker = Broker::on(node)) reply(broker->find_coordinator(request));
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

void serve_request(Cluster&, sim::Node& node, ConsumerGroupHeartbeatRequest request,
                   sim::Reply<ConsumerGroupHeartbeatAnswer> reply) {
    if (Broker* const broker = Broker::on(node)) {
        broker->groups().consumer_heartbeat(std::move(request), std::move(reply));
    }
}

void serve_request(Cluster&, sim::Node& node, ShareGroupHeartbeatRequest request,
                   sim::Reply<ShareGroupHeartbeatAnswer> reply) {
    if (Broker* const broker = Broker::on(node)) {
        broker->groups().share_heartbeat(request, std::move(reply));
    }
}

void serve_request(Cluster&, sim::Node& node, ShareFetchRequest request,
                   sim::Reply<ShareFetchAnswer> reply) {
    if (Broker* const broker = Broker::on(node)) {
        broker->shares().fetch(std::move(request), std::move(reply));
    }
}

void serve_request(Cluster&, sim::Node& node, ShareAcknowledgeRequest request,
                   sim::Reply<ShareFetchAnswer> reply) {
    if (Broker* const broker = Broker::on(node)) {
        broker->shares().acknowledge(std::move(request.request), std::move(reply));
    }
}

void serve_request(Cluster&, sim::Node& node, ReadShareStateRequest request,
                   sim::Reply<ReadShareStateAnswer> reply) {
    if (Broker* const broker = Broker::on(node)) {
        reply(broker->groups().read_share_state(request));
    }
}

void serve_request(Cluster&, sim::Node& node, WriteShareStateRequest request,
                   sim::Reply<ErrorAnswer> reply) {
    if (Broker* const broker = Broker::on(node)) {
        broker->groups().write_share_state(std::move(request), std::move(reply));
    }
}

void serve_request(Cluster&, sim::Node& node, DeleteGroupRequest request,
                   sim::Reply<ErrorAnswer> reply) {
    if (Broker* const broker = Broker::on(node)) {
        broker->groups().delete_group(request.group, std::move(reply));
    }
}

void serve_request(Cluster&, sim::Node& node, OffsetDeleteRequest request,
                   sim::Reply<ErrorAnswer> reply) {
    if (Broker* const broker = Broker::on(node)) {
        broker->groups().delete_offsets(request, std::move(reply));
    }
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

void serve_request(Cluster&, sim::Node& node, CreateTopicsRequest request,
                   sim::Reply<ErrorAnswer> reply) {
    auto* const controller = controller_on(node);
    if (controller == nullptr) return;
    TopicOptions topic;
    topic.name = std::move(request.topic);
    topic.partitions = request.count;
    topic.replication = request.replication;
    topic.min_insync = request.min_insync;
    ErrorAnswer answer;
    answer.error = controller->create_topic(topic);
    reply(answer);
}

void serve_request(Cluster&, sim::Node& node, CreatePartitionsRequest request,
                   sim::Reply<ErrorAnswer> reply) {
    auto* const controller = controller_on(node);
    if (controller == nullptr) return;
    ErrorAnswer answer;
    answer.error = controller->add_partitions(request.topic, request.count);
    reply(answer);
}

void serve_request(Cluster&, sim::Node& node, DeleteTopicsRequest request,
                   sim::Reply<ErrorAnswer> reply) {
    auto* const controller = controller_on(node);
    if (controller == nullptr) return;
    ErrorAnswer answer;
    answer.error = controller->delete_topic(request.topic);
    reply(answer);
}

void serve_request(sim::Node& controller, CreateTopicRequest request) {
    if (auto* const program = controller_on(controller)) program->create_topic(request);
}

} // namespace crier::broker::kafka
