#include "messaging/consumer.hpp"
#include "messaging/dead_letters.hpp"
#include "messaging/emitter.hpp"
#include "messaging/inbox.hpp"
#include "messaging/kafka_publisher.hpp"
#include "messaging/kafka_subscription.hpp"
#include "messaging/outbox.hpp"
#include "messaging/postgres/postgres_store.hpp"
#include "messaging/relay.hpp"
#include "messaging/sqlite/sqlite_store.hpp"
#include "tests/conformance/mock_cluster.hpp"
#include "tests/conformance/real_ledger.hpp"
#include "tests/conformance/real_postgres.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <charconv>
#include <set>

// The classes that the simulator runs, on real systems: shop -> outbox -> relay -> Kafka ->
// consumer -> charges or dead letters, with refused and interrupted produce requests and a consumer
// that is stopped at once in the middle of its work; on SQLite, and on PostgreSQL, where moreover
// the connections of the relay and of the consumer are cut again and again. Judged by the rules by
// which the simulator judges.

namespace crier::conformance {
namespace {

using namespace std::chrono_literals;

constexpr int orders = 300;
constexpr int customers = 20;
constexpr int attempts = 3;
constexpr int parked_expected = orders / 37;
constexpr int discarded_expected = orders / 53;
constexpr int stop_after = 100; // Charges, before the first consumer is stopped.

bool is_poison(int number) {
    return number % 37 == 0;
}
bool is_unwanted(int number) {
    return number % 53 == 0;
}

std::string text(const Value& value) {
    return std::get<std::string>(value);
}

asio::awaitable<Rows> query(Store& store, std::string sql) {
    Outcome<Rows> rows = co_await store.execute(std::move(sql), parameters());
    co_return std::move(rows.value());
}

asio::awaitable<std::int64_t> count(Store& store, std::string sql) {
    const Rows rows = co_await query(store, std::move(sql));
    co_return std::get<std::int64_t>(rows.at(0).at(0));
}

asio::awaitable<void> create(Store& store, std::vector<std::string> schema) {
    for (std::string& statement : schema)
        co_await query(store, std::move(statement));
}

std::vector<std::string> shop_schema() {
    std::vector<std::string> schema = messaging::outbox_schema();
    schema.emplace_back("create sequence if not exists orders_position");
    schema.emplace_back("create table orders (position bigint not null primary key default"
                        " (nextval('orders_position')), id text not null, customer text not null)");
    return schema;
}

std::vector<std::string> billing_schema() {
    std::vector<std::string> schema = messaging::inbox_schema();
    schema.emplace_back("create sequence if not exists charges_position");
    // No unique constraint: a second charge has to show.
    schema.emplace_back("create table charges (position bigint not null primary key default"
                        " (nextval('charges_position')), order_id text not null,"
                        " customer text not null)");
    return schema;
}

asio::awaitable<void> take_order(Store& shop, messaging::Emitter& emitter, int number) {
    Message event;
    event.id = "order-" + std::to_string(number);
    event.key = "customer-" + std::to_string(number % customers);
    event.body = std::to_string(number);
    Outcome<std::unique_ptr<Transaction>> begun = co_await shop.begin();
    std::unique_ptr<Transaction> transaction = std::move(begun.value());
    std::vector<Value> values = parameters(event.id, event.key);
    const Outcome<Rows> written = co_await transaction->execute(
        "insert into orders (id, customer) values ($1, $2)", std::move(values));
    EXPECT_TRUE(written);
    std::vector<Message> events;
    events.push_back(std::move(event));
    const Outcome<void> committed =
        co_await emitter.commit(std::move(transaction), std::move(events));
    EXPECT_TRUE(committed);
}

asio::awaitable<void> take_orders(Store& shop, messaging::Emitter& emitter) {
    for (int number = 1; number <= orders; ++number)
        co_await take_order(shop, emitter, number);
}

asio::awaitable<messaging::HandlerOutcome> charge(const Message& order, Transaction& transaction) {
    int number = 0;
    std::from_chars(order.body.data(), order.body.data() + order.body.size(), number);
    if (is_unwanted(number)) co_return messaging::HandlerOutcome::discard("not wanted");
    std::vector<Value> values = parameters(order.id, order.key);
    const Outcome<Rows> charged = co_await transaction.execute(
        "insert into charges (order_id, customer) values ($1, $2)", std::move(values));
    if (!charged) co_return messaging::HandlerOutcome(charged.error());
    // After its effect, so that only a rollback keeps the charge away.
    if (is_poison(number)) co_return messaging::HandlerOutcome::retry("poison");
    co_return messaging::HandlerOutcome::ok();
}

/// One incarnation of the billing service.
struct Billing {
    Billing(ProcessPorts ports, kafka::Client& client, Store& store)
        : subscription(ports.clock, client.consumer(member()), topics()),
          dead_letters(client.producer(prompt())),
          consumer(ports, subscription, store, dead_letters, charge, options()) {
        subscription.listen(consumer);
    }

