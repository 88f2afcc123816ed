#include "tests/conformance/store_place.hpp"

#include <gtest/gtest.h>

// What PostgreSQL does when transactions meet, by small stories whose outcome is known: the same on
// every arm. The tables begin with items (id, code, n) of 1 11 10, 2 12 20, 3 13 30, and parts (id,
// item, n) of 1 1 100.

namespace crier::conformance {
namespace {

using Lines = std::vector<std::string>;

/// A line is `SESSION: SQL`, or `SESSION rr: SQL` to begin a transaction that is repeatable read.
StoreProgram story(const Lines& lines) {
    StoreProgram program;
    for (const std::string& line : lines) {
        StoreStep step;
        step.session = static_cast<std::size_t>(line.front() - '0');
        step.repeatable_read = line.substr(1, 3) == " rr";
        step.sql = line.substr(line.find(": ") + 2);
        step.is_ordered = step.sql.find("order by") != std::string::npos;
        if (step.sql == "commit") step.action = StoreAction::commit;
        if (step.sql == "rollback") step.action = StoreAction::rollback;
        program.sessions = std::max(program.sessions, step.session + 1);
        program.steps.push_back(std::move(step));
    }
    return program;
}

/// A line for every turn: the answer, or `waits`; then what others were answered in this turn.
Lines told(const StoreHistory& history) {
    Lines lines;
    for (const StoreTurn& turn : history.turns) {
        std::string line = turn.waits ? "waits" : "";
        for (const StoreAnswer& answer : turn.answers) {
            if (answer.step == turn.step) line = answer.text + line;
        }
        for (const StoreAnswer& answer : turn.answers) {
            if (answer.step != turn.step)
                line += "; s" + std::to_string(answer.session) + " " + answer.text;
        }
        lines.push_back(std::move(line));
    }
    if (!history.problem.empty()) lines.push_back(history.problem);
    return lines;
}

using MakePlace = std::unique_ptr<StorePlace> (*)(std::string& missing);

class StoreStories : public ::testing::TestWithParam<MakePlace> {
protected:
    void SetUp() override {
        std::string missing;
        place_ = GetParam()(missing);
        if (!place_) GTEST_SKIP() << missing;
    }

    void expect(const Lines& lines, const Lines& outcome) {
        const StoreProgram program = story(lines);
        const StoreHistory history = place_->run({program}).front();
        EXPECT_EQ(told(history), outcome) << to_text(program, history);
    }

