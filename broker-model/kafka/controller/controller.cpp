#include "broker-model/kafka/controller/controller.hpp"

#include "broker-model/events.hpp"
#include "broker-model/kafka/broker/broker.hpp"
#include "broker-model/kafka/controller/election.hpp"
#include "broker-model/kafka/record_ledger.hpp"
#include "sim/world.hpp"

#include <algorithm>

namespace crier::broker::kafka {

ControllerState::ControllerState(const Cluster& cluster)
    : partitions(cluster.first_metadata()->partitions),
      partition_counts(cluster.first_metadata()->partition_counts),
      topic_ids(static_cast<std::uint32_t>(partition_counts.size())),
      brokers(cluster.broker_count()), published(cluster.first_metadata()) {}

Controller::Controller(Cluster& cluster, sim::Node& node, ControllerState& state)
    : cluster_(cluster), node_(node), process_(node.process()), state_(state),
      session_ends_(cluster.broker_count()), versions_seen_(cluster.broker_count()),
      alarm_(process_, *this) {
    const Instant end = process_.kernel().now() + cluster.options().broker_session_timeout;
    std::fill(session_ends_.begin(), session_ends_.end(), end);
    alarm_.need(end);
    const Duration interval = cluster.options().leader_imbalance_check_interval;
    if (interval > Duration{}) {
        process_.kernel().at(process_, process_.kernel().now() + interval,
                             [this] { prefer_first_replicas(); });
    }
}

ElectionRules Controller::rules_of(PartitionId partition) const {
    const TopicOptions& topic = cluster_.topic(cluster_.info(partition).topic);
    ElectionRules rules;
    rules.unclean = topic.unclean_leader_election;
    rules.eligible_leader_replicas = cluster_.options().eligible_leader_replicas;
    rules.min_insync = std::min(topic.min_insync, topic.replication);
    return rules;
}

// Source: Kafka ReplicationControlManager.maybeBalancePartitionLeaders.
void Controller::prefer_first_replicas() {
    bool changed = false;
    for (PartitionState& state : state_.partitions) {
        if (!state_.has_topics || !state.is_created()) continue;
        const PartitionState before = state;
        if (!elect_preferred(state, [this](BrokerId broker) { return is_live(broker); })) continue;
        tell_change(before, state);
        changed = true;
    }
    if (changed) publish();
    const Duration interval = cluster_.options().leader_imbalance_check_interval;
    process_.kernel().at(process_, process_.kernel().now() + interval,
                         [this] { prefer_first_replicas(); });
}

bool Controller::is_live(BrokerId broker) const {
    const ControllerState::Registration& known = state_.brokers[broker - 1];
    return known.epoch != 0 && !known.is_fenced && known.stop_version == 0;
}

RegisterBrokerAnswer Controller::register_broker(const RegisterBrokerRequest& request) {
    ControllerState::Registration& known = state_.brokers[request.broker - 1];
    fence(request.broker);
    // After an end that was not in order its log may be shorter than it was. Source: KIP-966,
    // ClusterControlManager.registerBroker: previousBrokerEpoch.
    const bool was_clean = request.clean_epoch == known.epoch;
    if (known.epoch != 0 && !was_clean && state_.has_topics) {
        for (PartitionState& state : state_.partitions) {
            if (state.is_created() &&
                forget_unclean(state, request.broker, rules_of(state.partition))) {
                ++state.partition_epoch;
            }
        }
    }
    known.epoch = ++state_.broker_epochs;
    known.stop_version = 0;
    session_ends_[request.broker - 1] =
        process_.kernel().now() + cluster_.options().broker_session_timeout;
    alarm_.need(session_ends_[request.broker - 1]);
    publish();
    known.version = state_.published->version;
    RegisterBrokerAnswer answer;
    answer.broker_epoch = known.epoch;
    answer.metadata = state_.published;
    return answer;
}

BrokerHeartbeatAnswer Controller::heartbeat(const BrokerHeartbeatRequest& request) {
    const ControllerState::Registration& known = state_.brokers[request.broker - 1];
    BrokerHeartbeatAnswer answer;
    if (known.epoch != request.broker_epoch) {
        answer.is_known = false;
        return answer;
    }
    session_ends_[request.broker - 1] =
        process_.kernel().now() + cluster_.options().broker_session_timeout;
    alarm_.need(session_ends_[request.broker - 1]);
    versions_seen_[request.broker - 1] = request.metadata_version;
    if (request.wants_stop) {
        answer.may_stop = may_stop(request.broker);
    } else if (known.is_fenced && request.metadata_version >= known.version) {
        unfence(request.broker);
    }
    answer.is_fenced = known.is_fenced;
    if (state_.published->version > request.metadata_version) answer.metadata = state_.published;
    return answer;
}

// First somebody else leads what it leads, and it leaves the ISRs; when every live broker has heard
// of that, it may go, as a fenced one. Source: Kafka BrokerHeartbeatManager
// .maybeUpdateControlledShutdownOffset, ReplicationControlManager.processBrokerHeartbeat.
bool Controller::may_stop(BrokerId broker) {
    ControllerState::Registration& known = state_.brokers[broker - 1];
    if (known.stop_version == 0) {
        known.stop_version = state_.published->version + 1;
        elect_all(broker);
        publish();
    }
    for (BrokerId other = 1; other <= cluster_.broker_count(); ++other) {
        const bool lags = is_live(other) && versions_seen_[other - 1] < known.stop_version;
        if (lags) return false;
    }
    known.is_fenced = true;
    return true;
}

void Controller::fence(BrokerId broker) {
    ControllerState::Registration& known = state_.brokers[broker - 1];
    if (known.epoch == 0) return;
    if (!std::exchange(known.is_fenced, true)) {
        node_.world().record_as(&process_, events::broker_fenced, cluster_.broker(broker).id());
    }
    elect_all(broker);
}

void Controller::unfence(BrokerId broker) {
    state_.brokers[broker - 1].is_fenced = false;
    if (state_.has_topics) {
        elect_all(0);
    } else {
        create_topics();
    }
    publish();
}

// As an operator would: once every broker is there.
void Controller::create_topics() {
    for (BrokerId broker = 1; broker <= cluster_.broker_count(); ++broker) {
        if (!is_live(broker)) return;
    }
    state_.has_topics = true;
    for (PartitionState& state : state_.partitions) {
        if (cluster_.is_needed(state)) create(state);
    }
}

// Whoever is not there joins the ISR later.
void Controller::create(PartitionState& state) {
    const PartitionState before = state;
    for (const BrokerId replica : state.replicas) {
        if (!is_live(replica)) continue;
        if (state.leader == 0) state.leader = replica;
        state.isr.push_back(replica);
    }
    if (state.isr.empty()) state.isr = state.replicas; // all as empty as each other
    std::sort(state.isr.begin(), state.isr.end());
    ++state.leader_epoch;
    ++state.partition_epoch;
    if (!cluster_.is_internal(state.partition)) tell_change(before, state);
}

// Source: Kafka ReplicationControlManager.createTopic: it needs a live broker.
void Controller::create_topic(const CreateTopicRequest& request) {
    if (!state_.has_topics || live_brokers() == 0) return;
    bool changed = false;
    for (PartitionState& state : state_.partitions) {
        if (cluster_.info(state.partition).topic != request.topic || state.is_created()) continue;
        create(state);
        changed = true;
    }
    if (changed) publish();
}

std::int32_t Controller::live_brokers() const {
    std::int32_t count = 0;
    for (BrokerId broker = 1; broker <= cluster_.broker_count(); ++broker)
        count += is_live(broker) ? 1 : 0;
    return count;
}

std::optional<TopicId> Controller::find_topic(std::string_view name) const {
    const std::optional<TopicId> topic = cluster_.find_topic(name);
    const bool is_there = topic && *topic < state_.partition_counts.size() &&
                          state_.partition_counts[*topic] > 0 &&
                          !cluster_.is_internal(cluster_.partition(*topic, 0));
    return is_there ? topic : std::nullopt;
}

// The partitions from `from` on; who is not there joins the ISR later.
void Controller::create_partitions(TopicId topic, std::uint32_t topic_id, std::int32_t from) {
    state_.partition_counts.resize(
        std::max<std::size_t>(state_.partition_counts.size(), topic + std::size_t{1}));
    state_.partition_counts[topic] = cluster_.topic(topic).partitions;
    state_.partitions.resize(cluster_.partition_count());
    for (std::int32_t index = from; index < cluster_.topic(topic).partitions; ++index) {
        const PartitionId id = cluster_.partition(topic, index);
        PartitionState& state = state_.partitions[id];
        state = {};
        state.partition = id;
        state.topic_id = topic_id;
        state.replicas = cluster_.replicas_for(id);
        cluster_.ledger().begins(id, topic_id);
        create(state);
    }
    publish();
}

ErrorCode Controller::create_topic(const TopicOptions& topic) {
    if (!state_.has_topics) return ErrorCode::request_timed_out;
    const std::optional<TopicId> known = cluster_.find_topic(topic.name);
    const bool is_there =
        known && *known < state_.partition_counts.size() && state_.partition_counts[*known] > 0;
    if (is_there) return ErrorCode::topic_already_exists;
    if (topic.partitions < 1) return ErrorCode::invalid_partitions;
    const bool has_enough = topic.replication >= 1 && topic.replication <= live_brokers();
    if (!has_enough) return ErrorCode::invalid_replication_factor;
    cluster_.note_topic(topic);
    sim::World& world = node_.world();
    const std::uint64_t name = world.history().name(topic.name);
    world.record_as(&process_, events::topic_created, name,
                    static_cast<std::uint64_t>(topic.partitions));
    create_partitions(*cluster_.find_topic(topic.name), ++state_.topic_ids, 0);
    return ErrorCode::none;
}

ErrorCode Controller::add_partitions(std::string_view name, std::int32_t count) {
    const std::optional<TopicId> topic = find_topic(name);
    if (!state_.has_topics || !topic) return ErrorCode::unknown_topic_or_partition;
    const std::int32_t before = state_.partition_counts[*topic];
    if (count <= before) return ErrorCode::invalid_partitions;
    if (cluster_.topic(*topic).replication > live_brokers()) {
        return ErrorCode::invalid_replication_factor;
    }
    cluster_.note_partitions(*topic, count);
    sim::World& world = node_.world();
    world.record_as(&process_, events::partitions_added, world.history().name(name), before, count);
    create_partitions(*topic, state_.partitions[cluster_.partition(*topic, 0)].topic_id, before);
    return ErrorCode::none;
}

ErrorCode Controller::delete_topic(std::string_view name) {
    const std::optional<TopicId> topic = find_topic(name);
    if (!state_.has_topics || !topic) return ErrorCode::unknown_topic_or_partition;
    sim::World& world = node_.world();
    world.record_as(&process_, events::topic_deleted, world.history().name(name));
    for (std::int32_t index = 0; index < state_.partition_counts[*topic]; ++index) {
        const PartitionId id = cluster_.partition(*topic, index);
        PartitionState& state = state_.partitions[id];
        const PartitionState before = std::exchange(state, {});
        state.partition = id;
        tell_change(before, state);
        cluster_.ledger().ends(process_, id);
    }
    state_.partition_counts[*topic] = 0;
    publish();
    return ErrorCode::none;
}

void Controller::elect_all(BrokerId gone) {
    if (!state_.has_topics) return;
    for (PartitionState& state : state_.partitions) {
        if (!state.is_created()) continue;
        PartitionState before = state;
        if (elect(state, gone, rules_of(state.partition),
                  [this](BrokerId broker) { return is_live(broker); })) {
            tell_change(before, state);
        }
    }
}

void Controller::tell_change(const PartitionState& before, const PartitionState& now) {
    sim::World& world = node_.world();
    const std::uint64_t name = cluster_.info(now.partition).name_text;
    const std::uint64_t cause = world.kernel().cause();
    if (before.leader != now.leader) {
        if (now.leader == 0) {
            world.record_as(&process_, events::leader_gone, name, now.leader_epoch);
        } else {
            world.record_as(&process_, events::leader_changed, name,
                            cluster_.broker(now.leader).id(), now.leader_epoch);
        }
    }
    if (before.isr != now.isr) {
        world.record_as(&process_, events::isr_changed, name, now.isr.size(), now.partition_epoch);
    }
    world.kernel().set_cause(cause);
}

bool Controller::may_alter(const AlterPartitionRequest& request) const {
    const PartitionState& state = state_.partitions[request.partition];
    if (state_.brokers[request.broker - 1].epoch != request.broker_epoch ||
        state.topic_id != request.topic_id || state.leader != request.broker ||
        state.leader_epoch != request.leader_epoch ||
        state.partition_epoch != request.partition_epoch) {
        return false;
    }
    bool has_leader = false;
    for (std::size_t at = 0; at < request.new_isr.size(); ++at) {
        const BrokerId broker = request.new_isr[at];
        has_leader = has_leader || broker == state.leader;
        if (std::find(state.isr.begin(), state.isr.end(), broker) != state.isr.end()) continue;
        // A life that the leader saw catch up may be over, and its log with it. Source: KIP-903.
        if (!is_live(broker) || state_.brokers[broker - 1].epoch != request.broker_epochs[at]) {
            return false;
        }
    }
    return has_leader;
}

AlterPartitionAnswer Controller::alter_partition(const AlterPartitionRequest& request) {
    PartitionState& state = state_.partitions[request.partition];
    AlterPartitionAnswer answer;
    answer.accepted = may_alter(request);
    if (answer.accepted) {
        const PartitionState before = state;
        state.isr = request.new_isr;
        note_eligible(state, before.isr, rules_of(state.partition));
        ++state.partition_epoch;
        tell_change(before, state);
        publish();
    }
    answer.state = state;
    return answer;
}

bool Controller::move_leader(PartitionId partition) {
    PartitionState& state = state_.partitions[partition];
    const auto now = std::find(state.replicas.begin(), state.replicas.end(), state.leader);
    if (now == state.replicas.end()) return false;
    std::vector<BrokerId> others(now + 1, state.replicas.end());
    others.insert(others.end(), state.replicas.begin(), now);
    const auto next = std::find_if(others.begin(), others.end(), [&](BrokerId broker) {
        const bool in_sync =
            std::find(state.isr.begin(), state.isr.end(), broker) != state.isr.end();
        return in_sync && is_live(broker);
    });
    if (next == others.end()) return false;
    const PartitionState before = state;
    state.leader = *next;
    ++state.leader_epoch;
    ++state.partition_epoch;
    tell_change(before, state);
    publish();
    return true;
}

void Controller::publish() {
    auto metadata = std::make_shared<ClusterMetadata>();
    metadata->version = state_.published->version + 1;
    metadata->partitions = state_.partitions;
    metadata->partition_counts = state_.partition_counts;
    for (BrokerId broker = 1; broker <= cluster_.broker_count(); ++broker) {
        if (is_live(broker)) metadata->live_brokers.push_back(broker);
    }
    state_.published = std::move(metadata);
    for (BrokerId broker = 1; broker <= cluster_.broker_count(); ++broker) {
        if (state_.brokers[broker - 1].epoch == 0) continue;
        sim::Node& to = cluster_.broker(broker);
        node_.world().network().send(process_, to, calls::metadata_push, 256, 0,
                                     [&to, news = state_.published](sim::Process&) {
                                         if (Broker* const program = Broker::on(to)) {
                                             program->take_metadata(news);
                                         }
                                     });
    }
}

void Controller::check_sessions() {
    const Instant now = process_.kernel().now();
    bool changed = false;
    for (BrokerId broker = 1; broker <= cluster_.broker_count(); ++broker) {
        if (!is_live(broker)) continue;
        if (session_ends_[broker - 1] <= now) {
            fence(broker);
            changed = true;
        } else {
            alarm_.need(session_ends_[broker - 1]);
        }
    }
    if (changed) publish();
}

} // namespace crier::broker::kafka
