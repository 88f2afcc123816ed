#include "broker-model/kafka/cluster.hpp"

#include "broker-model/kafka/broker/broker.hpp"
#include "broker-model/kafka/controller/controller.hpp"
#include "broker-model/kafka/record_ledger.hpp"
#include "messaging/ports/ensure.hpp"
#include "sim/world.hpp"

#include <algorithm>
#include <stdexcept>

namespace crier::broker::kafka {

namespace {

// Of a topic that a coordinator keeps its books in: nothing of it is deleted but by compaction.
TopicOptions internal_topic(std::string name, std::int32_t partitions, std::int32_t min_insync,
                            const ClusterOptions& options) {
    TopicOptions topic;
    topic.name = std::move(name);
    topic.partitions = partitions;
    topic.replication = std::min(3, options.brokers); // …topic.replication.factor
    topic.min_insync = min_insync;
    topic.log.delete_retention = {}; // its reader, the coordinator, is never behind
    topic.log.deletes = false;
    topic.log.compacts = true;
    topic.log.segment_bytes = std::int64_t{100} << 20; // …topic.segment.bytes
    return topic;
}

// The place of an id among the partitions of an internal topic.
std::int32_t index_of(std::string_view id, std::int32_t partitions) {
    const std::int32_t hash = java_string_hash(id);
    return (hash == INT32_MIN ? 0 : std::abs(hash)) % partitions;
}

bool has(const std::vector<BrokerId>& brokers, BrokerId id) {
    return std::find(brokers.begin(), brokers.end(), id) != brokers.end();
}

} // namespace

Cluster::Cluster(sim::World& world, ClusterOptions options, std::vector<TopicOptions> topics)
    : world_(world), options_(std::move(options)), topics_(topics.begin(), topics.end()) {
    if (const std::string_view limit = out_of_bounds(options_.share); !limit.empty()) {
        throw std::invalid_argument(std::string(limit) + " is out of its bounds");
    }
    offsets_topic_ = static_cast<TopicId>(topics_.size());
    topics_.push_back(internal_topic("__consumer_offsets", options_.offsets_topic_partitions,
                                     options_.offsets_topic_min_insync, options_));
    topics_.push_back(internal_topic("__transaction_state", options_.transaction_topic_partitions,
                                     options_.transaction_topic_min_insync, options_));
    for (TopicId topic = 0; topic < topics_.size(); ++topic) {
        ensure(topics_[topic].partitions > 0, "a topic has partitions");
        ensure(topics_[topic].replication > 0 && topics_[topic].replication <= options_.brokers,
               "a topic has at least one replica and no more than there are brokers");
        number_partitions(topic);
    }
    first_metadata_ = place_replicas();
    ledger_ = std::make_unique<RecordLedger>(*this);
    for (std::int32_t at = 1; at <= options_.brokers; ++at) {
        const auto id = static_cast<BrokerId>(at);
        sim::NodeOptions node;
        node.name = options_.name + "/" + std::to_string(at);
        node.entry = [this, id](sim::Node& on) { return std::make_unique<Broker>(*this, on, id); };
        brokers_.push_back(&world_.add_node(std::move(node)));
    }
    sim::NodeOptions node;
    node.name = options_.name + "/controller";
    node.entry = [this](sim::Node& on) {
        return std::make_unique<Controller>(*this, on, *controller_state_);
    };
    controller_ = &world_.add_node(std::move(node));
    auto state = std::make_unique<ControllerState>(*this);
    controller_state_ = state.get();
    controller_->disk().attach("kafka-metadata", std::move(state));
}

Cluster::~Cluster() = default;

TopicView::TopicView(const Cluster& cluster) : TopicView(cluster, cluster.newest_metadata()) {}

// Gives names and numbers to the partitions that have none yet.
void Cluster::number_partitions(TopicId topic) {
    if (topic_partitions_.size() <= topic) topic_partitions_.resize(topic + std::size_t{1});
    const TopicOptions& options = topics_[topic];
    std::vector<PartitionId>& numbers = topic_partitions_[topic];
    while (numbers.size() < static_cast<std::size_t>(options.partitions)) {
        PartitionInfo info;
        info.topic = topic;
        info.index = static_cast<std::int32_t>(numbers.size());
        info.name_text = world_.history().name(options.name + "/" + std::to_string(info.index));
        numbers.push_back(partition_count());
        partitions_.push_back(info);
    }
}

// Round robin over the brokers, each topic beginning one further than the topic before.
std::vector<BrokerId> Cluster::replicas_for(PartitionId id) const {
    const PartitionInfo& info = partitions_[id];
    const auto brokers = static_cast<std::uint32_t>(options_.brokers);
    const std::uint32_t first = info.topic + static_cast<std::uint32_t>(info.index);
    std::vector<BrokerId> replicas;
    for (std::int32_t at = 0; at < topics_[info.topic].replication; ++at)
        replicas.push_back((first + static_cast<std::uint32_t>(at)) % brokers + 1);
    return replicas;
}

std::shared_ptr<const ClusterMetadata> Cluster::place_replicas() const {
    auto metadata = std::make_shared<ClusterMetadata>();
    for (const TopicOptions& topic : topics_)
        metadata->partition_counts.push_back(topic.partitions);
    for (PartitionId id = 0; id < partition_count(); ++id) {
        PartitionState& state = metadata->partitions.emplace_back();
        state.partition = id;
        state.topic_id = partitions_[id].topic + 1;
        state.replicas = replicas_for(id);
    }
    return metadata;
}

TopicId Cluster::name_topic(std::string_view name) {
    if (const std::optional<TopicId> known = find_topic(name)) return *known;
    TopicOptions options;
    options.name = name;
    options.partitions = 0;
    topics_.push_back(std::move(options));
    topic_partitions_.emplace_back();
    return static_cast<TopicId>(topics_.size() - 1);
}

void Cluster::note_topic(const TopicOptions& options) {
    const TopicId topic = name_topic(options.name);
    topics_[topic] = options;
    number_partitions(topic);
}

void Cluster::note_partitions(TopicId topic, std::int32_t count) {
    topics_[topic].partitions = count;
    number_partitions(topic);
}

ErrorCode Cluster::create_topic(const TopicOptions& options) {
    return static_cast<Controller*>(controller_->program())->create_topic(options);
}

ErrorCode Cluster::add_partitions(std::string_view topic, std::int32_t count) {
    return static_cast<Controller*>(controller_->program())->add_partitions(topic, count);
}

ErrorCode Cluster::delete_topic(std::string_view topic) {
    return static_cast<Controller*>(controller_->program())->delete_topic(topic);
}

const ClusterMetadata& Cluster::newest_metadata() const {
    return controller_state_ == nullptr ? *first_metadata_ : *controller_state_->published;
}

void Cluster::start() {
    controller_->start();
    for (sim::Node* const broker : brokers_)
        broker->start();
}

std::optional<PartitionId> Cluster::find_partition(std::string_view name,
                                                   std::int32_t index) const {
    const std::optional<TopicId> found = find_topic(name);
    if (!found || index < 0) return std::nullopt;
    const std::vector<PartitionId>& numbers = topic_partitions_[*found];
    const auto place = static_cast<std::size_t>(index);
    return place < numbers.size() ? std::optional<PartitionId>(numbers[place]) : std::nullopt;
}

std::optional<TopicId> Cluster::find_topic(std::string_view name) const {
    for (TopicId topic = 0; topic < topics_.size(); ++topic) {
        if (topics_[topic].name == name) return topic;
    }
    return std::nullopt;
}

PartitionId Cluster::offsets_partition(std::string_view group) const {
    return partition(offsets_topic_, index_of(group, options_.offsets_topic_partitions));
}

PartitionId Cluster::transactions_partition(std::string_view transactional_id) const {
    return partition(transaction_topic(),
                     index_of(transactional_id, options_.transaction_topic_partitions));
}

sim::Node* Cluster::leader_of(PartitionId partition) const {
    const BrokerId leader = controller_state_->partitions[partition].leader;
    return leader == 0 ? nullptr : brokers_[leader - 1];
}

bool Cluster::is_needed(const PartitionState& state) const {
    return state.is_created() || (state.topic_id != 0 && !is_transactions(state.partition));
}

bool Cluster::move_leader(PartitionId partition) {
    auto* const controller = static_cast<Controller*>(controller_->program());
    return controller != nullptr && controller->move_leader(partition);
}

std::vector<BrokerId> Cluster::missing() const {
    std::vector<BrokerId> missing;
    for (BrokerId id = 1; id <= broker_count(); ++id) {
        const ControllerState::Registration& known = controller_state_->brokers[id - 1];
        const bool lags = std::any_of(
            controller_state_->partitions.begin(), controller_state_->partitions.end(),
            [this, id](const PartitionState& state) {
                return is_needed(state) && has(state.replicas, id) && !has(state.isr, id);
            });
        if (lags || !broker(id).is_up() || known.epoch == 0 || known.is_fenced)
            missing.push_back(id);
    }
    return missing;
}

bool Cluster::is_whole() const {
    return missing().empty() &&
           std::all_of(controller_state_->partitions.begin(), controller_state_->partitions.end(),
                       [this](const PartitionState& state) {
                           return state.leader != 0 || !is_needed(state);
                       });
}

} // namespace crier::broker::kafka
