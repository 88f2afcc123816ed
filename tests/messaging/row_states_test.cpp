#include "messaging/ports/kafka_errors.hpp"
#include "tests/messaging/relay_fixture.hpp"

#include <gtest/gtest.h>

// What a failure costs, who waits for it, and what becomes of rows in the end. Each wrong option
// has to show its mistake, and the right one next to it must not.

namespace crier::messaging {
namespace {

using fakes::RelayFixture;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Names = std::vector<std::string>;

const error_code outage = StoreError::unavailable;
const error_code refusal = kafka::ErrorCode::message_too_large;

void add_rows(RelayFixture& fixture, const Names& ids) {
    for (const std::string& id : ids)
        fixture.add(id, id.substr(0, 1));
}

std::int64_t dead(RelayFixture& fixture) {
    return fixture.store.count("select count(*) from outbox where dead_at is not null");
}

TEST(RowStates, APausedKeyHoldsNoOtherUp) {
    RelayFixture fixture;
    fixture.options.batch = 2;
    fixture.options.backoff = seconds(10);
    add_rows(fixture, {"a1", "a2", "a3", "a4", "b1", "c1"});
    fixture.fail("a1", outage);
    fixture.start();
    fixture.run(milliseconds(500));
    EXPECT_EQ(fixture.published, (Names{"b1", "c1"}));
    EXPECT_EQ(fixture.calls(), 2) << "a1 is tried once";
    fixture.fault = nullptr;
    fixture.run(seconds(11));
    EXPECT_EQ(fixture.published, (Names{"b1", "c1", "a1", "a2", "a3", "a4"}));
}

TEST(RowStates, APausedKeyIsPausedForTheNextOwnerToo) {
    RelayFixture fixture;
    fixture.options.backoff = seconds(10);
    add_rows(fixture, {"a1", "a2"});
    fixture.fail("a1", outage);
    fixture.start();
    fixture.run(milliseconds(50));
    fixture.crash();
    fixture.fault = nullptr;
    fixture.start();
    fixture.run(seconds(9));
    EXPECT_EQ(fixture.published, Names());
    fixture.run(seconds(2));
    EXPECT_EQ(fixture.published, (Names{"a1", "a2"}));
}

/// The first row fails once.
Names fail_first(RelayFixture& fixture) {
    add_rows(fixture, {"a1", "a2", "a3"});
    fixture.fail("a1", outage);
    fixture.start();
    fixture.run(milliseconds(50));
    fixture.fault = nullptr;
    fixture.run(seconds(5));
    return fixture.published;
}

TEST(RowStatesMistake, GoingOnAfterAFailureReordersTheKey) {
    RelayFixture right;
    EXPECT_EQ(fail_first(right), (Names{"a1", "a2", "a3"}));
    RelayFixture wrong;
    wrong.options.after_failure = AfterFailure::goes_on;
    EXPECT_EQ(fail_first(wrong), (Names{"a2", "a3", "a1"}));
}

TEST(RowStatesMistake, MarkingWhatWasOnlySentLosesWhatFails) {
    RelayFixture wrong;
    wrong.options.mark = RelayMark::sent;
    EXPECT_EQ(fail_first(wrong), (Names{"a2", "a3"}));
    EXPECT_EQ(wrong.left(), 0);
}

/// The broker is away for a while.
Names outlast_an_outage(RelayFixture& fixture) {
    fixture.options.attempts = 3;
    add_rows(fixture, {"a1", "b1"});
    fixture.fail("", outage);
    fixture.start();
    fixture.run(seconds(20));
    fixture.fault = nullptr;
    fixture.run(seconds(20));
    return fixture.published;
}

TEST(RowStatesMistake, AnOutageThatCostsAttemptsBuriesRows) {
    RelayFixture right;
    EXPECT_EQ(outlast_an_outage(right), (Names{"a1", "b1"}));
    EXPECT_EQ(right.left(), 0);
    RelayFixture wrong;
    wrong.options.outage = OutageCost::attempts;
    EXPECT_EQ(outlast_an_outage(wrong), Names());
    EXPECT_EQ(wrong.left(), 2);
    EXPECT_EQ(dead(wrong), 0) << "and nobody can see it";
}

TEST(RowStates, ARowThatIsRefusedForGoodDiesAndItsKeyStops) {
    RelayFixture fixture;
    fixture.options.attempts = 3;
    add_rows(fixture, {"a1", "a2", "b1"});
    fixture.fail("a1", refusal);
    fixture.start();
    fixture.run(seconds(10));
    EXPECT_EQ(fixture.published, (Names{"b1"}));
    EXPECT_EQ(fixture.calls(), 3);
    EXPECT_EQ(fixture.observer().points["relay.dead"], 1);
    const Outcome<std::vector<DeadRow>> rows = fixture.await(fixture.care().dead());
    ASSERT_TRUE(rows);
    ASSERT_EQ(rows->size(), 1U);
    EXPECT_EQ(rows->front().id, "a1");
    EXPECT_EQ(rows->front().key, "a");
    EXPECT_EQ(rows->front().attempts, 3);
    EXPECT_EQ(rows->front().reason, "MESSAGE_TOO_LARGE");
}

TEST(RowStates, ARedrivenRowComesBeforeTheRestOfItsStoppedKey) {
    RelayFixture fixture;
    fixture.options.attempts = 1;
    add_rows(fixture, {"a1", "a2"});
    fixture.fail("a1", refusal);
    fixture.start();
    fixture.run(seconds(2));
    EXPECT_EQ(dead(fixture), 1);
    fixture.fault = nullptr;
    ASSERT_TRUE(fixture.await(fixture.care().redrive()));
    fixture.run(seconds(1));
    EXPECT_EQ(fixture.published, (Names{"a1", "a2"}));
    EXPECT_EQ(fixture.left(), 0);
}

TEST(RowStates, AKeyGoesOnWithoutItsDeadRowIfItIsToldTo) {
    RelayFixture fixture;
    fixture.options.attempts = 1;
    fixture.options.dead_key = DeadKey::goes_on;
    add_rows(fixture, {"a1", "a2"});
    fixture.fail("a1", refusal);
    fixture.start();
    fixture.run(seconds(5));
    EXPECT_EQ(fixture.published, (Names{"a2"}));
    EXPECT_EQ(dead(fixture), 1);
    EXPECT_EQ(fixture.left(), 1);
}

TEST(RowStates, ARowWhoseHeadersCannotBeReadDies) {
    RelayFixture fixture;
    fixture.options.attempts = 1;
    add_rows(fixture, {"a1", "b1"});
    fixture.store.ask("update outbox set headers = 'x' where id = 'a1'");
    fixture.start();
    fixture.run(seconds(1));
    EXPECT_EQ(fixture.published, (Names{"b1"}));
    EXPECT_EQ(dead(fixture), 1);
}

TEST(RowStates, PublishedRowsAreKeptAsLongAsAskedFor) {
    RelayFixture fixture;
    fixture.options.keep = seconds(60);
    add_rows(fixture, {"a1"});
    fixture.start();
    fixture.run(seconds(59));
    EXPECT_EQ(fixture.store.count("select count(*) from outbox where published_at is not null"), 1);
    EXPECT_EQ(fixture.published, (Names{"a1"}));
    fixture.run(seconds(20));
    EXPECT_EQ(fixture.store.count("select count(*) from outbox"), 0);
    fixture.stop();
    fixture.run(milliseconds(200));
    EXPECT_TRUE(fixture.stopped) << "the purge has ended too";
}

/// The broker is away for longer than rows are kept.
Names outlast_the_keep(RelayFixture& fixture) {
    fixture.options.keep = seconds(60);
    add_rows(fixture, {"a1"});
    fixture.fail("", outage);
    fixture.start();
    fixture.run(seconds(120));
    fixture.fault = nullptr;
    fixture.run(seconds(5));
    return fixture.published;
}

TEST(RowStatesMistake, APurgeByAgeDeletesRowsThatWereNeverSent) {
    RelayFixture right;
    EXPECT_EQ(outlast_the_keep(right), (Names{"a1"}));
    RelayFixture wrong;
    wrong.options.purge = PurgeRows::by_age;
    EXPECT_EQ(outlast_the_keep(wrong), Names());
    EXPECT_EQ(wrong.left(), 0);
}

TEST(RowStates, ThePurgeLeavesDeadRows) {
    RelayFixture fixture;
    fixture.options.keep = seconds(20);
    fixture.options.attempts = 1;
    add_rows(fixture, {"a1"});
    fixture.fail("", refusal);
    fixture.start();
    fixture.run(seconds(120));
    EXPECT_EQ(dead(fixture), 1);
}

TEST(RowStates, AdoptsRowsOfAnOwnerThatDied) {
    RelayFixture fixture;
    fixture.latency = milliseconds(10);
    add_rows(fixture, {"a1", "a2", "a3"});
    fixture.start();
    fixture.run(milliseconds(15));
    fixture.crash();
    EXPECT_EQ(fixture.store.count("select count(*) from outbox where claimed_by is not null"), 3);
    fixture.pass(seconds(31));
    fixture.start();
    fixture.run(milliseconds(100));
    EXPECT_EQ(fixture.published, (Names{"a1", "a1", "a2", "a3"}));
    EXPECT_EQ(fixture.left(), 0);
}

TEST(RowStatesMistake, ClaimsThatIgnoreTheKeyOvertake) {
    for (const RelayOrder order : {RelayOrder::key, RelayOrder::none}) {
        RelayFixture fixture;
        fixture.options.order = order;
        add_rows(fixture, {"a1", "a2"});
        fixture.store.ask("update outbox set claimed_by = 'slow', claimed_until = 3610000"
                          " where id = 'a1'");
        fixture.start();
        fixture.run(seconds(20));
        EXPECT_EQ(fixture.published,
                  order == RelayOrder::key ? (Names{"a1", "a2"}) : (Names{"a2", "a1"}));
    }
}

TEST(RelayOptions, SayWhatGoesTogether) {
    RelayOptions options;
    options.channel = "orders";
    EXPECT_TRUE(options.validate().empty());
    options.by = RelayBy::change_stream;
    EXPECT_EQ(options.validate().size(), 1U) << "a dead key cannot stop there";
    options.wake = RelayWake::notification;
    EXPECT_EQ(options.validate().size(), 2U);
    options = RelayOptions();
    options.purge = PurgeRows::by_age;
    EXPECT_EQ(options.validate().size(), 2U);
}

} // namespace
} // namespace crier::messaging
