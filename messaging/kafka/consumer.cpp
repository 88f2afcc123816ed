#include "messaging/kafka/consumer.hpp"

#include "messaging/kafka/member.hpp"
#include "messaging/ports/ensure.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace crier::messaging::kafka {

using crier::kafka::ConsumerRecord;
using crier::kafka::Offset;
using crier::kafka::TopicPartition;
using crier::kafka::TopicPartitionOffset;

RdkafkaConsumer::RdkafkaConsumer(asio::any_io_executor executor, const Settings& settings,
                                 crier::kafka::ConsumerOptions options)
    : options_(std::move(options)), member_(std::make_unique<Member>(settings, options_)),
      worker_(std::move(executor)) {}

RdkafkaConsumer::~RdkafkaConsumer() {
    if (member_) member_->interrupt();
    worker_.join();
}

void RdkafkaConsumer::subscribe(std::vector<std::string> topics,
                                crier::kafka::RebalanceListener* listener) {
    ensure(!topics.empty(), "a subscription names at least one topic");
    topics_ = std::move(topics);
    listener_ = listener;
    subscribed_ = true;
}

void RdkafkaConsumer::assign(Partitions partitions) {
    ensure(!subscribed_, "a consumer subscribes or is assigned, not both");
    assigned_ = {partitions.begin(), partitions.end()};
    std::erase_if(positions_, [this](const auto& it) { return !assigned_.contains(it.first); });
    is_assigned_ = true;
    has_assignment_ = true;
}

asio::awaitable<Outcome<std::vector<ConsumerRecord>>> RdkafkaConsumer::poll(Duration timeout) {
    ensure((subscribed_ || is_assigned_) && !closed_,
           "poll needs a subscription or partitions, of an open consumer");
    if (std::exchange(has_assignment_, false)) {
        for (auto& [partition, offset] : std::exchange(seeks_, {}))
            positions_.insert_or_assign(partition, offset);
        std::function<bool()> job = [this, partitions = assignment(), positions = positions_] {
            member_->assign_all(partitions, positions);
            return true;
        };
        co_await worker_.run<bool>(std::move(job));
    }
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    for (;;) {
        const Duration left =
            std::max<Duration>(deadline - std::chrono::steady_clock::now(), Duration::zero());
        Changes changes{std::exchange(topics_, {}), std::exchange(pauses_, {}),
                        std::exchange(seeks_, {})};
        std::function<Polled()> look = [this, changes = std::move(changes), left] {
            return member_->poll(changes, left);
        };
        Polled polled = co_await worker_.run<Polled>(std::move(look));
        if (auto* failure = std::get_if<Failure>(&polled)) co_return *failure;
        if (auto* records = std::get_if<std::vector<ConsumerRecord>>(&polled)) {
            for (const ConsumerRecord& record : *records) {
                const TopicPartition place{record.topic, record.partition};
                positions_.insert_or_assign(place, record.offset + 1);
            }
            co_return std::move(*records);
        }
        if (auto* assigned = std::get_if<Assigned>(&polled)) {
            co_await take(std::move(assigned->partitions));
        } else {
            Revoked& revoked = std::get<Revoked>(polled);
            co_await unassign(std::move(revoked.partitions), revoked.lost);
        }
    }
}

asio::awaitable<Outcome<void>> RdkafkaConsumer::commit(std::vector<TopicPartitionOffset> offsets) {
    ensure(!closed_, "commit needs an open consumer");
    if (offsets.empty()) co_return Outcome<void>();
    std::function<Outcome<void>()> job = [this, offsets = std::move(offsets)] {
        return member_->commit(offsets);
    };
    Outcome<void> committed = co_await worker_.run<Outcome<void>>(std::move(job));
    co_return committed;
}

asio::awaitable<Outcome<std::vector<TopicPartitionOffset>>>
RdkafkaConsumer::committed(Partitions partitions) {
    using Found = Outcome<std::vector<TopicPartitionOffset>>;
    ensure(!closed_, "committed needs an open consumer");
    std::function<Found()> job = [this, partitions = std::move(partitions)] {
        return member_->committed(partitions);
    };
    Found found = co_await worker_.run<Found>(std::move(job));
    co_return found;
}

void RdkafkaConsumer::require_held(const TopicPartition& partition) const {
    if (!assigned_.contains(partition))
        throw std::logic_error("no current assignment for the partition");
}

void RdkafkaConsumer::pause(const TopicPartition& partition) {
    require_held(partition);
    pauses_.insert_or_assign(partition, true);
}

void RdkafkaConsumer::resume(const TopicPartition& partition) {
    require_held(partition);
    pauses_.insert_or_assign(partition, false);
}

void RdkafkaConsumer::seek(const TopicPartition& partition, Offset offset) {
    require_held(partition);
    seeks_.insert_or_assign(partition, offset);
    positions_.insert_or_assign(partition, offset);
}

std::vector<TopicPartition> RdkafkaConsumer::assignment() const {
    return {assigned_.begin(), assigned_.end()};
}

