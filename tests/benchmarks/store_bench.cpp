// What transactions of the simulated database server cost, beside plain SQLite in memory.
#include "broker-model/store/sqlite_setup.hpp"
#include "broker-model/store/transactions.hpp"
#include "messaging/ports/ensure.hpp"
#include "sim/world.hpp"

#include <array>
#include <benchmark/benchmark.h>
#include <memory>
#include <sqlite3.h>
#include <string>
#include <vector>

namespace crier::bench {
namespace {

using namespace broker;

const std::vector<std::string> schema{
    "create table orders (id bigint not null primary key, customer text not null, amount bigint "
    "not null)",
    "create table outbox (position bigint not null primary key, id text not null, body text not "
    "null)",
    "create table inbox (id text not null primary key, at bigint not null)"};
const std::string insert_order = "insert into orders (id, customer, amount) values ($1, $2, $3)";
const std::string insert_event = "insert into outbox (position, id, body) values ($1, $2, $3)";
/// The tables are emptied after so many transactions, so that they stay as small as a run's.
constexpr std::int64_t rows_max = 2000;

/// A server's transactions without its clients and their network.
class Server {
public:
    Server() : image_(make_image(schema).value()) { begin_anew(); }

    void begin_anew() {
        transactions_.reset();
        access_.reset();
        ledger_.reset();
        log_ = std::make_unique<CommitLog>();
        world_ = std::make_unique<sim::World>(sim::WorldOptions{});
        sim::NodeOptions options;
        options.name = "db";
        options.entry = [](sim::Node&) { return std::make_unique<sim::Program>(); };
        sim::Node& node = world_->add_node(std::move(options));
        node.start();
        ensure(world_->run_until(world_->now() + std::chrono::milliseconds(1)), "it starts");
        options_.name = "db";
        options_.connections = connections_;
        log_->lay(to_image(image_->pages));
        ledger_ =
            std::make_unique<CommitLedger>(*world_, options_, std::vector<CommitLog*>{log_.get()});
        access_ = std::make_unique<DiskAccess>(node);
        transactions_ = std::make_unique<Transactions>(node, *access_, options_, *ledger_);
        number_ = 0;
    }

    OpenTransaction& open() { return transactions_->open(++number_, 1); }

    void insert(OpenTransaction& transaction, const std::string& sql) {
        RunningStatement& statement = transaction.statement.emplace();
        statement.sql = sql;
        const auto id = static_cast<std::int64_t>(transaction.id);
        statement.parameters = parameters(id, "customer-17", "an order of a hundred bytes or so");
        const std::optional<SqlAnswer> answer = transactions_->run(transaction);
        ensure(answer && answer->is_ok(), "it is inserted");
    }