    static kafka::ConsumerOptions member() {
        kafka::ConsumerOptions options;
        options.group_id = "billing";
        options.enable_auto_commit = false;
        options.auto_offset_reset = kafka::OffsetReset::earliest;
        options.session_timeout = 4s;
        options.heartbeat_interval = 100ms;
        options.fetch_max_wait = 10ms;
        options.max_poll_records = 20; // Small bites, so that the stop finds something unfinished.
        return options;
    }

    static kafka::ProducerOptions prompt() {
        kafka::ProducerOptions options;
        options.linger = 1ms;
        options.retry_backoff = 10ms;
        return options;
    }

    static messaging::KafkaSubscriptionOptions topics() {
        messaging::KafkaSubscriptionOptions options;
        options.topics = {"orders"};
        return options;
    }

    static messaging::ConsumerOptions options() {
        messaging::ConsumerOptions options;
        options.name = "billing";
        options.dead_letter_channel = "orders-dead";
        options.retry.attempts = attempts;
        options.retry.backoff = 5ms;
        return options;
    }

    messaging::KafkaSubscription subscription;
    messaging::KafkaPublisher dead_letters;
    messaging::Consumer consumer;
};

/// Reads the dead-letter channel as it is, copies included.
asio::awaitable<void> audit(kafka::Consumer& auditor, std::vector<Parked>& parked, bool& stopped) {
    std::vector<std::string> topics{"orders-dead"};
    auditor.subscribe(std::move(topics), nullptr);
    while (!stopped) {
        Outcome<std::vector<kafka::ConsumerRecord>> polled = co_await auditor.poll(20ms);
        for (kafka::ConsumerRecord& record : polled.value()) {
            const Message letter = messaging::to_message(std::move(record));
            Parked found;
            found.id = letter.id;
            found.dead_letter_id = find_header(letter.headers, messaging::dead_letter_id_header);
            const std::string_view made =
                find_header(letter.headers, messaging::dead_letter_attempts_header);
            std::from_chars(made.data(), made.data() + made.size(), found.attempts);
            parked.push_back(std::move(found));
        }
    }
    co_await auditor.close();
    stopped = false;
}

asio::awaitable<void> until_count(Clock& clock, Store& store, std::string sql,
                                  std::int64_t at_least) {
    const Instant give_up = clock.now() + deadline;
    for (;;) {
        const std::int64_t counted = co_await count(store, sql);
        if (counted >= at_least || clock.now() > give_up) break;
        co_await clock.sleep(10ms);
    }
}

/// What the tables say of the run.
asio::awaitable<RealLedger> derive(Store& shop, Store& billing, std::vector<Parked> parked) {
    RealLedger ledger;
    ledger.parked = std::move(parked);
    const Rows accepted = co_await query(shop, "select id, customer from orders order by position");
    for (const Row& row : accepted)
        ledger.accepted.push_back({text(row[0]), text(row[1])});
    const Rows effects =
        co_await query(billing, "select order_id, customer from charges order by position");
    for (const Row& row : effects)
        ledger.effects.push_back({text(row[0]), text(row[1])});
    const Rows discarded =
        co_await query(billing, "select id, reason from inbox where status = 'discarded'");
    for (const Row& row : discarded)
        ledger.discarded.push_back({text(row[0]), text(row[1])});
    ledger.outbox_rows = co_await count(shop, "select count(*) from outbox");
    co_return ledger;
}

class RealPipeline : public ::testing::Test {
protected:
    RealPipeline() : client_(ports_.background, ports_.clock, cluster_.client_options()) {
        cluster_.create_topic("orders", 6);
        cluster_.create_topic("orders-dead", 1);
    }