    std::unique_ptr<StorePlace> place_;
};

const char* const read_one = "select n from items where id = 1";

TEST_P(StoreStories, WritersDoNotHinderReaders) {
    expect({"0: update items set n = 11 where id = 1", "0: select n from items where id = 1",
            "1: select n from items where id = 1", "0: commit",
            "1: select n from items where id = 1", "1: commit"},
           {"-", "11", "10", "committed", "11", "committed"});
}

TEST_P(StoreStories, ReadCommittedLosesAnUpdate) {
    expect({"0: select n from items where id = 1", "1: select n from items where id = 1",
            "0: update items set n = 11 where id = 1", "1: update items set n = 12 where id = 1",
            "0: commit", "1: commit", "0: select n from items where id = 1", "0: commit"},
           {"10", "10", "-", "waits", "committed; s1 -", "committed", "12", "committed"});
}

TEST_P(StoreStories, RepeatableReadRefusesALostUpdate) {
    expect({"0 rr: select n from items where id = 1", "1 rr: select n from items where id = 1",
            "0: update items set n = 11 where id = 1", "1: update items set n = 12 where id = 1",
            "0: commit", "1: select 1", "1: commit"},
           {"10", "10", "-", "waits", "committed; s1 error: serialization failure",
            "error: transaction aborted", "error: transaction aborted"});
    // … but not when the other came to nothing.
    expect({"0 rr: update items set n = 11 where id = 1",
            "1 rr: update items set n = 12 where id = 1", "0: rollback", "1: commit"},
           {"-", "waits", "rolled back; s1 -", "committed"});
}

TEST_P(StoreStories, RepeatableReadSeesWhatWasThereAtItsFirstStatement) {
    expect({"1: update items set n = 11 where id = 1", "0 rr: select n from items where id = 2",
            "1: commit", "0: select n from items where id = 1",
            "0: insert into items (id, code, n) values (4, 14, 40)",
            "0: select id, n from items order by id", "0: update items set n = n + 1 where id = 1",
            "0: commit"},
           {"-", "20", "committed", "10", "-", "1 10, 2 20, 3 30, 4 40",
            "error: serialization failure", "error: transaction aborted"});
}

TEST_P(StoreStories, RepeatableReadAllowsWriteSkew) {
    expect({"0 rr: select sum(n) from items", "1 rr: select sum(n) from items",
            "0: update items set n = 0 where id = 1", "1: update items set n = 0 where id = 2",
            "0: commit", "1: commit", "0: select n from items order by id", "0: commit"},
           {"60", "60", "-", "-", "committed", "committed", "0, 0, 30", "committed"});
}

TEST_P(StoreStories, AfterAWaitTheConditionIsCheckedAnew) {
    // EvalPlanQual: the new version no longer matches.
    expect({"0: update items set n = n + 100 where id = 1",
            "1: update items set n = n + 1 where id = 1 and n < 50 returning n", "0: commit",
            "1: commit"},
           {"-", "waits", "committed; s1 -", "committed"});
    // It does, and the change builds on it.
    expect({"0: update items set n = n + 5 where id = 1",
            "1: update items set n = n + 1 where id = 1 and n < 50 returning n", "0: commit",
            "1: commit"},
           {"-", "waits", "committed; s1 16", "committed"});
    // A row that did not match before is not looked at again, and not waited for.
    expect({"0: update items set n = n + 100 where id = 1",
            "1: update items set n = n + 1 where id = 1 and n > 50 returning n", "0: commit",
            "1: commit"},
           {"-", "-", "committed", "committed"});
    // The row is gone.
    expect({"0: delete from items where id = 2", "1: delete from items where id = 2 returning n",
            "0: commit", "1: commit"},
           {"-", "waits", "committed; s1 -", "committed"});
    expect({"0: update items set n = 21 where id = 2",
            "1: select n from items where id = 2 for update", "0: commit", "1: commit"},
           {"-", "waits", "committed; s1 21", "committed"});
}

TEST_P(StoreStories, AUniqueConflictWaitsForTheOther) {
    expect({"0: insert into items (id, code, n) values (4, 14, 40)",
            "1: insert into items (id, code, n) values (4, 15, 41)", "0: commit", "1: rollback"},
           {"-", "waits", "committed; s1 error: unique violation", "rolled back"});
    expect({"0: insert into items (id, code, n) values (5, 16, 40)",
            "1: insert into items (id, code, n) values (6, 16, 41)", "0: rollback", "1: commit"},
           {"-", "waits", "rolled back; s1 -", "committed"});
    // Nulls are not equal to one another.
    expect({"0: insert into items (id, n) values (4, 40)",
            "1: insert into items (id, n) values (5, 41)", "0: commit", "1: commit"},
           {"-", "-", "committed", "committed"});
}

TEST_P(StoreStories, AUniqueKeyThatAnotherFreesIsWaitedFor) {
    expect({"0: delete from items where id = 2",
            "1: insert into items (id, code, n) values (2, 22, 1)", "0: commit", "1: commit"},
           {"-", "waits", "committed; s1 -", "committed"});
    expect({"0: delete from items where id = 2",
            "1: insert into items (id, code, n) values (2, 22, 1)", "0: rollback", "1: rollback"},
           {"-", "waits", "rolled back; s1 error: unique violation", "rolled back"});
    expect({"0: update items set code = 22 where id = 2",
            "1: insert into items (id, code, n) values (4, 12, 1)", "0: commit", "1: commit"},
           {"-", "waits", "committed; s1 -", "committed"});
}

TEST_P(StoreStories, OnConflictDoNothingWaitsAndThenReturnsNothing) {
    const std::string insert = "insert into items (id, code, n) values (4, 14, 40)"
                               " on conflict (id) do nothing returning id";
    expect({"0: " + insert, "1: " + insert, "0: commit", "1: commit"},
           {"4", "waits", "committed; s1 -", "committed"});
    expect({"0: delete from items where id = 4", "0: commit", "0: " + insert, "1: " + insert,
            "0: rollback", "1: commit"},
           {"-", "committed", "4", "waits", "rolled back; s1 4", "committed"});
    expect({"1 rr: " + std::string(read_one), "0: " + insert, "0: commit", "1: " + insert,
            "1: rollback"},
           {"10", "4", "committed", "error: serialization failure", "rolled back"});
}

TEST_P(StoreStories, OnConflictDoUpdateBuildsOnARowThatItDidNotSee) {
    const std::string insert = "insert into items (id, code, n) values (4, 14, 40) on conflict (id)"
                               " do update set n = items.n + 1 returning n";
    expect({"0: " + insert, "1: " + insert, "0: commit", "1: commit"},
           {"40", "waits", "committed; s1 41", "committed"});
    expect({"0: update items set n = 50 where id = 4", "1: " + insert, "0: commit", "1: commit"},
           {"-", "40", "committed", "committed"});
    expect({"0: update items set n = 50 where id = 1",
            "1: insert into items (id, code, n) values (1, 14, 40) on conflict (id)"
            " do update set n = items.n + 1 returning n",
            "0: commit", "1: commit"},
           {"-", "waits", "committed; s1 51", "committed"});
}

TEST_P(StoreStories, LockedRowsAreSkipped) {
    const std::string claim = "update items set n = n + 100 where id in (select id from items"
                              " where n < 100 order by id limit 2 for update skip locked)"
                              " returning id";
    expect({"0: " + claim, "1: " + claim, "2: " + claim, "0: rollback", "2: " + claim, "1: commit",
            "2: commit"},
           {"1, 2", "3", "-", "rolled back", "1, 2", "committed", "committed"});
    // A waiting row is not skipped by who came after it committed: it is looked at as it is now.
    expect({"0: select n from items where id = 1 for update",
            "1: select id from items order by id for update skip locked", "0: commit", "1: commit"},
           {"10", "2, 3", "committed", "committed"});
}

TEST_P(StoreStories, NowaitFailsAtOnce) {
    expect({"0: update items set n = 11 where id = 1",
            "1: select n from items where id = 1 for update nowait", "1: rollback",
            "1: select n from items where id = 2 for update nowait", "0: commit", "1: commit"},
           {"-", "error: lock timeout", "rolled back", "20", "committed", "committed"});
}

TEST_P(StoreStories, LocksForSharingAgreeWithEachOther) {
    expect({"0: select n from items where id = 1 for share",
            "1: select n from items where id = 1 for share",
            "2: update items set n = 11 where id = 1", "0: commit", "1: commit", "2: commit"},
           {"10", "10", "waits", "committed", "committed; s2 -", "committed"});
    expect({"0: select n from items where id = 2 for key share",
            "1: update items set n = 21 where id = 2", "2: delete from items where id = 2",
            "1: commit", "0: commit", "2: commit"},
           {"20", "-", "waits", "committed", "committed; s2 -", "committed"});
}

TEST_P(StoreStories, WhoClosesACycleOfWaitsDies) {
    expect({"0: update items set n = 11 where id = 1", "1: update items set n = 21 where id = 2",
            "0: update items set n = 22 where id = 2", "1: update items set n = 12 where id = 1",
            "1: commit", "0: commit"},
           {"-", "-", "waits", "error: deadlock; s0 -", "error: transaction aborted", "committed"});
}

TEST_P(StoreStories, WaitingWritersGoOnInTurn) {
    expect({"0: update items set n = n + 1 where id = 1 returning n",
            "1: update items set n = n + 10 where id = 1 returning n",
            "2: update items set n = n + 100 where id = 1 returning n", "0: commit", "1: commit",
            "2: commit"},
           {"11", "waits", "waits", "committed; s1 21", "committed; s2 121", "committed"});
}

TEST_P(StoreStories, AChildAndTheEndOfItsParentWaitForEachOther) {
    expect({"0: insert into parts (id, item, n) values (2, 2, 1)",
            "1: delete from items where id = 2", "0: commit", "1: rollback"},
           {"-", "waits", "committed; s1 error: foreign key violation", "rolled back"});
    expect({"0: insert into parts (id, item, n) values (2, 2, 1)",
            "1: delete from items where id = 2", "0: rollback", "1: commit"},
           {"-", "waits", "rolled back; s1 -", "committed"});
    expect({"0: delete from items where id = 3",
            "1: insert into parts (id, item, n) values (3, 3, 1)", "0: commit", "1: rollback"},
           {"-", "waits", "committed; s1 error: foreign key violation", "rolled back"});
}

TEST_P(StoreStories, AChildDoesNotHinderChangesBesideItsParentsKey) {
    expect({"0: insert into parts (id, item, n) values (2, 2, 1)",
            "1: update items set n = 21 where id = 2", "1: commit", "0: commit"},
           {"-", "-", "committed", "committed"});
    expect({"0: update items set n = 22 where id = 3",
            "1: insert into parts (id, item, n) values (3, 3, 1)", "1: commit", "0: commit"},
           {"-", "-", "committed", "committed"});
    expect({"0: update items set id = 9 where id = 3",
            "1: insert into parts (id, item, n) values (3, 3, 1)", "0: commit", "1: rollback"},
           {"-", "waits", "committed; s1 error: foreign key violation", "rolled back"});
}

TEST_P(StoreStories, SequencesAreNotRolledBackAndCommitsOvertakeTheirNumbers) {
    expect({"0: insert into items (id, n) values (nextval('numbers') + 3, 1) returning id",
            "0: rollback",
            "0: insert into items (id, n) values (nextval('numbers') + 3, 2) returning id",
            "1: insert into items (id, n) values (nextval('numbers') + 3, 3) returning id",
            "1: commit", "2: select id from items where id > 3 order by id", "0: commit",
            "2: select id from items where id > 3 order by id", "2: commit"},
           {"4", "rolled back", "5", "6", "committed", "6", "committed", "5, 6", "committed"});
}

TEST_P(StoreStories, AFailedStatementEndsItsTransactionAndItsWaits) {
    expect(
        {"0: update items set n = 11 where id = 1", "1: update items set n = 12 where id = 1",
         "0: insert into items (id, n) values (2, 0)", "0: commit", "1: commit"},
        {"-", "waits", "error: unique violation; s1 -", "error: transaction aborted", "committed"});
}

TEST_P(StoreStories, ASnapshotKnowsWhoIsUnderWay) {
    // The horizon by which a cursor over an outbox waits for gaps.
    const std::string is_behind = "select pg_snapshot_xmin(pg_current_snapshot()) <"
                                  " pg_snapshot_xmax(pg_current_snapshot())";
    expect({"2: " + is_behind, "2: commit", "0: update items set n = 11 where id = 1",
            "1: update items set n = 21 where id = 2", "1: commit", "2: " + is_behind, "0: commit",
            "2: " + is_behind, "2: commit"},
           {"0", "committed", "-", "-", "committed", "1", "committed", "0", "committed"});
}

INSTANTIATE_TEST_SUITE_P(Model, StoreStories, ::testing::Values(model_place));
INSTANTIATE_TEST_SUITE_P(Postgres, StoreStories, ::testing::Values(postgres_place));

} // namespace
} // namespace crier::conformance