// Of a partition that has handed nothing out yet librdkafka knows no position: then it is the
// committed offset, or what the reset policy makes of its absence.
asio::awaitable<Outcome<Offset>> RdkafkaConsumer::position(TopicPartition partition) {
    require_held(partition);
    if (const auto sought = seeks_.find(partition); sought != seeks_.end())
        co_return sought->second;
    std::function<Outcome<Offset>()> job = [this, partition = std::move(partition)] {
        return member_->position(partition);
    };
    Outcome<Offset> found = co_await worker_.run<Outcome<Offset>>(std::move(job));
    co_return found;
}

asio::awaitable<Outcome<std::vector<TopicPartitionOffset>>>
RdkafkaConsumer::beginning_offsets(std::vector<TopicPartition> partitions) {
    return watermarks(std::move(partitions), false);
}

asio::awaitable<Outcome<std::vector<TopicPartitionOffset>>>
RdkafkaConsumer::end_offsets(std::vector<TopicPartition> partitions) {
    return watermarks(std::move(partitions), true);
}

asio::awaitable<Outcome<std::vector<TopicPartitionOffset>>>
RdkafkaConsumer::watermarks(std::vector<TopicPartition> partitions, bool high) {
    using Found = Outcome<std::vector<TopicPartitionOffset>>;
    std::function<Found()> job = [this, partitions = std::move(partitions), high] {
        return member_->watermarks(partitions, high);
    };
    Found found = co_await worker_.run<Found>(std::move(job));
    co_return found;
}

asio::awaitable<Outcome<std::vector<TopicPartitionOffset>>>
RdkafkaConsumer::offsets_for_times(std::vector<crier::kafka::TopicPartitionTime> times) {
    using Found = Outcome<std::vector<TopicPartitionOffset>>;
    std::function<Found()> job = [this, times = std::move(times)] {
        return member_->offsets_for_times(times);
    };
    Found found = co_await worker_.run<Found>(std::move(job));
    co_return found;
}

asio::awaitable<void> RdkafkaConsumer::close() {
    if (closed_) co_return;
    std::function<bool()> start = [this] {
        member_->start_close();
        return true;
    };
    co_await worker_.run<bool>(std::move(start));
    for (;;) {
        std::function<std::optional<Polled>()> look = [this] { return member_->poll_close(); };
        std::optional<Polled> polled = co_await worker_.run<std::optional<Polled>>(std::move(look));
        if (!polled) break;
        if (auto* revoked = std::get_if<Revoked>(&*polled)) {
            co_await unassign(std::move(revoked->partitions), revoked->lost);
        } else {
            // Given while leaving: handed back unseen.
            co_await decline();
        }
    }
    closed_ = true;
    // Ending librdkafka's threads takes a moment too.
    std::function<bool()> end = [this] {
        member_.reset();
        return true;
    };
    co_await worker_.run<bool>(std::move(end));
}

asio::awaitable<void> RdkafkaConsumer::take(Partitions partitions) {
    assigned_.insert(partitions.begin(), partitions.end());
    std::function<crier::kafka::GroupMetadata()> ask = [this] { return member_->group_metadata(); };
    group_ = co_await worker_.run<crier::kafka::GroupMetadata>(std::move(ask));
    if (listener_ != nullptr) co_await listener_->partitions_assigned(partitions);
    // A seek by the listener is where fetching starts, so no record of the old place slips through.
    std::map<TopicPartition, Offset> positions = std::exchange(seeks_, {});
    std::function<bool()> job = [this, partitions = std::move(partitions),
                                 positions = std::move(positions)] {
        member_->assign(partitions, positions);
        return true;
    };
    co_await worker_.run<bool>(std::move(job));
}

asio::awaitable<void> RdkafkaConsumer::unassign(Partitions partitions, bool lost) {
    if (!lost) {
        std::function<bool()> consumed = [this] {
            member_->commit_consumed();
            return true;
        };
        co_await worker_.run<bool>(std::move(consumed));
    }
    if (listener_ != nullptr && !partitions.empty()) {
        Partitions told = partitions;
        if (lost) {
            co_await listener_->partitions_lost(std::move(told));
        } else {
            co_await listener_->partitions_revoked(std::move(told));
        }
    }
    for (const TopicPartition& partition : partitions) {
        assigned_.erase(partition);
        pauses_.erase(partition);
        seeks_.erase(partition);
        positions_.erase(partition);
    }
    co_await hand_back(std::move(partitions));
}

asio::awaitable<void> RdkafkaConsumer::decline() {
    std::function<bool()> job = [this] {
        member_->decline();
        return true;
    };
    co_await worker_.run<bool>(std::move(job));
}

asio::awaitable<void> RdkafkaConsumer::hand_back(Partitions partitions) {
    std::function<bool()> job = [this, partitions = std::move(partitions)] {
        member_->unassign(partitions);
        return true;
    };
    co_await worker_.run<bool>(std::move(job));
}

} // namespace crier::messaging::kafka
