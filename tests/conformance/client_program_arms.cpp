#include "tests/conformance/client_program_arms.hpp"

#include "tests/broker-model/kafka_client_fixture.hpp"
#include "tests/conformance/client_program_run.hpp"
#include "tests/conformance/mock_cluster.hpp"

namespace crier::conformance {
namespace {

namespace sim_kafka = broker::kafka;

constexpr std::chrono::minutes program_limit{10};

/// Returns a beginning of names that no other program has.
std::string fresh_prefix() {
    messaging::SecretIds ids;
    return "x" + ids.next().substr(0, 8) + "-";
}

asio::awaitable<void> run_in_world(sim_kafka::testing::ClientProgram& home, const Program& program,
                                   History& history, bool& done) {
    ProgramRunner runner(home.client, home.ports, "", &home.client);
    co_await runner.run(program, history);
    done = true;
}

asio::awaitable<void> run_here(kafka::Client& client, Clock& clock, const Program& program,
                               std::string prefix, History& history) {
    ProgramRunner runner(client, clock, std::move(prefix));
    co_await runner.run(program, history);
}

History run_by_adapter(const Program& program, messaging::kafka::ClientOptions options,
                       const std::string& prefix) {
    History history;
    RealProcess process;
    options.settings["topic.metadata.refresh.interval.ms"] = "1000";
    options.settings["reconnect.backoff.ms"] = "10";
    messaging::kafka::RdkafkaClient client(process.ports().background, process.ports().clock,
                                           std::move(options));
    process.run(run_here(client, process.ports().clock, program, prefix, history), program_limit);
    return history;
}

} // namespace

History run_on_model(const Program& program, int nodes, int transaction_version) {
    History history;
    std::vector<sim_kafka::TopicOptions> topics;
    for (const ProgramTopic& topic : program.topics) {
        topics.push_back(sim_kafka::testing::topic_of(topic.name, topic.partitions,
                                                      topic.replication, topic.min_insync));
    }
    sim_kafka::ClusterOptions options = sim_kafka::testing::quick_cluster();
    options.brokers = nodes;
    options.group_min_session_timeout = std::chrono::seconds(1);
    options.offsets_topic_partitions = 3;
    options.transaction_version = transaction_version;
    options.transaction_topic_partitions = 3;
    options.transaction_topic_min_insync = nodes > 1 ? 2 : 1;
    options.transaction_abort_interval = std::chrono::milliseconds(300);
    options.consumer_group_session_timeout = member_session_timeout;
    options.consumer_group_heartbeat_interval = std::chrono::milliseconds(200);
    options.consumer_group_assignment_interval = std::chrono::milliseconds(200);
    options.share.auto_offset_reset = kafka::OffsetReset::earliest;
    options.share.record_lock_duration = share_lock;
    options.share.delivery_count_limit = share_deliveries;
    options.share.heartbeat_interval = std::chrono::milliseconds(200);
    sim_kafka::testing::Farm farm(1, std::move(topics), std::move(options));
    bool done = false;
    farm.add("client", [&](sim_kafka::testing::ClientProgram& home) {
        return run_in_world(home, program, history, done);
    });
    const Instant give_up = farm.world.now() + program_limit;
    while (!done && farm.world.now() < give_up && !farm.world.broken())
        farm.run_for(std::chrono::seconds(1));
    if (!done) throw std::runtime_error("the program hangs in the model");
    return history;
}

History run_on_mock(const Program& program) {
    MockCluster cluster;
    for (const ProgramTopic& topic : program.topics)
        cluster.create_topic(topic.name, topic.partitions);
    return run_by_adapter(program, cluster.client_options(), "");
}

History run_on_real(const Program& program, const RealCluster& kafka, JavaDriver& driver) {
    const std::string prefix = fresh_prefix();
    Program topics_only;
    topics_only.topics = program.topics;
    static_cast<void>(history_of(driver.ask(to_json(topics_only, prefix)), prefix));
    messaging::kafka::ClientOptions options;
    options.bootstrap_servers = kafka.servers;
    options.settings = {{"log_level", "0"}};
    return run_by_adapter(program, std::move(options), prefix);
}

History run_on_java(const Program& program, JavaDriver& driver) {
    const std::string prefix = fresh_prefix();
    return history_of(driver.ask(to_json(program, prefix)), prefix);
}

} // namespace crier::conformance
