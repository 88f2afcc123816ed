#include "messaging/sqlite/sqlite_store.hpp"
#include "tests/conformance/real_process.hpp"
#include "tests/conformance/store_test.hpp"

#include <gtest/gtest.h>

// The store port over a real file: what of it only a real one has, other processes and folders.

namespace crier::conformance {
namespace {

using messaging::sqlite::SqliteOptions;
using messaging::sqlite::SqliteStore;

class Sqlite : public ::testing::Test {
protected:
    SqliteOptions options(const std::string& name = "test.db") {
        SqliteOptions options;
        options.path = folder_.file(name);
        return options;
    }

    std::unique_ptr<SqliteStore> open(SqliteOptions options) {
        return std::make_unique<SqliteStore>(process_.ports().background, std::move(options));
    }

    TemporaryFolder folder_;
    RealProcess process_;
};

asio::awaitable<void> begin_then_commit(ProcessPorts ports, Store& writer, Store& waiter) {
    co_await must(writer, "create table t (a bigint)");
    std::unique_ptr<Transaction> open = co_await must_begin(writer);
    bool done = false;
    const auto waiting = [](Store& store, bool& finished) -> asio::awaitable<void> {
        co_await must(store, "insert into t values (2)");
        finished = true;
    };
    ports.background.spawn("waiter", waiting(waiter, done));
    // Were the loop blocked by the waiter, this commit could not happen before the waiter gives up.
    co_await ports.clock.sleep(std::chrono::milliseconds(20));
    EXPECT_FALSE(done);
    const Outcome<void> committed = co_await open->commit();
    EXPECT_TRUE(committed);
    std::function<bool()> is_done = [&done] { return done; };
    co_await until(ports.clock, std::move(is_done));
}

TEST_F(Sqlite, WaitsForAnotherProcessWithoutBlockingTheLoop) {
    auto writer = open(options());
    auto waiter = open(options());
    process_.run(begin_then_commit(process_.ports(), *writer, *waiter));
}

asio::awaitable<void> wait_in_vain(Store& writer, Store& waiter) {
    std::unique_ptr<Transaction> open = co_await must_begin(writer);
    const Outcome<std::unique_ptr<Transaction>> begun = co_await waiter.begin();
    EXPECT_EQ(begun.error(), failed(StoreError::lock_timeout));
    co_await open->rollback();
    const Outcome<std::unique_ptr<Transaction>> again = co_await waiter.begin();
    EXPECT_TRUE(again);
}

TEST_F(Sqlite, GivesUpOnAnotherProcessThatHoldsTheLock) {
    auto writer = open(options());
    SqliteOptions impatient = options();
    impatient.busy_timeout = std::chrono::milliseconds(20);
    auto waiter = open(impatient);
    process_.run(wait_in_vain(*writer, *waiter));
}

asio::awaitable<void> expect_unavailable(Store& store) {
    const Outcome<std::unique_ptr<Transaction>> begun = co_await store.begin();
    EXPECT_EQ(begun.error(), failed(StoreError::unavailable));
}

asio::awaitable<void> expect_available(Store& store) {
    const Outcome<std::unique_ptr<Transaction>> begun = co_await store.begin();
    EXPECT_TRUE(begun);
}

TEST_F(Sqlite, TriesToOpenTheFileAgain) {
    auto store = open(options("folder/test.db"));
    process_.run(expect_unavailable(*store));
    std::filesystem::create_directory(folder_.file("folder"));
    process_.run(expect_available(*store));
}

} // namespace
} // namespace crier::conformance
