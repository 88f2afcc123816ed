// Faults of single calls, and faults that are whole stories: what a file may say of them, what is
// planned, and what they do in a run.
#include "broker-model/events.hpp"
#include "broker-model/store/sqlite_setup.hpp"
#include "scenarios/fault_format.hpp"
#include "scenarios/load_scenario.hpp"
#include "scenarios/plan.hpp"
#include "scenarios/run.hpp"
#include "sim/events.hpp"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <set>

namespace crier::scenario {
namespace {

using properties::VerdictKind;
using testing::HasSubstr;

std::string with_fault(const std::string& fault) {
    return R"(brokers:
  events: {kafka: {}}
channels:
  orders: {partitions: 2, replication: 3, min-in-sync: 2}
databases: [shop-db, billing-db]
services:
  shop: {is: outbox-producer, database: shop-db}
  relay: {is: outbox-relay, database: shop-db, to: orders}
  billing: {is: consumer, from: orders, database: billing-db, replicas: 2, offset-reset: earliest,
            session-timeout: 6s}
load:
  - {to: shop, rate: 5/s, for: 20s}
expect: [ledger, effect-at-most-once, heal-progress]
faults:
  - )" + fault +
           "\n";
}

Scenario good(const std::string& fault) {
    auto loaded = parse_scenario(with_fault(fault), "x.yaml", stock_services());
    if (loaded) return *loaded;
    for (const LoadError& error : loaded.error())
        ADD_FAILURE() << error.text();
    return {};
}

std::string problem(const std::string& fault) {
    const auto loaded = parse_scenario(with_fault(fault), "x.yaml", stock_services());
    if (loaded) return "none";
    EXPECT_EQ(loaded.error().size(), 1U) << fault;
    return loaded.error().front().text();
}

std::vector<std::string> planned(const std::string& fault) {
    const Scenario scenario = good(fault);
    std::vector<std::string> words;
    for (const PlannedFault& one : make_plan(scenario, 1).faults)
        words.push_back(one.what);
    return words;
}

/// The systems in which requests are at home: each line a system, then its requests.
struct Home {
    std::string text; ///< With `@` where the faults stand.
    std::vector<std::string> calls;
};

std::string system(const std::string& kafka, const std::string& services) {
    return R"(brokers:
  events: {kafka: {)" +
           kafka + R"(}}
channels:
  orders: {partitions: 2, replication: 3, min-in-sync: 2}
  copies: {partitions: 2, replication: 3, min-in-sync: 2}
  dead: {replication: 3, min-in-sync: 2}
databases: [shop-db, billing-db]
services:
  shop: {is: outbox-producer, database: shop-db}
  relay: {is: outbox-relay, database: shop-db, to: orders}
)" + services +
           R"(load:
  - {to: shop, rate: 5/s, for: 14s, poison: 2%}
expect: [ledger, effect-at-most-once]
faults:
  - stop: {of: billing/1, at: 8s, for: 1s}
  - @
)";
}

/// The same with other options of the relay, and a shop that wakes it.
std::string relayed(const std::string& options, const std::string& services) {
    std::string text = system("", services);
    const std::string shop = "outbox-producer, database: shop-db";
    text.insert(text.find(shop) + shop.size(), ", notify: on");
    const std::string relay = "outbox-relay, database: shop-db, to: orders";
    text.insert(text.find(relay) + relay.size(), options);
    return text;
}

/// As `system`, whose shop has a replica.
std::string replicated(const std::string& subscriber) {
    std::string text = system("", subscriber);
    const std::string databases = "databases: [shop-db, billing-db]";
    text.replace(text.find(databases), databases.size(),
                 "databases: {shop-db: {replica: asynchronous}, billing-db: {}}");
    return text;
}

