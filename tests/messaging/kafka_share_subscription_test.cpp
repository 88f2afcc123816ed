#include "messaging/kafka_share_subscription.hpp"

#include "tests/messaging/consumer_fixture.hpp"
#include "tests/messaging/fakes.hpp"

#include <gtest/gtest.h>

namespace crier::messaging {
namespace {

using kafka::AcknowledgeType;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// A share consumer in explicit mode that keeps its contract: a record of the last poll must be
/// acknowledged before the next, and no other may be.
class FakeShareConsumer final : public kafka::ShareConsumer {
public:
    void subscribe(std::vector<std::string>) override {}
    asio::awaitable<Outcome<std::vector<kafka::ShareRecord>>> poll(Duration) override {
        ++polls;
        if (!unacknowledged.empty() && !implicit) throw std::logic_error("not acknowledged");
        if (failure) co_return *std::exchange(failure, std::nullopt);
        tell();
        for (const kafka::ShareRecord& record : records)
            unacknowledged.insert(record.record.offset);
        co_return std::exchange(records, {});
    }
    void acknowledge(const kafka::ShareRecord& record, AcknowledgeType type) override {
        const kafka::Offset offset = record.record.offset;
        if (unacknowledged.erase(offset) + renewed.erase(offset) == 0) {
            throw std::logic_error("not to be acknowledged");
        }
        if (type == AcknowledgeType::renew) renewed.insert(offset);
        noted.emplace_back(offset, type);
    }
    asio::awaitable<std::vector<kafka::AcknowledgementOutcome>> commit() override {
        ++commits;
        tell();
        std::vector<kafka::AcknowledgementOutcome> outcomes(1);
        outcomes[0].partition = {"orders", 0};
        if (refusal) outcomes[0].outcome = *std::exchange(refusal, std::nullopt);
        co_return outcomes;
    }
    asio::awaitable<void> close() override {
        tell();
        closed = true;
        co_return;
    }

    void add(kafka::Offset offset, int count = 1) {
        kafka::ShareRecord& given = records.emplace_back();
        given.record.topic = "orders";
        given.record.offset = offset;
        given.record.key = "k";
        given.delivery_count = count;
    }
    /// Returns what the broker was told, as `4:accept 5:release`, and forgets it.
    std::string take_told() {
        std::string text;
        for (const auto& [offset, type] : std::exchange(told, {})) {
            const char* const names[] = {"accept", "release", "reject", "renew"};
            text += (text.empty() ? "" : " ") + std::to_string(offset) + ":" +
                    names[static_cast<std::size_t>(type)];
        }
        return text;
    }

    bool implicit = false;
    bool closed = false;
    int polls = 0;
    int commits = 0;
    std::optional<Failure> refusal; ///< Of the next commit.
    std::optional<Failure> failure; ///< Of the next poll.
    std::vector<kafka::ShareRecord> records;
    std::set<kafka::Offset> unacknowledged;
    std::set<kafka::Offset> renewed;

private:
    void tell() {
        told.insert(told.end(), noted.begin(), noted.end());
        noted.clear();
    }
    std::vector<std::pair<kafka::Offset, AcknowledgeType>> noted;
    std::vector<std::pair<kafka::Offset, AcknowledgeType>> told;
};

struct Fixture {
    explicit Fixture(bool renew = true, bool automatic = false) {
        auto made = std::make_unique<FakeShareConsumer>();
        consumer = made.get();
        consumer->implicit = automatic;
        KafkaShareSubscriptionOptions options;
        options.topics = {"orders"};
        options.automatic = automatic;
        options.renew = renew;
        options.lock = seconds(2);
        subscription.emplace(process.clock, process.background, std::move(made), options);
    }

    /// Receives for `wait` of the fake's time.
    std::vector<Delivery> receive(Duration wait = milliseconds(10)) {
        std::optional<std::vector<Delivery>> received;
        process.start(receive_into(wait, &received));
        process.run(wait);
        EXPECT_TRUE(received.has_value());
        return received.value_or(std::vector<Delivery>());
    }
    asio::awaitable<void> receive_into(Duration wait,
                                       std::optional<std::vector<Delivery>>* received) {
        auto outcome = co_await subscription->receive(wait);
        *received = std::move(outcome.value());
    }
    bool settle(const Delivery& delivery, Settlement how = Settlement::accept) {
        return await(process, subscription->settle(delivery, how)).has_value();
    }

