#include "tests/zoo/services.hpp"

namespace crier::zoo {

namespace {

using namespace std::chrono_literals;

class DirectProducer final : public scenario::Service {
public:
    explicit DirectProducer(scenario::ServiceContext& context)
        : ports_(context.ports()), store_(context.store(context.text("database"))),
          topic_(context.text("to")),
          producer_(context.kafka_for(topic_).producer(options(context))),
          renames_(context.text("resend") == "new-id"),
          back_dates_(context.text("timestamps") == "business"),
          flushes_(context.text("on-stop") == "flush"),
          sender_(context.text("numbering") == "epoch" ? ports_.ids.next() : context.service()) {}

    asio::awaitable<void> run() override {
        co_await insist(ports_, store_,
                        "create table if not exists orders (id text primary key, customer text)");
    }

    asio::awaitable<Outcome<void>> input(scenario::Input input) override {
        if (stopping_) co_return Failure{make_error_code(StoreError::unavailable)};
        ++open_;
        std::vector<Value> row = parameters(input.id, input.key);
        const auto inserted = co_await store_.execute(
            "insert into orders (id, customer) values ($1, $2) on conflict do nothing returning id",
            std::move(row));
        const bool is_new = inserted && !inserted.value().empty();
        if (is_new) ports_.background.spawn("publish", publish(input.id, input.key));
        if (!is_new) --open_;
        if (!inserted) co_return inserted.error();
        co_return Outcome<void>{};
    }

    // Takes nothing more, and lets what was taken arrive.
    asio::awaitable<void> stop(Duration) override {
        if (!flushes_) co_return;
        stopping_ = true;
        while (open_ > 0)
            co_await ports_.clock.sleep(10ms);
        co_await producer_->flush();
    }

private:
    static kafka::ProducerOptions options(const scenario::ServiceContext& context) {
        kafka::ProducerOptions options;
        options.client_id = context.service();
        options.enable_idempotence = context.flag("idempotence");
        if (context.text("acks") == "leader") options.acks = kafka::Acks::leader;
        options.linger = context.duration("linger");
        options.delivery_timeout = context.duration("delivery-timeout");
        options.request_timeout = std::min(options.request_timeout, options.delivery_timeout / 2);
        return options;
    }

    asio::awaitable<void> publish(std::string order, std::string key) {
        std::string id = order;
        const std::string number = std::to_string(++sent_);
        for (;;) {
            kafka::ProducerRecord record;
            record.topic = topic_;
            record.key = key;
            record.value = order;
            record.headers.push_back({std::string(id_header), id});
            record.headers.push_back({"sender", sender_});
            record.headers.push_back({"number", number});
            // An order is as old as the day that it was made: these are imported.
            if (back_dates_) record.timestamp = ports_.clock.wall_now() - 240h;
            std::vector<kafka::ProducerRecord> records;
            records.push_back(std::move(record));
            const auto sent = co_await producer_->send(std::move(records));
            if (sent.front()) break;
            if (renames_) id = order + "-" + ports_.ids.next();
        }
        --open_;
    }

    ProcessPorts ports_;
    Store& store_;
    std::string topic_;
    std::unique_ptr<kafka::Producer> producer_;
    bool renames_;
    bool back_dates_;
    bool flushes_;
    std::string sender_;     // under which messages are numbered
    std::uint64_t sent_ = 0; // in this life
    bool stopping_ = false;
    std::size_t open_ = 0;
};

} // namespace

scenario::ServiceType direct_producer() {
    using scenario::OptionType;
    scenario::ServiceType type;
    type.is = "direct-producer";
    type.summary = "publishes after the commit, without waiting";
    type.options = {
        {"database", OptionType::database, {}, false, {}, "where orders are"},
        {"to", OptionType::channel, {}, false, {}, "the channel"},
        {"idempotence", OptionType::flag, true, false, {}, "enable.idempotence"},
        either("acks", "all", "leader"),
        either("resend", "same-id", "new-id"),
        either("on-stop", "flush", "leave"),
        either("timestamps", "of-sending", "business"),
        either("numbering", "epoch", "name"),
        {"linger", OptionType::duration, Duration(5ms), false, {}, "linger.ms"},
        {"delivery-timeout",
         OptionType::duration,
         Duration(120s),
         false,
         {},
         "delivery.timeout.ms"},
    };
    type.takes_inputs = true;
    type.database_option = "database";
    type.to_option = "to";
    type.accepts = scenario::WatchSpec{{}, "orders", "id", "customer"};
    type.make = [](scenario::ServiceContext& context) {
        return std::make_unique<DirectProducer>(context);
    };
    return type;
}

} // namespace crier::zoo
