#include "scenarios/stock/outbox_relay.hpp"

#include "messaging/kafka_publisher.hpp"
#include "messaging/relay.hpp"
#include "scenarios/stock/relay_options.hpp"
#include "scenarios/stock/schema.hpp"

namespace crier::scenario {

namespace {

class OutboxRelay final : public Service {
public:
    explicit OutboxRelay(ServiceContext& context)
        : ports_(context.ports()), store_(context.store(context.text("database"))),
          publisher_(context.kafka_for(context.text("to")).producer(producer_options(context))),
          options_(relay_options(context)),
          relay_(ports_, store_, publisher_, options_,
                 {context.notifications(context.text("database")),
                  context.change_streams(context.text("database"))}) {}

    asio::awaitable<void> run() override {
        std::vector<std::string> schema = messaging::relay_schema(options_);
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

    ProcessPorts ports_;
    Store& store_;
    messaging::KafkaPublisher publisher_;
    messaging::RelayOptions options_;
    messaging::Relay relay_;
};

/// The tables of the relay, which are those of messaging.
FollowedTables followed_tables(const ServiceSpec& spec) {
    const messaging::OutboxOptions outbox;
    FollowedTables tables;
    FollowSpec& rows = tables.outbox.emplace();
    rows.table = outbox.table;
    rows.identity = "id";
    rows.key = "key";
    rows.columns = {{"position", "position"},
                    {"published", "published_at"},
                    {"dead", "dead_at"},
                    {"owner", "claimed_by"},
                    {"until", "claimed_until"}};
    rows.keeps = std::get<Duration>(spec.options.at("keep")) > Duration::zero();
    if (std::get<std::string>(spec.options.at("relay-by")) != "cursor") return tables;
    FollowSpec& leader = tables.leader.emplace();
    leader.table = outbox.table + "_cursor";
    leader.identity = "name";
    leader.columns = {{"position", "position"},
                      {"epoch", "epoch"},
                      {"owner", "owner"},
                      {"until", "leased_until"}};
    return tables;
}

} // namespace

ServiceType outbox_relay() {
    ServiceType type;
    type.is = "outbox-relay";
    type.summary = "publishes what stands in an outbox, in order per key";
    type.options = relay_option_infos();
    type.database_option = "database";
    type.to_option = "to";
    type.shares_database = true;
    type.points.assign(messaging::relay_points.begin(), messaging::relay_points.end());
    type.check = relay_option_problems;
    type.follows = followed_tables;
    type.make = [](ServiceContext& context) { return std::make_unique<OutboxRelay>(context); };
    return type;
}

} // namespace crier::scenario
