#include "tests/zoo/services.hpp"

#include <algorithm>
#include <map>

namespace crier::zoo {

namespace {

using namespace std::chrono_literals;
using kafka::Offset;

class BatchListener final : public scenario::Service {
public:
    explicit BatchListener(scenario::ServiceContext& context)
        : ports_(context.ports()), store_(context.store(context.text("database"))),
          topic_(context.text("from")),
          consumer_(context.kafka_for(topic_).consumer(group(context))),
          commits_first_(context.text("on-failure") == "commit-then-seek"),
          last_failure_wins_(context.text("failures") == "last-wins"),
          in_parallel_(context.flag("parallel")) {}

    asio::awaitable<void> run() override {
        co_await insist(ports_, store_,
                        "create table if not exists effects (message_id text primary key, "
                        "message_key text)");
        std::vector<std::string> topics{topic_};
        consumer_->subscribe(std::move(topics), nullptr);
        for (;;) {
            auto records = co_await consumer_->poll(200ms);
            if (!records) {
                co_await ports_.clock.sleep(200ms);
                continue;
            }
            std::map<std::int32_t, std::vector<kafka::ConsumerRecord>> batches;
            for (kafka::ConsumerRecord& record : *records)
                batches[record.partition].push_back(std::move(record));
            for (auto& [partition, batch] : batches)
                co_await handle(partition, std::move(batch));
        }
    }

private:
    static kafka::ConsumerOptions group(const scenario::ServiceContext& context) {
        kafka::ConsumerOptions options;
        options.group_id = context.service();
        options.enable_auto_commit = false;
        options.auto_offset_reset = kafka::OffsetReset::earliest;
        return options;
    }

    asio::awaitable<void> handle(std::int32_t partition, std::vector<kafka::ConsumerRecord> batch) {
        const Offset end = batch.back().offset + 1;
        failure_ = -1;
        unfinished_ = 0;
        if (in_parallel_) {
            for (kafka::ConsumerRecord& record : batch) {
                ++unfinished_;
                ports_.background.spawn("record", work(std::move(record)));
            }
            while (unfinished_ > 0)
                co_await ports_.clock.sleep(5ms);
        } else {
            for (kafka::ConsumerRecord& record : batch) {
                ++unfinished_;
                co_await work(std::move(record));
                if (failure_ >= 0) break;
            }
        }
        const Offset next = failure_ >= 0 ? failure_ : end;
        if (failure_ >= 0 && !commits_first_) go_back(partition, next);
        std::vector<kafka::TopicPartitionOffset> offsets{{topic_, partition, next}};
        const auto done = co_await consumer_->commit(std::move(offsets));
        if (!done) co_return; // the error handler ends here, too
        if (failure_ >= 0 && commits_first_) go_back(partition, next);
    }

    void go_back(std::int32_t partition, Offset offset) {
        const kafka::TopicPartition place{topic_, partition};
        const std::vector<kafka::TopicPartition> held = consumer_->assignment();
        if (std::find(held.begin(), held.end(), place) != held.end())
            consumer_->seek(place, offset);
    }

    asio::awaitable<void> work(kafka::ConsumerRecord record) {
        const std::string id(find_header(record.headers, id_header));
        const std::uint64_t attempt = ++attempts_[id];
        const std::uint64_t drawn = ports_.ids.draw("zoo.fails", id, attempt);
        co_await ports_.clock.sleep(Duration(1ms) * static_cast<std::int64_t>(1 + drawn % 40));
        if (attempt < 3 && (drawn >> 20) % 100 < 15) {
            const bool is_first = failure_ < 0 || record.offset < failure_;
            if (is_first || last_failure_wins_) failure_ = record.offset;
        } else {
            std::vector<Value> row = parameters(id, record.key.value_or(""));
            co_await insist(ports_, store_,
                            "insert into effects (message_id, message_key) values ($1, $2) on "
                            "conflict do nothing",
                            std::move(row));
        }
        --unfinished_;
    }

    ProcessPorts ports_;
    Store& store_;
    std::string topic_;
    std::unique_ptr<kafka::Consumer> consumer_;
    bool commits_first_;
    bool last_failure_wins_;
    bool in_parallel_;
    Offset failure_ = -1; // to which to go back; -1: none
    std::size_t unfinished_ = 0;
    std::map<std::string, std::uint64_t> attempts_;
};

} // namespace

scenario::ServiceType batch_listener() {
    using scenario::OptionType;
    scenario::ServiceType type;
    type.is = "batch-listener";
    type.summary = "handles batches, and goes back to what failed";
    type.options = {
        {"from", OptionType::channel, {}, false, {}, "the channel"},
        {"database", OptionType::database, {}, false, {}, "where effects are"},
        {"parallel", OptionType::flag, false, false, {}, "whether a batch is handled at once"},
        either("on-failure", "seek-then-commit", "commit-then-seek"),
        either("failures", "first-wins", "last-wins"),
    };
    type.database_option = "database";
    type.from_option = "from";
    type.effects = scenario::WatchSpec{{}, "effects", "message_id", "message_key"};
    type.make = [](scenario::ServiceContext& context) {
        return std::make_unique<BatchListener>(context);
    };
    return type;
}

} // namespace crier::zoo