    void fly_and_judge();
    asio::awaitable<void> fly();
    asio::awaitable<void> bill();

    MockCluster cluster_;
    RealProcess process_;
    ProcessPorts ports_ = process_.ports();
    messaging::kafka::RdkafkaClient client_;
    std::unique_ptr<Store> shop_;    ///< Also read by the test.
    std::unique_ptr<Store> billing_; ///< Likewise.
    Store* relay_store_ = nullptr;   ///< The database of the shop.
    Store* billing_store_ = nullptr; ///< The database of billing.
    std::vector<Parked> parked_;
    RealLedger ledger_;
};

/// Two lives of the service; the first is stopped in the middle of its work, without any grace.
asio::awaitable<void> RealPipeline::bill() {
    auto first = std::make_unique<Billing>(ports_, client_, *billing_store_);
    ports_.background.spawn("billing-1", first->consumer.run());
    co_await until_count(ports_.clock, *billing_, "select count(*) from charges", stop_after);
    co_await first->consumer.stop(Duration::zero());
    const std::int64_t finished = co_await count(*billing_, "select count(*) from inbox");
    EXPECT_LT(finished, orders) << "nothing was left to the second life";
    auto second = std::make_unique<Billing>(ports_, client_, *billing_store_);
    ports_.background.spawn("billing-2", second->consumer.run());
    co_await until_count(ports_.clock, *billing_,
                         "select count(*) from inbox where status <> 'parking'", orders);
    co_await second->consumer.stop(5s);
}

asio::awaitable<void> RealPipeline::fly() {
    co_await create(*shop_, shop_schema());
    co_await create(*billing_, billing_schema());

    kafka::ConsumerOptions reader = Billing::member();
    reader.group_id = "auditor";
    const std::unique_ptr<kafka::Consumer> auditor = client_.consumer(std::move(reader));
    bool audit_stopped = false;
    ports_.background.spawn("auditor", audit(*auditor, parked_, audit_stopped));

    messaging::KafkaPublisher publisher(client_.producer(Billing::prompt()));
    messaging::RelayOptions relay_options;
    relay_options.channel = "orders";
    relay_options.poll_interval = 10ms;
    relay_options.backoff = 20ms;
    messaging::Relay relay(ports_, *relay_store_, publisher, std::move(relay_options));
    ports_.background.spawn("relay", relay.run());

    messaging::Emitter emitter(ports_, nullptr, messaging::EmitterOptions());
    ports_.background.spawn("shop", take_orders(*shop_, emitter));
    co_await bill();

    std::function<bool()> read = [this] {
        std::set<std::string> ids;
        for (const Parked& parked : parked_)
            ids.insert(parked.dead_letter_id);
        return ids.size() >= parked_expected;
    };
    co_await until(ports_.clock, std::move(read));
    audit_stopped = true;
    std::function<bool()> closed = [&audit_stopped] { return !audit_stopped; };
    co_await until(ports_.clock, std::move(closed));
    co_await relay.stop();
    ledger_ = co_await derive(*shop_, *billing_, parked_);
}

void RealPipeline::fly_and_judge() {
    // A new leader, too few replicas, a hung-up connection, and a refusal for good, which the relay
    // has to mend, since the client gives up.
    cluster_.fail_next(produce_request,
                       {RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                        RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                        RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR_NO_ERROR,
                        RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED});
    process_.run(fly());
    const std::vector<std::string> problems = judge(ledger_, attempts);
    EXPECT_THAT(problems, ::testing::IsEmpty());
    EXPECT_EQ(ledger_.accepted.size(), orders);
    EXPECT_EQ(ledger_.effects.size(), orders - parked_expected - discarded_expected);
    EXPECT_EQ(ledger_.discarded.size(), discarded_expected);
}

class RealPipelineOnSqlite : public RealPipeline {
protected:
    std::unique_ptr<Store> open(const std::string& name) {
        messaging::sqlite::SqliteOptions options;
        options.path = folder_.file(name);
        return std::make_unique<messaging::sqlite::SqliteStore>(ports_.background,
                                                                std::move(options));
    }

