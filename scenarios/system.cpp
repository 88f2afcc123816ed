#include "scenarios/system.hpp"

#include "messaging/ports/ensure.hpp"
#include "scenarios/load_client.hpp"

#include <algorithm>
#include <cstdlib>

namespace crier::scenario {

namespace {

std::string table_of(const WatchSpec& watch) {
    return watch.database + "." + watch.table;
}

broker::RowWatch watch_of(const FollowSpec& table) {
    broker::RowWatch watch{table.table, table.identity, table.key};
    for (const auto& [role, column] : table.columns)
        watch.followed.push_back({role, column});
    watch.only_column = table.only_column;
    watch.only_value = table.only_value;
    return watch;
}

/// Whether a property that the scenario expects needs tables of that kind to be followed.
bool needs(const Scenario& scenario, properties::Follows kind) {
    const auto& known = properties::catalogue();
    return std::any_of(known.begin(), known.end(), [&](const properties::PropertyInfo& info) {
        const bool follows = info.follows == kind || info.follows == properties::Follows::both;
        return follows &&
               std::any_of(scenario.expectations.begin(), scenario.expectations.end(),
                           [&](const Expectation& each) { return each.property == info.name; });
    });
}

std::string option_text(const ServiceSpec& spec, const std::string& option) {
    const auto found = spec.options.find(option);
    if (option.empty() || found == spec.options.end()) return {};
    return std::get<std::string>(found->second);
}

/// Adds the channels that services copy the given ones to.
void follow_copies(const Scenario& scenario, const ServiceTable& services,
                   std::vector<std::string>& channels) {
    for (std::size_t at = 0; at < channels.size(); ++at) {
        for (const ServiceSpec& service : scenario.services) {
            const ServiceType& type = *services.find(service.is);
            const std::string to = option_text(service, type.to_option);
            const bool copies =
                !to.empty() && option_text(service, type.from_option) == channels[at];
            if (copies && std::find(channels.begin(), channels.end(), to) == channels.end()) {
                channels.push_back(to);
            }
        }
    }
}

/// Returns how many partitions the channel has when all that may be added is.
std::int32_t partitions_max(const Scenario& scenario, const ChannelSpec& channel) {
    std::int64_t count = channel.partitions;
    for (const FaultRule& rule : scenario.faults) {
        const bool adds = rule.story == Story::add_partitions &&
                          std::any_of(rule.targets.begin(), rule.targets.end(),
                                      [&](const Target& it) { return it.name == channel.name; });
        if (adds) count = std::max(count, rule.amount_high);
    }
    return static_cast<std::int32_t>(count);
}

} // namespace

System::System(sim::World& world, const Scenario& scenario, const ServiceTable& services,
               const Plan& plan, const std::shared_ptr<broker::Connections>& connections)
    : world_(world), scenario_(scenario) {
    add_brokers();
    add_databases(connections);
    add_services(services);
    add_load(plan);
    describe(services);
    world_.faults().set_budget([this](sim::FaultKind kind, std::span<const std::uint32_t> nodes) {
        return fits_budget(kind, nodes);
    });
}

void System::add_brokers() {
    for (const BrokerSpec& spec : scenario_.brokers) {
        broker::kafka::ClusterOptions options;
        options.name = spec.name;
        options.brokers = spec.kafka.nodes;
        options.replica_lag_time_max = spec.kafka.replica_lag_time_max;
        options.broker_session_timeout = spec.kafka.broker_session_timeout;
        options.group_initial_rebalance_delay = spec.kafka.group_initial_rebalance_delay;
        options.eligible_leader_replicas = spec.kafka.eligible_leader_replicas;
        options.leader_imbalance_check_interval = spec.kafka.leader_imbalance_check_interval;
        options.producer_byte_rate = spec.kafka.producer_byte_rate;
        options.consumer_byte_rate = spec.kafka.consumer_byte_rate;
        options.log_cleaner_backoff = spec.kafka.log_cleaner_backoff;
        options.log_retention_check_interval = spec.kafka.log_retention_check_interval;
        options.transaction_version = spec.kafka.transaction_version;
        options.transaction_partition_verification = spec.kafka.transaction_partition_verification;
        options.offsets_retention = spec.kafka.offsets_retention;
        options.offsets_retention_check_interval = spec.kafka.offsets_retention_check_interval;
        options.offsets_expire_by_commit = spec.kafka.offsets_expire_by_commit;
        options.share = spec.kafka.share;
        std::vector<broker::kafka::TopicOptions> topics;
        for (const ChannelSpec& channel : scenario_.channels) {
            if (channel.on != spec.name) continue;
            broker::kafka::TopicOptions topic;
            topic.name = channel.name;
            topic.partitions = channel.partitions;
            topic.replication = channel.replication;
            topic.min_insync = channel.min_in_sync;
            topic.unclean_leader_election = channel.unclean_leader_election;
            topic.log = channel.log;
            topic.dead_letters = channel.dead_letters;
            topics.push_back(std::move(topic));
        }
        clusters_.push_back(std::make_unique<broker::kafka::Cluster>(world_, std::move(options),
                                                                     std::move(topics)));
        for (const ChannelSpec& channel : scenario_.channels) {
            if (channel.on == spec.name)
                directory_.cluster_of_channel[channel.name] = clusters_.back().get();
        }
    }
}

namespace {

void add_watch(std::vector<broker::RowWatch>& watches, broker::RowWatch row) {
    if (std::find(watches.begin(), watches.end(), row) == watches.end())
        watches.push_back(std::move(row));
}

} // namespace

/// Returns whose new rows are effects or accepted events.
std::vector<broker::RowWatch> System::rows_told_of(const std::string& database) const {
    std::vector<broker::RowWatch> watches;
    for (const ServiceSpec& service : scenario_.services) {
        for (const std::optional<WatchSpec>& watch : {service.effects, service.accepts}) {
            if (watch && watch->database == database)
                add_watch(watches, {watch->table, watch->identity, watch->key});
        }
    }
    return watches;
}

/// Returns those, and the tables whose rows are followed as they change.
std::vector<broker::RowWatch> System::watches_of(const std::string& database) const {
    std::vector<broker::RowWatch> watches = rows_told_of(database);
    const auto add_followed = [&](const std::optional<FollowSpec>& table) {
        if (table && table->database == database) add_watch(watches, watch_of(*table));
    };
    for (const ServiceSpec& service : scenario_.services) {
        if (needs(scenario_, properties::Follows::outboxes)) {
            add_followed(service.followed.outbox);
            add_followed(service.followed.leader);
        }
        if (needs(scenario_, properties::Follows::inboxes)) add_followed(service.followed.inbox);
    }
    return watches;
}

void System::add_databases(const std::shared_ptr<broker::Connections>& connections) {
    for (const DatabaseSpec& spec : scenario_.databases) {
        if (spec.file) {
            broker::FileOptions options = *spec.file;
            options.watches = rows_told_of(spec.name);
            files_.push_back(std::make_unique<broker::EmbeddedDatabase>(world_, options));
            directory_.files[spec.name] = files_.back().get();
            continue;
        }
        broker::DatabaseOptions options;
        options.name = spec.name;
        options.connections = connections;
        options.max_connections = spec.max_connections;
        options.pool_size = spec.pool_size;
        options.pool_wait = spec.pool_wait;
        options.synchronous =
            spec.synchronous ? broker::Synchronous::full : broker::Synchronous::off;
        options.replica = spec.replica;
        options.watches = watches_of(spec.name);
        databases_.push_back(std::make_unique<broker::Database>(world_, std::move(options)));
        directory_.databases[spec.name] = databases_.back().get();
    }
}

void System::add_services(const ServiceTable& services) {
    for (const ServiceSpec& spec : scenario_.services) {
        const ServiceType* const type = services.find(spec.is);
        ensure(type != nullptr, "a checked scenario names only services of the table");
        ServiceNodes& added = services_.emplace_back(ServiceNodes{&spec, {}});
        for (std::int32_t replica = 1; replica <= spec.replicas; ++replica) {
            sim::NodeOptions options;
            options.name = spec.name + "/" + std::to_string(replica);
            options.entry = [this, &spec, type, replica](sim::Node& node) {
                return std::make_unique<ServiceProgram>(node, directory_, spec, *type, replica);
            };
            added.replicas.push_back(&world_.add_node(std::move(options)));
        }
    }
}

void System::add_load(const Plan& plan) {
    for (std::size_t at = 0; at < scenario_.load.size(); ++at) {
        const LoadSpec& load = scenario_.load[at];
        const auto target =
            std::find_if(services_.begin(), services_.end(), [&](const ServiceNodes& service) {
                return service.spec->name == load.to;
            });
        ensure(target != services_.end(), "a checked scenario's load goes to one of its services");
        std::vector<std::vector<const PlannedInput*>> shares(load.clients);
        for (const PlannedInput& input : plan.inputs) {
            if (input.load == at) shares[input.input.number % load.clients].push_back(&input);
        }
        for (std::uint32_t client = 0; client < load.clients; ++client) {
            sim::NodeOptions options;
            options.name = "load-" + std::to_string(at + 1) + "/" + std::to_string(client + 1);
            options.entry = [share = std::move(shares[client]),
                             replicas = target->replicas](sim::Node& node) {
                return std::make_unique<LoadClient>(node, share, replicas);
            };
            load_.push_back(&world_.add_node(std::move(options)));
        }
    }
}

std::uint64_t System::name(const std::string& text) {
    return world_.history().name(text);
}

// A producer's accepted events reach a channel through the relays of its database, or by itself.
void System::describe(const ServiceTable& services) {
    using namespace properties;
    for (const ChannelSpec& spec : scenario_.channels) {
        Channel channel;
        channel.name = spec.name;
        channel.dead_letters = spec.dead_letters;
        channel.may_lose =
            spec.replication < 2 || spec.min_in_sync < 2 || spec.unclean_leader_election;
        channel.compacts = spec.log.compacts;
        channel.delete_retention = spec.log.delete_retention;
        const std::int32_t count = partitions_max(scenario_, spec);
        channel.partitions_later = static_cast<std::size_t>(count - spec.partitions);
        for (std::int32_t partition = 0; partition < count; ++partition) {
            const std::uint64_t text = name(spec.name + "/" + std::to_string(partition));
            topology_.partitions[text] = {topology_.channels.size(),
                                          channel.partition_texts.size()};
            channel.partition_texts.push_back(text);
        }
        topology_.channels.push_back(std::move(channel));
    }
    for (const auto& cluster : clusters_) {
        for (broker::kafka::PartitionId id = 0; id < cluster->partition_count(); ++id) {
            if (cluster->is_internal(id))
                topology_.internal_partitions.insert(cluster->info(id).name_text);
        }
    }
    const auto channel_index = [this](const std::string& channel) {
        const ChannelSpec* const found = find_named(scenario_.channels, channel);
        return static_cast<std::size_t>(found - scenario_.channels.data());
    };
    for (const ServiceNodes& service : services_) {
        const ServiceSpec& spec = *service.spec;
        const ServiceType& type = *services.find(spec.is);
        const std::string from = option_text(spec, type.from_option);
        if (from.empty()) continue;
        Subscriber subscriber;
        subscriber.service = spec.name;
        subscriber.service_text = name(spec.name);
        subscriber.group = spec.name;
        subscriber.group_text = subscriber.service_text;
        if (spec.effects) {
            subscriber.effects_table = table_of(*spec.effects);
            subscriber.effects_table_text = name(subscriber.effects_table);
        }
        subscriber.channel = channel_index(from);
        if (!type.attempts_option.empty()) {
            subscriber.attempts_max =
                static_cast<int>(std::get<std::int64_t>(spec.options.at(type.attempts_option)));
        }
        for (const sim::Node* replica : service.replicas)
            subscriber.nodes.push_back(replica->id());
        if (type.group) subscriber.group_traits = type.group(spec);
        if (spec.followed.inbox && needs(scenario_, Follows::inboxes)) {
            const FollowSpec& inbox = *spec.followed.inbox;
            subscriber.inbox.name = broker::watched_table(inbox.database, watch_of(inbox));
            subscriber.inbox.text = name(subscriber.inbox.name);
            subscriber.inbox.retention = inbox.retention;
        }
        topology_.subscribers.push_back(std::move(subscriber));
    }
    for (const ServiceNodes& service : services_) {
        const ServiceSpec& producer = *service.spec;
        if (!producer.accepts) continue;
        std::vector<std::string> destinations;
        const ServiceType& type = *services.find(producer.is);
        if (const std::string to = option_text(producer, type.to_option); !to.empty())
            destinations.push_back(to);
        for (const ServiceSpec& relay : scenario_.services) {
            const ServiceType& relay_type = *services.find(relay.is);
            if (relay_type.takes_inputs || !relay_type.from_option.empty()) continue;
            if (option_text(relay, relay_type.database_option) != producer.accepts->database)
                continue;
            const std::string to = option_text(relay, relay_type.to_option);
            if (!to.empty() &&
                std::find(destinations.begin(), destinations.end(), to) == destinations.end()) {
                destinations.push_back(to);
            }
        }
        follow_copies(scenario_, services, destinations);
        for (const std::string& to : destinations) {
            Flow flow;
            flow.accepted_table = table_of(*producer.accepts);
            flow.accepted_table_text = name(flow.accepted_table);
            flow.channel = channel_index(to);
            for (std::size_t at = 0; at < topology_.subscribers.size(); ++at) {
                if (topology_.subscribers[at].channel == flow.channel)
                    flow.subscribers.push_back(at);
            }
            topology_.flows.push_back(std::move(flow));
        }
    }
    if (needs(scenario_, Follows::outboxes)) describe_outboxes(services);
    for (const FaultRule& rule : scenario_.faults) {
        if (rule.kind != sim::FaultKind::clock_jump) continue;
        for (const std::int64_t jump : {rule.amount_low, rule.amount_high}) {
            topology_.clock_error = std::max(topology_.clock_error, Duration(std::abs(jump)));
        }
    }
    topology_.node_names = node_names();
}

// Relays of one outbox may be several services; each publishes to a channel of its own.
void System::describe_outboxes(const ServiceTable& services) {
    for (const ServiceNodes& service : services_) {
        const ServiceSpec& spec = *service.spec;
        if (!spec.followed.outbox) continue;
        const FollowSpec& table = *spec.followed.outbox;
        const std::string table_name = broker::watched_table(table.database, watch_of(table));
        auto& outboxes = topology_.outboxes;
        auto found = std::find_if(outboxes.begin(), outboxes.end(),
                                  [&](const auto& each) { return each.name == table_name; });
        if (found == outboxes.end()) {
            found = outboxes.emplace(outboxes.end());
            found->name = table_name;
            found->text = name(table_name);
        }
        found->keeps = found->keeps || table.keeps;
        if (spec.followed.leader) {
            const FollowSpec& leader = *spec.followed.leader;
            found->leader = broker::watched_table(leader.database, watch_of(leader));
            found->leader_text = name(found->leader);
        }
        const std::string to = option_text(spec, services.find(spec.is)->to_option);
        const ChannelSpec* const channel = find_named(scenario_.channels, to);
        if (channel != nullptr) {
            found->channels.push_back(
                static_cast<std::size_t>(channel - scenario_.channels.data()));
            std::sort(found->channels.begin(), found->channels.end());
        }
        for (const sim::Node* replica : service.replicas)
            found->relays.push_back(replica->id());
        std::sort(found->relays.begin(), found->relays.end());
    }
}

std::vector<std::string> System::node_names() const {
    std::vector<std::string> names{"world"};
    for (std::uint32_t id = 1; id <= world_.node_count(); ++id)
        names.push_back(world_.node(id).name());
    return names;
}

broker::Database* System::database(const std::string& name) const {
    const auto found = directory_.databases.find(name);
    return found == directory_.databases.end() ? nullptr : found->second;
}

std::vector<broker::KeptDatabase> System::keep(const std::string& name) const {
    const auto file = directory_.files.find(name);
    if (file != directory_.files.end()) return file->second->kept();
    return {database(name)->kept()};
}

Result<Rows, broker::SqlProblem> System::query(const std::string& name,
                                               const std::string& sql) const {
    const auto file = directory_.files.find(name);
    if (file != directory_.files.end()) return file->second->query(sql);
    broker::Database* const server = database(name);
    ensure(server != nullptr, "a checked scenario asks only databases that it has");
    return server->query(sql);
}

void System::start() {
    for (const auto& cluster : clusters_)
        cluster->start();
    for (const auto& database : databases_)
        database->start();
    for (const ServiceNodes& service : services_) {
        for (sim::Node* replica : service.replicas)
            replica->start();
    }
    for (sim::Node* load : load_)
        load->start();
}

std::vector<std::uint32_t> System::nodes_of(const Target& target) const {
    if (target.kind == Target::Kind::name) {
        if (const sim::Node* node = world_.find(target.name)) return {node->id()};
        std::vector<std::uint32_t> nodes; // all that a service, a cluster or a database has
        for (const ServiceNodes& service : services_) {
            if (service.spec->name != target.name) continue;
            for (const sim::Node* replica : service.replicas)
                nodes.push_back(replica->id());
        }
        for (const auto& cluster : clusters_) {
            if (cluster->options().name != target.name) continue;
            for (broker::kafka::BrokerId id = 1; id <= cluster->broker_count(); ++id) {
                nodes.push_back(cluster->broker(id).id());
            }
        }
        if (const broker::Database* const named = database(target.name)) {
            for (const sim::Node* node : named->nodes())
                nodes.push_back(node->id());
        }
        return nodes;
    }
    if (target.kind == Target::Kind::channel) return {};
    const auto [cluster, partition] = find_partition(target);
    const sim::Node* const leader = cluster == nullptr ? nullptr : cluster->leader_of(partition);
    if (leader == nullptr) return {};
    return {leader->id()};
}

// Whether the controller, which an operator can always reach, did what the story tells.
bool System::change(const std::string& channel, Story story, std::int64_t amount) const {
    for (const auto& cluster : clusters_) {
        const auto topic = cluster->find_topic(channel);
        if (!topic) continue;
        using kafka::ErrorCode;
        if (story == Story::add_partitions) {
            const auto count = static_cast<std::int32_t>(amount);
            return cluster->add_partitions(channel, count) == ErrorCode::none;
        }
        const broker::kafka::TopicOptions options = cluster->topic(*topic);
        return cluster->delete_topic(channel) == ErrorCode::none &&
               cluster->create_topic(options) == ErrorCode::none;
    }
    return false;
}

System::Place System::find_partition(const Target& target) const {
    for (const auto& cluster : clusters_) {
        if (target.kind == Target::Kind::leader_of) {
            const std::size_t slash = target.name.rfind('/');
            const auto topic = cluster->find_topic(target.name.substr(0, slash));
            if (!topic) continue;
            const std::int32_t index = std::stoi(target.name.substr(slash + 1));
            return {cluster.get(), cluster->partition(*topic, index)};
        }
        const bool is_here =
            std::any_of(services_.begin(), services_.end(), [&](const ServiceNodes& service) {
                return service.spec->name == target.name;
            });
        if (is_here) return {cluster.get(), cluster->offsets_partition(target.name)};
    }
    return {};
}

std::vector<std::uint32_t> System::add_faults(const Plan& plan) {
    std::vector<std::uint32_t> ids;
    for (const PlannedFault& planned : plan.faults) {
        sim::FaultSpec spec;
        spec.kind = planned.kind;
        spec.nodes = nodes_of(planned.target);
        if (planned.target.kind != Target::Kind::name) {
            spec.resolve = [this, target = planned.target] { return nodes_of(target); };
        }
        if (!planned.peers.empty()) {
            spec.resolve_peers = [this, peers = planned.peers] {
                std::vector<std::uint32_t> nodes;
                for (const Target& peer : peers) {
                    for (const std::uint32_t node : nodes_of(peer))
                        nodes.push_back(node);
                }
                return nodes;
            };
        }
        if (planned.kind == sim::FaultKind::act) {
            spec.act = [this, story = planned.story, target = planned.target,
                        amount = planned.amount, length = planned.length,
                        place = find_partition(planned.target)] {
                if (story == Story::fail_over) return database(target.name)->fail_over(length);
                if (target.kind == Target::Kind::channel) return change(target.name, story, amount);
                return place.cluster != nullptr && place.cluster->move_leader(place.partition);
            };
        }
        spec.thorough = planned.story == Story::old_log;
        spec.one_way = planned.one_way;
        spec.trigger = planned.trigger;
        spec.duration = planned.length;
        spec.amount = planned.amount;
        spec.id = planned.id;
        spec.what = planned.what;
        ids.push_back(world_.faults().add(std::move(spec)));
    }
    return ids;
}

// A fault that takes a broker away, or cuts it off from its peers, may strike only while the
// cluster has fewer brokers missing than the budget says; one that is back but not in sync is still
// missing.
bool System::fits_budget(sim::FaultKind kind, std::span<const std::uint32_t> nodes) const {
    const bool takes_away = kind == sim::FaultKind::crash || kind == sim::FaultKind::power_loss ||
                            kind == sim::FaultKind::stop || kind == sim::FaultKind::pause ||
                            kind == sim::FaultKind::partition;
    if (!takes_away) return true;
    for (const auto& cluster : clusters_) {
        const std::vector<broker::kafka::BrokerId> missing = cluster->missing();
        std::int32_t struck = 0;
        std::int32_t gone = 0; // with those that it would strike
        for (broker::kafka::BrokerId id = 1; id <= cluster->broker_count(); ++id) {
            const sim::Node& broker = cluster->broker(id);
            const bool is_struck =
                std::find(nodes.begin(), nodes.end(), broker.id()) != nodes.end();
            const bool is_missing =
                std::find(missing.begin(), missing.end(), id) != missing.end() ||
                broker.process().is_paused();
            struck += is_struck ? 1 : 0;
            gone += is_struck || is_missing ? 1 : 0;
        }
        if (struck > 0 && gone > scenario_.budget.brokers_down) return false;
    }
    return true;
}

} // namespace crier::scenario