std::vector<Home> homes() {
    const std::string classic = "  billing: {is: consumer, from: orders, database: billing-db, "
                                "dead-letter: dead, replicas: 2, "
                                "offset-reset: earliest, session-timeout: 6s}\n";
    const std::string consumer = "  billing: {is: consumer, from: orders, database: billing-db, "
                                 "dead-letter: dead, replicas: 2, "
                                 "offset-reset: earliest, group-protocol: consumer}\n";
    const std::string share = "  billing: {is: consumer, from: orders, database: billing-db, "
                              "dead-letter: dead, replicas: 2, group-type: "
                              "share, work: 50ms, max-poll-records: 8}\n";
    const std::string copied =
        "  copier: {is: copier, from: orders, to: copies, offset-reset: earliest}\n"
        "  billing: {is: consumer, from: copies, database: billing-db, dead-letter: dead, "
        "isolation: "
        "read-committed, offset-reset: earliest}\n";
    return {
        {system("", classic),
         {"metadata",      "produce",         "init-producer-id", "fetch",
          "replica-fetch", "list-offsets",    "find-coordinator", "join-group",
          "sync-group",    "heartbeat",       "leave-group",      "offset-commit",
          "offset-fetch",  "register-broker", "broker-heartbeat", "sql-statement",
          "sql-execute",   "sql-commit",      "sql-rollback",     "input"}},
        {system("", consumer), {"consumer-group-heartbeat"}},
        {system("share-auto-offset-reset: earliest, share-record-lock-duration: 5s", share),
         {"share-group-heartbeat", "share-fetch", "share-acknowledge", "read-share-state",
          "write-share-state"}},
        {relayed(", wake: notification", classic), {"sql-listen", "sql-notification"}},
        // One waits for the slot of the other.
        {relayed(", relay-by: change-stream, dead-key: goes-on, backoff: 300ms, replicas: 2",
                 classic),
         {"sql-stream-open", "sql-stream-read", "sql-stream-confirm"}},
        {replicated(classic), {"sql-replicate"}},
        {system("transaction-version: 1", copied),
         {"add-partitions-to-txn", "verify-partitions", "add-offsets-to-txn", "end-txn",
          "write-txn-markers", "txn-offset-commit"}},
    };
}

RunResult run_text(std::string text, const std::string& fault, std::uint64_t seed = 1) {
    broker::configure_sqlite();
    if (const std::size_t at = text.find("@\n"); at != std::string::npos) {
        text.replace(at, 1, fault);
    }
    const ServiceTable services = stock_services();
    auto loaded = parse_scenario(text, "x.yaml", services);
    if (!loaded) {
        ADD_FAILURE() << loaded.error().front().text();
        return {};
    }
    RunOptions options;
    options.seed = seed;
    options.keep_history = true;
    RunResult result = run_scenario(*loaded, services, options);
    EXPECT_EQ(result.broken, "") << fault;
    return result;
}

RunResult run(const std::string& fault, std::uint64_t seed = 1) {
    broker::configure_sqlite();
    const Scenario scenario = good(fault);
    const ServiceTable services = stock_services();
    RunOptions options;
    options.seed = seed;
    options.keep_history = true;
    RunResult result = run_scenario(scenario, services, options);
    EXPECT_EQ(result.broken, "") << fault;
    return result;
}

std::size_t count(const RunResult& result, const sim::EventKind& kind) {
    return static_cast<std::size_t>(
        std::count_if(result.history.begin(), result.history.end(),
                      [&kind](const sim::Event& event) { return event.kind == kind.id; }));
}

std::uint64_t hits(const RunResult& result) {
    std::uint64_t hits = 0;
    for (const FaultOutcome& fault : result.faults)
        hits += fault.hits;
    return hits;
}

/// Of the faults of calls.
std::uint64_t strikes(const RunResult& result) {
    std::uint64_t hits = 0;
    for (const FaultOutcome& fault : result.faults) {
        if (fault.kind.find('-') != std::string::npos) hits += fault.hits;
    }
    return hits;
}

TEST(MessageFaults, SayWhatTheyDo) {
    using testing::ElementsAre;
    EXPECT_THAT(planned("drop-request: {of: relay, call: produce, nth: 17}"),
                ElementsAre("drop produce 17 of relay/1"));
    EXPECT_THAT(planned("fail-call: {call: produce, topic: orders, strikes: 3, nth: 2, "
                        "error: NOT_ENOUGH_REPLICAS}"),
                ElementsAre("answer produce 2 to 4 about orders with NOT_ENOUGH_REPLICAS"));
    EXPECT_THAT(planned("stale-answer: {call: offset-fetch, group: billing, always: on, at: 5s, "
                        "lasts: 3s}"),
                ElementsAre("answer every offset-fetch about billing with what was before from 5s "
                            "for 3s"));
    EXPECT_THAT(planned("lose-answer: {call: produce, partition: orders/1, chance: 5%}"),
                ElementsAre("lose the answer to 5% of each produce about orders/1"));
    EXPECT_THAT(planned("delay-call: {between: [billing/2, events/1], call: fetch, for: 1s}"),
                ElementsAre("delay fetch 1 between billing/2 and events/1 by 1s"));
    EXPECT_THAT(planned("crash: {of: events/1, call: produce, topic: orders, nth: 9, for: 1s}"),
                ElementsAre("crash events/1 for 1s at its produce 9 about orders"));
}

