#include "tests/conformance/file_arm.hpp"
#include "tests/conformance/real_process.hpp"
#include "tests/conformance/store_test.hpp"

#include <gtest/gtest.h>

// The store port over a file, real or simulated: what product code relies on, seen from outside.
// Both arms give the same answers.

namespace crier::conformance {
namespace {

struct Arm {
    const char* name;
    std::unique_ptr<FileArm> (*make)();
};

void PrintTo(const Arm& arm, std::ostream* out) {
    *out << arm.name;
}

class FileStores : public ::testing::TestWithParam<Arm> {
protected:
    std::unique_ptr<FileArm> arm_ = GetParam().make();
};

INSTANTIATE_TEST_SUITE_P(Arms, FileStores,
                         ::testing::Values(Arm{"Sqlite", sqlite_arm}, Arm{"Model", model_file_arm}),
                         [](const auto& given) { return std::string(given.param.name); });

asio::awaitable<void> write_and_leave_open(Store& store) {
    co_await must(store, "create table t (a bigint)");
    std::unique_ptr<Transaction> kept = co_await must_begin(store);
    co_await kept->execute("insert into t values (1)", parameters());
    const Outcome<void> committed = co_await kept->commit();
    EXPECT_TRUE(committed);
    std::unique_ptr<Transaction> given_up = co_await must_begin(store);
    co_await given_up->execute("insert into t values (2)", parameters());
}

asio::awaitable<void> expect_one_row(Store& store) {
    const Rows rows = co_await must(store, "select a from t");
    const Rows expected{{std::int64_t{1}}};
    EXPECT_EQ(rows, expected);
}

TEST_P(FileStores, KeepWhatWasCommittedAndNothingElse) {
    auto store = arm_->open();
    arm_->run(write_and_leave_open(*store));
    store = arm_->open();
    arm_->run(expect_one_row(*store));
}

asio::awaitable<void> bind_values(Store& store) {
    co_await must(store, "create table t (a bigint, b double precision, c text, d text)");
    // In an order of their own, and one of them twice: SQLite numbers by appearance, the port does
    // not.
    auto values = parameters(7, 2.5, "text \0 behind", std::monostate{});
    values[2] = std::string("a\0b", 3);
    const Rows written = co_await must(
        store, "insert into t values ($1, $2, $3, $4) returning c, a", std::move(values));
    const Rows expected_written{{std::string("a\0b", 3), std::int64_t{7}}};
    EXPECT_EQ(written, expected_written);
    const Rows found = co_await must(store, "select $2 || $1 || $2, b, d from t where a = $3",
                                     parameters("m", "e", 7));
    const Rows expected{{std::string("eme"), 2.5, std::monostate{}}};
    EXPECT_EQ(found, expected);
}

TEST_P(FileStores, BindParametersByTheirNumber) {
    auto store = arm_->open();
    arm_->run(bind_values(*store));
}

TEST_P(FileStores, NameWhatIsWrongWithAStatement) {
    auto store = arm_->open();
    arm_->run(expect_errors_by_name(*store));
}

asio::awaitable<void> fail_in_the_middle(Store& store) {
    co_await must(store, "create table t (a bigint not null primary key)");
    std::unique_ptr<Transaction> transaction = co_await must_begin(store);
    const Outcome<Rows> first =
        co_await transaction->execute("insert into t values (1)", parameters());
    EXPECT_TRUE(first);
    const Outcome<Rows> again =
        co_await transaction->execute("insert into t values (1)", parameters());
    EXPECT_EQ(again.error(), failed(StoreError::unique_violation));
    const Outcome<Rows> later =
        co_await transaction->execute("insert into t values (2)", parameters());
    EXPECT_EQ(later.error(), failed(StoreError::aborted));
    const Outcome<void> committed = co_await transaction->commit();
    EXPECT_EQ(committed.error(), failed(StoreError::aborted));
    const Rows rows = co_await must(store, "select a from t");
    EXPECT_TRUE(rows.empty());
}

TEST_P(FileStores, KeepNothingOfATransactionWithAFailedStatement) {
    auto store = arm_->open();
    arm_->run(fail_in_the_middle(*store));
}

asio::awaitable<void> take_turn(Store& store, int number, std::vector<int>& order) {
    std::unique_ptr<Transaction> transaction = co_await must_begin(store);
    order.push_back(number);
    // The odd ones give up without a word: destroying has to pass the turn on as well.
    if (number % 2 == 0) co_await transaction->rollback();
}

asio::awaitable<void> queue_up(ProcessPorts ports, Store& store, std::vector<int>& order) {
    std::unique_ptr<Transaction> transaction = co_await must_begin(store);
    for (int number = 0; number < 6; ++number) {
        ports.background.spawn("turn", take_turn(store, number, order));
    }
    co_await ports.clock.sleep(Duration::zero());
    EXPECT_TRUE(order.empty());
    const Outcome<void> committed = co_await transaction->commit();
    EXPECT_TRUE(committed);
    std::function<bool()> all = [&order] { return order.size() == 6; };
    co_await until(ports.clock, std::move(all));
}

TEST_P(FileStores, GiveTurnsInTheOrderOfTheCalls) {
    auto store = arm_->open();
    std::vector<int> order;
    arm_->run(queue_up(arm_->ports(), *store, order));
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5}));
}

