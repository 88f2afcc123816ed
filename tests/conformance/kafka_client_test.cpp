#include "messaging/ports/ensure.hpp"
#include "tests/conformance/mock_cluster.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <set>

// The Kafka port over librdkafka against a cluster that speaks the protocol: what product code
// relies on, seen from outside.

namespace crier::conformance {
namespace {

using kafka::Consumer;
using kafka::ConsumerOptions;
using kafka::ConsumerRecord;
using kafka::ErrorCode;
using kafka::OffsetReset;
using kafka::Producer;
using kafka::ProducerOptions;
using kafka::ProducerRecord;
using kafka::RecordMetadata;
using kafka::TopicPartition;
using kafka::TopicPartitionOffset;

constexpr Duration tick = std::chrono::milliseconds(50);

class Kafka : public ::testing::Test {
protected:
    Kafka()
        : client_(process_.ports().background, process_.ports().clock, cluster_.client_options()) {}

    static ProducerOptions prompt() {
        ProducerOptions options;
        options.linger = std::chrono::milliseconds(1);
        return options;
    }

    static ConsumerOptions member(const std::string& group) {
        ConsumerOptions options;
        options.group_id = group;
        options.enable_auto_commit = false;
        options.auto_offset_reset = OffsetReset::earliest;
        // The mock waits three seconds for the first members, and a second less than this for
        // others.
        options.session_timeout = std::chrono::milliseconds(4000);
        options.heartbeat_interval = std::chrono::milliseconds(100);
        options.fetch_max_wait = std::chrono::milliseconds(10);
        return options;
    }