TEST(MessageFaults, OfBadNamesAreToldAtTheirPlace) {
    EXPECT_THAT(problem("fail-call: {call: produce, error: NOT_ENOUGH_REPLICA}"),
                HasSubstr("x.yaml:15:39: there is no error `NOT_ENOUGH_REPLICA` (did you mean "
                          "`NOT_ENOUGH_REPLICAS`?)"));
    EXPECT_THAT(problem("fail-call: {call: sql-commit, error: NOT_COORDINATOR}"),
                HasSubstr("there is no error `NOT_COORDINATOR`"));
    EXPECT_THAT(problem("fail-call: {call: metadata, error: NOT_COORDINATOR}"),
                HasSubstr("is never answered with an error"));
    EXPECT_THAT(problem("fail-call: {call: produce}"), HasSubstr("`error`"));
    EXPECT_THAT(problem("stale-answer: {call: produce}"),
                HasSubstr("no answer that could be stale (these have: `metadata`"));
    EXPECT_THAT(problem("drop-request: {call: produce, topic: ordres}"),
                HasSubstr("did you mean `orders`?"));
    EXPECT_THAT(problem("drop-request: {call: produce, partition: orders/2}"),
                HasSubstr("`partition` must be a partition, `orders/0` to `orders/1`"));
    EXPECT_THAT(problem("drop-request: {call: heartbeat, group: shop}"),
                HasSubstr("subscribes to nothing"));
    EXPECT_THAT(problem("drop-request: {call: heartbeat, strikes: 2, always: on}"),
                HasSubstr("needs one of `strikes`, `always`"));
    EXPECT_THAT(problem("drop-request: {call: heartbeat, at: 1s, every: 2s}"),
                HasSubstr("needs one of `at`, `every`"));
    EXPECT_THAT(problem("slow-broker: {of: billing, at: 1s, for: 1s, times: 5}"),
                HasSubstr("befalls a broker, not `billing` (there are: `events`)"));
    EXPECT_THAT(problem("zombie: {of: events, at: 1s}"), HasSubstr("befalls a service"));
    EXPECT_THAT(problem("leader-change: {leader-of: orders/7, at: 1s}"),
                HasSubstr("`leader-of` must be a partition"));
    EXPECT_THAT(problem("leader-change: {leader-of: orders/1}"), HasSubstr("`at`, `every`"));
}

// A failing produce request is tried again by the relay's producer, and nothing is lost.
TEST(MessageFaults, AnswerWithAnErrorAsOftenAsTheyAreTold) {
    const RunResult result = run("fail-call: {call: produce, topic: orders, strikes: 3, nth: 2, "
                                 "error: NOT_ENOUGH_REPLICAS}");
    EXPECT_EQ(result.verdict, VerdictKind::holds);
    EXPECT_EQ(hits(result), 3U);
    EXPECT_EQ(count(result, sim::events::answer_forged), 3U);
    EXPECT_EQ(count(result, sim::events::fault_began), 1U);
}