    fakes::Process process;
    FakeShareConsumer* consumer = nullptr;
    std::optional<KafkaShareSubscription> subscription;
};

TEST(KafkaShareSubscription, SettlesEveryRecordByItself) {
    Fixture fixture;
    fixture.consumer->add(4);
    fixture.consumer->add(5, 3);
    fixture.consumer->add(6);
    const auto deliveries = fixture.receive();
    ASSERT_EQ(deliveries.size(), 3U);
    EXPECT_EQ(deliveries[1].delivery_count, 3);
    EXPECT_EQ(deliveries[1].origin, "orders/0@5");
    EXPECT_EQ(deliveries[0].lease_end, Instant{} + seconds(2));
    EXPECT_TRUE(fixture.settle(deliveries[2]));
    EXPECT_TRUE(fixture.settle(deliveries[1], Settlement::release));
    EXPECT_TRUE(fixture.settle(deliveries[0], Settlement::reject));
    fixture.receive();
    EXPECT_EQ(fixture.consumer->take_told(), "6:accept 5:release 4:reject");
    EXPECT_FALSE(fixture.settle(deliveries[0])) << "settled already";
}

TEST(KafkaShareSubscription, AsksForMoreWhenAllIsSettled) {
    Fixture fixture;
    fixture.consumer->add(1);
    fixture.consumer->add(2);
    const auto deliveries = fixture.receive();
    fixture.consumer->add(3);
    fixture.settle(deliveries[0]);
    EXPECT_TRUE(fixture.receive().empty());
    EXPECT_EQ(fixture.consumer->polls, 1);
    fixture.settle(deliveries[1]);
    EXPECT_EQ(fixture.receive().size(), 1U);
    EXPECT_EQ(fixture.consumer->commits, 0) << "it travels with the fetch";
}

TEST(KafkaShareSubscription, TellsWhatIsDoneWhileTheRestIsInWork) {
    Fixture fixture;
    fixture.consumer->add(1);
    fixture.consumer->add(2);
    const auto deliveries = fixture.receive();
    fixture.settle(deliveries[0]);
    fixture.receive(milliseconds(100));
    EXPECT_EQ(fixture.consumer->take_told(), "");
    fixture.receive(milliseconds(200));
    EXPECT_EQ(fixture.consumer->take_told(), "1:accept");
    fixture.settle(deliveries[1]);
    await(fixture.process, fixture.subscription->flush());
    EXPECT_EQ(fixture.consumer->take_told(), "2:accept");
}

TEST(KafkaShareSubscription, RenewsWhatIsInWorkBeforeItsLockEnds) {
    Fixture fixture;
    fixture.consumer->add(1);
    const auto deliveries = fixture.receive();
    fixture.receive(milliseconds(900));
    EXPECT_EQ(fixture.consumer->take_told(), "");
    fixture.receive(milliseconds(200));
    EXPECT_EQ(fixture.consumer->take_told(), "1:renew");
    fixture.receive(milliseconds(3'000));
    EXPECT_GE(fixture.consumer->commits, 3);
    EXPECT_TRUE(fixture.settle(deliveries[0])) << "it is still held";
    fixture.consumer->take_told();
    fixture.receive();
    EXPECT_EQ(fixture.consumer->take_told(), "1:accept");
}

TEST(KafkaShareSubscription, SaysWhenALockHasEnded) {
    Fixture fixture(false);
    fixture.consumer->add(1);
    const auto deliveries = fixture.receive();
    fixture.receive(milliseconds(2'100));
    EXPECT_EQ(fixture.consumer->take_told(), "") << "nothing is renewed";
    EXPECT_FALSE(fixture.settle(deliveries[0]));
}

TEST(KafkaShareSubscription, TriesARenewalAgainThatWasRefused) {
    Fixture fixture;
    fixture.consumer->add(1);
    const auto deliveries = fixture.receive();
    fixture.consumer->refusal =
        Failure{make_error_code(kafka::ErrorCode::not_leader_or_follower), Certainty::failed};
    fixture.receive(milliseconds(1'100));
    EXPECT_EQ(fixture.consumer->take_told(), "1:renew");
    fixture.receive(milliseconds(600));
    EXPECT_EQ(fixture.consumer->take_told(), "1:renew");
    EXPECT_TRUE(fixture.settle(deliveries[0]));
}

TEST(KafkaShareSubscription, ExtendsOnRequest) {
    Fixture fixture(false);
    fixture.consumer->add(1);
    const auto deliveries = fixture.receive();
    EXPECT_TRUE(await(fixture.process, fixture.subscription->extend(deliveries[0], seconds(2)))
                    .has_value());
    fixture.receive();
    EXPECT_EQ(fixture.consumer->take_told(), "1:renew");
}

TEST(KafkaShareSubscription, GivesTheRestBackWhenItCloses) {
    Fixture fixture;
    fixture.consumer->add(1);
    fixture.consumer->add(2);
    const auto deliveries = fixture.receive();
    fixture.settle(deliveries[0]);
    fixture.process.start(fixture.subscription->close());
    fixture.process.poll();
    EXPECT_TRUE(fixture.consumer->closed);
    EXPECT_EQ(fixture.consumer->take_told(), "1:accept 2:release");
    EXPECT_FALSE(fixture.settle(deliveries[1]));
}

TEST(KafkaShareSubscription, AsksForNothingWhileItIsHeld) {
    Fixture fixture;
    fixture.subscription->hold(1, true);
    fixture.consumer->add(1);
    EXPECT_TRUE(fixture.receive().empty());
    EXPECT_EQ(fixture.consumer->polls, 0);
    fixture.subscription->hold(1, false);
    EXPECT_EQ(fixture.receive().size(), 1U);
}

TEST(KafkaShareSubscription, LeavesAcknowledgementToAnImplicitClient) {
    Fixture fixture(true, true);
    fixture.consumer->add(1);
    const auto deliveries = fixture.receive();
    EXPECT_TRUE(fixture.settle(deliveries[0], Settlement::release));
    fixture.receive();
    EXPECT_EQ(fixture.consumer->polls, 2);
    EXPECT_EQ(fixture.consumer->take_told(), "");
}

TEST(KafkaShareSubscription, ThrowsWhatItCanNeverRecoverFrom) {
    Fixture fixture;
    fixture.consumer->failure =
        Failure{make_error_code(kafka::ErrorCode::coordinator_not_available), Certainty::failed};
    const auto passing = await(fixture.process, fixture.subscription->receive(milliseconds(10)));
    EXPECT_TRUE(passing.has_error());
    fixture.consumer->failure =
        Failure{make_error_code(kafka::ErrorCode::group_max_size_reached), Certainty::failed};
    EXPECT_THROW(await(fixture.process, fixture.subscription->receive(milliseconds(10))),
                 boost::system::system_error);
}

// What the consumer does with a broker that counts deliveries.
TEST(ConsumerOfAQueue, GivesAFailedMessageBackUntilItsLastDelivery) {
    fakes::ConsumerFixture fixture;
    fixture.options.retry_by = RetryBy::broker;
    fixture.options.retry.attempts = 9;
    fixture.options.delivery_limit = 3;
    fixture.script["m1"] = {"retry", "retry", "retry"};
    fixture.start();
    for (const int count : {1, 2, 3}) {
        fixture.subscription().push("m1", "k", "", 1, count);
        fixture.run(seconds(5));
    }
    EXPECT_EQ(
        fixture.subscription().settlements,
        (std::vector<Settlement>{Settlement::release, Settlement::release, Settlement::accept}));
    EXPECT_EQ(fixture.effects(), std::vector<std::string>{"m1"});
    EXPECT_EQ(fixture.points("consumer.attempt-failed"), 3) << "the last delivery was tried again";
}

TEST(ConsumerOfAQueue, ParksByTheBrokersCountWhereNobodyElseCounts) {
    fakes::ConsumerFixture fixture;
    fixture.options.retry_by = RetryBy::broker;
    fixture.options.deduplicate = Deduplicate::none;
    fixture.options.retry.attempts = 3;
    fixture.script["m1"] = {"retry", "retry", "retry"};
    fixture.start();
    fixture.subscription().push("m1", "k", "", 1, 3);
    fixture.run(seconds(1));
    EXPECT_EQ(fixture.subscription().settlements, std::vector<Settlement>{Settlement::reject});
    EXPECT_EQ(fixture.dead_letters.size(), 1U);
}

} // namespace
} // namespace crier::messaging
