// A poll loop as many teams have it, carried over to the ports: poll, handle each record, commit.
// What was `rd_kafka_consumer_poll`, `PQexec` and `sleep` is now the Kafka, store and clock port;
// nothing else changed. In production the same class gets the adapters of librdkafka and SQLite.
#include "loyalty.hpp"

namespace loyalty {

namespace {

using namespace crier;
using namespace std::chrono_literals;

class Loyalty final : public scenario::Service {
public:
    explicit Loyalty(scenario::ServiceContext& context)
        : ports_(context.ports()), store_(context.store(context.text("database"))),
          points_each_(context.count("points")), topic_(context.text("from")),
          consumer_(context.kafka_for(topic_).consumer(group(context))) {}

    asio::awaitable<void> run() override {
        co_await create_tables();
        consumer_->subscribe({topic_}, nullptr);
        for (;;) {
            const auto records = co_await consumer_->poll(500ms);
            if (!records) {
                co_await ports_.clock.sleep(1s);
                continue;
            }
            for (const kafka::ConsumerRecord& record : *records) {
                for (bool given = co_await give_points(record); !given;
                     given = co_await give_points(record))
                    co_await ports_.clock.sleep(200ms);
                std::vector<kafka::TopicPartitionOffset> done{
                    {record.topic, record.partition, record.offset + 1}};
                const auto committed = co_await consumer_->commit(std::move(done));
                if (!committed) break; // not ours any more, or unknown: the next poll tells
            }
        }
    }

private:
    static kafka::ConsumerOptions group(const scenario::ServiceContext& context) {
        kafka::ConsumerOptions options;
        options.group_id = context.service();
        options.enable_auto_commit = false;
        options.auto_offset_reset = kafka::OffsetReset::earliest;
        options.session_timeout = 10s;
        return options;
    }

    asio::awaitable<void> create_tables() {
        const std::string table =
            "create table if not exists points (order_id text primary key, customer text, "
            "points bigint not null)";
        for (;;) {
            const auto created = co_await store_.execute(table, parameters());
            if (created) co_return;
            co_await ports_.clock.sleep(1s);
        }
    }

    /// The primary key makes it idempotent: a second delivery changes nothing.
    asio::awaitable<bool> give_points(const kafka::ConsumerRecord& record) {
        const std::string order(find_header(record.headers, id_header));
        const auto given =
            co_await store_.execute("insert into points (order_id, customer, points) values ($1, "
                                    "$2, $3) on conflict do nothing",
                                    parameters(order, record.key.value_or(""), points_each_));
        if (!given) co_return false;
        ports_.observer.reached("loyalty.given-not-committed");
        co_return true;
    }

    ProcessPorts ports_;
    Store& store_;
    std::int64_t points_each_;
    std::string topic_;
    std::unique_ptr<kafka::Consumer> consumer_;
};

} // namespace

crier::scenario::ServiceType service_type() {
    using crier::scenario::OptionType;
    crier::scenario::ServiceType type;
    type.is = "loyalty";
    type.summary = "gives customers points for their orders";
    type.options = {
        {"from", OptionType::channel, {}, false, {}, "the channel of orders"},
        {"database", OptionType::database, {}, false, {}, "where the points are"},
        {"points", OptionType::count, std::int64_t{10}, false, {}, "points for one order"}};
    type.database_option = "database";
    type.from_option = "from";
    type.effects = crier::scenario::WatchSpec{{}, "points", "order_id", "customer"};
    type.points = {"loyalty.given-not-committed"};
    type.make = [](crier::scenario::ServiceContext& context) {
        return std::make_unique<Loyalty>(context);
    };
    return type;
}

} // namespace loyalty
