// What a scenario file says arrives as values, and everything that is wrong with one is told at its
// place.
#include "scenarios/load_scenario.hpp"
#include "scenarios/load_units.hpp"
#include "scenarios/names.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace crier::scenario {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// A right scenario of eleven lines; tests add to it or change one of its lines.
constexpr std::string_view base = R"(about: Short.
brokers:
  events: {kafka: {}}
channels:
  orders: {partitions: 6, replication: 3, min-in-sync: 2}
  orders-dead: {}
databases: [shop-db, billing-db]
services:
  shop: {is: outbox-producer, database: shop-db}
  relay: {is: outbox-relay, database: shop-db, to: orders, replicas: 2}
  billing: {is: consumer, from: orders, database: billing-db, replicas: 3}
load:
  - {to: shop, rate: 20/s, for: 50s}
expect: [ledger]
)";

std::string with(std::string_view from, std::string_view to) {
    std::string text(base);
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

/// `base` with these entries under `faults`.
std::string with_faults(const std::string& entries) {
    return std::string(base) + "faults:\n" + entries;
}

Result<Scenario, LoadErrors> parse(std::string_view text) {
    return parse_scenario(text, "dir/story.yaml", stock_services());
}

Scenario good(std::string_view text) {
    auto result = parse(text);
    if (result) return *result;
    for (const LoadError& error : result.error())
        ADD_FAILURE() << error.text();
    return {};
}

/// The problems of a text, one per line.
std::vector<std::string> problems(std::string_view text) {
    const auto result = parse(text);
    std::vector<std::string> texts;
    if (result) {
        ADD_FAILURE() << "should not load:\n" << text;
        return texts;
    }
    for (const LoadError& error : result.error())
        texts.push_back(error.text());
    return texts;
}

std::string problem(std::string_view text) {
    const std::vector<std::string> all = problems(text);
    EXPECT_EQ(all.size(), 1U) << text << testing::PrintToString(all);
    return all.empty() ? "" : all.front();
}

TEST(Loading, FillsInProductionsDefaults) {
    const Scenario scenario = good(base);
    EXPECT_EQ(scenario.name, "story");
    EXPECT_EQ(scenario.description, "Short.");
    ASSERT_EQ(scenario.brokers.size(), 1U);
    EXPECT_EQ(scenario.brokers[0].kafka.nodes, 3);
    ASSERT_EQ(scenario.channels.size(), 2U);
    EXPECT_EQ(scenario.channels[0].on, "events");
    EXPECT_EQ(scenario.channels[0].partitions, 6);
    EXPECT_EQ(scenario.channels[1].replication, 1);
    EXPECT_FALSE(scenario.channels[1].dead_letters);
    ASSERT_EQ(scenario.services.size(), 3U);
    const ServiceSpec& billing = scenario.services[2];
    EXPECT_EQ(billing.replicas, 3);
    EXPECT_EQ(std::get<std::int64_t>(billing.options.at("retry.attempts")), 5);
    EXPECT_EQ(std::get<std::string>(billing.options.at("acknowledge")), "after-effect");
    EXPECT_EQ(billing.options.count("dead-letter"), 0U);
    EXPECT_EQ(billing.effects, (WatchSpec{"billing-db", "effects", "message_id", "message_key"}));
    EXPECT_EQ(scenario.services[0].accepts, (WatchSpec{"shop-db", "orders", "id", "customer"}));
    ASSERT_EQ(scenario.load.size(), 1U);
    EXPECT_EQ(scenario.load[0].per_minute, 1200U);
    EXPECT_EQ(scenario.strategy, sim::StrategyKind::random);
}

TEST(Loading, ReadsNestedOptionsAndWatches) {
    const Scenario scenario = good(
        with("database: billing-db, replicas: 3",
             "database: billing-db, retry: {attempts: 2, backoff: 1.5s}, dead-letter: orders-dead, "
             "effects: {table: charges, identity: order_id}, order: none"));
    const ServiceSpec& billing = scenario.services[2];
    EXPECT_EQ(std::get<std::int64_t>(billing.options.at("retry.attempts")), 2);
    EXPECT_EQ(std::get<Duration>(billing.options.at("retry.backoff")), 1500ms);
    EXPECT_EQ(std::get<Duration>(billing.options.at("retry.backoff-max")), 10s);
    EXPECT_EQ(billing.effects, (WatchSpec{"billing-db", "charges", "order_id", "message_key"}));
    EXPECT_TRUE(scenario.channels[1].dead_letters);
}

TEST(Loading, KnowsTheTablesOfStockServicesAndReadsThoseOfOthers) {
    const Scenario scenario =
        good(with("database: billing-db, replicas: 3",
                  "database: billing-db, inbox: {table: seen, identity: message, retention: 1h}"));
    const FollowedTables& relay = scenario.services[1].followed;
    ASSERT_TRUE(relay.outbox);
    EXPECT_EQ(relay.outbox->database, "shop-db");
    EXPECT_EQ(relay.outbox->table, "outbox");
    EXPECT_EQ(relay.outbox->columns.at("owner"), "claimed_by");
    EXPECT_FALSE(relay.outbox->keeps);
    EXPECT_FALSE(relay.leader) << "it claims rows";
    ASSERT_TRUE(scenario.services[2].followed.inbox);
    const FollowSpec& inbox = *scenario.services[2].followed.inbox;
    EXPECT_EQ(inbox.table, "seen");
    EXPECT_EQ(inbox.identity, "message");
    EXPECT_EQ(inbox.retention, 1h);
    const FollowedTables& shop = scenario.services[0].followed;
    EXPECT_FALSE(shop.outbox || shop.leader || shop.inbox);
    EXPECT_THAT(problem(with("database: shop-db}", "database: shop-db, outbox: {table: letters}}")),
                testing::HasSubstr("`outbox` of service `shop` needs `identity`"));
}

TEST(Loading, ReadsEveryShapeOfFault) {
    const Scenario scenario = good(with_faults(R"(
  - crash: {any-of: [billing, billing/2, events/3, {leader-of: orders/5}], every: 8s, for: 1s..5s}
  - pause: {coordinator-of: billing, at: 30s, for: 2s}
  - partition: {between: [billing, events/controller], one-way: true, every: 1m, for: 3s}
  - lossy-link: {of: events, loss: 0.5%..10%, at: 1s, for: 1s}
  - clock-jump: {of: relay, by: -10s..5s, at: 1s}
  - lose-answer: {of: billing, call: produce, nth: 1..50}
  - crash: {point: relay.published-not-marked, nth: 3, for: 1s}
  - power-loss: {of: billing-db, point: disk.sync, for: 1s}
  - slow-disk: {of: billing-db, times: 10, at: 0s, for: 1s}
)"));
    ASSERT_EQ(scenario.faults.size(), 9U);
    EXPECT_THAT(scenario.faults[0].targets,
                ElementsAre(Target{Target::Kind::name, "billing"},
                            Target{Target::Kind::name, "billing/2"},
                            Target{Target::Kind::name, "events/3"},
                            Target{Target::Kind::leader_of, "orders/5"}));
    EXPECT_EQ(scenario.faults[0].length, (DurationRange{1s, 5s}));
    EXPECT_EQ(scenario.faults[1].when, FaultRule::When::at);
    EXPECT_THAT(scenario.faults[1].targets,
                ElementsAre(Target{Target::Kind::coordinator_of, "billing"}));
    EXPECT_TRUE(scenario.faults[2].one_way);
    EXPECT_THAT(scenario.faults[2].peers,
                ElementsAre(Target{Target::Kind::name, "events/controller"}));
    EXPECT_EQ(scenario.faults[3].amount_low, 5'000);
    EXPECT_EQ(scenario.faults[3].amount_high, 100'000);
    EXPECT_EQ(scenario.faults[4].amount_low, Duration(-10s).count());
    EXPECT_EQ(scenario.faults[5].call, "produce");
    EXPECT_EQ(scenario.faults[5].nth_high, 50U);
    EXPECT_THAT(scenario.faults[6].targets, ElementsAre(Target{Target::Kind::name, "relay"}));
    EXPECT_EQ(scenario.faults[6].nth_low, 3U);
    EXPECT_EQ(scenario.faults[7].point, "disk.sync");
}

TEST(Loading, ReadsPropertiesWithOptionsAndSql) {
    const Scenario scenario = good(with("expect: [ledger]", R"(expect:
  - ledger: {must-observe: on}
  - per-key-effect-order: {order: strict}
  - heal-progress: {within: 10s}
  - sql: {database: billing-db, query: select 1, empty: always}
  - sql: {name: total, database: billing-db, query: select count(*) from effects, equals: 42})"));
    ASSERT_EQ(scenario.expectations.size(), 3U);
    EXPECT_TRUE(scenario.expectations[0].options.must_observe);
    EXPECT_EQ(scenario.expectations[1].options.order, properties::OrderMode::strict);
    EXPECT_EQ(scenario.expectations[2].options.within, 10s);
    ASSERT_EQ(scenario.sql.size(), 2U);
    EXPECT_EQ(scenario.sql[0].name, "sql-1");
    EXPECT_EQ(scenario.sql[0].when, SqlProperty::When::always);
    EXPECT_EQ(scenario.sql[1].name, "total");
    EXPECT_EQ(scenario.sql[1].equals, "42");
    EXPECT_EQ(scenario.sql[1].when, SqlProperty::When::end);
}

TEST(Loading, NamesTheNearestKey) {
    EXPECT_EQ(problem(with("replicas: 3", "replica: 3")),
              "dir/story.yaml:11:63: service `billing` (consumer) has no key `replica` (did you "
              "mean `replicas`?)");
    EXPECT_THAT(problem(with("expect:", "expects:")), HasSubstr("did you mean `expect`?"));
    EXPECT_THAT(problem(with("expect: [ledger]", "")), HasSubstr("a scenario needs `expect`"));
}

TEST(Loading, NamesTheNearestThing) {
    EXPECT_EQ(problem(with("from: orders", "from: ordres")),
              "dir/story.yaml:11:33: there is no channel `ordres` (did you mean `orders`?)");
    EXPECT_THAT(problem(with("from: orders", "from: shop-db")),
                HasSubstr("is a database, not a channel"));
    EXPECT_THAT(problem(with("is: consumer", "is: konsumer")),
                HasSubstr("did you mean `consumer`?"));
    EXPECT_THAT(problem(with("[ledger]", "[leger]")), HasSubstr("did you mean `ledger`?"));
    EXPECT_THAT(problem(with_faults("  - crahs: {of: billing, at: 1s, for: 1s}")),
                HasSubstr("did you mean `crash`?"));
    EXPECT_THAT(problem(with_faults("  - crash: {of: biling, at: 1s, for: 1s}")),
                HasSubstr("did you mean `billing`?"));
    EXPECT_THAT(problem(with_faults("  - lose-answer: {of: billing, call: produse}")),
                HasSubstr("did you mean `produce`?"));
    EXPECT_THAT(problem(with_faults("  - crash: {point: relay.claimd, for: 1s}")),
                HasSubstr("did you mean `relay.claimed`?"));
}

// A bare `try one thing at a time` makes people edit a file ten times.
TEST(Loading, ReportsAllProblemsByPlace) {
    const std::vector<std::string> all = problems(R"(about: Wrong.
brokers:
  events: {kafka: {nodes: -3}}
channels:
  orders: {partitons: 6, replication: three}
databases: [shop-db, shop-db]
services:
  shop: {is: outbox-producer, databas: shop-db}
  billing: {is: consumer, from: nowhere, database: shop-db, work: 5}
load:
  - {to: billing, rate: 20, for: 50s, poison: 101%}
faults:
  - crash: {of: nobody, every: 0s}
expect: [ledger, ledger]
)");
    const std::vector<std::string> places{"3:27",  "5:12",  "5:39",  "6:22",  "8:31",
                                          "9:33",  "9:67",  "11:10", "11:25", "11:47",
                                          "13:12", "13:17", "13:32", "14:18"};
    ASSERT_EQ(all.size(), places.size()) << testing::PrintToString(all);
    for (std::size_t at = 0; at < all.size(); ++at) {
        EXPECT_THAT(all[at], testing::StartsWith("dir/story.yaml:" + places[at] + ": "));
    }
}

TEST(Loading, RefusesDuplicates) {
    EXPECT_THAT(problem(with("about: Short.", "about: Short.\nabout: Again.")),
                HasSubstr(":2:1: `about` is here a second time; first in line 1"));
    EXPECT_THAT(problem(with("  relay:", "  shop:")), HasSubstr("`shop` is here a second time"));
    EXPECT_THAT(problem(with("  orders-dead: {}", "  events: {}")),
                HasSubstr("is the name of a broker already"));
    EXPECT_THAT(problem(with("{to: shop,", "{to: shop, to: shop,")),
                HasSubstr("`to` is here a second time"));
}

TEST(Loading, RefusesAbsurdNumbers) {
    for (const char* value : {"0", "-1", "1001", "99999999999999999999", "2.5", "three", "\"2\"",
                              "[2]", "{}", "0x2", "", "1e3"}) {
        EXPECT_THAT(problem(with("replicas: 3", "replicas: " + std::string(value))),
                    HasSubstr("`replicas` must be a whole number from 1 to 1000"))
            << value;
    }
    for (const char* value : {"50", "50 s", "-50s", "0s", "25h", "99999999999999999999h", "50sec",
                              "s", "1..2", "1s..2s"}) {
        EXPECT_THAT(problem(with("for: 50s", "for: " + std::string(value))),
                    HasSubstr("`for` must be a duration"))
            << value;
    }
    for (const char* value :
         {"20", "20/h", "0/s", "-1/s", "2000000/s", "/s", "9223372036854775807/s"}) {
        EXPECT_THAT(problem(with("20/s", value)), HasSubstr("`rate` must be a rate")) << value;
    }
    EXPECT_THAT(problem(with("20/s, for: 50s", "1000000/s, for: 24h")),
                HasSubstr("too many inputs"));
    EXPECT_THAT(problem(with("20/s, for: 50s", "1/m, for: 5s")), HasSubstr("no input arrives"));
    EXPECT_THAT(problem(with_faults("  - crash: {of: billing, every: 1ms, for: 1s}")),
                HasSubstr("more than 4000 faults"));
    EXPECT_THAT(problem(with_faults("  - crash: {of: billing, every: 8s, for: 5s..1s}")),
                HasSubstr("ends before it begins"));
}

TEST(Loading, ReadsWhatTopicsSayOfTheirLogs) {
    const auto loaded =
        parse(with("min-in-sync: 2", "min-in-sync: 2, cleanup-policy: \"compact,delete\", "
                                     "retention-time: 1h, retention-bytes: 64MiB, "
                                     "segment-time: 10s, segment-bytes: 512KiB, "
                                     "max-message-bytes: 100B, "
                                     "message-timestamp-type: log-append-time, "
                                     "message-timestamp-after-max: 5m"));
    ASSERT_TRUE(loaded);
    const broker::kafka::LogOptions& log = loaded->channels.front().log;
    EXPECT_TRUE(log.deletes && log.compacts && log.log_append_time);
    EXPECT_EQ(log.retention_time, 1h);
    EXPECT_EQ(log.retention_bytes, 64 << 20);
    EXPECT_EQ(log.segment_time, 10s);
    EXPECT_EQ(log.segment_bytes, 512 << 10);
    EXPECT_EQ(log.max_message_bytes, 100);
    EXPECT_EQ(log.timestamp_after_max, 5min);
    EXPECT_THAT(problem(with("min-in-sync: 2", "min-in-sync: 2, retention-bytes: 64")),
                HasSubstr("a size from 0B to 1024GiB, such as `64KiB`"));
    EXPECT_THAT(problem(with("min-in-sync: 2", "min-in-sync: 2, cleanup-policy: compac")),
                HasSubstr("did you mean `compact`?"));
}

TEST(Loading, ReadsWhatBrokersSayOfElectionsAndQuotas) {
    const auto loaded =
        parse(with("kafka: {}", "kafka: {eligible-leader-replicas: on, "
                                "leader-imbalance-check-interval: 0s, producer-byte-rate: 1MiB, "
                                "consumer-byte-rate: 100KiB, log-cleaner-backoff: 1s}"));
    ASSERT_TRUE(loaded);
    const KafkaSpec& kafka = loaded->brokers.front().kafka;
    EXPECT_TRUE(kafka.eligible_leader_replicas);
    EXPECT_EQ(kafka.leader_imbalance_check_interval, Duration());
    EXPECT_EQ(kafka.producer_byte_rate, 1 << 20);
    EXPECT_EQ(kafka.consumer_byte_rate, 100 << 10);
    EXPECT_EQ(kafka.log_cleaner_backoff, 1s);
    const auto kept = parse(with("min-in-sync: 2", "min-in-sync: 2, cleanup-policy: none"));
    ASSERT_TRUE(kept);
    EXPECT_FALSE(kept->channels.front().log.deletes || kept->channels.front().log.compacts);
}

TEST(Loading, RefusesWhatContradictsItself) {
    EXPECT_THAT(problem(with("replication: 3", "replication: 4")),
                HasSubstr("more than the 3 nodes of `events`"));
    EXPECT_THAT(problem(with("min-in-sync: 2", "min-in-sync: 4")),
                HasSubstr("`min-in-sync` is more than"));
    EXPECT_THAT(problem(with("{to: shop,", "{to: billing,")), HasSubstr("takes no inputs"));
    EXPECT_THAT(problem(with("for: 50s", "for: 50s, burst: 5")),
                HasSubstr("only with `arrival: bursts`"));
    EXPECT_THAT(problem(with_faults("  - crash: {of: billing, for: 1s}")),
                HasSubstr("does not say when"));
    EXPECT_THAT(problem(with_faults("  - crash: {at: 1s, for: 1s}")),
                HasSubstr("does not say whom"));
    EXPECT_THAT(problem(with_faults("  - crash: {of: billing, at: 1s, every: 1s, for: 1s}")),
                HasSubstr("needs one of"));
    EXPECT_THAT(problem(with_faults("  - crash: {of: billing, at: 1s, nth: 2, for: 1s}")),
                HasSubstr("`nth` counts"));
    EXPECT_THAT(problem(with_faults("  - crash: {of: billing/4, at: 1s, for: 1s}")),
                HasSubstr("`billing/3`"));
    EXPECT_THAT(problem(with_faults("  - crash: {of: billing/01, at: 1s, for: 1s}")),
                HasSubstr("`billing/3`"));
    EXPECT_THAT(problem(with_faults("  - crash: {leader-of: orders/6, at: 1s, for: 1s}")),
                HasSubstr("`orders/5`"));
    EXPECT_THAT(problem(with_faults("  - crash: {coordinator-of: shop, at: 1s, for: 1s}")),
                HasSubstr("no coordinator"));
    EXPECT_THAT(problem(with_faults("  - crash: {of: shop, point: relay.claimed, for: 1s}")),
                HasSubstr("does not reach"));
    EXPECT_THAT(problem(with_faults("  - partition: {between: [billing], at: 1s, for: 1s}")),
                HasSubstr("two sides"));
    EXPECT_THAT(problem(with("[ledger]", "[sql: {database: shop-db, query: select 1}]")),
                HasSubstr("`sql` needs `empty`"));
    EXPECT_THAT(problem(with("[ledger]",
                             "[sql: {database: shop-db, empty: always, query: selec id from t}]")),
                HasSubstr("`query`: near \"selec\": syntax error"));
}

// One mistake, one message: what refers to a part that could not be read is not wrong for that.
TEST(Loading, SaysNothingOfReferencesIntoAPartThatIsWrong) {
    const std::string text = problem(with("databases: [shop-db, billing-db]", "databases: 7"));
    EXPECT_THAT(text, HasSubstr("`databases` must be"));
    EXPECT_THAT(text, Not(HasSubstr("there is no database")));
    EXPECT_THAT(text, Not(HasSubstr("nothing here is called")));
}

TEST(Loading, SurvivesWhatIsNoScenario) {
    EXPECT_EQ(problem(""),
              "dir/story.yaml: is empty; a scenario needs at least `services` and `expect`");
    EXPECT_THAT(problem("# only a comment\n"), HasSubstr("is empty"));
    EXPECT_THAT(problem("- a\n- b\n"), HasSubstr(":1:1: a scenario must be a map, not a list"));
    EXPECT_THAT(problem("42"), HasSubstr("a scenario must be a map, not `42`"));
    EXPECT_THAT(problem("about: {a: [1, 2\n"), HasSubstr("not valid YAML"));
    EXPECT_THAT(problem("about: 'x\n"), HasSubstr("quote"));
    EXPECT_THAT(problem("about: \"\xff\xfe\"\n"), HasSubstr(":1:9: this is not text in UTF-8"));
    EXPECT_THAT(problem(std::string("about: a\0b", 10)), HasSubstr("not text in UTF-8"));
    EXPECT_THAT(problem(std::string(base) + "---\nabout: second\n"),
                HasSubstr("one YAML document"));
    EXPECT_THAT(problem("a: &a [x]\nb: *a\n"), HasSubstr(":1:4: anchors"));
    EXPECT_THAT(problem("about: !!str x\n"), HasSubstr("tags"));
    EXPECT_THAT(problem("? [a]\n: b\n"), HasSubstr("a key must be a name"));
    EXPECT_THAT(problem(std::string(2 << 20, 'x')), HasSubstr("too large"));
    for (const char* deep :
         {"[", "{", "- ", "a: ", "? ", "[{", "!", "&a ", "\"", "'", "|\n", ">-", "- - {"}) {
        std::string text;
        while (text.size() < 50'000)
            text += deep;
        EXPECT_FALSE(problems(text).empty()) << deep;
    }
}

TEST(Loading, GivesUpOnAFileFullOfProblems) {
    std::string keys;
    for (int at = 0; at < 5'000; ++at)
        keys += "k" + std::to_string(at) + ": 1\n";
    EXPECT_EQ(problems(keys).size(), 1'000U);
    std::string repeated;
    for (int at = 0; at < 5'000; ++at)
        repeated += "a: 1\n";
    EXPECT_EQ(problems(repeated).size(), 1'001U);
}

TEST(Loading, NeverCrashesOnAPrefixOrAFlippedByte) {
    const std::string whole = with_faults(
        "  - crash: {any-of: [billing, {leader-of: orders/0}], every: 8s, for: 1s..5s}\n");
    const ServiceTable table = stock_services();
    for (std::size_t length = 0; length < whole.size(); ++length) {
        const auto result = parse_scenario(whole.substr(0, length), "prefix.yaml", table);
        if (!result) {
            EXPECT_FALSE(result.error().empty());
        }
    }
    for (std::size_t at = 0; at < whole.size(); ++at) {
        for (const char byte : {'{', ':', '\n', '"'}) {
            std::string text = whole;
            text[at] = byte;
            const auto result = parse_scenario(text, "flipped.yaml", table);
            if (!result) {
                EXPECT_FALSE(result.error().empty());
            }
        }
    }
}

TEST(Loading, TellsWhyAFileCannotBeRead) {
    const auto missing = load_scenario("no/such/file.yaml", stock_services());
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().at(0).text(),
              "no/such/file.yaml: cannot be read: No such file or directory");
    const auto directory = load_scenario(CRIER_SOURCE_DIR, stock_services());
    ASSERT_FALSE(directory);
    EXPECT_THAT(directory.error().at(0).text(), HasSubstr("is a directory"));
}

TEST(Loading, LoadsTheWholeCatalogue) {
    std::vector<std::string> names;
    for (const auto& entry :
         std::filesystem::directory_iterator(CRIER_SOURCE_DIR "/scenarios/catalogue")) {
        const auto result = load_scenario(entry.path().string(), stock_services());
        if (!result) {
            for (const LoadError& error : result.error())
                ADD_FAILURE() << error.text();
            continue;
        }
        EXPECT_FALSE(result->description.empty()) << result->name;
        names.push_back(result->name);
    }
    std::sort(names.begin(), names.end());
    EXPECT_THAT(names, testing::IsSupersetOf({"acknowledge-before-effect", "auto-commit",
                                              "dual-write", "lossy-dead-letter", "memory-dedup",
                                              "order-fulfilment", "split-dedup", "wrong-key"}));
}

TEST(Units, AreReadInIntegersOnly) {
    EXPECT_EQ(parse_duration("250ms"), 250ms);
    EXPECT_EQ(parse_duration("1.5m"), 90s);
    EXPECT_EQ(parse_duration("0.000000001s"), 1ns);
    EXPECT_EQ(parse_duration("-2h"), -2h);
    EXPECT_EQ(parse_duration("0.5ns"), std::nullopt);
    EXPECT_EQ(parse_duration("5"), std::nullopt);
    EXPECT_EQ(parse_duration("1.s"), std::nullopt);
    EXPECT_EQ(parse_duration("9999999h"), std::nullopt);
    EXPECT_EQ(parse_bytes("100B"), 100);
    EXPECT_EQ(parse_bytes("64KiB"), 65'536);
    EXPECT_EQ(parse_bytes("64"), std::nullopt);
    EXPECT_EQ(parse_bytes("1.5MiB"), std::nullopt);
    EXPECT_EQ(parse_bytes("9999999999GiB"), std::nullopt);
    EXPECT_EQ(parse_rate("20/s"), 1200);
    EXPECT_EQ(parse_rate("30/m"), 30);
    EXPECT_EQ(parse_share("0.5%")->per_million, 5'000U);
    EXPECT_EQ(parse_share("100%")->per_million, 1'000'000U);
    EXPECT_EQ(parse_share("0.00001%"), std::nullopt);
    EXPECT_EQ(parse_share("100.1%"), std::nullopt);
}

TEST(Units, AreWrittenAsTheyAreRead) {
    for (const char* text : {"0s", "1ns", "250ms", "1.5s", "90s", "2m", "1h", "-10s", "1.234us"}) {
        EXPECT_EQ(duration_text(*parse_duration(text)), text);
    }
    for (const char* text : {"0B", "100B", "64KiB", "1025KiB", "3MiB", "2GiB"})
        EXPECT_EQ(bytes_text(*parse_bytes(text)), text);
    for (const char* text : {"0%", "0.5%", "0.0001%", "12.34%", "100%"})
        EXPECT_EQ(share_text(*parse_share(text)), text);
}

TEST(Names, SuggestsOnlyWhatIsNear) {
    const std::vector<std::string> names{"billing", "shipping", "shop"};
    EXPECT_EQ(nearest_name("biling", names), "billing");
    EXPECT_EQ(nearest_name("shpo", names), "shop");
    EXPECT_EQ(nearest_name("warehouse", names), std::nullopt);
    EXPECT_EQ(name_hint("x", {}), " (there are none)");
}

/// `base` whose database of billing is a file with this in it; `more` comes behind.
std::string with_file(const std::string& file, const std::string& more = "") {
    return with("databases: [shop-db, billing-db]",
                "databases: {shop-db: {}, billing-db: {file: " + file + "}}") +
           more;
}

TEST(Loading, ADatabaseMayBeAFile) {
    const Scenario plain = good(with_file("{}"));
    ASSERT_TRUE(plain.databases[1].file.has_value());
    EXPECT_FALSE(plain.databases[0].file.has_value());
    EXPECT_EQ(plain.databases[1].file->name, "billing-db");
    EXPECT_EQ(plain.databases[1].file->journal_mode, broker::JournalMode::wal);
    EXPECT_EQ(plain.databases[1].file->synchronous, broker::FileSync::full);
    const Scenario weak =
        good(with_file("{journal-mode: delete, synchronous: off, checkpoint-pages: 8}"));
    EXPECT_EQ(weak.databases[1].file->journal_mode, broker::JournalMode::deleted);
    EXPECT_EQ(weak.databases[1].file->synchronous, broker::FileSync::off);
    EXPECT_EQ(weak.databases[1].file->checkpoint_pages, 8);
    EXPECT_THAT(problem(with_file("{journal-mode: wall}")), HasSubstr("`wal`"));
    EXPECT_THAT(problem(with("databases: [shop-db, billing-db]",
                             "databases: {shop-db: {}, billing-db: {synchronous: off, file: {}}}")),
                HasSubstr("dir/story.yaml:7:52: a file has its own `synchronous`"));
}

TEST(Loading, AFileIsOfOneServiceWhoseProcessesShareNothing) {
    const std::vector<std::string> outbox = problems(with(
        "databases: [shop-db, billing-db]", "databases: {shop-db: {file: {}}, billing-db: {}}"));
    ASSERT_EQ(outbox.size(), 2U);
    EXPECT_THAT(outbox[0], HasSubstr("dir/story.yaml:9:41: service `shop` needs a server: other "
                                     "processes work on its database, and `shop-db` is a file"));
    EXPECT_THAT(outbox[1], HasSubstr("dir/story.yaml:10:39: service `relay` needs a server"));
    std::string replicas = with_file("{}");
    replicas.replace(replicas.find("load:"), 5,
                     "  till: {is: outbox-service, database: till-db, to: orders, replicas: 2}\n"
                     "load:");
    replicas.replace(replicas.find("{shop-db: {}"), 1, "{till-db: {file: {}}, ");
    EXPECT_THAT(problem(replicas), HasSubstr("service `till` can have one replica"));
    std::string two = with_file("{}");
    two.replace(two.find("load:"), 5,
                "  audit: {is: consumer, from: orders, database: billing-db}\nload:");
    EXPECT_THAT(problem(two), HasSubstr("`billing-db` is a file of the processes of `billing`: "
                                        "service `audit` would have files of its own"));
}

TEST(Loading, AFileIsStruckWhereItIs) {
    const Scenario struck =
        good(with_file("{}", "faults:\n"
                             "  - power-loss: {point: disk.delete, for: 1s}\n"
                             "  - crash: {of: billing/2, point: disk.read, nth: 1..9, for: 1s}\n"
                             "  - failing-disk: {of: billing, every: 5s, for: 1s}\n"));
    ASSERT_EQ(struck.faults.size(), 3U);
    EXPECT_THAT(struck.faults[0].targets, ElementsAre(Target{Target::Kind::name, "billing"}));
    EXPECT_EQ(struck.faults[2].kind, sim::FaultKind::failing_disk);
    EXPECT_THAT(problem(with_file("{}", "faults:\n  - crash: {of: billing-db, at: 5s, for: 1s}\n")),
                HasSubstr("`billing-db` is a file: a fault befalls whose file it is, `billing`"));
    EXPECT_THAT(problems(with_faults("  - crash: {of: billing, point: disk.read, for: 1s}\n"))[0],
                HasSubstr("`billing` does not reach the point `disk.read`"));
    EXPECT_THAT(problem(with_faults("  - failing-disk: {of: shop-db, at: 5s, for: 1s}\n")),
                HasSubstr("befalls a service, not `shop-db`"));
    EXPECT_THAT(problem(with_faults("  - failing-disk: {of: billing, at: 5s, for: 1s}\n")),
                HasSubstr("`billing` has no file on its disk"));
}

TEST(Loading, AQueryOnFilesRunsOnEachOfThem) {
    const std::string query = "  - sql: {database: billing-db, query: select 1, ";
    const auto expects = [&](const std::string& what) {
        std::string text = with_file("{}");
        return text.replace(text.find("expect: [ledger]"), 16,
                            "expect:\n  - ledger\n" + query + what + "}");
    };
    EXPECT_EQ(good(expects("empty: always")).sql.size(), 1U);
    EXPECT_THAT(problem(expects("equals: 1")),
                HasSubstr("`billing-db` is 3 files, one of each `billing`, and `equals` expects "
                          "one value"));
}

} // namespace
} // namespace crier::scenario
