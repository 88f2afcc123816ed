#include "messaging/key_queues.hpp"

#include <gtest/gtest.h>

namespace crier::messaging {
namespace {

Delivery delivery(std::uint64_t lane, std::string key, std::uint64_t token) {
    Delivery made;
    made.lane = lane;
    made.message.key = std::move(key);
    made.token = token;
    return made;
}

TEST(KeyQueues, GivesOutOneOfAKeyAtATime) {
    KeyQueues queues(true);
    queues.push(delivery(1, "a", 1));
    queues.push(delivery(1, "a", 2));
    queues.push(delivery(1, "b", 3));
    const auto first = queues.take();
    const auto other = queues.take();
    EXPECT_EQ(first->delivery.token, 1U);
    EXPECT_EQ(other->delivery.token, 3U);
    EXPECT_EQ(queues.take(), nullptr);
    queues.finish(*first);
    EXPECT_EQ(queues.take()->delivery.token, 2U);
    EXPECT_EQ(queues.size(), 2U);
}

TEST(KeyQueues, KeepsTheSameKeyOfTwoLanesApart) {
    KeyQueues queues(true);
    queues.push(delivery(1, "a", 1));
    queues.push(delivery(2, "a", 1));
    EXPECT_NE(queues.take(), nullptr);
    EXPECT_NE(queues.take(), nullptr);
}

TEST(KeyQueues, AsksNoOrderOfMessagesWithoutAKey) {
    KeyQueues queues(true);
    queues.push(delivery(1, "", 1));
    queues.push(delivery(1, "", 2));
    EXPECT_EQ(queues.ready(), 2U);
    KeyQueues unordered(false);
    unordered.push(delivery(1, "a", 1));
    unordered.push(delivery(1, "a", 2));
    EXPECT_EQ(unordered.ready(), 2U);
}

TEST(KeyQueues, AWaitingHeadBlocksItsKeyOnly) {
    KeyQueues queues(true);
    queues.push(delivery(1, "a", 1));
    queues.push(delivery(1, "a", 2));
    const auto head = queues.take();
    queues.defer(*head);
    queues.push(delivery(1, "b", 3));
    queues.push(delivery(1, "a", 4));
    EXPECT_EQ(queues.take()->delivery.token, 3U);
    EXPECT_EQ(queues.take(), nullptr);
    queues.resume(*head);
    EXPECT_EQ(queues.take(), head);
}

TEST(KeyQueues, ClosingALaneKeepsOnlyWhatRuns) {
    KeyQueues queues(true);
    queues.push(delivery(1, "a", 1));
    queues.push(delivery(1, "a", 2));
    queues.push(delivery(1, "b", 3));
    queues.push(delivery(1, "c", 4));
    queues.push(delivery(2, "a", 5));
    const auto running = queues.take();
    const auto waiting = queues.take();
    queues.defer(*waiting);
    queues.close(1);
    EXPECT_TRUE(running->closing);
    EXPECT_FALSE(running->forgotten);
    EXPECT_TRUE(waiting->forgotten);
    EXPECT_TRUE(queues.is_running(1));
    EXPECT_EQ(queues.size(), 2U);
    queues.finish(*running);
    EXPECT_FALSE(queues.is_running(1));
    EXPECT_EQ(queues.take()->delivery.token, 5U);
    EXPECT_EQ(queues.take(), nullptr);
}

TEST(KeyQueues, ForgettingALaneLeavesTheRunningWorkToItself) {
    KeyQueues queues(true);
    queues.push(delivery(1, "a", 1));
    const auto running = queues.take();
    queues.forget(1);
    EXPECT_TRUE(running->forgotten);
    EXPECT_EQ(queues.size(), 0U);
    // The lane's number may be in use again: what was forgotten must not touch the new queue.
    queues.push(delivery(1, "a", 1));
    queues.finish(*running);
    EXPECT_EQ(queues.size(), 1U);
    EXPECT_NE(queues.take(), running);
}

} // namespace
} // namespace crier::messaging
