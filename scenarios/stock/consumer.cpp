// One row per message: the effect that the scenario counts. The table is made as `effects` names
// it, without a unique constraint, so that a second effect shows instead of being refused.
#include "scenarios/stock/consumer.hpp"

#include "messaging/consumer.hpp"
#include "messaging/inbox.hpp"
#include "messaging/kafka_publisher.hpp"
#include "messaging/kafka_share_subscription.hpp"
#include "messaging/kafka_subscription.hpp"
#include "scenarios/stock/choices.hpp"
#include "scenarios/stock/schema.hpp"

#include <algorithm>

namespace crier::scenario {

namespace {

// In the order of the enumerations of messaging/consumer_options.hpp.
const std::vector<std::string> inbox_transactions{"same", "marker", "own", "after"};
const std::vector<std::string> marker_hits{"waits", "taken-for-done", "never-expires"};

/// Under which key the handler calls somebody outside, if it does.
enum class ExternalCall { none, message_id, attempt, unkeyed };
const std::vector<std::string> external_calls{"none", "message-id", "attempt", "unkeyed"};

messaging::ConsumerOptions consumer_options(const ServiceContext& context) {
    using namespace messaging;
    ConsumerOptions options;
    options.name = context.service();
    options.dead_letter_channel = context.text("dead-letter");
    options.retry.attempts = static_cast<int>(context.count("retry.attempts"));
    options.retry.backoff = context.duration("retry.backoff");
    options.retry.backoff_max = context.duration("retry.backoff-max");
    options.concurrency = static_cast<std::size_t>(context.count("concurrency"));
    const std::string acknowledge = context.text("acknowledge");
    if (acknowledge == "before-effect") options.acknowledge = Acknowledge::before_effect;
    if (acknowledge == "automatic") options.acknowledge = Acknowledge::automatic;
    const std::string deduplicate = context.text("deduplicate");
    if (deduplicate == "memory") options.deduplicate = Deduplicate::memory;
    if (deduplicate == "none") options.deduplicate = Deduplicate::none;
    options.inbox_transaction =
        chosen<InboxTransaction>(context.text("inbox-transaction"), inbox_transactions);
    options.marker_hit = chosen<MarkerHit>(context.text("marker-hit"), marker_hits);
    options.marker_expiry = context.duration("marker-expiry");
    options.inbox_retention = context.duration("inbox-retention");
    options.prune_interval = context.duration("prune-interval");
    if (context.text("dead-letter-publish") == "forgotten") {
        options.dead_letter_publish = DeadLetterPublish::forgotten;
    }
    if (context.text("order") == "none") options.order = Order::none;
    if (context.text("retry.by") == "broker") options.retry_by = RetryBy::broker;
    options.delivery_limit = static_cast<int>(context.count("delivery-limit"));
    return options;
}

kafka::Assignor assignor(const std::string& name) {
    if (name == "round-robin") return kafka::Assignor::round_robin;
    if (name == "sticky") return kafka::Assignor::sticky;
    if (name == "cooperative-sticky") return kafka::Assignor::cooperative_sticky;
    return kafka::Assignor::range;
}

kafka::OffsetReset offset_reset(const std::string& name) {
    if (name == "earliest") return kafka::OffsetReset::earliest;
    if (name == "by-duration") return kafka::OffsetReset::by_duration;
    return kafka::OffsetReset::latest;
}

kafka::ConsumerOptions group_options(const ServiceContext& context) {
    kafka::ConsumerOptions options;
    options.client_id = context.service();
    options.group_id = context.service();
    options.enable_auto_commit = context.text("acknowledge") == "automatic";
    options.auto_commit_interval = context.duration("auto-commit-interval");
    options.session_timeout = context.duration("session-timeout");
    options.max_poll_interval = context.duration("max-poll-interval");
    options.assignors = {assignor(context.text("assignor"))};
    if (context.text("group-protocol") == "consumer") {
        options.group_protocol = kafka::GroupProtocol::consumer;
    }
    const std::string instance = context.text("instance-id");
    if (instance == "shared") options.group_instance_id = context.service();
    if (instance == "per-replica") {
        options.group_instance_id = context.service() + "-" + std::to_string(context.replica());
    }
    if (context.text("isolation") == "read-committed") {
        options.isolation = kafka::Isolation::read_committed;
    }
    options.auto_offset_reset = offset_reset(context.text("offset-reset"));
    options.auto_offset_reset_duration = context.duration("offset-reset-duration");
    options.max_poll_records = static_cast<int>(context.count("max-poll-records"));
    return options;
}

messaging::KafkaSubscriptionOptions subscription_options(const ServiceContext& context) {
    messaging::KafkaSubscriptionOptions options;
    options.topics = {context.text("from")};
    options.auto_commit = context.text("acknowledge") == "automatic";
    return options;
}

kafka::ShareConsumerOptions share_options(const ServiceContext& context) {
    kafka::ShareConsumerOptions options;
    options.client_id = context.service();
    options.group_id = context.service();
    options.max_poll_records = static_cast<int>(context.count("max-poll-records"));
    if (context.text("acknowledge") != "automatic") {
        options.acknowledgement_mode = kafka::AcknowledgementMode::explicit_each;
    }
    return options;
}

messaging::KafkaShareSubscriptionOptions share_subscription_options(const ServiceContext& context) {
    messaging::KafkaShareSubscriptionOptions options;
    options.topics = {context.text("from")};
    options.automatic = context.text("acknowledge") == "automatic";
    options.lock = context.duration("record-lock");
    options.renew = context.flag("renew");
    return options;
}

/// Returns what it receives from: partitions of its own, or records that a share group gives out.
std::unique_ptr<Subscription> subscribe(ServiceContext& context) {
    const std::string from = context.text("from");
    const ProcessPorts ports = context.ports();
    if (context.text("group-type") == "share") {
        return std::make_unique<messaging::KafkaShareSubscription>(
            ports.clock, ports.background,
            context.kafka_share_for(from).share_consumer(share_options(context)),
            share_subscription_options(context));
    }
    return std::make_unique<messaging::KafkaSubscription>(
        ports.clock, context.kafka_for(from).consumer(group_options(context)),
        subscription_options(context));
}

class StockConsumer final : public Service {
public:
    explicit StockConsumer(ServiceContext& context)
        : ports_(context.ports()), store_(context.store(context.text("database"))),
          effects_(context.effects()), work_(context.duration("work")),
          subscription_(subscribe(context)), dead_letters_(dead_letter_producer(context)),
          external_call_(chosen<ExternalCall>(context.text("external-call"), external_calls)),
          is_sum_(context.text("effect") == "sum"), insert_(insertion(effects_, is_sum_)),
          consumer_(
              ports_, *subscription_, store_, dead_letters_,
              [this](const Message& message, Transaction& transaction) {
                  return handle(message, transaction);
              },
              consumer_options(context)) {
        if (auto* const log = dynamic_cast<messaging::KafkaSubscription*>(subscription_.get()))
            log->listen(consumer_);
    }

