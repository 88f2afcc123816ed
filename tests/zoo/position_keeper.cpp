#include "tests/zoo/services.hpp"

namespace crier::zoo {

namespace {

using namespace std::chrono_literals;
using kafka::Offset;

// The effect and the next position are one transaction, so that every record takes effect once.
class PositionKeeper final : public scenario::Service, private kafka::RebalanceListener {
public:
    explicit PositionKeeper(scenario::ServiceContext& context)
        : ports_(context.ports()), store_(context.store(context.text("database"))),
          topic_(context.text("from")),
          consumer_(context.kafka_for(topic_).consumer(group(context))),
          takes_errors_for_nothing_(context.text("lookup-error") == "begin-anew"),
          by_number_(context.flag("by-number")) {}

    asio::awaitable<void> run() override {
        co_await insist(ports_, store_,
                        "create table if not exists effects (message_id text, message_key text)");
        co_await insist(ports_, store_,
                        "create table if not exists positions (part bigint primary key, next "
                        "bigint not null)");
        co_await insist(ports_, store_,
                        "create table if not exists numbers (sender text, number text, primary key "
                        "(sender, number))");
        std::vector<std::string> topics{topic_};
        consumer_->subscribe(std::move(topics), this);
        for (;;) {
            auto records = co_await consumer_->poll(200ms);
            if (!records) {
                co_await ports_.clock.sleep(200ms);
                continue;
            }
            for (const kafka::ConsumerRecord& record : *records)
                co_await handle(record);
        }
    }

private:
    static kafka::ConsumerOptions group(const scenario::ServiceContext& context) {
        kafka::ConsumerOptions options;
        options.group_id = context.service();
        options.enable_auto_commit = false;
        options.auto_offset_reset = kafka::OffsetReset::earliest;
        options.session_timeout = 6s;
        return options;
    }

    asio::awaitable<void> handle(const kafka::ConsumerRecord& record) {
        for (bool is_stored = false; !is_stored;) {
            is_stored = co_await store(record);
            if (!is_stored) co_await ports_.clock.sleep(200ms);
        }
    }

    /// **Returns** whether the record is done with.
    asio::awaitable<bool> store(const kafka::ConsumerRecord& record) {
        auto begun = co_await store_.begin();
        if (!begun) co_return false;
        const std::unique_ptr<Transaction> transaction = std::move(begun.value());
        std::vector<Value> move =
            parameters(static_cast<std::int64_t>(record.partition), record.offset + 1);
        const auto moved = co_await transaction->execute(
            takes_errors_for_nothing_
                ? "insert into positions (part, next) values ($1, $2) on conflict (part) do update "
                  "set next = excluded.next returning next"
                : "insert into positions (part, next) values ($1, $2) on conflict (part) do update "
                  "set next = excluded.next where positions.next < excluded.next returning next",
            std::move(move));
        if (!moved) co_return false;
        if (moved.value().empty()) co_return true; // its position is past it
        if (by_number_) {
            std::vector<Value> number =
                parameters(std::string(find_header(record.headers, "sender")),
                           std::string(find_header(record.headers, "number")));
            const auto entered = co_await transaction->execute(
                "insert into numbers (sender, number) values ($1, $2) on conflict do nothing "
                "returning number",
                std::move(number));
            if (!entered) co_return false;
            if (entered.value().empty()) {
                const auto passed = co_await transaction->commit();
                if (passed) {
                    ports_.observer.settled(find_header(record.headers, id_header), Fate::duplicate,
                                            "");
                }
                co_return passed.has_value();
            }
        }
        std::vector<Value> row = parameters(std::string(find_header(record.headers, id_header)),
                                            record.key.value_or(""));
        const auto stored = co_await transaction->execute(
            "insert into effects (message_id, message_key) values ($1, $2)", std::move(row));
        if (!stored) co_return false;
        const auto committed = co_await transaction->commit();
        co_return committed.has_value();
    }

    asio::awaitable<void> partitions_assigned(std::vector<kafka::TopicPartition> given) override {
        for (const kafka::TopicPartition& partition : given) {
            for (;;) {
                std::vector<Value> which =
                    parameters(static_cast<std::int64_t>(partition.partition));
                const auto found = co_await store_.execute(
                    "select next from positions where part = $1", std::move(which));
                if (found && !found.value().empty())
                    consumer_->seek(partition, std::get<std::int64_t>(found.value()[0][0]));
                if (found || takes_errors_for_nothing_) break;
                co_await ports_.clock.sleep(200ms);
            }
        }
    }

    asio::awaitable<void> partitions_revoked(std::vector<kafka::TopicPartition>) override {
        co_return;
    }
    asio::awaitable<void> partitions_lost(std::vector<kafka::TopicPartition>) override {
        co_return;
    }

    ProcessPorts ports_;
    Store& store_;
    std::string topic_;
    std::unique_ptr<kafka::Consumer> consumer_;
    bool takes_errors_for_nothing_;
    bool by_number_; // a message is what its sender has numbered
};

} // namespace

scenario::ServiceType position_keeper() {
    using scenario::OptionType;
    scenario::ServiceType type;
    type.is = "position-keeper";
    type.summary = "keeps its positions beside its effects";
    type.options = {
        {"from", OptionType::channel, {}, false, {}, "the channel"},
        {"database", OptionType::database, {}, false, {}, "where effects and positions are"},
        either("lookup-error", "try-again", "begin-anew"),
        {"by-number", OptionType::flag, false, false, {}, "deduplicates by sender and number"},
    };
    type.database_option = "database";
    type.from_option = "from";
    type.effects = scenario::WatchSpec{{}, "effects", "message_id", "message_key"};
    type.make = [](scenario::ServiceContext& context) {
        return std::make_unique<PositionKeeper>(context);
    };
    return type;
}

} // namespace crier::zoo
