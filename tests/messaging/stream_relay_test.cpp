#include "messaging/ports/kafka_errors.hpp"
#include "tests/messaging/relay_fixture.hpp"

#include <gtest/gtest.h>

namespace crier::messaging {
namespace {

using fakes::RelayFixture;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Names = std::vector<std::string>;

struct Fixture : RelayFixture {
    Fixture() {
        options.by = RelayBy::change_stream;
        options.dead_key = DeadKey::goes_on;
        options.catch_up = false;
    }
};

TEST(StreamRelay, PublishesWhatCommitsInTheOrderOfTheStream) {
    Fixture fixture;
    fixture.add("a1", "a");
    fixture.changes.add("orders", {std::string("of another table")});
    fixture.add("b1", "b");
    fixture.start();
    fixture.run(milliseconds(10));
    fixture.add("a2", "a");
    fixture.run(milliseconds(10));
    EXPECT_EQ(fixture.published, (Names{"a1", "b1", "a2"}));
    EXPECT_EQ(fixture.changes.confirmed, 40U);
    EXPECT_EQ(fixture.left(), 0);
}

/// Crashes when the first row is refused and later ones are stored; then goes on.
Names crash_behind_a_failure(Fixture& fixture) {
    for (const char* const id : {"a1", "b1", "c1"})
        fixture.add(id, std::string(1, id[0]));
    fixture.fail("a1", StoreError::unavailable);
    fixture.start();
    fixture.run(milliseconds(50));
    fixture.crash();
    fixture.fault = nullptr;
    fixture.start();
    fixture.run(seconds(5));
    return fixture.published;
}

TEST(StreamRelay, ConfirmsOnlyTheFinishedBeginning) {
    Fixture fixture;
    EXPECT_EQ(crash_behind_a_failure(fixture), (Names{"b1", "c1", "a1", "b1", "c1"}));
    EXPECT_EQ(fixture.changes.confirmed, 30U);
}

TEST(StreamRelayMistake, ConfirmingEachLosesWhatIsOpenBeforeIt) {
    Fixture fixture;
    fixture.options.confirm = StreamConfirm::each;
    EXPECT_EQ(crash_behind_a_failure(fixture), (Names{"b1", "c1"}));
}

TEST(StreamRelay, AKeyWaitsAfterAFailureAndOthersGoOn) {
    Fixture fixture;
    for (const char* const id : {"a1", "a2", "b1"})
        fixture.add(id, std::string(1, id[0]));
    fixture.fail("a1", StoreError::connection_lost);
    fixture.start();
    fixture.run(milliseconds(50));
    fixture.fault = nullptr;
    fixture.add("a3", "a");
    fixture.add("b2", "b");
    fixture.run(milliseconds(50));
    EXPECT_EQ(fixture.published, (Names{"b1", "b2"}));
    EXPECT_EQ(fixture.changes.confirmed, 0U);
    fixture.run(seconds(2));
    EXPECT_EQ(fixture.published, (Names{"b1", "b2", "a1", "a2", "a3"}));
    EXPECT_EQ(fixture.changes.confirmed, 50U);
}

TEST(StreamRelay, ReadsNoMoreThanItMayHaveInHand) {
    Fixture fixture;
    fixture.options.open_max = 2;
    fixture.options.batch = 2;
    fixture.fail("a1", StoreError::unavailable);
    for (const char* const id : {"a1", "a2", "b1"})
        fixture.add(id, std::string(1, id[0]));
    fixture.start();
    fixture.run(milliseconds(500));
    EXPECT_EQ(fixture.published, Names());
    fixture.fault = nullptr;
    fixture.run(seconds(2));
    EXPECT_EQ(fixture.published, (Names{"a1", "a2", "b1"}));
}

TEST(StreamRelay, OpensTheSlotAgainAndRepeatsWhatWasNotConfirmed) {
    Fixture fixture;
    fixture.add("a1", "a");
    fixture.fail("a1", StoreError::unavailable);
    fixture.start();
    fixture.run(milliseconds(50));
    fixture.fault = nullptr;
    fixture.changes.broken = true;
    fixture.run(seconds(3));
    EXPECT_EQ(fixture.changes.opens, 2);
    EXPECT_EQ(fixture.published, (Names{"a1"}));
}

TEST(StreamRelay, StandsByWhileAnotherReadsTheSlot) {
    Fixture fixture;
    fixture.changes.is_open = true;
    fixture.add("a1", "a");
    fixture.start();
    fixture.run(seconds(3));
    EXPECT_EQ(fixture.published, Names());
    fixture.changes.is_open = false;
    fixture.run(seconds(2));
    EXPECT_EQ(fixture.published, (Names{"a1"}));
}

TEST(StreamRelay, PassesADeadRowAndPublishesItAnewWhenItIsRedriven) {
    Fixture fixture;
    fixture.options.attempts = 2;
    fixture.add("a1", "a");
    fixture.add("a2", "a");
    fixture.fail("a1", kafka::ErrorCode::invalid_record);
    fixture.start();
    fixture.run(seconds(3));
    EXPECT_EQ(fixture.published, (Names{"a2"}));
    EXPECT_EQ(fixture.changes.confirmed, 20U);
    EXPECT_EQ(fixture.store.count("select count(*) from outbox where dead_at is not null"), 1);
    ASSERT_TRUE(fixture.await(fixture.care().redrive()));
    EXPECT_EQ(fixture.store.count("select count(*) from outbox where dead_at is not null"), 0);
    const Rows rows = fixture.store.ask("select id from outbox where position > 2");
    ASSERT_EQ(rows.size(), 1U) << "a new row, which the stream will tell";
    EXPECT_EQ(std::get<std::string>(rows[0][0]), "a1");
}

// --- What the slot does not tell ---

struct CatchingUp : Fixture {
    CatchingUp() {
        options.catch_up = true;
        options.batch = 2;
        for (const char* const id : {"a1", "b1", "a2", "a3", "b2"})
            add(id, std::string(1, id[0]));
    }
};

TEST(StreamRelayCatchUp, PublishesWhatWasThereBeforeTheSlot) {
    CatchingUp fixture;
    fixture.changes.changes.clear();
    fixture.start();
    fixture.run(milliseconds(50));
    fixture.add("a4", "a");
    fixture.run(milliseconds(50));
    EXPECT_EQ(fixture.published, (Names{"a1", "b1", "a2", "a3", "b2", "a4"}));
    EXPECT_EQ(fixture.left(), 0);
}

TEST(StreamRelayCatchUp, PassesOverWhatTheStreamTellsAgain) {
    CatchingUp fixture;
    fixture.start();
    fixture.run(milliseconds(50));
    EXPECT_EQ(fixture.published, (Names{"a1", "b1", "a2", "a3", "b2"}));
    EXPECT_EQ(fixture.changes.confirmed, 50U);
}

TEST(StreamRelayCatchUp, ConfirmsNothingBeforeARowThatItFound) {
    CatchingUp fixture;
    fixture.fail("b1", StoreError::connection_lost);
    fixture.start();
    fixture.run(milliseconds(50));
    EXPECT_EQ(fixture.published, (Names{"a1", "a2", "a3"}));
    EXPECT_EQ(fixture.changes.confirmed, 0U);
    fixture.fault = nullptr;
    fixture.run(seconds(2));
    EXPECT_EQ(fixture.published, (Names{"a1", "a2", "a3", "b1", "b2"}));
    EXPECT_EQ(fixture.changes.confirmed, 50U);
}

TEST(StreamRelayCatchUp, MustBeDoneByWhoeverOpensTheSlotNext) {
    CatchingUp fixture;
    fixture.changes.changes.clear();
    fixture.fail("b1", StoreError::unavailable);
    fixture.start();
    fixture.run(milliseconds(50));
    fixture.crash();
    fixture.fault = nullptr;
    fixture.start();
    fixture.run(seconds(3));
    EXPECT_EQ(fixture.published, (Names{"a1", "a2", "a3", "b1", "b2"}));
}

TEST(StreamRelayMistake, WithoutCatchingUpWhatWasThereBeforeTheSlotStays) {
    CatchingUp fixture;
    fixture.options.catch_up = false;
    fixture.changes.changes.clear();
    fixture.start();
    fixture.run(seconds(1));
    EXPECT_EQ(fixture.published, Names());
    EXPECT_EQ(fixture.left(), 5);
}

} // namespace
} // namespace crier::messaging
