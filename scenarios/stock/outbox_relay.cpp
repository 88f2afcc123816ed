#include "scenarios/stock/outbox_relay.hpp"

#include "messaging/kafka_publisher.hpp"
#include "messaging/relay.hpp"
#include "scenarios/stock/schema.hpp"

namespace crier::scenario {

namespace {

class OutboxRelay final : public Service {
public:
    explicit OutboxRelay(ServiceContext& context)
        : ports_(context.ports()), store_(context.store(context.text("database"))),
          publisher_(context.kafka_for(context.text("to")).producer(producer_options(context))),
          relay_(ports_, store_, publisher_, relay_options(context)) {}

    asio::awaitable<void> run() override {
        std::vector<std::string> schema = messaging::outbox_schema();
        co_await ensure_schema(ports_, store_, std::move(schema));
        co_await relay_.run();
    }

    asio::awaitable<void> stop(Duration) override { return relay_.stop(); }

private:
    static kafka::ProducerOptions producer_options(const ServiceContext& context) {
        kafka::ProducerOptions options;
        options.client_id = context.service();
        options.linger = Duration{}; // a relay sends what it has, and waits for it
        options.enable_idempotence = context.flag("idempotence");
        return options;
    }

    static messaging::RelayOptions relay_options(const ServiceContext& context) {
        messaging::RelayOptions options;
        options.channel = context.text("to");
        options.batch = static_cast<std::size_t>(context.count("batch"));
        options.poll_interval = context.duration("poll-interval");
        options.lease = context.duration("lease");
        return options;
    }

    ProcessPorts ports_;
    Store& store_;
    messaging::KafkaPublisher publisher_;
    messaging::Relay relay_;
};

} // namespace

ServiceType outbox_relay() {
    const messaging::RelayOptions defaults;
    constexpr std::int64_t least = 1'000'000; // a millisecond
    ServiceType type;
    type.is = "outbox-relay";
    type.summary = "publishes what stands in an outbox, in order per key";
    type.options = {
        {"database", OptionType::database, {}, false, {}, "where the outbox is"},
        {"to", OptionType::channel, {}, false, {}, "where its events go"},
        {"batch",
         OptionType::count,
         static_cast<std::int64_t>(defaults.batch),
         false,
         {},
         "rows claimed at once"},
        {"idempotence", OptionType::flag, true, false, {}, "Kafka's enable.idempotence"},
        {"poll-interval",
         OptionType::duration,
         defaults.poll_interval,
         false,
         {},
         "wait when nothing is there",
         least},
        {"lease",
         OptionType::duration,
         defaults.lease,
         false,
         {},
         "how long claimed rows are out of reach of others",
         least},
    };
    type.database_option = "database";
    type.to_option = "to";
    type.points.assign(messaging::relay_points.begin(), messaging::relay_points.end());
    type.make = [](ServiceContext& context) { return std::make_unique<OutboxRelay>(context); };
    return type;
}

} // namespace crier::scenario
