#include <gtest/gtest.h>

#include "file_stage.hpp"

#include <array>

// What each of SQLite's journal modes keeps when the machine or the process dies at any single I/O
// of a small program, and any part of what was not synced is lost: exactly what its documentation
// promises. The weak modes must be seen to fail, or the disk would not be nasty enough to show that
// the strong ones do not.

namespace crier::broker::test {

namespace {

constexpr int transactions = 7;
constexpr std::array points{"disk.read", "disk.write", "disk.truncate", "disk.sync", "disk.delete"};

/// Executes and commits what belongs together: two charges, and the number of both in a row that is
/// there already, on pages far from one another.
asio::awaitable<std::string> charge_twice(FileClient& client, std::string number) {
    auto transaction = co_await client.store.begin();
    if (!transaction) co_return told(transaction);
    const std::string row = "insert into charges values ('" + number;
    for (const std::string& sql :
         {row + "a', 'x', zeroblob(400))", row + "b', 'y', zeroblob(400))",
          "update totals set number = '" + number + "' where id % 7 = 0"}) {
        const Outcome<Rows> done = co_await (*transaction)->execute(sql, parameters());
        if (!done) co_return told(done);
    }
    const Outcome<void> committed = co_await (*transaction)->commit();
    co_return told(committed);
}

/// The tables, then as many transactions as there are still to do.
asio::awaitable<void> charges_in_pairs(FileClient& client) {
    co_await client.sleep(std::chrono::milliseconds(1)); // the fault is in place
    for (const char* sql :
         {"create table if not exists charges (id text primary key, customer text, filler blob)",
          "create table if not exists totals (id bigint primary key, number text, filler blob)",
          "insert into totals select value, '', zeroblob(300) from json_each('[0,7,8,9,14,15,21]') "
          "where not exists (select 1 from totals)"}) {
        const Outcome<Rows> done = co_await client.store.execute(sql, parameters());
        if (!done) co_return client.note("tables " + told(done));
    }
    for (int count = 0; count < transactions; ++count) {
        const std::string number = std::to_string(100 + static_cast<int>(client.notes.size()));
        const std::string result = co_await charge_twice(client, number);
        client.note(number + " " + result);
    }
}

struct Fates {
    std::uint32_t struck = 0;
    std::uint32_t lost = 0;   ///< Runs without a transaction whose commit was answered …
    std::uint32_t tail = 0;   ///< … of which it was the last answered one alone …
    std::uint32_t torn = 0;   ///< Runs with a part of a transaction, or a file that is corrupt.
    std::uint32_t doubts = 0; ///< Runs with a commit that was not answered, and is there.
};

/// What became of the transactions answered before the fault, as the next life finds it.
void judge(FileStage& stage, Fates& fates) {
    const std::string rows = stage.query("select id from charges order by id");
    const std::string torn =
        stage.query("select substr(id, 1, 3) from charges group by 1 having count(*) <> 2");
    // Of the last transaction: all that it changed, or nothing.
    const std::string totals =
        stage.query("select distinct number from totals where id % 7 = 0 and number <> (select "
                    "coalesce(max(substr(id, 1, 3)), '') from charges)");
    const std::string check = stage.query("pragma integrity_check");
    const bool has_tables = totals.find("no such table") == std::string::npos;
    if (check != "ok" || (has_tables && (!torn.empty() || !totals.empty()))) {
        ++fates.torn;
        return;
    }
    std::vector<std::string> missing;
    std::string last;
    for (const std::string& note : stage.notes) {
        const std::string number = note.substr(0, 3);
        const bool is_there = has_tables && rows.find(number + "a") != std::string::npos;
        if (note.ends_with(" ok")) {
            last = number;
            if (!is_there) missing.push_back(number);
        } else if (is_there) {
            ADD_FAILURE() << note << " is there";
        }
    }
    const std::string next = std::to_string(100 + static_cast<int>(stage.notes.size()));
    if (has_tables && rows.find(next + "a") != std::string::npos) ++fates.doubts;
    if (missing.empty()) return;
    ++fates.lost;
    if (missing.size() == 1 && missing.front() == last) ++fates.tail;
}

// Figures of a sweep are shown with --gtest_output.
void record(const Fates& fates) {
    testing::Test::RecordProperty("struck", static_cast<int>(fates.struck));
    testing::Test::RecordProperty("lost", static_cast<int>(fates.lost));
    testing::Test::RecordProperty("torn", static_cast<int>(fates.torn));
    testing::Test::RecordProperty("doubts", static_cast<int>(fates.doubts));
}

/// Strikes at each single I/O of the program, with several losses each.
Fates sweep(sim::FaultKind kind, const FileOptions& options, std::uint32_t losses) {
    Fates fates;
    for (const char* point : points) {
        for (std::uint32_t nth = 1;; ++nth) {
            bool began = true;
            for (std::uint32_t loss = 0; loss < losses && began; ++loss) {
                FileStage stage(options, charges_in_pairs, nth * 100 + loss);
                stage.world.faults().add(io_fault(kind, point, nth, stage.node));
                stage.run(std::chrono::milliseconds(500));
                began = stage.world.faults().records()[0].began;
                if (!began) break;
                ++fates.struck;
                const std::string when = std::string(point) + " #" + std::to_string(nth);
                EXPECT_FALSE(stage.node.is_up()) << when;
                judge(stage, fates);
                // The next life goes on, and the history knows what is in the file.
                stage.run(std::chrono::seconds(2));
                if (stage.query("pragma integrity_check") == "ok") {
                    EXPECT_EQ(stage.told_rows(), stage.query("select id from charges order by id"))
                        << when << ": " << stage.notes.back();
                }
            }
            if (!began) break;
        }
    }
    record(fates);
    return fates;
}

struct Mode {
    JournalMode journal;
    FileSync sync;
};

std::string told(const Mode& mode) {
    return std::string(name_of(mode.journal)) + "_" + name_of(mode.sync);
}

void PrintTo(const Mode& mode, std::ostream* out) {
    *out << told(mode);
}

FileOptions options_of(const Mode& mode) {
    FileOptions options = charges_file(mode.journal, mode.sync);
    options.checkpoint_pages = 12; // every other commit
    return options;
}

std::string name_of_test(const testing::TestParamInfo<Mode>& given) {
    return told(given.param);
}

class FileThatKeepsAll : public testing::TestWithParam<Mode> {};

// **Source**: SQLite, pragma.html, synchronous: EXTRA and FULL; atomiccommit.html.
TEST_P(FileThatKeepsAll, LosesNothingWithThePower) {
    const Fates fates = sweep(sim::FaultKind::power_loss, options_of(GetParam()), 3);
    EXPECT_GT(fates.struck, 300u);
    EXPECT_EQ(fates.lost, 0u);
    EXPECT_EQ(fates.torn, 0u);
    EXPECT_GT(fates.doubts, 0u);
}

INSTANTIATE_TEST_SUITE_P(Files, FileThatKeepsAll,
                         testing::Values(Mode{JournalMode::wal, FileSync::full},
                                         Mode{JournalMode::wal, FileSync::extra},
                                         Mode{JournalMode::deleted, FileSync::extra},
                                         Mode{JournalMode::truncate, FileSync::full},
                                         Mode{JournalMode::persist, FileSync::full}),
                         name_of_test);

class FileThatSurvivesACrash : public testing::TestWithParam<Mode> {};

// What is in the page cache outlives the process, synced or not.
TEST_P(FileThatSurvivesACrash, LosesNothingWithTheProcess) {
    const Fates fates = sweep(sim::FaultKind::crash, options_of(GetParam()), 1);
    EXPECT_GT(fates.struck, 100u);
    EXPECT_EQ(fates.lost, 0u);
    EXPECT_EQ(fates.torn, 0u);
}

INSTANTIATE_TEST_SUITE_P(Files, FileThatSurvivesACrash,
                         testing::Values(Mode{JournalMode::wal, FileSync::full},
                                         Mode{JournalMode::wal, FileSync::off},
                                         Mode{JournalMode::deleted, FileSync::off},
                                         Mode{JournalMode::truncate, FileSync::normal},
                                         Mode{JournalMode::persist, FileSync::off}),
                         name_of_test);

// **Source**: SQLite, pragma.html, synchronous: EXTRA syncs the directory after the journal is
// deleted, FULL does not.
TEST(FileThatForgets, DeletedAndFullLosesTheLastCommitAlone) {
    const Fates fates =
        sweep(sim::FaultKind::power_loss, options_of({JournalMode::deleted, FileSync::full}), 3);
    EXPECT_EQ(fates.torn, 0u);
    EXPECT_GT(fates.lost, 0u);
    EXPECT_EQ(fates.lost, fates.tail);
}

// **Source**: SQLite, wal.html 2.3: consistent, but a transaction might roll back after a loss of
// power.
TEST(FileThatForgets, WalAndNormalLosesCommitsAndIsNeverTorn) {
    FileOptions options = options_of({JournalMode::wal, FileSync::normal});
    options.checkpoint_pages = 1000; // which would sync
    const Fates fates = sweep(sim::FaultKind::power_loss, options, 3);
    EXPECT_EQ(fates.torn, 0u);
    EXPECT_GT(fates.lost, fates.tail) << "more than the last one";
    EXPECT_GT(fates.tail, 0u);
}

class FileThatIsTorn : public testing::TestWithParam<Mode> {};

// **Source**: SQLite, pragma.html: synchronous OFF "might become corrupted if … the computer loses
// power", journal_mode MEMORY and OFF "will very likely go corrupt".
TEST_P(FileThatIsTorn, IsSeenTornAfterALossOfPower) {
    const Fates fates = sweep(sim::FaultKind::power_loss, options_of(GetParam()), 3);
    EXPECT_GT(fates.torn, fates.struck / 20);
}

INSTANTIATE_TEST_SUITE_P(Files, FileThatIsTorn,
                         testing::Values(Mode{JournalMode::deleted, FileSync::off},
                                         Mode{JournalMode::wal, FileSync::off},
                                         Mode{JournalMode::memory, FileSync::full},
                                         Mode{JournalMode::off, FileSync::full}),
                         name_of_test);

TEST(FileThatIsTorn, IsSeenTornAfterACrashInACommitWithoutAJournal) {
    for (const JournalMode mode : {JournalMode::memory, JournalMode::off}) {
        const Fates fates = sweep(sim::FaultKind::crash, options_of({mode, FileSync::full}), 1);
        EXPECT_GT(fates.torn, 0u) << name_of(mode);
    }
}

} // namespace

} // namespace crier::broker::test