asio::awaitable<void> number_rows(Store& store) {
    co_await must(store, "Create Sequence if not exists Numbers");
    co_await must(store, "create sequence if not exists numbers;");
    co_await must(store, "create table t (n bigint not null primary key"
                         " default (nextval('numbers')), a text)");
    const Rows two = co_await must(store, "insert into t (a) values ('x'), ('y') returning n, a");
    const Rows expected{{std::int64_t{1}, std::string("x")}, {std::int64_t{2}, std::string("y")}};
    EXPECT_EQ(two, expected);
    const Rows next = co_await must(store, "select nextval('numbers')");
    EXPECT_EQ(next, Rows{{std::int64_t{3}}});
    const auto missing = co_await failure_of(store, "select nextval('others')");
    EXPECT_EQ(missing, failed(StoreError::statement_error));
}

asio::awaitable<void> number_on(Store& store) {
    const Rows next = co_await must(store, "insert into t (a) values ('z') returning n");
    EXPECT_EQ(next, Rows{{std::int64_t{4}}});
}

TEST_P(FileStores, NumberRowsFromASequenceThatSurvivesReopening) {
    auto store = arm_->open();
    arm_->run(number_rows(*store));
    store = arm_->open();
    arm_->run(number_on(*store));
}

asio::awaitable<void> close_under_waiting(ProcessPorts ports, std::unique_ptr<Store> store,
                                          std::optional<StoreError>& heard) {
    const auto waiting = [](Store& waited_for,
                            std::optional<StoreError>& answer) -> asio::awaitable<void> {
        const Outcome<std::unique_ptr<Transaction>> begun = co_await waited_for.begin();
        if (!begun) answer = static_cast<StoreError>(begun.error().code.value());
    };
    std::unique_ptr<Transaction> open = co_await must_begin(*store);
    ports.background.spawn("waiting", waiting(*store, heard));
    co_await ports.clock.sleep(Duration::zero());
    store.reset();
    std::function<bool()> is_told = [&heard] { return heard.has_value(); };
    co_await until(ports.clock, std::move(is_told));
}

TEST_P(FileStores, RefuseWhoWaitsWhenTheStoreGoes) {
    std::optional<StoreError> heard;
    arm_->run(close_under_waiting(arm_->ports(), arm_->open(), heard));
    EXPECT_EQ(heard, StoreError::unavailable);
}

asio::awaitable<void> roll_numbers_back(Store& store) {
    co_await must(store, "create sequence if not exists numbers");
    std::unique_ptr<Transaction> transaction = co_await must_begin(store);
    const Rows first = co_await must(*transaction, "select nextval('numbers')");
    EXPECT_EQ(first, Rows{{std::int64_t{1}}});
    co_await transaction->rollback();
    const Rows again = co_await must(store, "select nextval('numbers')");
    EXPECT_EQ(again, Rows{{std::int64_t{1}}});
}

TEST_P(FileStores, GiveANumberAgainWhoseTransactionWasRolledBack) {
    auto store = arm_->open();
    arm_->run(roll_numbers_back(*store));
}

asio::awaitable<void> ask_for_a_server(Store& store) {
    co_await must(store, "create table t (a bigint)");
    for (const char* const sql :
         {"select a from t for update", "select a from t for update skip locked",
          "select pg_notify('channel', 'payload')", "select pg_current_snapshot()",
          "set transaction isolation level repeatable read"}) {
        const auto refused = co_await failure_of(store, sql);
        EXPECT_EQ(refused, failed(StoreError::statement_error)) << sql;
    }
}

TEST_P(FileStores, HaveNothingThatOnlyAServerHas) {
    auto store = arm_->open();
    arm_->run(ask_for_a_server(*store));
}

} // namespace
} // namespace crier::conformance