TEST(MessageFaults, BefallOnlyCallsThatConcernWhatTheyName) {
    EXPECT_GT(hits(run("drop-request: {call: offset-commit, group: billing, strikes: 2}")), 0U);
    EXPECT_EQ(hits(run("drop-request: {call: produce, group: billing, strikes: 2}")), 0U);
    const RunResult one = run("fail-call: {call: produce, partition: orders/0, always: on, at: 5s, "
                              "lasts: 2s, error: NOT_LEADER_OR_FOLLOWER}");
    EXPECT_EQ(one.verdict, VerdictKind::holds);
    EXPECT_GT(hits(one), 2U);
    for (const sim::Event& event : one.history) {
        if (event.kind != sim::events::answer_forged.id) continue;
        EXPECT_GE(event.time, Duration(std::chrono::seconds(5)).count());
        EXPECT_LE(event.time, Duration(std::chrono::milliseconds(7'100)).count());
    }
}

TEST(MessageFaults, StrikeWithAProbability) {
    const RunResult some = run("lose-answer: {call: offset-commit, chance: 30%}");
    const RunResult all = run("delay-call: {call: offset-commit, always: on, for: 1ms}");
    EXPECT_EQ(some.verdict, VerdictKind::holds);
    EXPECT_GT(hits(some), 0U);
    EXPECT_LT(hits(some), hits(all));
}

// Every answer that can be stale, all the time from the first on: correct code survives it.
TEST(MessageFaults, AnswerWithWhatWasTrueBefore) {
    for (const char* const call :
         {"metadata", "fetch", "list-offsets", "find-coordinator", "offset-fetch"}) {
        const RunResult result =
            run(std::string("stale-answer: {call: ") + call + ", chance: 80%, lasts: 15s}");
        EXPECT_EQ(result.verdict, VerdictKind::holds) << call;
        EXPECT_GT(hits(result), 0U) << call;
    }
}

TEST(MessageFaults, FailStatementsAndCommitsOfAStore) {
    const RunResult result =
        run("fail-call: {of: billing-db, call: sql-commit, chance: 20%, error: "
            "serialization-failure}");
    EXPECT_EQ(result.verdict, VerdictKind::holds);
    EXPECT_GT(hits(result), 5U);
    EXPECT_GT(hits(run("fail-call: {of: shop-db, call: sql-statement, strikes: 9, error: "
                       "lock-timeout}")),
              0U);
}

/// An error that a server may answer the call with, by whatever has happened to it; empty: none.
std::string likely_error(const std::string& call) {
    for (const CallFormat& format : call_formats()) {
        if (format.name != call) continue;
        if (format.errors == CallFormat::Errors::none) return "";
        if (format.errors == CallFormat::Errors::store) return "connection-lost";
    }
    const std::vector<std::string> of_leaders{"produce",      "fetch",       "replica-fetch",
                                              "list-offsets", "share-fetch", "share-acknowledge"};
    const bool is_leaders =
        std::find(of_leaders.begin(), of_leaders.end(), call) != of_leaders.end();
    return is_leaders ? "NOT_LEADER_OR_FOLLOWER" : "NOT_COORDINATOR";
}

// Any request may be dropped, delayed, executed without an answer, or answered with an error: it
// happens, and what is correct holds. The first request of a kind is among those struck.
TEST(MessageFaults, BefallEveryKindOfRequest) {
    std::set<std::string> seen{
        "delete-records", "delete-group",      "offset-delete", // nobody asks
        "create-topics",  "create-partitions", "delete-topics", "offsets-for-leader-epoch",
        "alter-partition"}; // see below
    for (const Home& home : homes()) {
        for (const std::string& call : home.calls) {
            seen.insert(call);
            // A shop that waits for its tables is not open.
            const bool is_early = !call.starts_with("sql") || call == "sql-listen";
            const std::string which = call + (is_early ? ", nth: 1" : ", nth: 20");
            std::vector<std::string> faults{
                "drop-request: {call: " + which + ", strikes: 2}",
                "lose-answer: {call: " + which + ", strikes: 2}",
                "delay-call: {call: " + which + ", strikes: 2, for: 500ms}",
            };
            const std::string error = likely_error(call);
            if (!error.empty()) {
                faults.push_back("fail-call: {call: " + which + ", strikes: 2, error: " + error +
                                 "}");
            }
            for (const std::string& fault : faults) {
                const RunResult result = run_text(home.text, fault);
                EXPECT_EQ(result.verdict, VerdictKind::holds) << fault;
                EXPECT_GT(strikes(result), 0U) << fault << " struck nothing";
                if (!fault.starts_with("fail-call")) continue;
                EXPECT_GT(count(result, sim::events::answer_forged), 0U) << fault;
            }
        }
    }
    for (const CallFormat& call : call_formats())
        EXPECT_TRUE(seen.contains(std::string(call.name))) << call.name << " has no home";
}

TEST(MessageFaults, BefallWhatFollowersAndLeadersAskWhenABrokerIsMissing) {
    for (const std::string call : {"offsets-for-leader-epoch", "alter-partition"}) {
        const std::string fault = "drop-request: {call: " + call + ", strikes: 2}\n" +
                                  "  - crash: {of: events/1, at: 5s, for: 12s}\n" +
                                  "  - crash: {of: events/2, at: 24s, for: 2s}";
        const RunResult result = run_text(with_fault("@"), fault);
        EXPECT_EQ(result.verdict, VerdictKind::holds) << call;
        EXPECT_GT(strikes(result), 0U) << call;
    }
}

// Whose: a broker's, a member's, those between two. Only they see it.
TEST(MessageFaults, BefallOnlyTheMemberOrBrokerThatTheyName) {
    const RunResult member =
        run("fail-call: {call: heartbeat, of: billing/2, at: 8s, error: UNKNOWN_MEMBER_ID}");
    EXPECT_EQ(member.verdict, VerdictKind::holds);
    std::set<std::uint32_t> losers;
    for (const sim::Event& event : member.history) {
        if (event.kind == broker::events::lost.id) losers.insert(event.node);
    }
    ASSERT_EQ(losers.size(), 1U);
    EXPECT_EQ(member.node_names.at(*losers.begin()), "billing/2");

    const RunResult broker = run("fail-call: {call: replica-fetch, of: events/3, always: on, at: "
                                 "5s, lasts: 3s, error: UNKNOWN_LEADER_EPOCH}");
    EXPECT_GT(hits(broker), 0U);
    const RunResult others = run("drop-request: {call: produce, between: [billing, events], "
                                 "always: on}");
    EXPECT_EQ(hits(others), 0U) << "billing has no dead letters to send";
    EXPECT_GT(hits(run("delay-call: {call: produce, between: [relay, events], for: 20ms, always: "
                       "on}")),
              0U);
}

// Which: the n-th, so many, again and again, all from a time on.
TEST(MessageFaults, CountTheCallsThatTheyBefall) {
    const auto forged_at = [](const RunResult& result) {
        std::vector<std::int64_t> times;
        for (const sim::Event& event : result.history) {
            if (event.kind == sim::events::answer_forged.id) times.push_back(event.time);
        }
        return times;
    };
    const std::string about = "call: produce, topic: orders, error: NOT_ENOUGH_REPLICAS";
    const RunResult first = run("fail-call: {" + about + "}");
    const RunResult third = run("fail-call: {" + about + ", nth: 3}");
    EXPECT_EQ(hits(first), 1U);
    EXPECT_EQ(hits(third), 1U);
    EXPECT_LT(forged_at(first).front(), forged_at(third).front());
    const RunResult timed = run("fail-call: {" + about + ", at: 6s, strikes: 2}");
    ASSERT_EQ(forged_at(timed).size(), 2U);
    EXPECT_GE(forged_at(timed).front(), Duration(std::chrono::seconds(6)).count());
    const RunResult often = run("fail-call: {" + about + ", every: 4s, strikes: 1}");
    EXPECT_GE(hits(often), 3U);
    EXPECT_EQ(often.verdict, VerdictKind::holds);
}

/// Returns how often the record of each message was stored, and the highest number.
std::uint64_t copies(const RunResult& result) {
    std::map<std::uint64_t, std::uint64_t> stored;
    std::uint64_t most = 0;
    for (const sim::Event& event : result.history) {
        if (event.kind == broker::events::stored.id)
            most = std::max(most, ++stored[event.operands[2]]);
    }
    return most;
}

// A request that is lost leaves nothing behind, one whose answer is lost all it was to do: a
// producer without idempotence then sends again.
TEST(MessageFaults, ALostAnswerIsNoLostRequest) {
    std::string text = with_fault("@");
    text.replace(text.find("to: orders}"), 11, "to: orders, idempotence: off}");
    const RunResult dropped = run_text(text, "drop-request: {call: produce, nth: 3, strikes: 3}");
    const RunResult lost = run_text(text, "lose-answer: {call: produce, nth: 3, strikes: 3}");
    const RunResult refused = run_text(text, "fail-call: {call: produce, nth: 3, strikes: 3, "
                                             "error: NOT_LEADER_OR_FOLLOWER}");
    EXPECT_EQ(copies(dropped), 1U);
    EXPECT_EQ(copies(refused), 1U);
    EXPECT_GT(copies(lost), 1U);
    EXPECT_EQ(lost.verdict, VerdictKind::holds) << "the inbox knows the copies";
}

TEST(MessageFaults, ADelayedCallComesLate) {
    const auto first_stored = [](const RunResult& result) {
        for (const sim::Event& event : result.history) {
            if (event.kind == broker::events::stored.id) return event.time;
        }
        return std::int64_t{0};
    };
    const RunResult prompt = run("delay-call: {call: produce, nth: 1, for: 1ms}");
    const RunResult late = run("delay-call: {call: produce, nth: 1, for: 2s}");
    EXPECT_GT(first_stored(late), first_stored(prompt) + Duration(std::chrono::seconds(1)).count());
}

// A member that restarts and is told the commit before the last reads some records again.
TEST(MessageFaults, AStaleAnswerIsWhatWasTrueBefore) {
    const auto deliveries = [](const RunResult& result) {
        std::uint64_t records = 0;
        for (const sim::Event& event : result.history) {
            if (event.kind == broker::events::delivered.id)
                records += event.operands[3] - event.operands[2];
        }
        return records;
    };
    const std::string restart = "\n  - stop: {of: billing/1, at: 10s, for: 1s}";
    const RunResult true_one =
        run("delay-call: {call: offset-fetch, at: 9s, always: on, for: 1ms}" + restart);
    const RunResult stale = run("stale-answer: {call: offset-fetch, at: 9s, always: on}" + restart);
    EXPECT_EQ(deliveries(true_one), 100U);
    EXPECT_GT(deliveries(stale), 100U);
    EXPECT_EQ(stale.verdict, VerdictKind::holds);
}

// Members of the newer groups, and of share groups, are named like all others.
TEST(MessageFaults, ConcernMembersOfNewerGroupsAndOfShareGroups) {
    const std::vector<Home> all = homes();
    const RunResult fenced =
        run_text(all[1].text, "fail-call: {call: consumer-group-heartbeat, group: billing, of: "
                              "billing/2, at: 6s, error: FENCED_MEMBER_EPOCH}");
    EXPECT_EQ(fenced.verdict, VerdictKind::holds);
    EXPECT_EQ(count(fenced, broker::events::lost), 1U);
    const RunResult unacknowledged = run_text(
        all[2].text, "drop-request: {call: share-fetch, partition: orders/0, group: billing, "
                     "chance: 20%}");
    EXPECT_EQ(unacknowledged.verdict, VerdictKind::holds);
    EXPECT_GT(strikes(unacknowledged), 0U);
    const bool again = std::any_of(
        unacknowledged.history.begin(), unacknowledged.history.end(), [](const sim::Event& event) {
            return event.kind == broker::events::share_delivered.id && event.operands[3] > 1;
        });
    EXPECT_TRUE(again) << "what was acknowledged in a request that vanished comes again";
    EXPECT_EQ(
        strikes(run_text(all[2].text, "drop-request: {call: share-acknowledge, topic: copies, "
                                      "always: on}")),
        0U);
    EXPECT_GT(
        strikes(run_text(all[2].text, "lose-answer: {call: write-share-state, group: billing, "
                                      "partition: orders/1, nth: 3}")),
        0U);
}

// Whatever one call of a kind is answered with, a correct system holds: 20 seeds of refusals.
TEST(MessageFaults, ACorrectSystemHoldsWhateverFails) {
    const std::vector<std::string> faults{
        "fail-call: {call: join-group, strikes: 2, nth: 1..4, error: UNKNOWN_MEMBER_ID}",
        "fail-call: {call: sync-group, strikes: 1, nth: 1..2, error: REBALANCE_IN_PROGRESS}",
        "fail-call: {call: heartbeat, strikes: 2, nth: 1..9, error: ILLEGAL_GENERATION}",
        "fail-call: {call: offset-commit, nth: 1..9, strikes: 2, error: NOT_COORDINATOR}",
        "fail-call: {call: offset-fetch, strikes: 3, error: COORDINATOR_LOAD_IN_PROGRESS}",
        "fail-call: {call: fetch, nth: 1..50, strikes: 5, error: NOT_LEADER_OR_FOLLOWER}",
        "fail-call: {call: replica-fetch, nth: 1..50, strikes: 9, error: UNKNOWN_LEADER_EPOCH}",
        "fail-call: {call: find-coordinator, strikes: 5, error: COORDINATOR_NOT_AVAILABLE}",
        "fail-call: {call: init-producer-id, strikes: 2, error: COORDINATOR_LOAD_IN_PROGRESS}",
        "drop-request: {call: broker-heartbeat, of: events, chance: 20%}",
    };
    for (const std::string& fault : faults) {
        for (std::uint64_t seed = 1; seed <= 2; ++seed) {
            const RunResult result = run(fault, seed);
            EXPECT_EQ(result.verdict, VerdictKind::holds) << fault << " seed " << seed;
            EXPECT_GT(hits(result), 0U) << fault;
        }
    }
}

TEST(StoryFaults, AreMadeOfParts) {
    using testing::ElementsAre;
    EXPECT_THAT(planned("rolling-deploy: {of: billing, at: 5s, for: 1s}"),
                ElementsAre("stop billing/1 for 1s", "stop billing/2 for 1s"));
    EXPECT_THAT(planned("slow-broker: {of: events/1, at: 5s, for: 1s, times: 50}"),
                ElementsAre("make the link between events/1 and everybody else 50 times as slow "
                            "for 1s",
                            "make the disk of events/1 50 times as slow for 1s"));
    EXPECT_THAT(planned("leader-change: {leader-of: orders/1, at: 5s}"),
                ElementsAre("give orders/1 another leader"));
    EXPECT_THAT(planned("coordinator-move: {coordinator-of: billing, at: 5s}"),
                ElementsAre("move the coordinator of billing"));
    EXPECT_GE(planned("rebalance-storm: {of: billing, at: 1s, for: 20s}").size(), 4U);
    const Scenario zombie = good("zombie: {of: billing, at: 5s}");
    EXPECT_GT(make_plan(zombie, 1).faults.at(0).length, std::chrono::seconds(6));
}

// A stop lets work in flight finish: the member leaves its group, and nothing is handled twice.
TEST(StoryFaults, AStopIsAnOrderlyEnd) {
    const RunResult result = run("stop: {of: billing/1, at: 8s, for: 3s}");
    EXPECT_EQ(result.verdict, VerdictKind::holds);
    EXPECT_EQ(count(result, sim::events::stopping), 1U);
    std::vector<std::string> ends;
    for (const sim::Event& event : result.history) {
        if (event.kind == sim::events::crashed.id)
            ends.push_back(result.texts->find(event.operands[0]));
    }
    EXPECT_THAT(ends, testing::ElementsAre("stopped"));
    EXPECT_GT(count(result, broker::events::revoked), 0U);
    EXPECT_EQ(count(result, broker::events::lost), 0U);
}

TEST(StoryFaults, MoveLeadersAndCoordinators) {
    const RunResult leader = run("leader-change: {leader-of: orders/1, every: 4s}");
    EXPECT_EQ(leader.verdict, VerdictKind::holds);
    EXPECT_EQ(hits(leader), leader.faults.size());
    EXPECT_GE(count(leader, broker::events::leader_changed), 2 + leader.faults.size());
    const RunResult coordinator = run("coordinator-move: {coordinator-of: billing, every: 4s}");
    EXPECT_EQ(coordinator.verdict, VerdictKind::holds);
    EXPECT_EQ(hits(coordinator), coordinator.faults.size());
}

TEST(StoryFaults, StormsZombiesAndOldLogsAreSurvived) {
    const RunResult storm = run("rebalance-storm: {of: billing, at: 4s, for: 15s}");
    EXPECT_EQ(storm.verdict, VerdictKind::holds);
    EXPECT_GE(count(storm, broker::events::generation_started), 4U);
    const RunResult zombie = run("zombie: {of: billing/1, at: 8s}");
    EXPECT_EQ(zombie.verdict, VerdictKind::holds);
    EXPECT_GT(count(zombie, broker::events::lost), 0U);
    const RunResult old_log = run("old-log: {of: events/1, at: 10s, for: 3s}");
    EXPECT_EQ(old_log.verdict, VerdictKind::holds);
    EXPECT_EQ(count(old_log, sim::events::power_lost), 1U);
    const RunResult slow = run("slow-broker: {of: events/1, at: 5s, for: 5s, times: 100}");
    EXPECT_EQ(slow.verdict, VerdictKind::holds);
    EXPECT_GT(hits(slow), 10U);
}

} // namespace
} // namespace crier::scenario