    asio::awaitable<void> run() override {
        std::vector<std::string> schema = messaging::inbox_schema();
        schema.push_back("create table if not exists " + effects_.table + " (" + effects_.identity +
                         (is_sum_ ? " text primary key, " : " text not null, ") + effects_.key +
                         (is_sum_ ? " text, body text, amount bigint not null default 42)"
                                  : " text, body text)"));
        co_await ensure_schema(ports_, store_, std::move(schema));
        co_await consumer_.run();
    }

    asio::awaitable<void> stop(Duration grace) override { return consumer_.stop(grace); }

private:
    static std::string insertion(const WatchSpec& effects, bool is_sum) {
        std::string sql = "insert into " + effects.table + " (" + effects.identity + ", " +
                          effects.key + ", body) values ($1, $2, $3)";
        if (is_sum) {
            sql += " on conflict (" + effects.identity +
                   ") do update set amount = " + effects.table + ".amount + excluded.amount";
        }
        return sql;
    }

    static std::unique_ptr<kafka::Producer> dead_letter_producer(ServiceContext& context) {
        kafka::ProducerOptions options;
        options.client_id = context.service() + "-dead-letters";
        const std::string channel =
            context.has("dead-letter") ? context.text("dead-letter") : context.text("from");
        return context.kafka_for(channel).producer(std::move(options));
    }

