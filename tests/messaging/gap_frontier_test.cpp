#include "messaging/relay/gap_frontier.hpp"

#include <gtest/gtest.h>

namespace crier::messaging {
namespace {

using std::chrono::seconds;

GapFrontier frontier(CursorGaps gaps = CursorGaps::transactions) {
    return {gaps, seconds(1), 10};
}

TEST(GapFrontier, FollowsPositionsWithoutGaps) {
    GapFrontier subject = frontier();
    EXPECT_TRUE(subject.reaches(11));
    EXPECT_TRUE(subject.reaches(12));
    EXPECT_FALSE(subject.reaches(14));
    EXPECT_EQ(subject.decided(), 12);
}

TEST(GapFrontier, WaitsForEveryTransactionThatCanHaveThePosition) {
    GapFrontier subject = frontier();
    EXPECT_FALSE(subject.reaches(12));
    subject.saw(12, Instant());
    subject.numbered(500);
    subject.snapshot(499, Instant());
    EXPECT_FALSE(subject.reaches(12)) << "499 may have it";
    subject.snapshot(500, Instant());
    EXPECT_TRUE(subject.reaches(12)) << "500 began later";
    EXPECT_FALSE(subject.is_waiting());
}

TEST(GapFrontier, IsNotDecidedByANumberFromBefore) {
    GapFrontier subject = frontier();
    subject.numbered(400);
    EXPECT_FALSE(subject.reaches(12));
    subject.saw(12, Instant());
    subject.snapshot(450, Instant());
    EXPECT_FALSE(subject.reaches(12)) << "who has position 11 may be number 460";
}

TEST(GapFrontier, DecidesAboutLaterGapsLater) {
    GapFrontier subject = frontier();
    subject.saw(12, Instant());
    subject.numbered(500);
    subject.saw(15, Instant());
    subject.numbered(510);
    subject.snapshot(505, Instant());
    EXPECT_TRUE(subject.reaches(12));
    EXPECT_TRUE(subject.reaches(13));
    EXPECT_FALSE(subject.reaches(15));
    subject.snapshot(510, Instant());
    EXPECT_TRUE(subject.reaches(15));
}

TEST(GapFrontier, WaitsForNothingThatIsNotSeen) {
    GapFrontier subject = frontier();
    subject.saw(12, Instant());
    subject.saw_nothing();
    EXPECT_FALSE(subject.is_waiting());
    subject.snapshot(1'000'000, Instant());
    EXPECT_EQ(subject.decided(), 10);
}

TEST(GapFrontier, MistakesIgnoreOrWaitByTheClock) {
    GapFrontier ignoring = frontier(CursorGaps::ignored);
    EXPECT_TRUE(ignoring.reaches(12));
    GapFrontier waiting = frontier(CursorGaps::fixed_wait);
    EXPECT_FALSE(waiting.reaches(12));
    waiting.saw(12, Instant());
    waiting.snapshot(0, Instant(seconds(1) - Duration(1)));
    EXPECT_FALSE(waiting.reaches(12));
    waiting.snapshot(0, Instant(seconds(1)));
    EXPECT_TRUE(waiting.reaches(12));
}

} // namespace
} // namespace crier::messaging
