#include "tests/broker-model/kafka_client_fixture.hpp"

#include <set>

namespace crier::broker::kafka::testing {
namespace {

struct Soak {
    std::set<std::string> acked;    ///< By the producers' word.
    std::set<std::string> consumed; ///< Committed after it was seen.
    std::uint64_t lives = 0;
    bool is_over = false;
};

asio::awaitable<void> produce_all(ClientProgram& program, Soak& soak) {
    const auto producer = program.client.producer({});
    const std::string life = std::to_string(++soak.lives);
    for (int round = 0; !soak.is_over; ++round) {
        std::vector<ProducerRecord> records;
        std::vector<std::string> values;
        for (int at = 0; at < 5; ++at) {
            values.push_back(life + "-" + std::to_string(round) + "-" + std::to_string(at));
            records.push_back(record_of("orders", values.back(), values.back()));
        }
        const SendOutcomes outcomes = co_await producer->send(std::move(records));
        for (std::size_t at = 0; at < outcomes.size(); ++at) {
            if (outcomes[at]) soak.acked.insert(values[at]);
        }
        co_await program.ports.sleep(500ms);
    }
}

asio::awaitable<void> consume_all(ClientProgram& program, Soak& soak) {
    ConsumerOptions options = group_options("billing");
    options.enable_auto_commit = false;
    options.session_timeout = 10s;
    options.max_poll_interval = 30s;
    options.max_poll_records = 7;
    const auto consumer = program.client.consumer(std::move(options));
    consumer->subscribe({"orders"}, nullptr);
    for (;;) {
        Outcome<Records> polled = co_await consumer->poll(500ms);
        if (polled->empty()) continue;
        std::vector<TopicPartitionOffset> offsets = after(*polled);
        const Outcome<void> outcome = co_await consumer->commit(std::move(offsets));
        if (outcome.has_error()) continue;
        for (const ConsumerRecord& record : *polled)
            soak.consumed.insert(record.value);
    }
}

/// One drawn crash, cut or pause of one node at a time.
void add_faults(Farm& farm, const std::vector<std::uint32_t>& nodes) {
    static constexpr sim::Purpose which{"test.soak.fault"};
    constexpr sim::FaultKind kinds[] = {sim::FaultKind::crash, sim::FaultKind::partition,
                                        sim::FaultKind::pause, sim::FaultKind::reset,
                                        sim::FaultKind::power_loss};
    for (std::uint64_t at = 0; at < 4; ++at) {
        const sim::Draw drawn = farm.world.random().draw(which, at);
        sim::FaultSpec spec;
        spec.kind = kinds[drawn.below(std::size(kinds))];
        spec.nodes = {nodes[drawn.next(0).below(nodes.size())]};
        spec.trigger.at = farm.world.now() + 5s + 20s * static_cast<int>(at);
        spec.duration = drawn.next(1).between(1s, 15s);
        farm.world.faults().add(std::move(spec));
    }
}

struct SoakRun {
    Soak soak;
    std::uint64_t digest = 0;
    std::uint64_t hits = 0; // of faults
};

void run_soak(std::uint64_t seed, SoakRun& run) {
    Farm farm(seed, {topic_of("orders", 3)});
    std::vector<std::uint32_t> nodes;
    for (BrokerId id = 1; id <= 3; ++id)
        nodes.push_back(farm.cluster.broker(id).id());
    nodes.push_back(
        farm.add("shop", [&run](ClientProgram& it) { return produce_all(it, run.soak); }).id());
    for (const char* name : {"billing/1", "billing/2"}) {
        nodes.push_back(
            farm.add(name, [&run](ClientProgram& it) { return consume_all(it, run.soak); }).id());
    }
    add_faults(farm, nodes);
    farm.run_for(90s);
    farm.world.faults().heal();
    farm.run_for(20s);
    run.soak.is_over = true;
    farm.run_for(120s);
    for (const sim::FaultRecord& fault : farm.world.faults().records())
        run.hits += fault.hits;
    run.digest = farm.world.history().digest();
}

TEST(KafkaSoak, EveryAckedRecordIsConsumedThroughFaultsOfAHundredSeeds) {
    std::uint64_t hits = 0;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        SoakRun run;
        run_soak(seed, run);
        EXPECT_GT(run.soak.acked.size(), 100u) << "seed " << seed;
        hits += run.hits;
        std::size_t missing = 0;
        for (const std::string& value : run.soak.acked) {
            if (!run.soak.consumed.contains(value) && ++missing <= 3) {
                ADD_FAILURE() << "seed " << seed << ": " << value << " was acked and not consumed";
            }
        }
    }
    EXPECT_GT(hits, 200u) << "the faults took hold";
}

TEST(KafkaSoak, TheSameSeedGivesTheSameHistory) {
    SoakRun first;
    SoakRun second;
    run_soak(7, first);
    run_soak(7, second);
    EXPECT_EQ(first.digest, second.digest);
}

} // namespace
} // namespace crier::broker::kafka::testing
