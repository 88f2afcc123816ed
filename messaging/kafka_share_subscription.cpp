#include "messaging/kafka_share_subscription.hpp"

#include "messaging/kafka_publisher.hpp"
#include "messaging/ports/ensure.hpp"

#include <algorithm>
#include <boost/system/system_error.hpp>
#include <utility>

namespace crier::messaging {

namespace {

constexpr std::uint64_t lane = 1;

Failure gone() {
    return Failure{make_error_code(kafka::ErrorCode::invalid_record_state), Certainty::failed};
}

kafka::AcknowledgeType acknowledge_type(Settlement settlement) {
    switch (settlement) {
    case Settlement::accept: return kafka::AcknowledgeType::accept;
    case Settlement::release: return kafka::AcknowledgeType::release;
    case Settlement::reject: break;
    }
    return kafka::AcknowledgeType::reject;
}

/// Returns what names a record when it is acknowledged.
kafka::ShareRecord place_of(const kafka::ShareRecord& record) {
    kafka::ShareRecord place;
    place.record.topic = record.record.topic;
    place.record.partition = record.record.partition;
    place.record.offset = record.record.offset;
    place.delivery_count = record.delivery_count;
    return place;
}

} // namespace

std::vector<std::string> KafkaShareSubscriptionOptions::validate() const {
    std::vector<std::string> problems;
    if (topics.empty()) problems.emplace_back("topics must not be empty");
    if (lock <= Duration::zero()) problems.emplace_back("lock must be positive");
    if (commit_interval < Duration::zero()) {
        problems.emplace_back("commit-interval must not be negative");
    }
    return problems;
}

KafkaShareSubscription::KafkaShareSubscription(Clock& clock, Background& background,
                                               std::unique_ptr<kafka::ShareConsumer> consumer,
                                               KafkaShareSubscriptionOptions options)
    : clock_(clock), consumer_(std::move(consumer)), options_(std::move(options)),
      progress_(background.executor()), committed_at_(clock.now()) {
    ensure(options_.validate().empty(), "invalid subscription options");
    consumer_->subscribe(options_.topics);
}

KafkaShareSubscription::~KafkaShareSubscription() = default;

asio::awaitable<Outcome<std::vector<Delivery>>> KafkaShareSubscription::receive(Duration wait) {
    const Instant deadline = clock_.now() + wait;
    while (held_ || !open_.empty()) {
        renew_due();
        const bool is_time = clock_.now() - committed_at_ >= options_.commit_interval;
        if (renewal_is_due_ || (is_time && !settled_.empty())) {
            // Not told to the caller: what the broker does not take comes again.
            const Outcome<void> told = co_await commit();
            (void)told;
        }
        const Instant now = clock_.now();
        if (now >= deadline) co_return std::vector<Delivery>();
        if (held_ || !open_.empty()) {
            const Instant due = std::min(deadline, std::max(next_renewal(), now + Duration(1)));
            co_await progress_.wait_for(clock_, due - now);
        }
    }
    // What is acknowledged now travels with the next fetch.
    acknowledge_settled();
    Outcome<std::vector<kafka::ShareRecord>> records =
        co_await consumer_->poll(std::max(deadline - clock_.now(), Duration::zero()));
    if (!records && kafka::is_fatal(records.error().code)) {
        throw boost::system::system_error(records.error().code);
    }
    if (!records) co_return records.error();
    co_return take(std::move(*records));
}

std::vector<Delivery> KafkaShareSubscription::take(std::vector<kafka::ShareRecord> records) {
    std::vector<Delivery> deliveries;
    deliveries.reserve(records.size());
    for (kafka::ShareRecord& given : records) {
        Delivery& delivery = deliveries.emplace_back();
        delivery.lane = lane;
        delivery.token = ++tokens_;
        delivery.delivery_count = given.delivery_count;
        delivery.lease_end = clock_.now() + options_.lock;
        const kafka::ConsumerRecord& record = given.record;
        delivery.origin = kafka::place_of_record(record.topic, record.partition, record.offset);
        if (!options_.automatic) {
            Record& open = open_[delivery.token];
            open.place = place_of(given);
            open.lock_end = *delivery.lease_end;
            open.renew_at = clock_.now() + options_.lock / 2;
        }
        delivery.message = to_message(std::move(given.record));
    }
    return deliveries;
}

// What is done after its lock has ended is told all the same: nobody else may have it yet.
asio::awaitable<Outcome<void>> KafkaShareSubscription::settle(const Delivery& delivery,
                                                              Settlement settlement) {
    if (options_.automatic) co_return Outcome<void>();
    const auto found = open_.find(delivery.token);
    if (found == open_.end()) co_return gone();
    const bool is_late = clock_.now() >= found->second.lock_end;
    settled_.push_back({std::move(found->second.place), acknowledge_type(settlement)});
    open_.erase(found);
    if (open_.empty()) progress_.notify();
    if (is_late) co_return gone();
    co_return Outcome<void>();
}

asio::awaitable<Outcome<void>> KafkaShareSubscription::flush() {
    return commit();
}

asio::awaitable<Outcome<void>> KafkaShareSubscription::extend(const Delivery& delivery, Duration) {
    const auto found = open_.find(delivery.token);
    if (found == open_.end()) {
        if (options_.automatic) co_return Outcome<void>();
        co_return gone();
    }
    found->second.is_to_renew = true;
    progress_.notify();
    co_return Outcome<void>();
}

void KafkaShareSubscription::hold(std::uint64_t, bool held) {
    held_ = held;
    if (!held) progress_.notify();
}

asio::awaitable<void> KafkaShareSubscription::close() {
    for (auto& [token, record] : open_)
        settled_.push_back({std::move(record.place), kafka::AcknowledgeType::release});
    open_.clear();
    acknowledge_settled();
    co_await consumer_->close();
}

void KafkaShareSubscription::acknowledge_settled() {
    for (const Settled& settled : std::exchange(settled_, {}))
        consumer_->acknowledge(settled.place, settled.type);
}

void KafkaShareSubscription::renew_due() {
    for (auto& [token, record] : open_) {
        const bool is_time = options_.renew && record.renew_at <= clock_.now();
        if (record.is_renewing || !(is_time || record.is_to_renew)) continue;
        consumer_->acknowledge(record.place, kafka::AcknowledgeType::renew);
        record.is_renewing = true;
        record.is_to_renew = false;
        renewal_is_due_ = true;
    }
}

Instant KafkaShareSubscription::next_renewal() const {
    Instant next = Instant::max();
    for (const auto& [token, record] : open_) {
        if (record.is_to_renew) return Instant{};
        if (options_.renew) next = std::min(next, record.renew_at);
    }
    return next;
}

/// Tells what was acknowledged. A lock that was not renewed is tried again half-way to its end.
asio::awaitable<Outcome<void>> KafkaShareSubscription::commit() {
    committed_at_ = clock_.now();
    renewal_is_due_ = false;
    acknowledge_settled();
    const std::vector<kafka::AcknowledgementOutcome> outcomes = co_await consumer_->commit();
    Outcome<void> result;
    for (const kafka::AcknowledgementOutcome& told : outcomes) {
        if (!told.outcome && result) result = told.outcome.error();
    }
    const Instant now = clock_.now();
    for (auto& [token, record] : open_) {
        if (!record.is_renewing) continue;
        record.is_renewing = false;
        const kafka::TopicPartition partition{record.place.record.topic,
                                              record.place.record.partition};
        const auto told = std::find_if(outcomes.begin(), outcomes.end(),
                                       [&partition](const kafka::AcknowledgementOutcome& one) {
                                           return one.partition == partition;
                                       });
        const bool is_renewed = told != outcomes.end() && told->outcome.has_value();
        // From when it was told on: the broker cannot have renewed it earlier.
        if (is_renewed) record.lock_end = committed_at_ + options_.lock;
        const Duration left = std::max(record.lock_end - now, options_.commit_interval * 2);
        record.renew_at = now + left / 2;
    }
    co_return result;
}

} // namespace crier::messaging
