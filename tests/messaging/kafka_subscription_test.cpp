#include "messaging/kafka_subscription.hpp"

#include "messaging/kafka_publisher.hpp"
#include "tests/messaging/fakes.hpp"

#include <gtest/gtest.h>

namespace crier::messaging {
namespace {

using kafka::TopicPartition;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Commits = std::vector<kafka::TopicPartitionOffset>;

/// A consumer whose rebalances and records are scripted: each poll does the next thing of the
/// script.
class FakeConsumer final : public kafka::Consumer {
public:
    void subscribe(std::vector<std::string>, kafka::RebalanceListener* listener) override {
        listener_ = listener;
    }
    asio::awaitable<Outcome<std::vector<kafka::ConsumerRecord>>> poll(Duration) override {
        std::vector<TopicPartition> assigned = std::exchange(given, {});
        if (!assigned.empty()) co_await listener_->partitions_assigned(std::move(assigned));
        std::vector<TopicPartition> revoked = std::exchange(revoke, {});
        if (!revoked.empty()) co_await listener_->partitions_revoked(std::move(revoked));
        if (failure) co_return *std::exchange(failure, std::nullopt);
        std::vector<TopicPartition> lost = std::exchange(lose, {});
        if (!lost.empty()) co_await listener_->partitions_lost(std::move(lost));
        co_return std::exchange(records, {});
    }
    asio::awaitable<Outcome<void>> commit(Commits offsets) override {
        if (refusal) co_return *std::exchange(refusal, std::nullopt);
        commits.insert(commits.end(), offsets.begin(), offsets.end());
        co_return Outcome<void>();
    }
    void assign(std::vector<TopicPartition>) override {}
    asio::awaitable<Outcome<Commits>> committed(std::vector<TopicPartition>) override {
        co_return commits;
    }
    void pause(const TopicPartition& partition) override { paused.insert(partition); }
    void resume(const TopicPartition& partition) override { paused.erase(partition); }
    void seek(const TopicPartition& partition, kafka::Offset offset) override {
        seeks.push_back({partition.topic, partition.partition, offset});
    }
    asio::awaitable<Outcome<kafka::Offset>> position(TopicPartition) override { co_return 0; }
    asio::awaitable<Outcome<Commits>> beginning_offsets(std::vector<TopicPartition>) override {
        co_return Commits{};
    }
    asio::awaitable<Outcome<Commits>> end_offsets(std::vector<TopicPartition>) override {
        co_return Commits{};
    }
    asio::awaitable<Outcome<Commits>>
    offsets_for_times(std::vector<kafka::TopicPartitionTime>) override {
        co_return Commits{};
    }
    std::vector<TopicPartition> assignment() const override { return {}; }
    kafka::GroupMetadata group_metadata() const override { return {}; }
    asio::awaitable<void> close() override {
        co_await listener_->partitions_revoked(held);
        closed = true;
    }

    void add(std::int32_t partition, kafka::Offset offset) {
        kafka::ConsumerRecord record;
        record.topic = "orders";
        record.partition = partition;
        record.offset = offset;
        record.key = "k";
        records.push_back(std::move(record));
    }

    std::vector<TopicPartition> given;
    std::vector<TopicPartition> revoke;
    std::vector<TopicPartition> lose;
    std::vector<TopicPartition> held;
    std::vector<kafka::ConsumerRecord> records;
    std::optional<Failure> refusal; ///< Of the next commit.
    std::optional<Failure> failure; ///< Of the next poll.
    Commits commits;
    Commits seeks;
    std::set<TopicPartition> paused;
    bool closed = false;

private:
    kafka::RebalanceListener* listener_ = nullptr;
};

class FakeListener final : public LaneListener {
public:
    asio::awaitable<void> lanes_revoked(std::vector<std::uint64_t> lanes) override {
        revoked.insert(revoked.end(), lanes.begin(), lanes.end());
        if (on_revoked) co_await on_revoked();
    }
    asio::awaitable<void> lanes_lost(std::vector<std::uint64_t> lanes) override {
        lost.insert(lost.end(), lanes.begin(), lanes.end());
        co_return;
    }
    std::vector<std::uint64_t> revoked;
    std::vector<std::uint64_t> lost;
    std::function<asio::awaitable<void>()> on_revoked;
};

struct Fixture {
    explicit Fixture(bool auto_commit = false) {
        auto made = std::make_unique<FakeConsumer>();
        consumer = made.get();
        KafkaSubscriptionOptions options;
        options.topics = {"orders"};
        options.auto_commit = auto_commit;
        subscription.emplace(process.clock, std::move(made), options);
        subscription->listen(listener);
        consumer->given = {{"orders", 0}};
    }

