#include "tests/zoo/services.hpp"

#include <deque>
#include <set>

namespace crier::zoo {

namespace {

using namespace std::chrono_literals;

// A stage with a buffer of its own, in a cooperative group: what was revoked is filtered out of the
// buffer when the next assignment comes.
class BufferStage final : public scenario::Service, private kafka::RebalanceListener {
public:
    explicit BufferStage(scenario::ServiceContext& context)
        : ports_(context.ports()), store_(context.store(context.text("database"))),
          topic_(context.text("from")),
          consumer_(context.kafka_for(topic_).consumer(group(context))),
          keeps_revoked_(context.text("revoked-set") == "kept") {}

    asio::awaitable<void> run() override {
        co_await insist(ports_, store_,
                        "create table if not exists effects (message_id text primary key, "
                        "message_key text)");
        std::vector<std::string> topics{topic_};
        consumer_->subscribe(std::move(topics), this);
        while (!stopping_) {
            auto records = co_await consumer_->poll(buffer_.empty() ? 100ms : 1ms);
            if (records) {
                for (kafka::ConsumerRecord& record : *records)
                    buffer_.push_back(std::move(record));
            }
            for (int handled = 0; handled < 4 && !buffer_.empty(); ++handled)
                co_await handle();
        }
        co_await consumer_->close();
        stopped_ = true;
    }

    asio::awaitable<void> stop(Duration) override {
        stopping_ = true;
        while (!stopped_)
            co_await ports_.clock.sleep(10ms);
    }

private:
    static kafka::ConsumerOptions group(const scenario::ServiceContext& context) {
        kafka::ConsumerOptions options;
        options.group_id = context.service();
        options.enable_auto_commit = false;
        options.auto_offset_reset = kafka::OffsetReset::earliest;
        options.assignors = {kafka::Assignor::cooperative_sticky};
        options.session_timeout = 6s;
        return options;
    }

    asio::awaitable<void> handle() {
        const kafka::ConsumerRecord record = std::move(buffer_.front());
        buffer_.pop_front();
        co_await ports_.clock.sleep(10ms);
        std::vector<Value> row = parameters(std::string(find_header(record.headers, id_header)),
                                            record.key.value_or(""));
        co_await insist(ports_, store_,
                        "insert into effects (message_id, message_key) values ($1, $2) on conflict "
                        "do nothing",
                        std::move(row));
        std::vector<kafka::TopicPartitionOffset> done{
            {topic_, record.partition, record.offset + 1}};
        const auto committed = co_await consumer_->commit(std::move(done));
        (void)committed; // refused or unknown: delivered again
    }

    // What has gone leaves the buffer when the next assignment comes; that is asked for at once.
    asio::awaitable<void> partitions_revoked(std::vector<kafka::TopicPartition> gone) override {
        revoked_.clear();
        for (const kafka::TopicPartition& partition : gone)
            revoked_.insert(partition.partition);
        co_return;
    }
    asio::awaitable<void> partitions_lost(std::vector<kafka::TopicPartition> gone) override {
        co_await partitions_revoked(std::move(gone));
    }
    asio::awaitable<void> partitions_assigned(std::vector<kafka::TopicPartition>) override {
        std::erase_if(buffer_, [this](const kafka::ConsumerRecord& record) {
            return revoked_.contains(record.partition);
        });
        if (!keeps_revoked_) revoked_.clear();
        co_return;
    }

    ProcessPorts ports_;
    Store& store_;
    std::string topic_;
    std::unique_ptr<kafka::Consumer> consumer_;
    bool keeps_revoked_;
    bool stopping_ = false;
    bool stopped_ = false;
    std::deque<kafka::ConsumerRecord> buffer_;
    std::set<std::int32_t> revoked_;
};

} // namespace

scenario::ServiceType buffer_stage() {
    using scenario::OptionType;
    scenario::ServiceType type;
    type.is = "buffer-stage";
    type.summary = "buffers what it polled, in a cooperative group";
    type.options = {
        {"from", OptionType::channel, {}, false, {}, "the channel"},
        {"database", OptionType::database, {}, false, {}, "where effects are"},
        either("revoked-set", "used-once", "kept"),
    };
    type.database_option = "database";
    type.from_option = "from";
    type.effects = scenario::WatchSpec{{}, "effects", "message_id", "message_key"};
    type.make = [](scenario::ServiceContext& context) {
        return std::make_unique<BufferStage>(context);
    };
    return type;
}

} // namespace crier::zoo
