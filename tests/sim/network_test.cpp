#include "tests/sim/fixture.hpp"

namespace crier::sim::test {
namespace {

inline constexpr CallKind ask{"ask"};
inline constexpr CallKind tell{"tell"};

/// A client that asks a server, which counts how often it executed.
struct Pair {
    explicit Pair(WorldOptions options = {}) : world(options) {
        server = &add_body(world, "server");
        client = &add_body(world, "client");
        world.run_until(Instant{});
    }

    void ask_server(Duration timeout = 1s) {
        static_cast<Body*>(client->program())->ports.spawn("ask", asking(timeout));
    }

    asio::awaitable<void> asking(Duration timeout) {
        CallOptions options;
        options.timeout = timeout;
        auto serve = [this](Process&, Reply<int> reply) { reply(++executed); };
        const Outcome<int> outcome =
            co_await world.network().call<int>(client->process(), *server, ask, options, serve);
        outcomes.push_back(outcome);
    }

    FaultSpec call_fault(FaultKind kind, std::uint32_t nth, Duration length = {}) const {
        FaultSpec spec;
        spec.kind = kind;
        spec.nodes = {client->id()};
        spec.trigger.when = FaultTrigger::When::call;
        spec.trigger.name = "ask";
        spec.trigger.nth = nth;
        spec.duration = length;
        spec.what = "trouble with ask";
        return spec;
    }

