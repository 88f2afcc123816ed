// Orders come in, and go out as events. An order is one row of `orders`; a retried input finds its
// row and changes nothing, so the client may ask as often as it likes. Before that its customer's
// row is written, whose lock brings the orders of one customer into the order of their commits.
#include "scenarios/stock/outbox_producer.hpp"

#include "messaging/emitter.hpp"
#include "messaging/kafka_publisher.hpp"
#include "scenarios/stock/schema.hpp"

namespace crier::scenario {

namespace {

class OutboxProducer final : public Service {
public:
    explicit OutboxProducer(ServiceContext& context)
        : ports_(context.ports()), store_(context.store(context.text("database"))),
          publisher_(make_publisher(context)),
          emitter_(ports_, publisher_.get(), emitter_options(context)),
          key_by_event_(context.text("key") == "event"),
          locks_customer_(context.flag("lock-customer")) {}

    asio::awaitable<void> run() override {
        std::vector<std::string> schema = messaging::outbox_schema();
        schema.emplace_back(
            "create table if not exists orders (id text primary key, customer text not null)");
        schema.emplace_back("create table if not exists customers (id text primary key, orders "
                            "bigint not null)");
        co_await ensure_schema(ports_, store_, std::move(schema));
    }

    asio::awaitable<Outcome<void>> input(Input input) override {
        Outcome<std::unique_ptr<Transaction>> begun = co_await store_.begin();
        if (!begun) co_return begun.error();
        std::unique_ptr<Transaction> transaction = std::move(begun.value());
        if (locks_customer_) {
            const Outcome<Rows> locked = co_await transaction->execute(
                "insert into customers (id, orders) values ($1, 1) on conflict (id) do update set "
                "orders = customers.orders + 1",
                parameters(input.key));
            if (!locked) co_return locked.error();
        }
        const Outcome<Rows> inserted = co_await transaction->execute(
            "insert into orders (id, customer) values ($1, $2) on conflict do nothing returning id",
            parameters(input.id, input.key));
        if (!inserted) co_return inserted.error();
        if (inserted.value().empty()) { // an earlier try did it
            co_await transaction->rollback();
            co_return Outcome<void>{};
        }
        std::vector<Message> events(1);
        events[0].id = input.id;
        events[0].key = key_by_event_ ? input.id : input.key;
        events[0].body = body(input);
        co_return co_await emitter_.commit(std::move(transaction), std::move(events));
    }

private:
    static std::unique_ptr<Publisher> make_publisher(ServiceContext& context) {
        if (!is_dual_write(context)) return nullptr;
        kafka::ProducerOptions options;
        options.client_id = context.service();
        return std::make_unique<messaging::KafkaPublisher>(
            context.kafka_for(context.text("to")).producer(std::move(options)));
    }

    static messaging::EmitterOptions emitter_options(const ServiceContext& context) {
        messaging::EmitterOptions options;
        options.channel = context.text("to");
        options.outbox.notify = context.flag("notify");
        if (is_dual_write(context)) options.publish = messaging::PublishMode::dual_write;
        return options;
    }

    static bool is_dual_write(const ServiceContext& context) {
        return context.has("publish") && context.text("publish") == "dual-write";
    }

    static std::string body(const Input& input) {
        return "{\"order\":\"" + input.id + "\",\"customer\":\"" + input.key +
               (input.poison ? "\",\"amount\":\"not a number\"}" : "\",\"amount\":42}");
    }

    ProcessPorts ports_;
    Store& store_;
    std::unique_ptr<Publisher> publisher_;
    messaging::Emitter emitter_;
    bool key_by_event_;
    bool locks_customer_;
};

} // namespace

ServiceType outbox_producer() {
    ServiceType type;
    type.is = "outbox-producer";
    type.summary = "takes orders and writes each with its event in one transaction";
    type.options = {
        {"database", OptionType::database, {}, false, {}, "where orders and outbox are"},
        {"to", OptionType::channel, {}, true, {}, "the channel of dual-write"},
        {"publish",
         OptionType::choice,
         "outbox",
         false,
         {"outbox", "dual-write"},
         "outbox: the event is a row of the same transaction; dual-write: commit, then publish"},
        {"lock-customer",
         OptionType::flag,
         true,
         false,
         {},
         "whether an order writes its customer's row first, so that orders of one customer wait "
         "for one another"},
        {"notify", OptionType::flag, false, false, {}, "whether a commit wakes listening relays"},
        {"key",
         OptionType::choice,
         "aggregate",
         false,
         {"aggregate", "event"},
         "what decides the partition: the customer, or each order for itself"},
    };
    type.takes_inputs = true;
    type.database_option = "database";
    type.to_option = "to";
    type.shares_database = true;
    type.accepts = WatchSpec{{}, "orders", "id", "customer"};
    type.points.assign(messaging::emitter_points.begin(), messaging::emitter_points.end());
    type.check = [](const ServiceSpec& spec) {
        std::vector<std::string> problems;
        const bool direct = std::get<std::string>(spec.options.at("publish")) == "dual-write";
        if (direct && !spec.options.contains("to")) {
            problems.emplace_back(
                "publish: dual-write needs `to`, the channel that it publishes to");
        }
        return problems;
    };
    type.make = [](ServiceContext& context) { return std::make_unique<OutboxProducer>(context); };
    return type;
}

} // namespace crier::scenario
