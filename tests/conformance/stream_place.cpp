#include "tests/conformance/stream_place.hpp"

#include "broker-model/store/sim_change_streams.hpp"
#include "broker-model/store/sim_notifications.hpp"
#include "messaging/postgres/postgres_change_streams.hpp"
#include "messaging/postgres/postgres_notifications.hpp"
#include "messaging/postgres/postgres_store.hpp"
#include "sim/world.hpp"
#include "tests/conformance/real_postgres.hpp"
#include "tests/conformance/store_test.hpp"

#include <stdexcept>

namespace crier::conformance {

namespace {

using namespace std::chrono_literals;

class ModelStage final : public sim::Program, public StreamStage {
public:
    ModelStage(sim::Node& home, broker::Database& database, StreamPlace::Story story, bool& is_done)
        : home_(home), database_(database), ports_(home), store_(database, home),
          notifications_(database, home), streams_(database, home), is_done_(is_done) {
        ports_.spawn("story", run(story));
    }

    [[nodiscard]] ProcessPorts ports() override { return ports_.ports(); }
    [[nodiscard]] Store& store() override { return store_; }
    [[nodiscard]] Notifications& notifications() override { return notifications_; }
    [[nodiscard]] ChangeStreams& streams() override { return streams_; }

    [[nodiscard]] asio::awaitable<void> cut() override {
        home_.world().network().reset(home_.id(), database_.node().id());
        co_await ports_.sleep(10ms);
    }

    [[nodiscard]] asio::awaitable<void> crash_server() override {
        database_.node().crash("story");
        co_await ports_.sleep(10ms);
        database_.node().start();
        co_await ports_.sleep(10ms);
    }

private:
    asio::awaitable<void> run(StreamPlace::Story story) {
        co_await story(*this);
        is_done_ = true;
    }

    sim::Node& home_;
    broker::Database& database_;
    sim::ProcessPorts ports_;
    broker::SimStore store_;
    broker::SimNotifications notifications_;
    broker::SimChangeStreams streams_;
    bool& is_done_;
};

class ModelStreamPlace final : public StreamPlace {
public:
    /// With the latencies of some seeds.
    void run(Story story, Flush flush) override {
        for (std::uint64_t seed = 1; seed <= 20 && !::testing::Test::HasFailure(); ++seed)
            run(story, flush, seed);
    }

private:
    static void run(Story story, Flush flush, std::uint64_t seed) {
        bool is_done = false;
        sim::WorldOptions world_options;
        world_options.seed = seed;
        sim::World world(std::move(world_options));
        broker::DatabaseOptions options;
        options.name = "db";
        if (flush == Flush::late) {
            options.synchronous = broker::Synchronous::off;
            options.flush_interval = 10s;
        }
        broker::Database database(world, std::move(options));
        database.start();
        sim::NodeOptions node;
        node.name = "stage";
        node.entry = [&](sim::Node& home) {
            return std::make_unique<ModelStage>(home, database, story, is_done);
        };
        world.add_node(std::move(node)).start();
        while (!is_done && !world.broken() && world.now() < Instant(1h))
            (void)world.run_until(world.now() + 1s);
        world.end_processes();
        if (world.broken()) throw std::runtime_error(world.broken()->what);
        for (const std::string& escaped : world.escaped())
            throw std::runtime_error(escaped);
        if (!is_done) throw std::runtime_error("the story hangs");
    }
};

class PostgresStage final : public StreamStage {
public:
    PostgresStage(RealPostgres& server, ProcessPorts ports)
        : server_(server), ports_(ports), store_(ports.background, server.options()),
          notifications_(ports.background, server.options()),
          streams_(ports.background, server.options(), 10ms) {}

    [[nodiscard]] ProcessPorts ports() override { return ports_; }
    [[nodiscard]] Store& store() override { return store_; }
    [[nodiscard]] Notifications& notifications() override { return notifications_; }
    [[nodiscard]] ChangeStreams& streams() override { return streams_; }

    [[nodiscard]] asio::awaitable<void> cut() override {
        const std::unique_ptr<Transaction> transaction = co_await must_begin(store_);
        co_await must(*transaction,
                      "select pg_terminate_backend(pid, 10000) from pg_stat_activity where pid <>"
                      " pg_backend_pid() and backend_type = 'client backend'");
        co_await transaction->rollback();
    }

    [[nodiscard]] asio::awaitable<void> crash_server() override {
        server_.crash();
        server_.start();
        co_return;
    }

private:
    RealPostgres& server_;
    ProcessPorts ports_;
    messaging::postgres::PostgresStore store_;
    messaging::postgres::PostgresNotifications notifications_;
    messaging::postgres::PostgresChangeStreams streams_;
};

class PostgresStreamPlace final : public StreamPlace {
public:
    void run(Story story, Flush flush) override {
        std::vector<std::string> settings;
        if (flush == Flush::late) settings.emplace_back("wal_writer_delay = '10s'");
        RealPostgres server(settings);
        RealProcess process;
        PostgresStage stage(server, process.ports());
        process.run(story(stage));
    }
};

} // namespace

std::unique_ptr<StreamPlace> model_stream_place(std::string& /*missing*/) {
    return std::make_unique<ModelStreamPlace>();
}

std::unique_ptr<StreamPlace> postgres_stream_place(std::string& missing) {
    missing = RealPostgres::missing();
    if (!missing.empty()) return nullptr;
    return std::make_unique<PostgresStreamPlace>();
}

} // namespace crier::conformance
