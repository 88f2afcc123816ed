#include "tests/zoo/services.hpp"

#include <map>
#include <set>

namespace crier::zoo {

namespace {

using namespace std::chrono_literals;
using kafka::Offset;

constexpr std::size_t workers = 16;

class PoolConsumer final : public scenario::Service, private kafka::RebalanceListener {
public:
    explicit PoolConsumer(scenario::ServiceContext& context)
        : ports_(context.ports()), store_(context.store(context.text("database"))),
          topic_(context.text("from")),
          consumer_(context.kafka_for(topic_).consumer(group(context))),
          commits_highest_(context.text("position") == "highest-finished"),
          acks_any_(context.text("late-acks") == "count"),
          forgets_dropped_(context.text("dropped-work") == "forgotten"),
          overlaps_(context.text("commits") == "overlapping"),
          skips_seen_offsets_(context.text("duplicates") == "by-offset") {}

    asio::awaitable<void> run() override {
        co_await insist(ports_, store_,
                        "create table if not exists effects (message_id text primary key, "
                        "message_key text)");
        std::vector<std::string> topics{topic_};
        consumer_->subscribe(std::move(topics), this);
        Instant commit_at = ports_.clock.now() + 300ms;
        while (!stopping_) {
            while (open_ >= workers)
                co_await ports_.clock.sleep(10ms);
            auto records = co_await consumer_->poll(100ms);
            if (records) {
                for (kafka::ConsumerRecord& record : *records)
                    take(std::move(record));
            } else {
                co_await ports_.clock.sleep(200ms);
            }
            if (ports_.clock.now() < commit_at) continue;
            commit_at = ports_.clock.now() + 300ms;
            if (overlaps_) {
                ports_.background.spawn("commit", commit_later(positions()));
            } else {
                co_await commit(positions());
            }
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
    /// What is known of one partition in one assignment.
    struct Tracker {
        std::uint64_t assignment = 0;
        Offset polled = -1; ///< The highest.
        std::set<Offset> unfinished;
        Offset highest_finished = -1;
        bool is_dirty = false;
    };

    static kafka::ConsumerOptions group(const scenario::ServiceContext& context) {
        kafka::ConsumerOptions options;
        options.group_id = context.service();
        options.enable_auto_commit = false;
        options.auto_offset_reset = kafka::OffsetReset::earliest;
        options.session_timeout = 6s;
        return options;
    }

    void take(kafka::ConsumerRecord record) {
        Tracker& tracker = trackers_[record.partition];
        tracker.assignment = assignment_;
        tracker.polled = record.offset;
        tracker.unfinished.insert(record.offset);
        ++open_;
        ports_.background.spawn("work", work(std::move(record), assignment_));
    }

    asio::awaitable<void> work(kafka::ConsumerRecord record, std::uint64_t assignment) {
        const std::string id(find_header(record.headers, id_header));
        const std::uint64_t drawn = ports_.ids.draw("zoo.work", id, assignment);
        co_await ports_.clock.sleep(time_for(drawn));
        const bool is_stale = assignment != assignment_ && !acks_any_; // nobody waits for it
        Offset& seen = seen_[record.partition];
        const bool is_seen = skips_seen_offsets_ && record.offset < seen;
        if (!is_stale && !is_seen) {
            std::vector<Value> row = parameters(id, record.key.value_or(""));
            co_await insist(ports_, store_,
                            "insert into effects (message_id, message_key) values ($1, $2) on "
                            "conflict do nothing",
                            std::move(row));
            seen = std::max(seen, record.offset + 1);
        }
        --open_;
        if (!is_stale) acknowledge(record.partition, record.offset, assignment);
    }

    /// Most records are quick, and one in twenty is slow.
    static Duration time_for(std::uint64_t drawn) {
        const bool is_slow = drawn % 20 == 0;
        return Duration(1ms) * static_cast<std::int64_t>(5 + (drawn >> 8) % (is_slow ? 4000 : 60));
    }

    void acknowledge(std::int32_t partition, Offset offset, std::uint64_t assignment) {
        if (acks_any_ && !trackers_.contains(partition)) {
            trackers_[partition].polled = offset; // an acknowledgement makes it anew
        }
        const auto found = trackers_.find(partition);
        if (found == trackers_.end()) return;
        if (!acks_any_ && found->second.assignment != assignment) return;
        Tracker& tracker = found->second;
        tracker.unfinished.erase(offset);
        tracker.highest_finished = std::max(tracker.highest_finished, offset);
        tracker.is_dirty = true;
    }

    std::vector<kafka::TopicPartitionOffset> positions() {
        std::vector<kafka::TopicPartitionOffset> offsets;
        for (auto& [partition, tracker] : trackers_) {
            if (!std::exchange(tracker.is_dirty, false)) continue;
            Offset next = tracker.polled + 1;
            if (!tracker.unfinished.empty()) next = *tracker.unfinished.begin();
            if (commits_highest_) next = tracker.highest_finished + 1;
            offsets.push_back({topic_, partition, next});
        }
        return offsets;
    }

    asio::awaitable<void> commit(std::vector<kafka::TopicPartitionOffset> offsets) {
        const auto done = co_await consumer_->commit(std::move(offsets));
        (void)done; // refused or unknown: delivered again
    }

    /// Each commit has its position already, and a note to write before it is sent.
    asio::awaitable<void> commit_later(std::vector<kafka::TopicPartitionOffset> offsets) {
        const std::string number = std::to_string(++notes_);
        const std::uint64_t drawn = ports_.ids.draw("zoo.note", number, 0);
        co_await ports_.clock.sleep(Duration(1ms) * static_cast<std::int64_t>(drawn % 500));
        co_await commit(std::move(offsets));
    }

    asio::awaitable<void> partitions_assigned(std::vector<kafka::TopicPartition>) override {
        ++assignment_;
        co_return;
    }

    // Work that has not begun is dropped with the assignment; what is finished is committed.
    asio::awaitable<void> partitions_revoked(std::vector<kafka::TopicPartition>) override {
        if (forgets_dropped_) {
            for (auto& [partition, tracker] : trackers_) {
                tracker.unfinished.clear();
                tracker.is_dirty = true;
            }
        }
        std::vector<kafka::TopicPartitionOffset> offsets = positions();
        ++assignment_;
        trackers_.clear();
        if (!offsets.empty()) co_await commit(std::move(offsets));
    }

    asio::awaitable<void> partitions_lost(std::vector<kafka::TopicPartition>) override {
        ++assignment_;
        trackers_.clear();
        co_return;
    }

    ProcessPorts ports_;
    Store& store_;
    std::string topic_;
    std::unique_ptr<kafka::Consumer> consumer_;
    bool commits_highest_;
    bool acks_any_;
    bool forgets_dropped_;
    bool overlaps_;
    bool skips_seen_offsets_;
    std::map<std::int32_t, Tracker> trackers_;
    std::map<std::int32_t, Offset> seen_; // up to before
    std::uint64_t assignment_ = 0;
    std::uint64_t notes_ = 0;
    std::size_t open_ = 0;
    bool stopping_ = false;
    bool stopped_ = false;
};

} // namespace

scenario::ServiceType pool_consumer() {
    using scenario::OptionType;
    scenario::ServiceType type;
    type.is = "pool-consumer";
    type.summary = "finishes records out of order";
    type.options = {
        {"from", OptionType::channel, {}, false, {}, "the channel"},
        {"database", OptionType::database, {}, false, {}, "where effects are"},
        either("position", "finished-prefix", "highest-finished"),
        either("late-acks", "dropped", "count"),
        either("dropped-work", "unfinished", "forgotten"),
        either("commits", "one-by-one", "overlapping"),
        either("duplicates", "by-id", "by-offset"),
    };
    type.database_option = "database";
    type.from_option = "from";
    type.effects = scenario::WatchSpec{{}, "effects", "message_id", "message_key"};
    type.make = [](scenario::ServiceContext& context) {
        return std::make_unique<PoolConsumer>(context);
    };
    return type;
}

} // namespace crier::zoo
