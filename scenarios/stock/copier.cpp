#include "scenarios/stock/copier.hpp"

#include "messaging/kafka_publisher.hpp"
#include "messaging/transactional_copier.hpp"

namespace crier::scenario {

namespace {

messaging::CopierOptions copier_options(const ServiceContext& context, Ids& ids) {
    messaging::CopierOptions options;
    options.from = {context.text("from")};
    options.producer.client_id = context.service();
    options.producer.linger = Duration{};
    options.producer.transaction_timeout = context.duration("transaction-timeout");
    options.producer.transactional_id =
        context.text("transactional-id") == "random"
            ? context.service() + "-" + ids.next()
            : context.service() + "-" + std::to_string(context.replica());
    options.consumer.client_id = context.service();
    options.consumer.group_id = context.service();
    options.consumer.enable_auto_commit = false;
    options.consumer.isolation = kafka::Isolation::read_committed;
    options.consumer.session_timeout = context.duration("session-timeout");
    options.consumer.max_poll_interval = context.duration("max-poll-interval");
    options.consumer.auto_offset_reset = context.text("offset-reset") == "earliest"
                                             ? kafka::OffsetReset::earliest
                                             : kafka::OffsetReset::latest;
    if (context.text("fence") == "none") options.fence = messaging::CopierFence::none;
    if (context.text("after-abort") == "go-on") options.after_abort = messaging::AfterAbort::go_on;
    return options;
}

class Copier final : public Service {
public:
    explicit Copier(ServiceContext& context)
        : to_(context.text("to")),
          copier_(context.ports(), context.kafka_for(context.text("from")),
                  copier_options(context, context.ports().ids),
                  [this](kafka::ConsumerRecord record) { return copy(std::move(record)); }) {}

    asio::awaitable<void> run() override { return copier_.run(); }
    asio::awaitable<void> stop(Duration) override { return copier_.stop(); }

private:
    std::vector<kafka::ProducerRecord> copy(kafka::ConsumerRecord record) const {
        std::vector<kafka::ProducerRecord> copies;
        copies.push_back(messaging::to_record(to_, messaging::to_message(std::move(record))));
        return copies;
    }

    std::string to_;
    messaging::TransactionalCopier copier_;
};

} // namespace

ServiceType copier() {
    const kafka::ConsumerOptions client;
    const kafka::ProducerOptions producer;
    constexpr std::int64_t second = 1'000'000'000;
    ServiceType type;
    type.is = "copier";
    type.summary = "copies a channel in transactions: each record exactly once for who reads "
                   "committed records";
    type.options = {
        {"from", OptionType::channel, {}, false, {}, "the channel that it reads"},
        {"to",
         OptionType::channel,
         {},
         false,
         {},
         "the channel that it writes, on the same broker"},
        {"transactional-id",
         OptionType::choice,
         "per-replica",
         false,
         {"per-replica", "random"},
         "Kafka's transactional.id: random is the mistake of a new one for each life"},
        {"fence",
         OptionType::choice,
         "member",
         false,
         {"member", "none"},
         "whether its offsets name member and generation, so that a zombie's are refused"},
        {"after-abort",
         OptionType::choice,
         "rewind",
         false,
         {"rewind", "go-on"},
         "where it reads on after a transaction was aborted"},
        {"transaction-timeout",
         OptionType::duration,
         producer.transaction_timeout,
         false,
         {},
         "Kafka's transaction.timeout.ms",
         second,
         900 * second},
        {"session-timeout",
         OptionType::duration,
         client.session_timeout,
         false,
         {},
         "Kafka's session.timeout.ms",
         6 * second,
         1800 * second},
        {"max-poll-interval",
         OptionType::duration,
         client.max_poll_interval,
         false,
         {},
         "Kafka's max.poll.interval.ms"},
        {"offset-reset",
         OptionType::choice,
         "latest",
         false,
         {"earliest", "latest"},
         "Kafka's auto.offset.reset"},
    };
    type.from_option = "from";
    type.to_option = "to";
    type.points.assign(messaging::copier_points.begin(), messaging::copier_points.end());
    type.group = [](const ServiceSpec& spec) {
        properties::GroupTraits traits;
        traits.protocol = properties::GroupProtocol::eager; // the client's default assignor
        traits.session_timeout = std::get<Duration>(spec.options.at("session-timeout"));
        traits.offset_reset = std::get<std::string>(spec.options.at("offset-reset"));
        return traits;
    };
    type.make = [](ServiceContext& context) { return std::make_unique<Copier>(context); };
    return type;
}

} // namespace crier::scenario