    asio::awaitable<messaging::HandlerOutcome> handle(const Message& message,
                                                      Transaction& transaction) {
        if (work_ > Duration{}) co_await ports_.clock.sleep(work_);
        if (message.body.find("not a number") != std::string::npos) {
            co_return messaging::HandlerOutcome::retry("the amount is not a number");
        }
        if (external_call_ != ExternalCall::none) call_out(message.id);
        const Outcome<Rows> inserted = co_await transaction.execute(
            insert_, parameters(message.id, message.key, message.body));
        if (!inserted) co_return messaging::HandlerOutcome(inserted.error());
        co_return messaging::HandlerOutcome::ok();
    }

    /// The call itself is part of the work: what counts is that it was made, and how.
    void call_out(const std::string& id) {
        std::string key;
        if (external_call_ == ExternalCall::message_id) key = id;
        if (external_call_ == ExternalCall::attempt) key = ports_.ids.next();
        ports_.observer.called_out(id, key);
    }

    ProcessPorts ports_;
    Store& store_;
    WatchSpec effects_;
    Duration work_;
    std::unique_ptr<Subscription> subscription_;
    messaging::KafkaPublisher dead_letters_;
    ExternalCall external_call_;
    bool is_sum_;
    std::string insert_;
    messaging::Consumer consumer_;
};

properties::GroupTraits group_traits(const ServiceSpec& spec) {
    using properties::GroupProtocol;
    const auto text = [&spec](const char* option) {
        return std::get<std::string>(spec.options.at(option));
    };
    properties::GroupTraits traits;
    traits.protocol = text("group-type") == "share"              ? GroupProtocol::share
                      : text("group-protocol") == "consumer"     ? GroupProtocol::coordinator
                      : text("assignor") == "cooperative-sticky" ? GroupProtocol::cooperative
                                                                 : GroupProtocol::eager;
    traits.automatic_commits = text("acknowledge") == "automatic";
    // In the new protocol the broker decides on sessions, and its own setting stays as it is.
    if (traits.protocol != GroupProtocol::coordinator) {
        traits.session_timeout = std::get<Duration>(spec.options.at("session-timeout"));
    }
    traits.offset_reset = text("offset-reset");
    return traits;
}

/// The inbox, which is that of messaging; several services may share it.
FollowedTables followed_tables(const ServiceSpec& spec) {
    FollowedTables tables;
    if (std::get<std::string>(spec.options.at("deduplicate")) != "inbox") return tables;
    FollowSpec& inbox = tables.inbox.emplace();
    inbox.table = messaging::ConsumerOptions().inbox_table;
    inbox.identity = "id";
    inbox.only_column = "consumer";
    inbox.only_value = spec.name;
    inbox.columns = {{"status", "status"}, {"until", "expires_at"}};
    inbox.retention = std::get<Duration>(spec.options.at("inbox-retention"));
    return tables;
}

} // namespace

ServiceType consumer() {
    const messaging::ConsumerOptions defaults;
    const kafka::ConsumerOptions client;
    const auto milliseconds = [](std::int64_t count) {
        return Duration(std::chrono::milliseconds(count));
    };
    // The limits of the coordinator: group.min.session.timeout.ms and group.max.session.timeout.ms.
    const auto seconds = [](std::int64_t count) {
        return Duration(std::chrono::seconds(count)).count();
    };
    ServiceType type;
    type.is = "consumer";
    type.summary = "writes one row per message, with inbox, retry and dead letters";
    type.options = {
        {"from", OptionType::channel, {}, false, {}, "the channel that it subscribes to"},
        {"database", OptionType::database, {}, false, {}, "where effects and inbox are"},
        {"dead-letter",
         OptionType::channel,
         {},
         true,
         {},
         "where messages go that cannot be handled"},
        {"acknowledge",
         OptionType::choice,
         "after-effect",
         false,
         {"after-effect", "before-effect", "automatic"},
         "when the broker is told that a message is finished; automatic: the client commits by "
         "itself"},
        {"deduplicate",
         OptionType::choice,
         "inbox",
         false,
         {"inbox", "memory", "none"},
         "where it remembers what it did"},
        {"inbox-transaction", OptionType::choice, "same", false, inbox_transactions,
         "same: inbox row and effect commit together; marker: a marker commits before the effect "
         "and "
         "the row after it; own: the row commits before; after: it is looked up before and commits "
         "after"},
        {"marker-hit", OptionType::choice, "waits", false, marker_hits,
         "what a copy does that finds a message in work: it waits for the marker's end, is dropped "
         "until then, or is dropped for ever"},
        {"marker-expiry",
         OptionType::duration,
         defaults.marker_expiry,
         false,
         {},
         "how long a message may be in work",
         1'000'000},
        {"inbox-retention",
         OptionType::duration,
         defaults.inbox_retention,
         false,
         {},
         "how long finished messages are remembered; 0s: for ever"},
        {"prune-interval",
         OptionType::duration,
         defaults.prune_interval,
         false,
         {},
         "how often the inbox forgets what is older",
         1'000'000},
        {"external-call", OptionType::choice, "none", false, external_calls,
         "whether the handler calls somebody outside its database, and under which idempotency "
         "key: "
         "the message's id, a new one for each attempt, or none"},
        {"effect",
         OptionType::choice,
         "row",
         false,
         {"row", "sum"},
         "row: each handling writes one; sum: it adds its amount to the message's row, so that "
         "what "
         "is done twice shows in the value only"},
        {"dead-letter-publish",
         OptionType::choice,
         "awaited",
         false,
         {"awaited", "forgotten"},
         "whether the broker's confirmation is waited for"},
        {"order",
         OptionType::choice,
         "key",
         false,
         {"key", "none"},
         "what is handled one after another"},
        {"concurrency",
         OptionType::count,
         static_cast<std::int64_t>(defaults.concurrency),
         false,
         {},
         "messages in work at once"},
        {"retry.attempts",
         OptionType::count,
         static_cast<std::int64_t>(defaults.retry.attempts),
         false,
         {},
         "attempts before the dead letter, the first included"},
        {"retry.backoff",
         OptionType::duration,
         defaults.retry.backoff,
         false,
         {},
         "wait after the first failure; doubles"},
        {"retry.backoff-max",
         OptionType::duration,
         milliseconds(10'000),
         false,
         {},
         "the longest wait"},
        {"retry.by",
         OptionType::choice,
         "process",
         false,
         {"process", "broker"},
         "broker: of a share group, a failed message goes back at once to whoever asks next, and "
         "its delivery counts; process: it waits here for its backoff"},
        {"delivery-limit",
         OptionType::count,
         std::int64_t{defaults.delivery_limit},
         false,
         {},
         "of a share group, what the service takes for the broker's share-delivery-count-limit: "
         "the last delivery is not given back"},
        {"work",
         OptionType::duration,
         milliseconds(1),
         false,
         {},
         "how long the handler works on a message"},
        {"session-timeout",
         OptionType::duration,
         client.session_timeout,
         false,
         {},
         "Kafka's session.timeout.ms",
         seconds(6),
         seconds(1800)},
        {"max-poll-interval",
         OptionType::duration,
         client.max_poll_interval,
         false,
         {},
         "Kafka's max.poll.interval.ms"},
        {"auto-commit-interval",
         OptionType::duration,
         client.auto_commit_interval,
         false,
         {},
         "Kafka's auto.commit.interval.ms"},
        {"assignor",
         OptionType::choice,
         "range",
         false,
         {"range", "round-robin", "sticky", "cooperative-sticky"},
         "Kafka's partition.assignment.strategy"},
        {"group-protocol",
         OptionType::choice,
         "classic",
         false,
         {"classic", "consumer"},
         "Kafka's group.protocol; consumer: the coordinator shares out and decides on sessions"},
        {"group-type",
         OptionType::choice,
         "consumer",
         false,
         {"consumer", "share"},
         "consumer: each partition is one member's; share: each record is, as in a queue "
         "(KIP-932)"},
        {"record-lock",
         OptionType::duration,
         messaging::KafkaShareSubscriptionOptions().lock,
         false,
         {},
         "of a share group, what the service takes for the broker's share-record-lock-duration"},
        {"renew",
         OptionType::flag,
         true,
         false,
         {},
         "of a share group, whether locks of messages in work are renewed"},
        {"max-poll-records",
         OptionType::count,
         std::int64_t{client.max_poll_records},
         false,
         {},
         "Kafka's max.poll.records; a share group's batches are handed out whole"},
        {"instance-id",
         OptionType::choice,
         "none",
         false,
         {"none", "per-replica", "shared"},
         "Kafka's group.instance.id: per-replica makes static members, that come back without a "
         "rebalance; shared is the mistake of one id for all"},
        {"isolation",
         OptionType::choice,
         "read-uncommitted",
         false,
         {"read-uncommitted", "read-committed"},
         "Kafka's isolation.level: whether records of open or aborted transactions are read"},
        {"offset-reset",
         OptionType::choice,
         "latest",
         false,
         {"earliest", "latest", "by-duration"},
         "Kafka's auto.offset.reset"},
        {"offset-reset-duration",
         OptionType::duration,
         Duration(std::chrono::hours(1)),
         false,
         {},
         "how old a record may be that by-duration begins with"},
    };
    type.database_option = "database";
    type.from_option = "from";
    type.dead_letter_option = "dead-letter";
    type.attempts_option = "retry.attempts";
    type.effects = WatchSpec{{}, "effects", "message_id", "message_key"};
    type.points.assign(messaging::consumer_points.begin(), messaging::consumer_points.end());
    type.check = [](const ServiceSpec& spec) {
        std::vector<std::string> problems;
        const auto text = [&spec](const char* option) {
            return std::get<std::string>(spec.options.at(option));
        };
        const auto duration = [&spec](const char* option) {
            return std::get<Duration>(spec.options.at(option));
        };
        if (text("inbox-transaction") != "same" && text("deduplicate") != "inbox") {
            problems.emplace_back("inbox-transaction: " + text("inbox-transaction") +
                                  " needs deduplicate: inbox");
        }
        if (text("marker-hit") != "waits" && text("inbox-transaction") != "marker") {
            problems.emplace_back("marker-hit needs inbox-transaction: marker");
        }
        const Duration retention = duration("inbox-retention");
        if (retention > Duration::zero() &&
            retention <= std::max(duration("marker-expiry"), duration("retry.backoff-max"))) {
            problems.emplace_back("inbox-retention must be longer than marker-expiry and "
                                  "retry.backoff-max, for so long a message may be in work");
        }
        if (duration("retry.backoff") > duration("retry.backoff-max")) {
            problems.emplace_back("retry: backoff is longer than backoff-max");
        }
        if (text("retry.by") == "broker" && text("group-type") != "share") {
            problems.emplace_back("retry: by: broker needs group-type: share");
        }
        if (text("group-type") == "share" &&
            (text("group-protocol") != "classic" || text("instance-id") != "none" ||
             text("isolation") != "read-uncommitted")) {
            problems.emplace_back("group-type: share goes without group-protocol, instance-id and "
                                  "isolation");
        }
        return problems;
    };
    type.group = group_traits;
    type.follows = followed_tables;
    type.make = [](ServiceContext& context) { return std::make_unique<StockConsumer>(context); };
    return type;
}

} // namespace crier::scenario