    /// Receives the records of partition 0 with these offsets.
    std::vector<Delivery> receive(std::vector<kafka::Offset> offsets) {
        for (const kafka::Offset offset : offsets)
            consumer->add(0, offset);
        return await(process, subscription->receive(milliseconds(10))).value();
    }
    bool settle(const Delivery& delivery, Settlement how = Settlement::accept) {
        return await(process, subscription->settle(delivery, how)).has_value();
    }
    void flush() { await(process, subscription->flush()); }

    fakes::Process process;
    FakeListener listener;
    FakeConsumer* consumer = nullptr;
    std::optional<KafkaSubscription> subscription;
};

TEST(KafkaSubscription, CommitsOnlyTheFinishedPrefix) {
    Fixture fixture;
    const auto deliveries = fixture.receive({4, 5, 6});
    ASSERT_EQ(deliveries.size(), 3U);
    EXPECT_EQ(deliveries[2].origin, "orders/0@6");
    fixture.settle(deliveries[1]);
    fixture.settle(deliveries[2]);
    fixture.flush();
    EXPECT_TRUE(fixture.consumer->commits.empty());
    fixture.settle(deliveries[0]);
    fixture.flush();
    EXPECT_EQ(fixture.consumer->commits, (Commits{{"orders", 0, 7}}));
    fixture.flush();
    EXPECT_EQ(fixture.consumer->commits.size(), 1U) << "nothing moved";
}

TEST(KafkaSubscription, StepsOverOffsetsThatWereNeverDelivered) {
    Fixture fixture;
    const auto deliveries = fixture.receive({4, 9, 20});
    fixture.settle(deliveries[0]);
    fixture.flush();
    fixture.settle(deliveries[1]);
    fixture.flush();
    EXPECT_EQ(fixture.consumer->commits, (Commits{{"orders", 0, 5}, {"orders", 0, 10}}));
}

TEST(KafkaSubscription, CommitsAtMostOnceAnInterval) {
    Fixture fixture;
    const auto deliveries = fixture.receive({1, 2, 3});
    for (const Delivery& delivery : deliveries) {
        fixture.settle(delivery);
        fixture.receive({});
    }
    EXPECT_TRUE(fixture.consumer->commits.empty());
    fixture.process.run(milliseconds(200));
    fixture.receive({});
    EXPECT_EQ(fixture.consumer->commits, (Commits{{"orders", 0, 4}}));
}

TEST(KafkaSubscription, CommitsWhatTheListenerFinishedBeforeARevocation) {
    Fixture fixture;
    const auto deliveries = fixture.receive({1, 2});
    fixture.settle(deliveries[0]);
    fixture.listener.on_revoked = [&]() -> asio::awaitable<void> {
        co_await fixture.subscription->settle(deliveries[1], Settlement::accept);
    };
    fixture.consumer->revoke = {{"orders", 0}};
    fixture.receive({});
    EXPECT_EQ(fixture.listener.revoked, (std::vector<std::uint64_t>{deliveries[0].lane}));
    EXPECT_EQ(fixture.consumer->commits, (Commits{{"orders", 0, 3}}));
}

TEST(KafkaSubscription, RefusesToSettleWhatWasDeliveredBeforeTheLaneWent) {
    Fixture fixture;
    const auto old = fixture.receive({1, 2});
    fixture.consumer->revoke = {{"orders", 0}};
    fixture.receive({});
    fixture.consumer->given = {{"orders", 0}};
    const auto now = fixture.receive({1, 2});
    EXPECT_NE(old[0].lane, now[0].lane);
    EXPECT_FALSE(fixture.settle(old[0]));
    fixture.flush();
    EXPECT_TRUE(fixture.consumer->commits.empty());
}

TEST(KafkaSubscription, CommitsNothingOfALostPartition) {
    Fixture fixture;
    const auto deliveries = fixture.receive({1});
    fixture.settle(deliveries[0]);
    fixture.consumer->lose = {{"orders", 0}};
    fixture.receive({});
    EXPECT_EQ(fixture.listener.lost, (std::vector<std::uint64_t>{deliveries[0].lane}));
    fixture.flush();
    EXPECT_TRUE(fixture.consumer->commits.empty());
}

TEST(KafkaSubscription, TakesAFencedCommitForLostLanes) {
    Fixture fixture;
    const auto deliveries = fixture.receive({1});
    fixture.settle(deliveries[0]);
    fixture.consumer->refusal =
        Failure{make_error_code(kafka::ErrorCode::illegal_generation), Certainty::failed};
    fixture.flush();
    EXPECT_EQ(fixture.listener.lost, (std::vector<std::uint64_t>{deliveries[0].lane}));
    EXPECT_TRUE(fixture.receive({2}).empty()) << "left over in the client";
}

TEST(KafkaSubscription, CommitsLaterWhatARebalanceRefused) {
    Fixture fixture;
    const auto deliveries = fixture.receive({1});
    fixture.settle(deliveries[0]);
    fixture.consumer->refusal =
        Failure{make_error_code(kafka::ErrorCode::rebalance_in_progress), Certainty::failed};
    fixture.flush();
    EXPECT_TRUE(fixture.listener.lost.empty());
    fixture.flush();
    EXPECT_EQ(fixture.consumer->commits, (Commits{{"orders", 0, 2}}));
}

TEST(KafkaSubscription, RewindsAReleasedRecordWhenNothingIsInFlight) {
    Fixture fixture;
    const auto deliveries = fixture.receive({1, 2, 3});
    fixture.settle(deliveries[0]);
    fixture.settle(deliveries[1], Settlement::release);
    fixture.receive({});
    EXPECT_TRUE(fixture.consumer->seeks.empty());
    EXPECT_EQ(fixture.consumer->paused.size(), 1U);
    fixture.settle(deliveries[2]);
    fixture.receive({});
    EXPECT_EQ(fixture.consumer->seeks, (Commits{{"orders", 0, 2}}));
    EXPECT_TRUE(fixture.consumer->paused.empty());
    fixture.flush();
    EXPECT_EQ(fixture.consumer->commits, (Commits{{"orders", 0, 2}}));
    const auto again = fixture.receive({2, 3});
    fixture.settle(again[0]);
    fixture.settle(again[1]);
    fixture.flush();
    EXPECT_EQ(fixture.consumer->commits.back().offset, 4);
}

TEST(KafkaSubscription, TreatsWhatIsReadAgainAsUnfinished) {
    Fixture fixture;
    const auto first = fixture.receive({1, 2});
    fixture.settle(first[1]);
    const auto again = fixture.receive({1, 2});
    fixture.settle(again[0]);
    fixture.flush();
    EXPECT_EQ(fixture.consumer->commits, (Commits{{"orders", 0, 2}}));
}

TEST(KafkaSubscription, LeavesCommitsToAnAutoCommittingClient) {
    Fixture fixture(true);
    const auto deliveries = fixture.receive({1});
    EXPECT_TRUE(fixture.settle(deliveries[0]));
    fixture.flush();
    EXPECT_TRUE(fixture.consumer->commits.empty());
}

TEST(KafkaSubscription, CommitsAndLeavesAtClose) {
    Fixture fixture;
    const auto deliveries = fixture.receive({1, 2});
    fixture.settle(deliveries[0]);
    fixture.consumer->held = {{"orders", 0}};
    fixture.process.start(fixture.subscription->close());
    fixture.process.poll();
    EXPECT_TRUE(fixture.consumer->closed);
    EXPECT_EQ(fixture.consumer->commits, (Commits{{"orders", 0, 2}}));
    EXPECT_EQ(fixture.listener.revoked.size(), 1U);
}

TEST(KafkaSubscription, HoldsAPartition) {
    Fixture fixture;
    const auto deliveries = fixture.receive({1});
    fixture.subscription->hold(deliveries[0].lane, true);
    EXPECT_EQ(fixture.consumer->paused.count({"orders", 0}), 1U);
    fixture.subscription->hold(deliveries[0].lane, false);
    EXPECT_TRUE(fixture.consumer->paused.empty());
}

TEST(KafkaMessage, TravelsThroughARecordUnchanged) {
    const Message message{"m1", "a", "body", {{"trace", "t"}}};
    const kafka::ProducerRecord sent = to_record("orders", message);
    EXPECT_EQ(sent.key, "a");
    kafka::ConsumerRecord received;
    received.key = sent.key;
    received.value = sent.value;
    received.headers = sent.headers;
    EXPECT_EQ(to_message(received), message);
    EXPECT_EQ(to_record("orders", {"m1", "", "", {}}).key, std::nullopt);
}

TEST(KafkaMessage, IsKnownByItsPlaceWithoutAnId) {
    kafka::ConsumerRecord received;
    received.topic = "orders";
    received.partition = 3;
    received.offset = 42;
    EXPECT_EQ(to_message(received).id, "orders/3@42");
}

TEST(KafkaErrors, HaveKafkasNames) {
    const error_code code = make_error_code(kafka::ErrorCode::not_leader_or_follower);
    EXPECT_EQ(code.message(), "NOT_LEADER_OR_FOLLOWER");
    EXPECT_TRUE(is_retriable(kafka::ErrorCode::not_leader_or_follower));
    EXPECT_FALSE(is_retriable(kafka::ErrorCode::illegal_generation));
    EXPECT_EQ(kafka::category().message(5'000), "ERROR_5000");
}

TEST(KafkaErrors, AreFoundByName) {
    for (const kafka::ErrorCode code : kafka::error_codes()) {
        EXPECT_EQ(kafka::find_error(make_error_code(code).message()), code);
    }
    EXPECT_EQ(kafka::find_error("NOT_LEADER"), std::nullopt);
}

TEST(KafkaErrors, HaveTheClassThatTellsAClientWhatToDo) {
    using kafka::ErrorClass;
    using kafka::ErrorCode;
    EXPECT_EQ(class_of(ErrorCode::none), ErrorClass::none);
    EXPECT_EQ(class_of(ErrorCode::concurrent_transactions), ErrorClass::retriable);
    EXPECT_EQ(class_of(ErrorCode::transaction_abortable), ErrorClass::abortable);
    EXPECT_EQ(class_of(ErrorCode::producer_fenced), ErrorClass::recoverable);
    EXPECT_EQ(class_of(ErrorCode::message_too_large), ErrorClass::fatal);
    EXPECT_EQ(class_of(ErrorCode{5'000}), ErrorClass::fatal);
}

// A cooperative rebalance takes one partition of two; the other goes on as if nothing were.
TEST(KafkaSubscription, GivesUpOnlyWhatIsRevoked) {
    Fixture fixture;
    fixture.consumer->given = {{"orders", 0}, {"orders", 1}};
    fixture.consumer->add(0, 4);
    fixture.consumer->add(1, 9);
    const auto deliveries = fixture.receive({});
    ASSERT_EQ(deliveries.size(), 2U);
    fixture.settle(deliveries[1]);
    fixture.consumer->revoke = {{"orders", 1}};
    const auto more = fixture.receive({5});
    EXPECT_EQ(fixture.listener.revoked, std::vector<std::uint64_t>{deliveries[1].lane});
    EXPECT_EQ(fixture.consumer->commits, (Commits{{"orders", 1, 10}}));
    EXPECT_FALSE(fixture.settle(deliveries[1])) << "gone";
    ASSERT_EQ(more.size(), 1U);
    EXPECT_EQ(more[0].lane, deliveries[0].lane) << "the same assignment";
    EXPECT_TRUE(fixture.settle(deliveries[0]));
    EXPECT_TRUE(fixture.settle(more[0]));
    fixture.flush();
    EXPECT_EQ(fixture.consumer->commits.back(), (kafka::TopicPartitionOffset{"orders", 0, 6}));
}

// While the group rebalances a commit is refused, and nothing is lost by that.
TEST(KafkaSubscription, TriesACommitAgainThatARebalanceRefused) {
    Fixture fixture;
    const auto deliveries = fixture.receive({4});
    fixture.settle(deliveries[0]);
    fixture.consumer->refusal =
        Failure{make_error_code(kafka::ErrorCode::rebalance_in_progress), Certainty::failed};
    fixture.flush();
    EXPECT_TRUE(fixture.consumer->commits.empty());
    fixture.flush();
    EXPECT_EQ(fixture.consumer->commits, (Commits{{"orders", 0, 5}}));
    EXPECT_TRUE(fixture.listener.lost.empty());
}

TEST(KafkaSubscription, ThrowsWhatItCanNeverRecoverFrom) {
    Fixture fixture;
    fixture.receive({4});
    fixture.consumer->failure =
        Failure{make_error_code(kafka::ErrorCode::fenced_instance_id), Certainty::failed};
    EXPECT_THROW(fixture.receive({}), boost::system::system_error);
    fixture.consumer->failure =
        Failure{make_error_code(kafka::ErrorCode::coordinator_not_available), Certainty::failed};
    const Outcome<std::vector<Delivery>> passing =
        await(fixture.process, fixture.subscription->receive(milliseconds(10)));
    EXPECT_TRUE(passing.has_error());
}

} // namespace
} // namespace crier::messaging
