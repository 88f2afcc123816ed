#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker-model/store/change_log.hpp"
#include "broker-model/store/commit_log.hpp"
#include "store_stage.hpp"

#include <algorithm>
#include <map>

// Change streams of a simulated database server under faults. What they are without any is shown by
// the stories that a real PostgreSQL tells, too.

namespace crier::broker::test {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

DatabaseOptions numbers_database() {
    DatabaseOptions options;
    options.name = "db";
    options.schema = {"create table t (n bigint not null primary key)"};
    return options;
}

asio::awaitable<bool> insert(Client& client, std::int64_t number) {
    std::string sql = "insert into t values ($1)";
    std::vector<Value> values = parameters(number);
    const Outcome<Rows> done = co_await client.store.execute(std::move(sql), std::move(values));
    co_return done.has_value();
}

std::int64_t number_of(const Change& change) {
    return std::get<std::int64_t>(change.row.at(0));
}

/// What the disk keeps for readers of changes.
const ChangeLog& log_of(Stage& stage) {
    return dynamic_cast<CommitLog&>(*stage.database.node().disk().find("commits")).changes();
}

/// Reads the slot, notes each number and confirms it; opens it anew after every loss.
asio::awaitable<void> reads(Client& client) {
    for (;;) {
        Outcome<std::unique_ptr<ChangeStream>> opened = co_await client.streams.open("slot");
        if (!opened) {
            if (opened.error().code != StoreError::unavailable) client.note(told(opened));
            co_await client.sleep(milliseconds(500));
            continue;
        }
        for (bool stands = true; stands;) {
            const Outcome<std::vector<Change>> changes = co_await (*opened)->next(10, seconds(1));
            stands = changes.has_value();
            if (!changes || changes->empty()) continue;
            for (const Change& change : *changes)
                client.note(std::to_string(number_of(change)));
            const Outcome<void> confirmed = co_await (*opened)->confirm(changes->back().position);
            stands = confirmed.has_value();
        }
    }
}

/// As `reads`, and confirms nothing.
asio::awaitable<void> looks(Client& client) {
    Outcome<std::unique_ptr<ChangeStream>> opened = co_await client.streams.open("slot");
    client.note(told(opened));
    while (opened) {
        const Outcome<std::vector<Change>> changes = co_await (*opened)->next(10, seconds(1));
        if (!changes) {
            client.note(told(changes));
            co_return;
        }
        for (const Change& change : *changes)
            client.note(std::to_string(number_of(change)));
    }
}

/// Two transactions that overlap: 1 is written before 2 and committed behind it; 3 never is.
asio::awaitable<void> overlaps(Client& client) {
    co_await client.sleep(milliseconds(100));
    auto slow = co_await client.store.begin();
    std::string sql = "insert into t values (1)";
    std::vector<Value> none;
    (void)co_await (*slow)->execute(std::move(sql), std::move(none));
    (void)co_await insert(client, 2);
    auto undone = co_await client.store.begin();
    sql = "insert into t values (3)";
    (void)co_await (*undone)->execute(std::move(sql), std::move(none));
    co_await (*undone)->rollback();
    (void)co_await (*slow)->commit();
}

TEST(SimChangeStreams, TellRowsInTheOrderOfTheirCommits) {
    Stage stage(numbers_database());
    stage.add_client("r", looks);
    stage.add_client("w", overlaps);
    stage.run(seconds(1));
    EXPECT_THAT(stage.notes, ElementsAre("r: ok", "r: 2", "r: 1"));
}

asio::awaitable<void> holds_a_transaction(Client& client) {
    auto transaction = co_await client.store.begin();
    std::string sql = "insert into t values (1)";
    std::vector<Value> none;
    (void)co_await (*transaction)->execute(std::move(sql), std::move(none));
    co_await client.sleep(seconds(2));
    (void)co_await (*transaction)->commit();
    (void)co_await insert(client, 2);
}

asio::awaitable<void> looks_a_little_later(Client& client) {
    co_await client.sleep(milliseconds(100));
    co_await looks(client);
}

TEST(SimChangeStreams, BeginWhenWhoWasUnderWayHasEnded) {
    Stage stage(numbers_database());
    stage.add_client("w", holds_a_transaction);
    stage.add_client("r", looks_a_little_later);
    stage.run(milliseconds(1900));
    EXPECT_THAT(stage.notes, IsEmpty());
    stage.run(seconds(1));
    EXPECT_THAT(stage.notes, ElementsAre("r: ok", "r: 2"));
}

TEST(SimChangeStreams, WaitForABeginAtMostForTheLockTimeout) {
    DatabaseOptions options = numbers_database();
    options.lock_timeout = seconds(1);
    Stage stage(std::move(options));
    stage.add_client("w", holds_a_transaction);
    stage.add_client("r", looks_a_little_later);
    stage.run(milliseconds(1500));
    EXPECT_THAT(stage.notes, ElementsAre("r: failed lock_timeout"));
    EXPECT_THAT(log_of(stage).slots(), IsEmpty());
    stage.run(milliseconds(1000));
    EXPECT_EQ(log_of(stage).size(), 0U) << "nobody asks for it";
    stage.add_client("s", looks);
    stage.run(seconds(1));
    EXPECT_THAT(stage.notes, ElementsAre("r: failed lock_timeout", "s: ok"));
}

TEST(SimChangeStreams, ASlotThatWaitsForItsBeginDiesWithTheServerOrItsMaker) {
    for (const bool server_dies : {false, true}) {
        Stage stage(numbers_database());
        stage.add_client("w", holds_a_transaction);
        sim::Node& reader = stage.add_client("r", looks_a_little_later);
        stage.run(milliseconds(500));
        sim::Node& victim = server_dies ? stage.database.node() : reader;
        victim.crash("test");
        stage.run(milliseconds(100));
        victim.start();
        stage.run(milliseconds(100));
        EXPECT_THAT(log_of(stage).slots(), IsEmpty());
        stage.run(seconds(3));
        EXPECT_THAT(log_of(stage).slots(), SizeIs(server_dies ? 0 : 1));
    }
}

asio::awaitable<void> inserts_by_the_second(Client& client) {
    for (std::int64_t number = 1;; ++number) {
        co_await client.sleep(seconds(1));
        (void)co_await insert(client, number);
    }
}

TEST(SimChangeStreams, HaveOneReaderAndAreFreeWhenItDies) {
    Stage stage(numbers_database());
    sim::Node& first = stage.add_client("a", reads);
    stage.run(milliseconds(100));
    stage.add_client("b", reads);
    stage.add_client("w", inserts_by_the_second);
    stage.run(milliseconds(2500));
    EXPECT_THAT(stage.notes, ElementsAre("a: 1", "a: 2"));
    first.crash("test");
    stage.run(seconds(2));
    EXPECT_THAT(stage.notes, ElementsAre("a: 1", "a: 2", "b: 3", "b: 4"));
    first.start();
    stage.run(seconds(1));
    EXPECT_THAT(stage.notes, SizeIs(5));
    EXPECT_EQ(stage.notes.back(), "b: 5");
}

// The server hears nothing of it, but misses its questions.
TEST(SimChangeStreams, AreFreeSomeTimeAfterTheMachineOfTheirReaderIsGone) {
    Stage stage(numbers_database());
    sim::Node& first = stage.add_client("a", reads);
    stage.run(seconds(100));
    stage.add_client("b", reads);
    first.lose_power();
    stage.run(seconds(20));
    stage.add_client("w", inserts_by_the_second);
    stage.run(milliseconds(1500));
    EXPECT_THAT(stage.notes, IsEmpty());
    stage.run(seconds(60));
    EXPECT_THAT(stage.notes, testing::Contains("b: 1"));
}

// A reader that is quiet for long keeps its slot, and a server its reader.
asio::awaitable<void> rests(Client& client) {
    Outcome<std::unique_ptr<ChangeStream>> opened = co_await client.streams.open("slot");
    co_await client.sleep(std::chrono::minutes(30));
    const Outcome<std::vector<Change>> changes = co_await (*opened)->next(10, seconds(0));
    client.note(told(changes));
}

TEST(SimChangeStreams, StandHoweverLongNobodyAsks) {
    Stage stage(numbers_database());
    stage.add_client("r", rests);
    stage.run(milliseconds(100));
    stage.add_client("s", looks);
    stage.run(std::chrono::minutes(31));
    EXPECT_THAT(stage.notes, ElementsAre("s: failed unavailable", "r: ok"));
}

// What is confirmed is written down with the first confirmation after a while.
TEST(SimChangeStreams, AConfirmationIsLostByACrashUntilItIsWrittenDown) {
    for (const bool clean : {false, true}) {
        Stage stage(numbers_database());
        stage.add_client("r", reads);
        stage.add_client("w", inserts_by_the_second);
        stage.run(milliseconds(18'200));
        EXPECT_THAT(stage.notes, SizeIs(18));
        EXPECT_EQ(stage.notes.back(), "r: 18");
        stage.notes.clear();
        if (clean) {
            stage.database.node().stop(seconds(1));
        } else {
            stage.database.node().crash("test");
        }
        stage.run(milliseconds(100));
        stage.database.node().start();
        stage.run(milliseconds(500));
        std::vector<std::string> again;
        if (!clean) again = {"r: 16", "r: 17", "r: 18"};
        EXPECT_EQ(stage.notes, again);
    }
}

// --- What is kept.

TEST(SimChangeStreams, CostNothingWithoutASlot) {
    Stage stage(numbers_database());
    stage.add_client("w", inserts_by_the_second);
    stage.run(seconds(10));
    EXPECT_EQ(log_of(stage).size(), 0U);
    stage.add_client("r", looks);
    stage.run(seconds(10));
    EXPECT_GE(log_of(stage).size(), 9U);
}

asio::awaitable<void> inserts_often(Client& client) {
    for (std::int64_t number = 1;; ++number) {
        co_await client.sleep(milliseconds(50));
        (void)co_await insert(client, number);
    }
}

TEST(SimChangeStreams, KeepNothingThatIsConfirmedForLong) {
    Stage stage(numbers_database());
    stage.add_client("r", reads);
    stage.add_client("w", inserts_often);
    for (int minute = 0; minute < 5; ++minute) {
        stage.run(std::chrono::minutes(1));
        EXPECT_LE(log_of(stage).size(), 16U * 20U);
    }
    EXPECT_GT(stage.notes.size(), 4000U);
}

std::vector<InsertedRow> rows(std::size_t count) {
    return std::vector<InsertedRow>(count);
}

std::vector<std::uint64_t> commits(const std::vector<InsertedRows>& read) {
    std::vector<std::uint64_t> numbers;
    for (const InsertedRows& each : read)
        numbers.push_back(each.commit);
    return numbers;
}

TEST(ChangeLog, KeepsWhatTheLastSlotHasNotConfirmed) {
    sim::Disk disk{sim::DiskOptions{}};
    DiskAccess access(disk, true);
    ChangeLog log;
    (void)log.save(access, "a", 0);
    (void)log.save(access, "b", 0);
    for (const std::uint64_t commit : {2, 3, 5, 8})
        log.add(commit, rows(1));
    EXPECT_THAT(commits(log.read(0, 8, 100)), ElementsAre(2, 3, 5, 8));
    EXPECT_THAT(commits(log.read(2, 7, 100)), ElementsAre(3, 5));
    EXPECT_THAT(commits(log.read(0, 8, 4)), ElementsAre(2, 3));
    EXPECT_THAT(commits(log.read(0, 8, 1)), ElementsAre(2));
    (void)log.save(access, "a", 8);
    EXPECT_EQ(log.size(), 4U);
    (void)log.save(access, "b", 4);
    EXPECT_THAT(commits(log.read(0, 8, 100)), ElementsAre(5, 8));
    log.lose_after(5);
    EXPECT_THAT(commits(log.read(0, 8, 100)), ElementsAre(5));
}

// --- Deaths.

/// Inserts numbers one after the other, each again until it is there.
asio::awaitable<void> inserts_numbers(Client& client) {
    co_await client.sleep(milliseconds(20));
    for (std::int64_t number = 1; number <= 30; ++number) {
        bool done = false;
        while (!done) {
            std::string sql = "insert into t values ($1) on conflict do nothing";
            std::vector<Value> values = parameters(number);
            const Outcome<Rows> inserted =
                co_await client.store.execute(std::move(sql), std::move(values));
            done = inserted.has_value();
            if (!done) co_await client.sleep(milliseconds(300));
        }
        co_await client.sleep(milliseconds(20));
    }
}

/// Notes what it is told, in short transactions, and opens the slot anew now and then.
asio::awaitable<void> reads_strictly(Client& client) {
    for (;;) {
        Outcome<std::unique_ptr<ChangeStream>> opened = co_await client.streams.open("slot");
        client.note("opens");
        for (int read = 0; opened && read < 10; ++read) {
            const Outcome<std::vector<Change>> changes =
                co_await (*opened)->next(4, Duration::zero());
            if (!changes) break;
            for (const Change& change : *changes)
                client.note(std::to_string(number_of(change)) + " at " +
                            std::to_string(change.position));
            if (changes->empty()) {
                co_await client.sleep(milliseconds(300));
                continue;
            }
            const Outcome<void> confirmed = co_await (*opened)->confirm(changes->front().position);
            if (!confirmed) break;
        }
        opened = Failure();
        co_await client.sleep(milliseconds(200));
    }
}

/// What a reader was told over all its lives.
struct Told {
    std::map<std::int64_t, std::int64_t> positions; ///< Of each number.
    std::size_t repeats = 0;
    std::string problem;

    /// Numbers come in order, and again only at the same position.
    explicit Told(const Notes& notes) {
        std::int64_t last = 0;
        for (const std::string& note : notes) {
            if (note.ends_with("opens")) {
                last = 0;
                continue;
            }
            const std::int64_t number = std::stoll(note.substr(3)); // behind `r: `
            const std::int64_t position = std::stoll(note.substr(note.find_last_of(' ')));
            if (position <= last) problem = "not in order: " + note;
            last = position;
            const auto [known, is_new] = positions.emplace(number, position);
            if (!is_new) ++repeats;
            if (known->second != position) problem = "at another position: " + note;
        }
    }

    [[nodiscard]] std::string numbers() const {
        std::string text;
        for (const auto& [number, position] : positions)
            text += (text.empty() ? "" : ";") + std::to_string(number);
        return text;
    }
};

struct Sweep {
    std::uint32_t strikes = 0;
    std::size_t repeats = 0;
};

/// Strikes at every point or call of a kind, one a run. Whatever was told is there, and whatever is
/// there was told.
Sweep sweep(sim::FaultKind kind, const std::string& name, Synchronous synchronous,
            bool strikes_reader = false) {
    Sweep result;
    const std::uint32_t first = name == "sql-stream-open" ? 2 : 1; // who makes the slot is spared
    for (std::uint32_t nth = first;; ++nth) {
        DatabaseOptions options = numbers_database();
        options.synchronous = synchronous;
        options.flush_interval = milliseconds(50);
        Stage stage(std::move(options), nth);
        sim::Node& reader = stage.add_client("r", reads_strictly);
        stage.add_client("w", inserts_numbers);
        sim::FaultSpec fault;
        fault.kind = kind;
        fault.nodes = {strikes_reader ? reader.id() : stage.database.node().id()};
        const bool is_call = name.starts_with("sql-");
        fault.trigger.when =
            is_call ? sim::FaultTrigger::When::call : sim::FaultTrigger::When::point;
        fault.trigger.name = name;
        fault.trigger.nth = nth;
        fault.duration = seconds(1);
        fault.what = name;
        stage.world.faults().add(std::move(fault));
        stage.run(seconds(45));
        const std::string when = name + " #" + std::to_string(nth);
        const Told told(stage.notes);
        EXPECT_EQ(told.problem, "") << when;
        EXPECT_EQ(stage.query("select n from t order by n"), told.numbers()) << when;
        EXPECT_GE(told.positions.size(), 20U) << when;
        if (!stage.world.faults().records()[0].began) return result;
        ++result.strikes;
        result.repeats += told.repeats;
        if (testing::Test::HasFailure()) return result;
    }
}

TEST(SimChangeStreams, SurviveDeathsOfTheServerAtEveryPoint) {
    for (const Synchronous synchronous : {Synchronous::full, Synchronous::off}) {
        for (const char* point : {"disk.write", "disk.sync"}) {
            for (const sim::FaultKind kind : {sim::FaultKind::crash, sim::FaultKind::power_loss}) {
                const Sweep done = sweep(kind, point, synchronous);
                EXPECT_GE(done.strikes, 10U) << point;
                EXPECT_GT(done.repeats, 0U) << point;
            }
        }
    }
}

TEST(SimChangeStreams, SurviveDeathsOfTheirReaderAtEveryCall) {
    for (const char* call : {"sql-stream-open", "sql-stream-read", "sql-stream-confirm"}) {
        for (const sim::FaultKind kind : {sim::FaultKind::crash, sim::FaultKind::lose_answer,
                                          sim::FaultKind::drop_request, sim::FaultKind::reset}) {
            const Sweep done = sweep(kind, call, Synchronous::full, true);
            EXPECT_GE(done.strikes, 1U) << call;
        }
    }
}

// A transaction that a loss of power takes back was told to nobody.
TEST(SimChangeStreams, TellNothingThatALossOfPowerTakesBack) {
    std::size_t lost = 0;
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        DatabaseOptions options = numbers_database();
        options.synchronous = Synchronous::off;
        Stage stage(std::move(options), seed);
        stage.add_client("r", looks);
        stage.run(milliseconds(100));
        stage.add_client("w", inserts_often);
        stage.run(milliseconds(1130)); // between two flushes
        stage.database.node().lose_power();
        stage.database.node().start();
        stage.run(milliseconds(10));
        std::size_t told = stage.notes.size() - 1; // besides the opening
        const std::size_t kept =
            static_cast<std::size_t>(std::stoi(stage.query("select count(*) from t")));
        EXPECT_LE(told, kept) << seed;
        lost += 22 - kept;
    }
    EXPECT_GT(lost, 10U) << "nothing was taken back";
}

} // namespace

} // namespace crier::broker::test
