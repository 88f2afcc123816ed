#include "broker-model/kafka/controller.hpp"

#include "broker-model/events.hpp"
#include "broker-model/kafka/broker.hpp"
#include "broker-model/kafka/election.hpp"
#include "sim/world.hpp"

#include <algorithm>

namespace crier::broker::kafka {

ControllerState::ControllerState(const Cluster& cluster)
    : partitions(cluster.first_metadata()->partitions), brokers(cluster.broker_count()),
      published(cluster.first_metadata()) {}

Controller::Controller(Cluster& cluster, sim::Node& node, ControllerState& state)
    : cluster_(cluster), node_(node), process_(node.process()), state_(state),
      session_ends_(cluster.broker_count()), alarm_(process_, *this) {
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
        if (!state_.has_topics) break;
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
    return known.epoch != 0 && !known.is_fenced;
}

RegisterBrokerAnswer Controller::register_broker(const RegisterBrokerRequest& request) {
    ControllerState::Registration& known = state_.brokers[request.broker - 1];
    fence(request.broker);
    // Every end of a broker is an unclean one here: its log may be shorter than it was.
    if (known.epoch != 0 && state_.has_topics) {
        for (PartitionState& state : state_.partitions) {
            if (forget_unclean(state, request.broker, rules_of(state.partition))) {
                ++state.partition_epoch;
            }
        }
    }
    known.epoch = ++state_.broker_epochs;
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
    if (known.is_fenced && request.metadata_version >= known.version) unfence(request.broker);
    answer.is_fenced = known.is_fenced;
    if (state_.published->version > request.metadata_version) answer.metadata = state_.published;
    return answer;
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
    bool has_live_broker = false;
    for (BrokerId broker = 1; broker <= cluster_.broker_count(); ++broker)
        has_live_broker = has_live_broker || is_live(broker);
    if (!state_.has_topics || !has_live_broker) return;
    bool changed = false;
    for (PartitionState& state : state_.partitions) {
        if (cluster_.info(state.partition).topic != request.topic || state.is_created()) continue;
        create(state);
        changed = true;
    }
    if (changed) publish();
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
        state.leader != request.broker || state.leader_epoch != request.leader_epoch ||
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