    World world;
    Node* server = nullptr;
    Node* client = nullptr;
    int executed = 0;
    std::vector<Outcome<int>> outcomes;
};

void expect_failure(const Outcome<int>& outcome, CallError error, Certainty certainty) {
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, make_error_code(error));
    EXPECT_EQ(outcome.error().certainty, certainty);
}

TEST(Call, IsExecutedAndAnsweredAfterTwoLatencies) {
    Pair pair;
    pair.ask_server();
    pair.world.run_until(Instant(199us));
    EXPECT_TRUE(pair.outcomes.empty());
    pair.world.run_until(Instant(1s));
    ASSERT_EQ(pair.outcomes.size(), 1u);
    EXPECT_EQ(pair.outcomes[0].value(), 1);
}

TEST(Call, ToAProcessThatIsDownIsRefusedForCertain) {
    Pair pair;
    pair.server->crash("test");
    pair.ask_server();
    pair.world.run_until(Instant(2s));
    ASSERT_EQ(pair.outcomes.size(), 1u);
    expect_failure(pair.outcomes[0], CallError::refused, Certainty::failed);
    EXPECT_EQ(pair.executed, 0);
}

TEST(Call, ToAMachineWithoutPowerTimesOut) {
    Pair pair;
    pair.server->lose_power();
    pair.ask_server();
    pair.world.run_until(Instant(999ms));
    EXPECT_TRUE(pair.outcomes.empty());
    pair.world.run_until(Instant(2s));
    ASSERT_EQ(pair.outcomes.size(), 1u);
    expect_failure(pair.outcomes[0], CallError::timed_out, Certainty::unknown);
}

TEST(Call, WhoseServerDiesIsUnknown) {
    Pair pair;
    pair.ask_server();
    pair.world.run_until(Instant(50us)); // under way
    pair.server->crash("test");
    pair.world.run_until(Instant(2s));
    ASSERT_EQ(pair.outcomes.size(), 1u);
    expect_failure(pair.outcomes[0], CallError::reset, Certainty::unknown);
    EXPECT_EQ(pair.executed, 0);
}

TEST(Call, HearsOfAProcessThatDiedBehindAPartitionOnceItHeals) {
    Pair pair;
    pair.ask_server(1h);
    pair.world.run_until(Instant(50us)); // under way
    FaultSpec spec = fault_at(FaultKind::partition, {pair.server->id()}, 60us, 5s);
    spec.one_way = true;
    pair.world.faults().add(std::move(spec));
    pair.world.run_until(Instant(70us));
    pair.server->crash("test");
    pair.world.run_until(Instant(4s));
    EXPECT_TRUE(pair.outcomes.empty());
    pair.world.run_until(Instant(7s));
    ASSERT_EQ(pair.outcomes.size(), 1u);
    expect_failure(pair.outcomes[0], CallError::reset, Certainty::unknown);
}

TEST(Call, WhoseAnswerIsLostWasExecutedAndIsUnknown) {
    Pair pair;
    pair.world.faults().add(pair.call_fault(FaultKind::lose_answer, 2));
    pair.ask_server();
    pair.ask_server();
    pair.ask_server();
    pair.world.run_until(Instant(5s));
    ASSERT_EQ(pair.outcomes.size(), 3u);
    EXPECT_EQ(pair.executed, 3);
    expect_failure(pair.outcomes[2], CallError::timed_out,
                   Certainty::unknown); // the second, and last to end
    EXPECT_EQ(pair.world.faults().records()[0].hits, 1u);
}

/// Returns how often faults began, less how often they ended.
int lasting(World& world) {
    int count = 0;
    for (const Event& event : world.history().events()) {
        count += event.kind == events::fault_began.id ? 1 : 0;
        count -= event.kind == events::fault_ended.id ? 1 : 0;
    }
    return count;
}

WorldOptions with_history() {
    WorldOptions options;
    options.history.keep = true;
    return options;
}

TEST(Fault, OfCallsEndsWithItsLastStrike) {
    Pair pair(with_history());
    FaultSpec spec = pair.call_fault(FaultKind::drop_request, 1);
    spec.trigger.strikes = 2;
    pair.world.faults().add(std::move(spec));
    pair.ask_server();
    pair.world.run_until(Instant(1s));
    EXPECT_EQ(lasting(pair.world), 1);
    pair.ask_server();
    pair.world.run_until(Instant(2s));
    EXPECT_EQ(lasting(pair.world), 0);
    EXPECT_EQ(pair.world.faults().records()[0].hits, 2u);
}

TEST(Fault, OfCallsEndsWithItsWindowOrByHealing) {
    for (const Duration window : {Duration(3s), Duration{}}) {
        Pair pair(with_history());
        FaultSpec spec = pair.call_fault(FaultKind::drop_request, 1);
        spec.trigger.strikes = 0;
        spec.trigger.window = window;
        pair.world.faults().add(std::move(spec));
        pair.ask_server();
        pair.world.run_until(Instant(2s));
        EXPECT_EQ(lasting(pair.world), 1);
        pair.world.run_until(Instant(4s));
        EXPECT_EQ(lasting(pair.world), window > Duration{} ? 0 : 1);
        pair.world.faults().heal();
        EXPECT_EQ(lasting(pair.world), 0);
    }
}

TEST(Fault, OfAMomentEndsAtOnce) {
    Pair pair(with_history());
    FaultSpec act = fault_at(FaultKind::act, {}, 1s, {});
    act.act = [] { return true; };
    pair.world.faults().add(std::move(act));
    pair.world.faults().add(fault_at(FaultKind::reset, {pair.server->id()}, 1s, {}));
    pair.world.run_until(Instant(2s));
    EXPECT_TRUE(pair.world.faults().records()[1].began);
    EXPECT_EQ(lasting(pair.world), 0);
}

TEST(Call, WhoseRequestIsDroppedIsNotExecuted) {
    Pair pair;
    pair.world.faults().add(pair.call_fault(FaultKind::drop_request, 1));
    pair.ask_server();
    pair.world.run_until(Instant(5s));
    ASSERT_EQ(pair.outcomes.size(), 1u);
    expect_failure(pair.outcomes[0], CallError::timed_out, Certainty::unknown);
    EXPECT_EQ(pair.executed, 0);
}

TEST(Call, ThatIsDelayedBeyondItsTimeoutIsExecutedAllTheSame) {
    Pair pair;
    pair.world.faults().add(pair.call_fault(FaultKind::delay_call, 1, 3s));
    pair.ask_server();
    pair.world.run_until(Instant(2s));
    ASSERT_EQ(pair.outcomes.size(), 1u);
    expect_failure(pair.outcomes[0], CallError::timed_out, Certainty::unknown);
    EXPECT_EQ(pair.executed, 0);
    pair.world.run_until(Instant(5s));
    EXPECT_EQ(pair.executed, 1);
}

TEST(Call, OfADeadClientIsForgotten) {
    Pair pair;
    pair.ask_server();
    pair.world.run_until(Instant(50us));
    pair.client->crash("test");
    pair.world.run_until(Instant(5s));
    EXPECT_TRUE(pair.outcomes.empty());
    EXPECT_EQ(pair.executed, 1) << "the request was on its way";
}

FaultSpec link_fault(FaultKind kind, const Pair& pair, Duration at, Duration length,
                     std::int64_t amount = 0) {
    FaultSpec spec = fault_at(kind, {pair.client->id()}, at, length);
    spec.peers = {pair.server->id()};
    spec.amount = amount;
    return spec;
}

TEST(Partition, HoldsRequestsBackAndDeliversThemAfterHealing) {
    Pair pair;
    pair.world.faults().add(link_fault(FaultKind::partition, pair, 1ms, 10s));
    pair.world.run_until(Instant(2ms));
    pair.ask_server();
    pair.world.run_until(Instant(5s));
    ASSERT_EQ(pair.outcomes.size(), 1u);
    expect_failure(pair.outcomes[0], CallError::timed_out, Certainty::unknown);
    EXPECT_EQ(pair.executed, 0);
    pair.world.run_until(Instant(12s));
    EXPECT_EQ(pair.executed, 1) << "a late request is executed after all";
    EXPECT_EQ(pair.world.faults().records()[0].hits, 1u);
}

TEST(Partition, OneWayLetsTheOtherWayPass) {
    Pair pair;
    FaultSpec spec = link_fault(FaultKind::partition, pair, 1ms, 10s);
    std::swap(spec.nodes, spec.peers); // from the server to the client
    spec.one_way = true;
    pair.world.faults().add(std::move(spec));
    pair.world.run_until(Instant(2ms));
    pair.ask_server();
    pair.world.run_until(Instant(5s));
    EXPECT_EQ(pair.executed, 1);
    ASSERT_EQ(pair.outcomes.size(), 1u);
    expect_failure(pair.outcomes[0], CallError::timed_out, Certainty::unknown);
}

TEST(Partition, OfADeadReceiverLeavesNothingBehind) {
    Pair pair;
    pair.world.faults().add(link_fault(FaultKind::partition, pair, 1ms, 10s));
    pair.world.run_until(Instant(2ms));
    pair.ask_server();
    pair.world.run_until(Instant(3ms));
    pair.server->crash("test");
    pair.server->start();
    pair.world.run_until(Instant(20s));
    EXPECT_EQ(pair.executed, 0) << "the new life does not get the old connection's request";
}

TEST(Reset, BreaksPendingCallsWithAnUnknownOutcome) {
    Pair pair;
    pair.ask_server();
    pair.world.run_until(Instant(50us));
    pair.world.network().reset(pair.client->id(), pair.server->id());
    pair.world.run_until(Instant(500ms));
    ASSERT_EQ(pair.outcomes.size(), 1u);
    expect_failure(pair.outcomes[0], CallError::reset, Certainty::unknown);
    EXPECT_EQ(pair.executed, 0);
}

TEST(SlowLink, MultipliesLatency) {
    Pair pair;
    pair.world.faults().add(link_fault(FaultKind::slow_link, pair, 1ms, 10s, 100));
    pair.world.run_until(Instant(2ms));
    const Instant asked = pair.world.now();
    pair.ask_server(5s);
    while (pair.outcomes.empty() && pair.world.step(Instant(10s))) {
    }
    EXPECT_GE(pair.world.now() - asked, 20ms);
}

TEST(LossyLink, StallsOrBreaksButNeverReordersOrLosesSilently) {
    WorldOptions options;
    options.seed = 7;
    Pair pair(options);
    pair.world.faults().add(link_fault(FaultKind::lossy_link, pair, 1ms, 100s, 300'000));
    pair.world.run_until(Instant(2ms));
    std::vector<int> arrived;
    for (int number = 0; number < 200; ++number) {
        pair.world.run_until(pair.world.now() + 100ms);
        pair.world.network().send(pair.client->process(), *pair.server, tell, 100, 0,
                                  [&arrived, number](Process&) { arrived.push_back(number); });
    }
    pair.world.run_until(pair.world.now() + 100s);
    EXPECT_TRUE(std::is_sorted(arrived.begin(), arrived.end()));
    EXPECT_GT(arrived.size(), 150u);
    EXPECT_GT(pair.world.faults().records()[0].hits, 20u);
}

TEST(Messages, BetweenTwoNodesKeepTheirOrder) {
    Pair pair;
    std::vector<int> arrived;
    for (int number = 0; number < 100; ++number) {
        pair.world.network().send(pair.client->process(), *pair.server, tell, 100, 0,
                                  [&arrived, number](Process&) { arrived.push_back(number); });
    }
    pair.world.run_until(Instant(1s));
    ASSERT_EQ(arrived.size(), 100u);
    EXPECT_TRUE(std::is_sorted(arrived.begin(), arrived.end()));
}

TEST(Latency, OfOneMessageDoesNotDependOnOthers) {
    // Leaving a message out moves no draw of the others: the property that shrinking stands on.
    const auto arrivals = [](bool with_first) {
        Pair pair;
        std::vector<Duration> times;
        for (int number = 0; number < 20; ++number) {
            pair.world.run_until(Instant(10ms * (number + 1)));
            if (number == 3 && !with_first) continue;
            pair.world.network().send(
                pair.client->process(), *pair.server, tell, 100, 0,
                [&](Process&) { times.push_back(pair.world.now().time_since_epoch()); });
        }
        pair.world.run_until(Instant(1s));
        return times;
    };
    std::vector<Duration> all = arrivals(true);
    const std::vector<Duration> others = arrivals(false);
    ASSERT_EQ(all.size(), 20u);
    all.erase(all.begin() + 3);
    EXPECT_EQ(all, others);
}

TEST(Faults, BeginOnlyWithinTheBudget) {
    Pair pair;
    pair.world.faults().set_budget([](FaultKind, std::span<const std::uint32_t>) { return false; });
    pair.world.faults().add(fault_at(FaultKind::crash, {pair.server->id()}, 1s, 1s));
    pair.world.run_until(Instant(5s));
    EXPECT_TRUE(pair.world.faults().records()[0].withheld);
    EXPECT_EQ(pair.server->process().incarnation(), 1u);
}

// Who is meant may be known only when it begins: the leader of a partition.
TEST(Faults, AskWhomTheyBefallWhenTheyBegin) {
    Pair pair;
    FaultSpec cut = link_fault(FaultKind::partition, pair, 1ms, 10s);
    cut.peers.clear();
    cut.resolve_peers = [] { return std::vector<std::uint32_t>{}; };
    pair.world.faults().add(std::move(cut)); // from nobody, so it must not be from everybody
    FaultSpec crash = pair.call_fault(FaultKind::crash, 1, 1s);
    crash.nodes.clear();
    crash.resolve = [&pair] { return std::vector<std::uint32_t>{pair.server->id()}; };
    pair.world.faults().add(std::move(crash));
    pair.world.run_until(Instant(1s));
    EXPECT_TRUE(pair.server->is_up());
    pair.ask_server();
    pair.world.run_until(Instant(20s));
    EXPECT_TRUE(pair.world.faults().records()[1].began);
    EXPECT_EQ(pair.server->process().incarnation(), 2u);
    ASSERT_EQ(pair.outcomes.size(), 1u);
    EXPECT_FALSE(pair.outcomes[0]);
}

TEST(Faults, OfOneDiskEndEachByItself) {
    Pair pair;
    const std::vector<std::uint32_t> server{pair.server->id()};
    pair.world.faults().add(fault_at(FaultKind::full_disk, server, 1s, 10s));
    pair.world.faults().add(fault_at(FaultKind::full_disk, server, 2s, 1s));
    pair.world.run_until(Instant(5s));
    EXPECT_TRUE(pair.server->disk().is_full());
    pair.world.run_until(Instant(12s));
    EXPECT_FALSE(pair.server->disk().is_full());
}

TEST(Faults, HealingEndsThemAllAndStartsWhatIsDown) {
    Pair pair;
    pair.world.faults().add(fault_at(FaultKind::crash, {pair.server->id()}, 1s, 1h));
    pair.world.faults().add(link_fault(FaultKind::partition, pair, 1s, 1h));
    pair.world.faults().add(fault_at(FaultKind::pause, {pair.client->id()}, 1s, 1h));
    pair.world.run_until(Instant(2s));
    EXPECT_FALSE(pair.server->is_up());
    pair.world.faults().heal();
    EXPECT_TRUE(pair.server->is_up());
    EXPECT_FALSE(pair.world.faults().is_active());
    pair.ask_server();
    pair.world.run_until(Instant(5s));
    ASSERT_EQ(pair.outcomes.size(), 1u);
    EXPECT_TRUE(pair.outcomes[0]);
}

} // namespace
} // namespace crier::sim::test
