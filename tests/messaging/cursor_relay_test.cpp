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
    Fixture() { options.by = RelayBy::cursor; }
    [[nodiscard]] std::int64_t cursor() {
        return store.count("select position from outbox_cursor");
    }
};

/// Somebody takes position 1, and commits it after position 2 was there for `time`.
void commit_late(Fixture& fixture, Duration time) {
    const std::int64_t slow = fixture.store.begin_elsewhere();
    const std::int64_t position = fixture.store.take_position();
    fixture.add("b1", "b");
    fixture.start();
    fixture.run(time);
    fixture.add_at(position, "a1", "a");
    fixture.store.end_elsewhere(slow);
    fixture.run(seconds(1));
}

TEST(CursorRelay, PublishesInTheOrderOfPositions) {
    Fixture fixture;
    fixture.options.batch = 2;
    for (const char* const id : {"a1", "b1", "a2", "a3", "b2"})
        fixture.add(id, std::string(1, id[0]));
    fixture.start();
    fixture.run(milliseconds(50));
    EXPECT_EQ(fixture.published, (Names{"a1", "b1", "a2", "a3", "b2"}));
    EXPECT_EQ(fixture.left(), 0);
    EXPECT_EQ(fixture.cursor(), 5);
}

TEST(CursorRelay, WaitsForATransactionWithALowerPosition) {
    Fixture fixture;
    commit_late(fixture, seconds(20));
    EXPECT_EQ(fixture.published, (Names{"a1", "b1"}));
    EXPECT_EQ(fixture.cursor(), 2);
}

TEST(CursorRelayMistake, IgnoringGapsMissesARowThatCommitsLate) {
    Fixture fixture;
    fixture.options.gaps = CursorGaps::ignored;
    commit_late(fixture, milliseconds(200));
    EXPECT_EQ(fixture.published, (Names{"b1"}));
    EXPECT_EQ(fixture.left(), 1);
}

TEST(CursorRelayMistake, AFixedWaitMissesARowOfALongTransaction) {
    Fixture shorter;
    shorter.options.gaps = CursorGaps::fixed_wait;
    commit_late(shorter, milliseconds(500));
    EXPECT_EQ(shorter.published, (Names{"a1", "b1"}));
    Fixture longer;
    longer.options.gaps = CursorGaps::fixed_wait;
    commit_late(longer, milliseconds(1500));
    EXPECT_EQ(longer.published, (Names{"b1"}));
}

TEST(CursorRelay, PassesAPositionThatWasRolledBack) {
    Fixture fixture;
    fixture.store.take_position();
    fixture.add("a1", "a");
    fixture.start();
    fixture.run(milliseconds(250));
    EXPECT_EQ(fixture.published, (Names{"a1"}));
    EXPECT_EQ(fixture.cursor(), 2);
    EXPECT_EQ(fixture.observer().points["relay.cursor-advanced"], 1);
}

TEST(CursorRelay, StandsBeforeAPausedRowWhileOthersGoOn) {
    Fixture fixture;
    for (const char* const id : {"a1", "a2", "b1"})
        fixture.add(id, std::string(1, id[0]));
    fixture.fail("a1", StoreError::unavailable);
    fixture.start();
    fixture.run(milliseconds(500));
    fixture.add("b2", "b");
    fixture.run(milliseconds(300));
    EXPECT_EQ(fixture.published, (Names{"b1", "b2"}));
    EXPECT_EQ(fixture.cursor(), 0);
    fixture.fault = nullptr;
    fixture.run(seconds(2));
    EXPECT_EQ(fixture.published, (Names{"b1", "b2", "a1", "a2"}));
    EXPECT_EQ(fixture.cursor(), 4);
}

TEST(CursorRelay, PublishesADeadRowAfterItWasRedriven) {
    Fixture fixture;
    fixture.options.attempts = 1;
    for (const char* const id : {"a1", "a2", "b1"})
        fixture.add(id, std::string(1, id[0]));
    fixture.fail("a1", kafka::ErrorCode::message_too_large);
    fixture.start();
    fixture.run(seconds(3));
    EXPECT_EQ(fixture.published, (Names{"b1"}));
    fixture.fault = nullptr;
    ASSERT_TRUE(fixture.await(fixture.care().redrive()));
    fixture.run(seconds(3));
    EXPECT_EQ(fixture.published, (Names{"b1", "a1", "a2"}));
    EXPECT_EQ(fixture.cursor(), 3);
}

TEST(CursorRelay, OneLeadsAndAnotherAdoptsTheLeadOfAnOwnerThatDied) {
    Fixture fixture;
    fixture.latency = milliseconds(10);
    for (const char* const id : {"a1", "a2", "a3"})
        fixture.add(id, "a");
    fixture.start();
    fixture.run(milliseconds(25));
    fixture.crash();
    EXPECT_EQ(fixture.published, (Names{"a1", "a2"}));
    fixture.start();
    fixture.run(seconds(29));
    EXPECT_EQ(fixture.published.size(), 2U) << "it stands by";
    fixture.run(seconds(2));
    EXPECT_EQ(fixture.published, (Names{"a1", "a2", "a1", "a2", "a3"}));
    EXPECT_EQ(fixture.store.count("select epoch from outbox_cursor"), 2);
}

TEST(CursorRelay, LeavesTheLeadWhenItStops) {
    Fixture fixture;
    fixture.start();
    fixture.run(milliseconds(50));
    fixture.stop();
    fixture.run(seconds(1));
    EXPECT_EQ(fixture.store.count("select count(*) from outbox_cursor where owner is null"), 1);
}

TEST(CursorRelay, WhoLedBeforeCannotMoveTheCursor) {
    Fixture fixture;
    fixture.latency = milliseconds(100);
    fixture.add("a1", "a");
    fixture.start();
    fixture.run(milliseconds(50));
    fixture.store.ask("update outbox_cursor set epoch = epoch + 1, owner = 'other', leased_until ="
                      " 3605000");
    fixture.run(seconds(1));
    EXPECT_EQ(fixture.published, (Names{"a1"}));
    EXPECT_EQ(fixture.cursor(), 0);
    fixture.add("a2", "a");
    fixture.run(seconds(1));
    EXPECT_EQ(fixture.published, (Names{"a1"})) << "the other leads";
    fixture.run(seconds(4));
    EXPECT_EQ(fixture.published, (Names{"a1", "a2"}));
}

} // namespace
} // namespace crier::messaging