    MockCluster cluster_;
    RealProcess process_;
    messaging::kafka::RdkafkaClient client_;
};

ProducerRecord record(std::string key, std::string value) {
    ProducerRecord made;
    made.topic = "orders";
    made.key = std::move(key);
    made.value = std::move(value);
    return made;
}

std::vector<ProducerRecord> numbered(int first, int count) {
    std::vector<ProducerRecord> records;
    for (int i = first; i < first + count; ++i)
        records.push_back(record("k", std::to_string(i)));
    return records;
}

/// Polls until `count` records came.
asio::awaitable<std::vector<ConsumerRecord>> receive(Clock& clock, Consumer& consumer,
                                                     std::size_t count) {
    std::vector<ConsumerRecord> records;
    const Instant give_up = clock.now() + deadline;
    while (records.size() < count && clock.now() < give_up) {
        Outcome<std::vector<ConsumerRecord>> polled = co_await consumer.poll(tick);
        for (ConsumerRecord& came : polled.value())
            records.push_back(std::move(came));
    }
    co_return records;
}

std::vector<std::string> values_of(const std::vector<ConsumerRecord>& records) {
    std::vector<std::string> values;
    for (const ConsumerRecord& came : records)
        values.push_back(came.value);
    return values;
}

// Source: Kafka's UtilsTest and librdkafka's unit test of murmur2; the rest computed with the
// published algorithm. The column is the partition of 12.
constexpr std::array<std::pair<const char*, std::int32_t>, 16> partition_of_12{{
    {"", 9},
    {"21", 0},
    {"foobar", 6},
    {"a-little-bit-long-string", 8},
    {"kafka", 4},
    {"abc", 3},
    {"1234", 0},
    {"a-little-bit-longer-string", 11},
    {"4", 1},
    {"key", 1},
    {"a", 4},
    {"b", 8},
    {"order-1", 10},
    {"order-2", 3},
    {"customer-42", 9},
    {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", 5},
}};

asio::awaitable<void> send_keys(Producer& producer) {
    std::vector<ProducerRecord> records;
    for (const auto& [key, partition] : partition_of_12)
        records.push_back(record(key, "v"));
    const std::vector<Outcome<RecordMetadata>> sent = co_await producer.send(std::move(records));
    for (std::size_t i = 0; i < sent.size(); ++i) {
        EXPECT_EQ(sent[i].value().partition, partition_of_12[i].second)
            << "key '" << partition_of_12[i].first << "'";
    }
}

TEST_F(Kafka, PutsAKeyWhereTheJavaClientPutsIt) {
    cluster_.create_topic("orders", 12);
    const auto producer = client_.producer(prompt());
    process_.run(send_keys(*producer));
}

asio::awaitable<void> send_and_receive(Clock& clock, Producer& producer, Consumer& consumer) {
    std::vector<ProducerRecord> records = numbered(0, 200);
    records[0].headers.push_back({"id", "order-0"});
    records[0].headers.push_back({"empty", ""});
    records[1].key = std::nullopt;
    records[1].partition = 0;
    records[2].key = "";
    const std::vector<Outcome<RecordMetadata>> sent = co_await producer.send(std::move(records));
    EXPECT_EQ(sent.size(), 200U);
    for (std::size_t i = 0; i < sent.size(); ++i) {
        EXPECT_EQ(sent[i].value().offset, static_cast<kafka::Offset>(i));
    }
    std::vector<std::string> topics{"orders"};
    consumer.subscribe(std::move(topics), nullptr);
    const std::vector<ConsumerRecord> came = co_await receive(clock, consumer, 200);
    for (std::size_t i = 0; i < came.size(); ++i)
        EXPECT_EQ(came[i].value, std::to_string(i));
    const std::vector<Header> headers{{"id", "order-0"}, {"empty", ""}};
    EXPECT_EQ(came.at(0).headers, headers);
    EXPECT_EQ(came.at(0).key, "k");
    EXPECT_EQ(came.at(1).key, std::nullopt);
    EXPECT_EQ(came.at(2).key, "");
    EXPECT_GT(came.at(0).timestamp, WallTime());
}

/// Goes on after `send_and_receive`.
asio::awaitable<void> go_back_and_pause(Clock& clock, Producer& producer, Consumer& consumer) {
    const TopicPartition partition{"orders", 0};
    consumer.seek(partition, 196);
    const std::vector<ConsumerRecord> again = co_await receive(clock, consumer, 4);
    const std::vector<std::string> values = values_of(again);
    EXPECT_THAT(values, ::testing::ElementsAre("196", "197", "198", "199"));
    consumer.pause(partition);
    co_await producer.send(numbered(200, 3));
    for (int i = 0; i < 4; ++i) {
        const Outcome<std::vector<ConsumerRecord>> held = co_await consumer.poll(tick);
        EXPECT_TRUE(held.value().empty());
    }
    consumer.resume(partition);
    const std::vector<ConsumerRecord> rest = co_await receive(clock, consumer, 3);
    const std::vector<std::string> rest_values = values_of(rest);
    EXPECT_THAT(rest_values, ::testing::ElementsAre("200", "201", "202"));
    co_await consumer.close();
}

TEST_F(Kafka, KeepsRecordsAndOrderThroughRetriesSeeksAndPauses) {
    cluster_.create_topic("orders", 1);
    cluster_.fail_next(produce_request, {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                                         RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS});
    ProducerOptions options = prompt();
    options.batch_size = 1000; // Several requests in flight when the first one fails.
    options.retry_backoff = std::chrono::milliseconds(10);
    const auto producer = client_.producer(options);
    const auto consumer = client_.consumer(member("g"));
    process_.run(send_and_receive(process_.ports().clock, *producer, *consumer));
    process_.run(go_back_and_pause(process_.ports().clock, *producer, *consumer));
}

asio::awaitable<void> expect_failure(Producer& producer, Failure expected) {
    const std::vector<Outcome<RecordMetadata>> sent = co_await producer.send(numbered(0, 1));
    EXPECT_EQ(sent.at(0).error(), expected);
}

asio::awaitable<void> send_nowhere(Producer& producer) {
    co_await producer.send(numbered(0, 1)); // Now the client knows the topic.
    std::vector<ProducerRecord> records = numbered(1, 1);
    records[0].partition = 99;
    records[0].headers.push_back({"id", "order-1"});
    const std::vector<Outcome<RecordMetadata>> sent = co_await producer.send(std::move(records));
    const Failure expected{ErrorCode::unknown_topic_or_partition, Certainty::failed};
    EXPECT_EQ(sent.at(0).error(), expected);
}

// librdkafka 2.0 frees headers twice when it refuses a record at once, if it is given them singly.
TEST_F(Kafka, SurvivesARecordWithHeadersThatIsRefusedAtOnce) {
    cluster_.create_topic("orders", 1);
    const auto producer = client_.producer(prompt());
    process_.run(send_nowhere(*producer));
}

TEST_F(Kafka, ReportsFailedWhenTheBrokerRefusedTheRecord) {
    cluster_.create_topic("orders", 1);
    cluster_.fail_next(produce_request, {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED});
    const auto producer = client_.producer(prompt());
    const error_code refused(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, kafka::category());
    process_.run(expect_failure(*producer, {refused, Certainty::failed}));
}

TEST_F(Kafka, ReportsUnknownWhenTheAnswerWasLost) {
    cluster_.create_topic("orders", 1);
    // The broker hangs up instead of answering; there is no time for another try.
    const std::vector<rd_kafka_resp_err_t> hang_up(20, RD_KAFKA_RESP_ERR__TRANSPORT);
    cluster_.fail_next(produce_request, hang_up);
    ProducerOptions options = prompt();
    options.acks = kafka::Acks::leader;
    options.retries = 0;
    options.delivery_timeout = std::chrono::seconds(2);
    const auto producer = client_.producer(options);
    process_.run(expect_failure(*producer, {ErrorCode::network_exception, Certainty::unknown}));
}

TEST_F(Kafka, ReportsFailedWhenNothingWasEverSent) {
    cluster_.create_topic("orders", 1);
    cluster_.set_down(true);
    ProducerOptions options = prompt();
    options.delivery_timeout = std::chrono::milliseconds(300);
    const auto producer = client_.producer(options);
    process_.run(expect_failure(*producer, {ErrorCode::request_timed_out, Certainty::failed}));
}

asio::awaitable<void> send_and_note(Producer& producer, std::size_t& known) {
    const std::vector<Outcome<RecordMetadata>> sent = co_await producer.send(numbered(0, 20));
    known = sent.size();
}

asio::awaitable<void> send_and_flush(ProcessPorts ports, Producer& producer, std::size_t& known) {
    ports.background.spawn("send", send_and_note(producer, known));
    co_await ports.clock.sleep(Duration::zero());
    co_await producer.flush();
}

TEST_F(Kafka, FlushEndsTheLingeringAndWaitsForOutcomes) {
    cluster_.create_topic("orders", 1);
    ProducerOptions options;
    options.linger = deadline * 2;
    options.delivery_timeout = deadline * 4;
    const auto producer = client_.producer(options);
    std::size_t known = 0;
    process_.run(send_and_flush(process_.ports(), *producer, known));
    EXPECT_EQ(known, 20U);
}

asio::awaitable<std::size_t> receive_ten(Clock& clock, Consumer& consumer) {
    std::vector<std::string> topics{"orders"};
    consumer.subscribe(std::move(topics), nullptr);
    const std::vector<ConsumerRecord> came = co_await receive(clock, consumer, 10);
    co_return came.size();
}

asio::awaitable<void> read_and_commit(Clock& clock, Consumer& consumer) {
    const std::size_t came = co_await receive_ten(clock, consumer);
    EXPECT_EQ(came, 10U);
    std::vector<TopicPartitionOffset> offsets;
    offsets.push_back({"orders", 0, 7});
    const Outcome<void> committed = co_await consumer.commit(offsets);
    EXPECT_TRUE(committed);
}

asio::awaitable<void> be_refused_and_close(MockCluster& cluster, Consumer& consumer) {
    std::vector<rd_kafka_resp_err_t> errors{RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION};
    cluster.fail_next(offset_commit_request, errors);
    std::vector<TopicPartitionOffset> offsets;
    offsets.push_back({"orders", 0, 10});
    const Outcome<void> refused = co_await consumer.commit(offsets);
    const Failure expected{ErrorCode::illegal_generation, Certainty::failed};
    EXPECT_EQ(refused.error(), expected);
    co_await consumer.close();
}

asio::awaitable<void> read_and_close(Clock& clock, Consumer& consumer) {
    const std::size_t came = co_await receive_ten(clock, consumer);
    EXPECT_EQ(came, 10U);
    co_await consumer.close();
}

asio::awaitable<void> expect_next(Clock& clock, Consumer& consumer, std::string value) {
    std::vector<std::string> topics{"orders"};
    consumer.subscribe(std::move(topics), nullptr);
    const std::vector<ConsumerRecord> came = co_await receive(clock, consumer, 1);
    EXPECT_EQ(came.at(0).value, value);
    co_await consumer.close();
}

asio::awaitable<void> send_numbered(Producer& producer, int first, int count) {
    const std::vector<Outcome<RecordMetadata>> sent =
        co_await producer.send(numbered(first, count));
    for (const auto& outcome : sent)
        EXPECT_TRUE(outcome);
}

TEST_F(Kafka, GoesOnWhereTheGroupHasCommittedByItselfOrByCall) {
    using namespace asio::experimental::awaitable_operators;
    cluster_.create_topic("orders", 1);
    Clock& clock = process_.ports().clock;
    ConsumerOptions automatic = member("automatic");
    automatic.enable_auto_commit = true;
    const auto producer = client_.producer(prompt());
    process_.run(send_numbered(*producer, 0, 10));
    // Two groups side by side, since a mock's new group waits three seconds for members.
    const auto called = client_.consumer(member("called"));
    const auto by_itself = client_.consumer(automatic);
    process_.run(read_and_commit(clock, *called) && read_and_close(clock, *by_itself));
    // Alone, since the error is for whoever commits next.
    process_.run(be_refused_and_close(cluster_, *called));
    process_.run(send_numbered(*producer, 10, 1));
    const auto called_again = client_.consumer(member("called"));
    const auto by_itself_again = client_.consumer(automatic);
    process_.run(expect_next(clock, *called_again, "7") &&
                 expect_next(clock, *by_itself_again, "10"));
}

// What the last poll returned is committed, too, and by nothing older after it.
TEST_F(Kafka, CommitsByItselfWhatSeveralPollsReturned) {
    cluster_.create_topic("orders", 1);
    Clock& clock = process_.ports().clock;
    ConsumerOptions automatic = member("automatic");
    automatic.enable_auto_commit = true;
    automatic.max_poll_records = 3;
    const auto producer = client_.producer(prompt());
    process_.run(send_numbered(*producer, 0, 10));
    const auto first = client_.consumer(automatic);
    process_.run(read_and_close(clock, *first));
    process_.run(send_numbered(*producer, 10, 1));
    const auto second = client_.consumer(automatic);
    process_.run(expect_next(clock, *second, "10"));
}

/// Kafka accepts commits until the members have joined again; the mock refuses them sooner.
bool is_fine(const Outcome<void>& committed) {
    const Failure too_late{ErrorCode::rebalance_in_progress, Certainty::failed};
    return committed || committed.error() == too_late;
}

/// Commits inside the revocation: the last moment when it may.
class Committer final : public kafka::RebalanceListener {
public:
    explicit Committer(Consumer& consumer) : consumer_(consumer) {}

    asio::awaitable<void> partitions_revoked(std::vector<TopicPartition> partitions) override {
        revocations.push_back(partitions.size());
        const std::vector<TopicPartition> held = consumer_.assignment();
        EXPECT_TRUE(std::includes(held.begin(), held.end(), partitions.begin(), partitions.end()));
        std::vector<TopicPartitionOffset> offsets;
        for (const TopicPartition& place : partitions) {
            const auto next = finished.find(place);
            if (next == finished.end()) continue;
            offsets.push_back({place.topic, place.partition, next->second});
            finished.erase(next);
        }
        const Outcome<void> committed = co_await consumer_.commit(std::move(offsets));
        EXPECT_TRUE(is_fine(committed));
    }
    asio::awaitable<void> partitions_assigned(std::vector<TopicPartition> partitions) override {
        const std::vector<TopicPartition> held = consumer_.assignment();
        EXPECT_TRUE(std::includes(held.begin(), held.end(), partitions.begin(), partitions.end()));
        co_return;
    }
    asio::awaitable<void> partitions_lost(std::vector<TopicPartition>) override {
        ADD_FAILURE() << "nothing was lost";
        co_return;
    }

    std::map<TopicPartition, kafka::Offset> finished;
    std::vector<std::size_t> revocations; ///< How many partitions each took.

private:
    Consumer& consumer_;
};

/// A member that notes what it read, and commits it before it asks for more.
struct Reader {
    explicit Reader(std::unique_ptr<Consumer> member) : consumer(std::move(member)) {}

    std::unique_ptr<Consumer> consumer;
    Committer committer{*consumer};
    std::set<std::string> values;
    int repetitions = 0;
    int refusals = 0;
};

asio::awaitable<void> read_once(Reader& reader) {
    Outcome<std::vector<ConsumerRecord>> polled = co_await reader.consumer->poll(tick);
    std::vector<TopicPartitionOffset> offsets;
    for (const ConsumerRecord& came : polled.value()) {
        if (!reader.values.insert(came.value).second) ++reader.repetitions;
        offsets.push_back({came.topic, came.partition, came.offset + 1});
        const TopicPartition place{came.topic, came.partition};
        reader.committer.finished[place] = came.offset + 1;
    }
    const Outcome<void> committed = co_await reader.consumer->commit(std::move(offsets));
    EXPECT_TRUE(is_fine(committed));
    if (!committed) ++reader.refusals;
}

asio::awaitable<void> read_on(Reader& reader, bool& stopped) {
    while (!stopped)
        co_await read_once(reader);
    co_await reader.consumer->close();
    reader.consumer.reset();
}

asio::awaitable<void> send_to_all(Producer& producer, int first, int count) {
    std::vector<ProducerRecord> records = numbered(first, count);
    for (int i = 0; i < count; ++i)
        records[static_cast<std::size_t>(i)].partition = i % 4;
    const std::vector<Outcome<RecordMetadata>> sent = co_await producer.send(std::move(records));
    for (const auto& outcome : sent)
        EXPECT_TRUE(outcome);
}

std::set<std::string> together(const Reader& one, const Reader& two) {
    std::set<std::string> all = one.values;
    all.insert(two.values.begin(), two.values.end());
    return all;
}

asio::awaitable<void> share_work(ProcessPorts ports, Producer& producer, Reader& one, Reader& two) {
    std::vector<std::string> topics{"orders"};
    one.consumer->subscribe(topics, &one.committer);
    two.consumer->subscribe(topics, &two.committer);
    bool stop_one = false;
    bool stop_two = false;
    co_await send_to_all(producer, 0, 40);
    ports.background.spawn("one", read_on(one, stop_one));
    std::function<bool()> all_to_one = [&one] { return one.values.size() == 40; };
    co_await until(ports.clock, std::move(all_to_one));
    ports.background.spawn("two", read_on(two, stop_two));
    std::function<bool()> shared = [&one, &two] {
        return one.consumer->assignment().size() == 2 && two.consumer->assignment().size() == 2;
    };
    co_await until(ports.clock, std::move(shared));
    co_await send_to_all(producer, 40, 40);
    std::function<bool()> read = [&one, &two] { return together(one, two).size() == 80; };
    co_await until(ports.clock, std::move(read));
    stop_one = true;
    std::function<bool()> alone = [&one, &two] {
        return !one.consumer && two.consumer->assignment().size() == 4;
    };
    co_await until(ports.clock, std::move(alone));
    co_await send_to_all(producer, 80, 4);
    std::function<bool()> rest = [&one, &two] { return together(one, two).size() == 84; };
    co_await until(ports.clock, std::move(rest));
    stop_two = true;
    std::function<bool()> closed = [&two] { return !two.consumer; };
    co_await until(ports.clock, std::move(closed));
}

TEST_F(Kafka, HandsPartitionsOverWithoutLoss) {
    cluster_.create_topic("orders", 4);
    const auto producer = client_.producer(prompt());
    Reader one(client_.consumer(member("g")));
    Reader two(client_.consumer(member("g")));
    process_.run(share_work(process_.ports(), *producer, one, two));
    EXPECT_EQ(together(one, two).size(), 84U);
    const std::size_t read = one.values.size() + two.values.size();
    const std::size_t repeated =
        read - 84 + static_cast<std::size_t>(one.repetitions + two.repetitions);
    EXPECT_TRUE(repeated == 0 || one.refusals + two.refusals > 0) << repeated;
    // At least: on a busy machine the broker may rebalance more often than members come and go.
    EXPECT_GE(one.committer.revocations.size(), 2U);
    EXPECT_GE(two.committer.revocations.size(), 2U);
    EXPECT_EQ(one.committer.revocations[0], 4U) << "an eager member gives everything back";
}

TEST_F(Kafka, ACooperativeMemberGivesBackOnlyWhatGoesElsewhere) {
    cluster_.create_topic("orders", 4);
    const auto producer = client_.producer(prompt());
    ConsumerOptions options = member("g");
    options.assignors = {kafka::Assignor::cooperative_sticky};
    Reader one(client_.consumer(options));
    Reader two(client_.consumer(options));
    process_.run(share_work(process_.ports(), *producer, one, two));
    EXPECT_EQ(together(one, two).size(), 84U);
    ASSERT_FALSE(one.committer.revocations.empty());
    EXPECT_EQ(one.committer.revocations[0], 2U);
}

TEST_F(Kafka, RefusesSettingsThatLibrdkafkaDoesNotKnow) {
    messaging::kafka::ClientOptions options = cluster_.client_options();
    options.settings.emplace("no.such.setting", "1");
    messaging::kafka::RdkafkaClient client(process_.ports().background, process_.ports().clock,
                                           options);
    EXPECT_THROW(static_cast<void>(client.producer({})), ContractViolation);
}

} // namespace
} // namespace crier::conformance