    void commit(OpenTransaction& transaction) {
        ensure(transactions_->commit(transaction) == StoreError{}, "it is committed");
        transactions_->end(transaction);
        if (number_ % rows_max == 0 && transactions_->all().empty()) begin_anew();
    }

private:
    std::shared_ptr<const DatabaseImage> image_;
    std::shared_ptr<Connections> connections_ = std::make_shared<Connections>();
    DatabaseOptions options_;
    std::unique_ptr<CommitLog> log_;
    std::unique_ptr<sim::World> world_;
    std::unique_ptr<CommitLedger> ledger_;
    std::unique_ptr<DiskAccess> access_;
    std::unique_ptr<Transactions> transactions_;
    std::uint64_t number_ = 0;
};

void TwoInserts(benchmark::State& state) {
    configure_sqlite();
    Server server;
    for (auto unused : state) {
        (void)unused;
        OpenTransaction& transaction = server.open();
        server.insert(transaction, insert_order);
        server.insert(transaction, insert_event);
        server.commit(transaction);
    }
}
BENCHMARK(TwoInserts)->Unit(benchmark::kMicrosecond);

/// Four are open at any time: each statement finds that others have committed meanwhile.
void TwoInsertsWithFourOpen(benchmark::State& state) {
    configure_sqlite();
    Server server;
    std::array<OpenTransaction*, 4> open{};
    for (auto unused : state) {
        (void)unused;
        for (OpenTransaction*& each : open) {
            each = &server.open();
            server.insert(*each, insert_order);
        }
        for (OpenTransaction* each : open) {
            server.insert(*each, insert_event);
            server.commit(*each);
        }
    }
    state.SetItemsProcessed(state.iterations() * 4);
    state.counters["us/transaction"] =
        benchmark::Counter(static_cast<double>(state.iterations()) * 4e-6,
                           benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(TwoInsertsWithFourOpen)->Unit(benchmark::kMicrosecond);

class Plain {
public:
    Plain() {
        sqlite3_open(":memory:", &connection_);
        for (const std::string& sql : schema)
            run(prepare(sql));
        begin = prepare("begin");
        commit = prepare("commit");
        order = prepare(insert_order);
        event = prepare(insert_event);
        clear_orders = prepare("delete from orders");
        clear_events = prepare("delete from outbox");
    }
    ~Plain() {
        for (sqlite3_stmt* each : statements_)
            sqlite3_finalize(each);
        sqlite3_close(connection_);
    }

    void insert(sqlite3_stmt* statement, std::int64_t id) {
        sqlite3_bind_int64(statement, 1, id);
        sqlite3_bind_text(statement, 2, "customer-17", -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 3, "an order of a hundred bytes or so", -1, SQLITE_STATIC);
        run(statement);
    }

    void run(sqlite3_stmt* statement) {
        sqlite3_step(statement);
        ensure(sqlite3_reset(statement) == SQLITE_OK, "it runs");
    }

    sqlite3_stmt* begin;
    sqlite3_stmt* commit;
    sqlite3_stmt* order;
    sqlite3_stmt* event;
    sqlite3_stmt* clear_orders;
    sqlite3_stmt* clear_events;

private:
    sqlite3_stmt* prepare(const std::string& sql) {
        sqlite3_stmt* statement = nullptr;
        sqlite3_prepare_v2(connection_, sql.c_str(), -1, &statement, nullptr);
        statements_.push_back(statement);
        return statement;
    }

    sqlite3* connection_ = nullptr;
    std::vector<sqlite3_stmt*> statements_;
};

/// The yardstick: the same with SQLite alone, in memory.
void TwoInsertsInPlainSqlite(benchmark::State& state) {
    Plain plain;
    std::int64_t id = 0;
    for (auto unused : state) {
        (void)unused;
        plain.run(plain.begin);
        plain.insert(plain.order, ++id);
        plain.insert(plain.event, id);
        plain.run(plain.commit);
        if (id % rows_max == 0) {
            plain.run(plain.clear_orders);
            plain.run(plain.clear_events);
        }
    }
}
BENCHMARK(TwoInsertsInPlainSqlite)->Unit(benchmark::kMicrosecond);

/// A database of three tables for one more run: from its prepared image, on the connections of the
/// run before, to the end of its first transaction, whose own cost is above.
void FreshDatabase(benchmark::State& state) {
    configure_sqlite();
    Server server;
    for (auto unused : state) {
        (void)unused;
        server.begin_anew();
        OpenTransaction& transaction = server.open();
        server.insert(transaction, insert_order);
        server.insert(transaction, insert_event);
        server.commit(transaction);
    }
}
BENCHMARK(FreshDatabase)->Unit(benchmark::kMicrosecond);

/// The same without a database: a world with one node.
void FreshWorld(benchmark::State& state) {
    for (auto unused : state) {
        (void)unused;
        sim::World world(sim::WorldOptions{});
        sim::NodeOptions options;
        options.name = "db";
        options.entry = [](sim::Node&) { return std::make_unique<sim::Program>(); };
        sim::Node& node = world.add_node(std::move(options));
        node.start();
        ensure(world.run_until(world.now() + std::chrono::milliseconds(1)), "it starts");
    }
}
BENCHMARK(FreshWorld)->Unit(benchmark::kMicrosecond);

} // namespace
} // namespace crier::bench
