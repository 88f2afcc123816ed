#include "messaging/kafka_subscription.hpp"

#include "messaging/kafka_publisher.hpp"
#include "messaging/ports/ensure.hpp"

#include <algorithm>
#include <boost/system/system_error.hpp>
#include <utility>

namespace crier::messaging {

namespace {

/// Whether a refused commit means that this member is out of the group, and its partitions with it.
bool is_fenced(const Failure& failure) {
    return failure.code == kafka::ErrorCode::illegal_generation ||
           failure.code == kafka::ErrorCode::unknown_member_id ||
           failure.code == kafka::ErrorCode::fenced_instance_id;
}

Failure gone() {
    return Failure{make_error_code(kafka::ErrorCode::illegal_generation), Certainty::failed};
}

} // namespace

std::vector<std::string> KafkaSubscriptionOptions::validate() const {
    std::vector<std::string> problems;
    if (topics.empty()) problems.emplace_back("topics must not be empty");
    if (commit_interval < Duration::zero()) {
        problems.emplace_back("commit-interval must not be negative");
    }
    return problems;
}

KafkaSubscription::KafkaSubscription(Clock& clock, std::unique_ptr<kafka::Consumer> consumer,
                                     KafkaSubscriptionOptions options)
    : clock_(clock), consumer_(std::move(consumer)), options_(std::move(options)),
      committed_at_(clock.now()) {
    ensure(options_.validate().empty(), "invalid subscription options");
    consumer_->subscribe(options_.topics, this);
}

KafkaSubscription::~KafkaSubscription() = default;

asio::awaitable<Outcome<std::vector<Delivery>>> KafkaSubscription::receive(Duration wait) {
    rewind_released();
    if (clock_.now() - committed_at_ >= options_.commit_interval) {
        // Not told to the caller: what could not be committed stays due.
        co_await commit(all_lanes());
    }
    Outcome<std::vector<kafka::ConsumerRecord>> records = co_await consumer_->poll(wait);
    if (!records && kafka::is_fatal(records.error().code)) {
        throw boost::system::system_error(records.error().code);
    }
    if (!records) co_return records.error();

    std::vector<Delivery> deliveries;
    deliveries.reserve(records->size());
    for (kafka::ConsumerRecord& record : *records) {
        const std::uint64_t lane = track(record);
        // Left over from before the partition was lost.
        if (lane == 0) continue;
        Delivery& delivery = deliveries.emplace_back();
        delivery.lane = lane;
        delivery.token = static_cast<std::uint64_t>(record.offset);
        delivery.origin = kafka::place_of_record(record.topic, record.partition, record.offset);
        delivery.message = to_message(std::move(record));
    }
    co_return deliveries;
}

asio::awaitable<Outcome<void>> KafkaSubscription::settle(const Delivery& delivery,
                                                         Settlement settlement) {
    if (options_.auto_commit) co_return Outcome<void>();
    const Lanes::iterator lane = lanes_.find(delivery.lane);
    if (lane == lanes_.end()) co_return gone();
    Partition& partition = lane->second;
    const auto offset = static_cast<kafka::Offset>(delivery.token);
    const auto record = std::lower_bound(
        partition.records.begin(), partition.records.end(), offset,
        [](const Record& other, kafka::Offset wanted) { return other.offset < wanted; });
    if (record == partition.records.end() || record->offset != offset) co_return gone();

    if (settlement == Settlement::release) {
        if (record->state == State::open) {
            record->state = State::released;
            ++partition.released;
        }
        co_return Outcome<void>();
    }
    if (record->state == State::released) --partition.released;
    record->state = State::finished;
    while (!partition.records.empty() && partition.records.front().state == State::finished) {
        partition.finished = partition.records.front().offset + 1;
        partition.records.pop_front();
    }
    co_return Outcome<void>();
}

asio::awaitable<Outcome<void>> KafkaSubscription::flush() {
    return commit(all_lanes());
}

asio::awaitable<Outcome<void>> KafkaSubscription::extend(const Delivery&, Duration) {
    co_return Outcome<void>();
}

void KafkaSubscription::hold(std::uint64_t lane, bool held) {
    const Lanes::iterator found = lanes_.find(lane);
    if (found == lanes_.end()) return;
    Partition& partition = found->second;
    partition.held = held;
    if (held) {
        consumer_->pause(partition.name);
    } else if (partition.released == 0) {
        consumer_->resume(partition.name);
    }
}

asio::awaitable<void> KafkaSubscription::close() {
    co_await commit(all_lanes());
    co_await consumer_->close();
    lanes_.clear();
    lane_of_.clear();
}

asio::awaitable<void>
KafkaSubscription::partitions_revoked(std::vector<kafka::TopicPartition> partitions) {
    const std::vector<std::uint64_t> lanes = lanes_of(partitions);
    if (lanes.empty()) co_return;
    if (listener_ != nullptr) co_await listener_->lanes_revoked(lanes);
    co_await commit(lanes);
    erase(lanes);
}

asio::awaitable<void>
KafkaSubscription::partitions_assigned(std::vector<kafka::TopicPartition> partitions) {
    for (kafka::TopicPartition& name : partitions) {
        const auto [lane, is_new] = lane_of_.try_emplace(name, lanes_made_ + 1);
        if (!is_new) continue;
        ++lanes_made_;
        lanes_[lane->second].name = std::move(name);
    }
    co_return;
}

asio::awaitable<void>
KafkaSubscription::partitions_lost(std::vector<kafka::TopicPartition> partitions) {
    return lose(lanes_of(partitions));
}

/// Remembers a delivered record. **Returns** its lane, 0 when its partition is not held.
std::uint64_t KafkaSubscription::track(const kafka::ConsumerRecord& record) {
    kafka::TopicPartition name;
    name.topic = record.topic;
    name.partition = record.partition;
    const auto lane = lane_of_.find(name);
    if (lane == lane_of_.end()) return 0;
    if (options_.auto_commit) return lane->second;
    Partition& partition = lanes_[lane->second];
    // An offset that does not ascend: the position was reset. What is read again is open again.
    while (!partition.records.empty() && partition.records.back().offset >= record.offset) {
        if (partition.records.back().state == State::released) --partition.released;
        partition.records.pop_back();
    }
    Record& added = partition.records.emplace_back();
    added.offset = record.offset;
    return lane->second;
}

/// Goes back to the first unfinished record of each partition with a released one, as soon as
/// nothing of the partition is in flight; until then the partition is paused.
void KafkaSubscription::rewind_released() {
    for (auto& [lane, partition] : lanes_) {
        if (partition.released == 0) continue;
        const bool in_flight =
            std::any_of(partition.records.begin(), partition.records.end(),
                        [](const Record& record) { return record.state == State::open; });
        if (in_flight) {
            consumer_->pause(partition.name);
            continue;
        }
        consumer_->seek(partition.name, partition.records.front().offset);
        partition.records.clear();
        partition.released = 0;
        if (!partition.held) consumer_->resume(partition.name);
    }
}

/// Commits the finished prefixes of `lanes` as far as they moved.
asio::awaitable<Outcome<void>> KafkaSubscription::commit(std::vector<std::uint64_t> lanes) {
    committed_at_ = clock_.now();
    std::vector<kafka::TopicPartitionOffset> offsets;
    std::vector<std::uint64_t> moved;
    for (const std::uint64_t lane : lanes) {
        const Lanes::iterator found = lanes_.find(lane);
        if (found == lanes_.end() || found->second.finished == found->second.committed) continue;
        const Partition& partition = found->second;
        kafka::TopicPartitionOffset& offset = offsets.emplace_back();
        offset.topic = partition.name.topic;
        offset.partition = partition.name.partition;
        offset.offset = partition.finished;
        moved.push_back(lane);
    }
    if (offsets.empty()) co_return Outcome<void>();
    std::vector<kafka::TopicPartitionOffset> sent = offsets;
    const Outcome<void> committed = co_await consumer_->commit(std::move(sent));
    if (!committed) {
        if (is_fenced(committed.error())) co_await lose(all_lanes());
        co_return committed.error();
    }
    for (std::size_t index = 0; index < moved.size(); ++index) {
        const Lanes::iterator found = lanes_.find(moved[index]);
        if (found != lanes_.end()) found->second.committed = offsets[index].offset;
    }
    co_return Outcome<void>();
}

asio::awaitable<void> KafkaSubscription::lose(std::vector<std::uint64_t> lanes) {
    if (lanes.empty()) co_return;
    erase(lanes);
    if (listener_ != nullptr) co_await listener_->lanes_lost(std::move(lanes));
}

void KafkaSubscription::erase(const std::vector<std::uint64_t>& lanes) {
    for (const std::uint64_t lane : lanes) {
        const Lanes::iterator found = lanes_.find(lane);
        if (found == lanes_.end()) continue;
        lane_of_.erase(found->second.name);
        lanes_.erase(found);
    }
}

std::vector<std::uint64_t> KafkaSubscription::all_lanes() const {
    std::vector<std::uint64_t> lanes;
    lanes.reserve(lanes_.size());
    for (const auto& [lane, partition] : lanes_)
        lanes.push_back(lane);
    return lanes;
}

std::vector<std::uint64_t>
KafkaSubscription::lanes_of(const std::vector<kafka::TopicPartition>& partitions) const {
    std::vector<std::uint64_t> lanes;
    for (const kafka::TopicPartition& name : partitions) {
        const auto lane = lane_of_.find(name);
        if (lane != lane_of_.end()) lanes.push_back(lane->second);
    }
    return lanes;
}

} // namespace crier::messaging
