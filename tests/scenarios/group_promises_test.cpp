// Promises of groups that need a service of their own kind: slow handlers under rebalances, and a
// client that commits by itself under an application that finishes before it polls again.
#include "messaging/kafka_publisher.hpp"
#include "tests/support/scenario_runs.hpp"

#include <gtest/gtest.h>

namespace crier::scenario {
namespace {

const properties::Verdict& verdict_of(const RunResult& result, std::string_view property) {
    const auto found =
        std::find_if(result.properties.begin(), result.properties.end(),
                     [property](const auto& verdict) { return verdict.property == property; });
    if (found == result.properties.end()) throw std::runtime_error("no such verdict");
    return *found;
}

RunResult run(const std::string& services, const std::string& rest, const ServiceTable& table,
              std::uint64_t seed) {
    broker::configure_sqlite();
    const std::string text = "brokers: {events: {kafka: {}}}\n"
                             "channels: {orders: {partitions: 4}}\n"
                             "databases: [db]\n"
                             "services:\n"
                             "  shop: {is: outbox-producer, database: db}\n"
                             "  relay: {is: outbox-relay, database: db, to: orders}\n" +
                             services + rest;
    const auto parsed = parse_scenario(text, "test.yaml", table);
    if (!parsed) throw std::runtime_error(parsed.error().front().text());
    RunOptions options;
    options.seed = seed;
    return run_scenario(*parsed, table, options);
}

// A handler of two seconds outlasts any rebalance: what is given back must be finished or dropped
// first.
TEST(GroupPromises, SlowHandlersEndBeforeTheirPartitionGoes) {
    for (const char* const assignor : {"range", "cooperative-sticky"}) {
        for (std::uint64_t seed = 1; seed <= 3; ++seed) {
            const RunResult result =
                run("  billing: {is: consumer, from: orders, database: db, replicas: 2,\n"
                    "            offset-reset: earliest, work: 2s, deduplicate: none,\n"
                    "            assignor: " +
                        std::string(assignor) + "}\n",
                    "load:\n"
                    "  - {to: shop, rate: 3/s, for: 40s}\n"
                    "faults:\n"
                    "  - rebalance-storm: {of: billing, at: 8s, for: 25s}\n"
                    "expect: [zombie-effect, effect-at-most-once]\n",
                    stock_services(), seed);
            const properties::Verdict& verdict = verdict_of(result, "zombie-effect");
            EXPECT_EQ(verdict.kind, properties::VerdictKind::holds) << verdict.witness;
        }
    }
}

/// Polls, works a tenth of a second on each record, and only then polls again.
class Poller final : public Service {
public:
    explicit Poller(ServiceContext& context) : ports_(context.ports()) {
        kafka::ConsumerOptions options;
        options.group_id = context.service();
        options.enable_auto_commit = true;
        options.auto_commit_interval = std::chrono::seconds(1);
        options.auto_offset_reset = kafka::OffsetReset::earliest;
        consumer_ = context.kafka_for("orders").consumer(std::move(options));
        consumer_->subscribe({"orders"}, nullptr);
    }

    asio::awaitable<void> run() override {
        for (;;) {
            const auto records = co_await consumer_->poll(std::chrono::seconds(1));
            if (!records) continue;
            for (const kafka::ConsumerRecord& record : *records)
                co_await work(messaging::to_message(record).id);
        }
    }

private:
    asio::awaitable<void> work(std::string id) {
        ports_.observer.attempting(id, 1);
        co_await ports_.clock.sleep(std::chrono::milliseconds(100));
        ports_.observer.settled(id, Fate::done, "");
    }

    ProcessPorts ports_;
    std::unique_ptr<kafka::Consumer> consumer_;
};

TEST(GroupPromises, AClientCommitsByItselfOnlyWhatEarlierPollsHandedOut) {
    ServiceTable table = stock_services();
    ServiceType type;
    type.is = "poller";
    type.summary = "finishes what it polled before it polls again";
    type.options = {{"from", OptionType::channel, {}, false, {}, "the channel that it reads"}};
    type.from_option = "from";
    type.make = [](ServiceContext& context) { return std::make_unique<Poller>(context); };
    type.group = [](const ServiceSpec&) {
        properties::GroupTraits traits;
        traits.protocol = properties::GroupProtocol::eager;
        traits.automatic_commits = true;
        return traits;
    };
    table.add(std::move(type));
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        const RunResult result =
            run("  mailer: {is: poller, from: orders, replicas: 2}\n",
                "load:\n"
                "  - {to: shop, rate: 8/s, for: 30s}\n"
                "faults:\n"
                "  - pause: {of: mailer, every: 9s, for: 1s..9s}\n"
                "expect: [{auto-commit-window: {must-observe: on}}, rejoin-dup-bound]\n",
                table, seed);
        const properties::Verdict& verdict = verdict_of(result, "auto-commit-window");
        EXPECT_EQ(verdict.kind, properties::VerdictKind::holds) << verdict.witness;
    }
}

} // namespace
} // namespace crier::scenario
