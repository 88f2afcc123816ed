#include "messaging/relay.hpp"

#include "tests/messaging/fakes.hpp"

#include <algorithm>
#include <gtest/gtest.h>

namespace crier::messaging {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Names = std::vector<std::string>;

std::optional<Failure> none() {
    return std::nullopt;
}

struct Fixture {
    Fixture() {
        store.create(outbox_schema());
        options.channel = "orders";
    }

    void add(const std::string& id, const std::string& key, const std::string& headers = "") {
        store.ask("insert into outbox (id, key, body, headers) values ('" + id + "', '" + key +
                  "', 'body of " + id + "', '" + headers + "')");
    }
    [[nodiscard]] std::int64_t left() { return store.count("select count(*) from outbox"); }

    fakes::FakeStore store;
    fakes::Process process;
    fakes::FakePublisher publisher{process.clock};
    RelayOptions options;
};

TEST(Relay, PublishesEverythingAndDeletesIt) {
    Fixture fixture;
    fixture.add("m1", "a", "1:h1:v");
    fixture.add("m2", "b");
    fixture.add("m3", "");
    Relay relay(fixture.process.ports(), fixture.store, fixture.publisher, fixture.options);
    fixture.process.start(relay.run());
    fixture.process.run(seconds(1));
    EXPECT_EQ(fixture.publisher.ids(), (Names{"m1", "m2", "m3"}));
    EXPECT_EQ(fixture.publisher.channels[0], "orders");
    const Message expected{"m1", "a", "body of m1", {{"h", "v"}}};
    EXPECT_EQ(fixture.publisher.published[0], expected);
    EXPECT_EQ(fixture.left(), 0);
    for (const char* const point :
         {"relay.claimed", "relay.published-not-marked", "relay.marked"}) {
        EXPECT_EQ(fixture.process.observer.points[point], 1) << point;
    }
}

TEST(Relay, HasOneRowOfAKeyInFlight) {
    Fixture fixture;
    for (const char* const id : {"a1", "a2", "a3"})
        fixture.add(id, "a");
    fixture.add("b1", "b");
    fixture.publisher.on_publish = [](const std::vector<Message>& messages) {
        EXPECT_EQ(std::count_if(messages.begin(), messages.end(),
                                [](const Message& message) { return message.key == "a"; }),
                  1);
    };
    Relay relay(fixture.process.ports(), fixture.store, fixture.publisher, fixture.options);
    fixture.process.start(relay.run());
    fixture.process.run(milliseconds(50));
    EXPECT_EQ(fixture.publisher.ids(), (Names{"a1", "b1", "a2", "a3"}));
    EXPECT_EQ(fixture.publisher.calls, 3);
}

TEST(Relay, StopsAKeyAtItsFailureAndNoOther) {
    Fixture fixture;
    for (const char* const id : {"a1", "a2", "a3"})
        fixture.add(id, "a");
    fixture.add("b1", "b");
    fixture.add("b2", "b");
    bool refuse = true;
    fixture.publisher.fault = [&refuse](const Message& message) {
        if (!refuse || message.id != "a2") return none();
        refuse = false;
        return std::optional(Failure{StoreError::unavailable, Certainty::failed});
    };
    Relay relay(fixture.process.ports(), fixture.store, fixture.publisher, fixture.options);
    fixture.process.start(relay.run());
    fixture.process.run(milliseconds(50));
    EXPECT_EQ(fixture.publisher.ids(), (Names{"a1", "b1", "b2"}));
    EXPECT_EQ(fixture.left(), 2);
    EXPECT_EQ(fixture.store.count("select count(*) from outbox where claimed_by is not null"), 0);
    fixture.process.run(seconds(2));
    EXPECT_EQ(fixture.publisher.ids(), (Names{"a1", "b1", "b2", "a2", "a3"}));
    EXPECT_EQ(fixture.left(), 0);
}

TEST(Relay, KeepsARowWhoseConfirmationIsUnknown) {
    Fixture fixture;
    fixture.add("m1", "a");
    bool lost = true;
    fixture.publisher.fault = [&lost](const Message&) {
        if (!std::exchange(lost, false)) return none();
        return std::optional(Failure{StoreError::connection_lost, Certainty::unknown});
    };
    Relay relay(fixture.process.ports(), fixture.store, fixture.publisher, fixture.options);
    fixture.process.start(relay.run());
    fixture.process.run(seconds(2));
    EXPECT_EQ(fixture.publisher.ids(), (Names{"m1", "m1"}));
    EXPECT_EQ(fixture.left(), 0);
}

TEST(Relay, SeesARowThatCommitsBelowOneItPublished) {
    Fixture fixture;
    fixture.add("m2", "b");
    fixture.store.ask("update outbox set position = 100");
    Relay relay(fixture.process.ports(), fixture.store, fixture.publisher, fixture.options);
    fixture.process.start(relay.run());
    fixture.process.run(milliseconds(50));
    fixture.add("m1", "a");
    EXPECT_LT(fixture.store.count("select position from outbox"), 100);
    fixture.process.run(seconds(1));
    EXPECT_EQ(fixture.publisher.ids(), (Names{"m2", "m1"}));
}

TEST(Relay, LeavesAKeyAloneWhileAnotherRelayHoldsItsEarlierRow) {
    Fixture fixture;
    fixture.add("a1", "a");
    fixture.add("a2", "a");
    fixture.add("b1", "b");
    const std::int64_t hour = 3'600'000;
    fixture.store.ask("update outbox set claimed_by = 'other', claimed_until = " +
                      std::to_string(hour + 5000) + " where id = 'a1'");
    Relay relay(fixture.process.ports(), fixture.store, fixture.publisher, fixture.options);
    fixture.process.start(relay.run());
    fixture.process.run(milliseconds(4900));
    EXPECT_EQ(fixture.publisher.ids(), (Names{"b1"}));
    EXPECT_EQ(fixture.process.observer.points["relay.claimed"], 1);
    fixture.process.run(seconds(1));
    EXPECT_EQ(fixture.publisher.ids(), (Names{"b1", "a1", "a2"}));
}

TEST(Relay, DropsRowsThatTurnOutToOvertake) {
    // Where statements overlap, a claim can miss an earlier row that another relay is just
    // claiming.
    Fixture fixture;
    fixture.add("a1", "a");
    fixture.add("b1", "b");
    Relay relay(fixture.process.ports(), fixture.store, fixture.publisher, fixture.options);
    bool once = true;
    fixture.store.fault = [&](const std::string& sql) {
        if (sql.starts_with("select o.position") && std::exchange(once, false)) {
            fixture.store.ask("insert into outbox (position, id, key, body, headers, claimed_by,"
                              " claimed_until) values (0, 'a0', 'a', '', '', 'other', 3700000)");
        }
        return none();
    };
    fixture.process.start(relay.run());
    fixture.process.run(seconds(1));
    EXPECT_EQ(fixture.publisher.ids(), (Names{"b1"}));
    EXPECT_EQ(fixture.store.count("select count(*) from outbox where claimed_by is not null"), 1);
}

TEST(Relay, ClaimsAgainInsteadOfPublishingOnAnEndedLease) {
    Fixture fixture;
    for (const char* const id : {"a1", "a2", "a3"})
        fixture.add(id, "a");
    fixture.options.lease = milliseconds(1000);
    fixture.publisher.latency = milliseconds(600);
    Relay relay(fixture.process.ports(), fixture.store, fixture.publisher, fixture.options);
    fixture.process.start(relay.run());
    fixture.process.run(milliseconds(1300));
    EXPECT_EQ(fixture.publisher.ids(), (Names{"a1", "a2"}));
    EXPECT_EQ(fixture.process.observer.points["relay.claimed"], 2);
    fixture.process.run(seconds(2));
    EXPECT_EQ(fixture.publisher.ids(), (Names{"a1", "a2", "a3"}));
}

TEST(Relay, RepeatsButNeverReordersAfterACrash) {
    Fixture fixture;
    for (const char* const id : {"a1", "a2", "a3"})
        fixture.add(id, "a");
    Names before;
    {
        fakes::Process crashing("crashing");
        fakes::FakePublisher publisher(crashing.clock);
        publisher.latency = milliseconds(10);
        Relay relay(crashing.ports(), fixture.store, publisher, fixture.options);
        crashing.start(relay.run());
        crashing.run(milliseconds(25));
        before = publisher.ids();
    }
    EXPECT_EQ(before, (Names{"a1", "a2"}));
    Relay relay(fixture.process.ports(), fixture.store, fixture.publisher, fixture.options);
    fixture.process.start(relay.run());
    fixture.process.run(seconds(29));
    EXPECT_EQ(fixture.publisher.ids(), Names());
    fixture.process.run(seconds(2));
    EXPECT_EQ(fixture.publisher.ids(), (Names{"a1", "a2", "a3"}));
}

TEST(Relay, DeletesLaterWhatItCouldNotDeleteAtOnce) {
    Fixture fixture;
    fixture.add("m1", "a");
    bool down = true;
    fixture.store.fault = [&down](const std::string& sql) {
        if (!sql.starts_with("delete") || !std::exchange(down, false)) return none();
        return std::optional(Failure{StoreError::connection_lost, Certainty::failed});
    };
    Relay relay(fixture.process.ports(), fixture.store, fixture.publisher, fixture.options);
    fixture.process.start(relay.run());
    fixture.process.run(seconds(2));
    EXPECT_EQ(fixture.publisher.ids(), (Names{"m1"}));
    EXPECT_EQ(fixture.left(), 0);
}

TEST(Relay, TwoRelaysPublishEachRowOnceAndInOrder) {
    Fixture fixture;
    for (int row = 0; row < 60; ++row) {
        fixture.add("m" + std::to_string(100 + row),
                    std::string(1, static_cast<char>('a' + row % 7)));
    }
    fixture.options.batch = 5;
    fixture.publisher.latency = milliseconds(3);
    fakes::FakeIds ids("second");
    ProcessPorts second{fixture.process.clock, ids, fixture.process.observer,
                        fixture.process.background};
    Relay relay(fixture.process.ports(), fixture.store, fixture.publisher, fixture.options);
    Relay other(second, fixture.store, fixture.publisher, fixture.options);
    fixture.process.start(relay.run());
    fixture.process.start(other.run());
    fixture.process.run(seconds(10));
    EXPECT_EQ(fixture.publisher.published.size(), 60U);
    std::map<std::string, std::string> last;
    for (const Message& message : fixture.publisher.published) {
        EXPECT_LT(last[message.key], message.id);
        last[message.key] = message.id;
    }
    EXPECT_EQ(fixture.left(), 0);
}

TEST(Relay, StopsAfterItsBatch) {
    Fixture fixture;
    fixture.add("m1", "a");
    fixture.publisher.latency = milliseconds(500);
    Relay relay(fixture.process.ports(), fixture.store, fixture.publisher, fixture.options);
    fixture.process.start(relay.run());
    fixture.process.run(milliseconds(100));
    bool stopped = false;
    const auto stop = [](Relay* stopping, bool* done) -> asio::awaitable<void> {
        co_await stopping->stop();
        *done = true;
    };
    fixture.process.start(stop(&relay, &stopped));
    fixture.process.run(milliseconds(100));
    EXPECT_FALSE(stopped);
    fixture.process.run(milliseconds(400));
    EXPECT_TRUE(stopped);
    EXPECT_EQ(fixture.left(), 0);
}

} // namespace
} // namespace crier::messaging