    TemporaryFolder folder_;
};

TEST_F(RealPipelineOnSqlite, AccountsForEveryOrder) {
    shop_ = open("shop.db");
    billing_ = open("billing.db");
    relay_store_ = shop_.get();
    billing_store_ = billing_.get();
    fly_and_judge();
}

class RealPipelineOnPostgres : public RealPipeline {
protected:
    void SetUp() override {
        const std::string missing = RealPostgres::missing();
        if (!missing.empty()) GTEST_SKIP() << missing;
        server_ = std::make_unique<RealPostgres>();
    }

    std::unique_ptr<Store> open(const std::string& name) {
        messaging::postgres::PostgresOptions options = server_->options();
        options.connection += " application_name=" + name;
        return std::make_unique<messaging::postgres::PostgresStore>(ports_.background,
                                                                    std::move(options));
    }

    std::unique_ptr<RealPostgres> server_;
};

/// Cuts every connection of the relay and of the consumer until `stopped`.
asio::awaitable<void> cut(Clock& clock, Store& store, bool& stopped, std::int64_t& cuts) {
    while (!stopped) {
        cuts += co_await count(store, "select count(pg_terminate_backend(pid))"
                                      " from pg_stat_activity where application_name = 'cut'");
        co_await clock.sleep(50ms);
    }
    stopped = false;
}

asio::awaitable<void> stop(Clock& clock, bool& stopped) {
    stopped = true;
    std::function<bool()> is_over = [&stopped] { return !stopped; };
    co_await until(clock, std::move(is_over));
}

TEST_F(RealPipelineOnPostgres, AccountsForEveryOrderThoughItsConnectionsAreCut) {
    shop_ = open("test");
    billing_ = open("test");
    const std::unique_ptr<Store> relay_store = open("cut");
    const std::unique_ptr<Store> billing_store = open("cut");
    relay_store_ = relay_store.get();
    billing_store_ = billing_store.get();
    bool stopped = false;
    std::int64_t cuts = 0;
    ports_.background.spawn("cut", cut(ports_.clock, *shop_, stopped, cuts));
    fly_and_judge();
    process_.run(stop(ports_.clock, stopped));
    EXPECT_GT(cuts, 10);
}

TEST(RealLedger, FindsNothingWrongWithARightRun) {
    const RealLedger ledger{{{"a", "k"}, {"b", "k"}, {"c", "k"}, {"d", "l"}},
                            {{"d", "l"}, {"a", "k"}, {"c", "k"}},
                            {{"b", "x", 3}, {"b", "x", 3}},
                            {},
                            0};
    EXPECT_THAT(judge(ledger, 3), ::testing::IsEmpty());
}

TEST(RealLedger, NamesEveryKindOfMistake) {
    const RealLedger ledger{
        {{"late", "k"}, {"twice", "k"}, {"lost", "k"}, {"parked", "k"}, {"both", "l"}},
        {{"twice", "k"}, {"late", "k"}, {"twice", "k"}, {"phantom", "k"}, {"both", "l"}},
        {{"parked", "x", 3}, {"parked", "y", 2}},
        {{"both", "why"}},
        1};
    EXPECT_THAT(judge(ledger, 3),
                ::testing::UnorderedElementsAre(
                    "effect of late came late", "effect of twice happened again",
                    "effect of phantom, which was never accepted", "lost is unaccounted for",
                    "parked was parked after 2 attempts", "parked was parked twice",
                    "both has two fates", "the outbox is not empty"));
}

} // namespace
} // namespace crier::conformance
