#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store_stage.hpp"

#include <map>
#include <optional>

// Transactions of a database server that overlap: what they see of one another, what they wait for,
// and how they fail, as PostgreSQL does. A script is a list of steps, each of one session; a step
// that waits lets the script go on, and its answer says during which step it came.

namespace crier::broker::test {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

struct Step {
    std::string session;
    std::string sql; ///< Or `commit`, `rollback`.
};

/// The answer as text: `a|b;c|d`, or the error.
std::string told_rows(const Outcome<Rows>& outcome) {
    if (!outcome) return told(outcome);
    std::string text;
    for (const Row& row : *outcome) {
        if (!text.empty()) text += ";";
        for (std::size_t at = 0; at < row.size(); ++at)
            text += (at > 0 ? "|" : "") + told(row[at]);
    }
    return text.empty() ? "ok" : text;
}

/// What is answered to the steps of a script.
struct Answers {
    Notes by_step;
    std::size_t now = 0; ///< The step that the script is at; 0: none.

    void note(std::size_t step, const std::string& answer) {
        const bool at_once = now == step;
        const std::string when = now == 0 ? " (late)" : " (at " + std::to_string(now) + ")";
        by_step[step - 1] = answer + (at_once ? "" : when);
    }
};

/// What runs on the node of one session: it does what it is told.
struct SessionProgram final : sim::Program {
    SessionProgram(sim::Node& home, Database& database, Answers& all)
        : node(home), ports(home), store(database, home), answers(all) {}

    asio::awaitable<void> execute(std::size_t step, std::string sql) {
        if (transaction == nullptr) {
            auto begun = co_await store.begin();
            transaction = std::move(*begun);
        }
        std::string answer;
        if (sql == "commit") {
            const Outcome<void> committed = co_await transaction->commit();
            answer = told(committed);
            transaction.reset();
        } else if (sql == "rollback") {
            co_await transaction->rollback();
            answer = "ok";
            transaction.reset();
        } else {
            std::vector<Value> none;
            const Outcome<Rows> rows =
                co_await transaction->execute(std::move(sql), std::move(none));
            answer = told_rows(rows);
        }
        answers.note(step, node.name() + ": " + answer);
    }

    sim::Node& node;
    sim::ProcessPorts ports;
    SimStore store;
    Answers& answers;
    std::unique_ptr<Transaction> transaction;
};

class StoreOverlap : public testing::Test {
protected:
    static DatabaseOptions options() {
        DatabaseOptions options;
        options.name = "db";
        options.schema = {
            "create table t (id bigint not null primary key, name text unique, n bigint not null)",
            "insert into t values (1, 'one', 10), (2, 'two', 20), (3, 'three', 30)",
            "create table child (id bigint not null primary key, parent bigint not null "
            "references t (id))",
            // Its primary key is not the first of its unique keys, and the reference does not say
            // it.
            "create table house (name text unique, number bigint not null, street bigint not null, "
            "primary key (street, number))",
            "insert into house values ('red', 1, 7)",
            "create table room (id bigint not null primary key, street bigint, number bigint, "
            "foreign key (street, number) references house)",
            "create table box (position bigint not null primary key default (nextval('places')), "
            "what text not null)",
            "create sequence places"};
        return options;
    }

    /// Runs the steps, each a moment after the one before. **Returns** their answers.
    Notes run(const std::vector<Step>& steps) {
        answers.by_step.assign(steps.size(), "waits");
        for (std::size_t at = 0; at < steps.size(); ++at) {
            sim::Node& node = session(steps[at].session);
            answers.now = at + 1;
            auto* const program = static_cast<SessionProgram*>(node.program());
            program->ports.spawn("step", program->execute(answers.now, steps[at].sql));
            EXPECT_TRUE(world.run_until(world.now() + milliseconds(20)))
                << (world.broken() ? world.broken()->what : "stopped");
        }
        answers.now = 0;
        return answers.by_step;
    }

    /// Returns the answers to the last script after some more time.
    Notes after(Duration duration) {
        EXPECT_TRUE(world.run_until(world.now() + duration));
        return answers.by_step;
    }

    sim::Node& session(const std::string& name) {
        if (sim::Node* const known = world.find(name)) return *known;
        sim::NodeOptions node;
        node.name = name;
        node.entry = [this](sim::Node& home) {
            return std::make_unique<SessionProgram>(home, database, answers);
        };
        sim::Node& made = world.add_node(std::move(node));
        made.start();
        EXPECT_TRUE(world.run_until(world.now() + milliseconds(1)));
        return made;
    }

    std::string query(const std::string& sql) {
        const auto rows = database.query(sql);
        return rows ? told_rows(Outcome<Rows>(*rows)) : rows.error().message;
    }

    sim::World world{stage_world(1)};
    Database database{world, options()};
    Answers answers;

    void SetUp() override { database.start(); }
};

// Source: PostgreSQL manual 13.2.1: a statement sees what was committed before it began.
TEST_F(StoreOverlap, EachStatementSeesWhatWasCommittedBeforeIt) {
    EXPECT_THAT(run({{"a", "select n from t where id = 1"},
                     {"b", "update t set n = 11 where id = 1"},
                     {"a", "select n from t where id = 1"},
                     {"b", "commit"},
                     {"a", "select n from t where id = 1"}}),
                ElementsAre("a: 10", "b: ok", "a: 10", "b: ok", "a: 11"));
}

// Both write, each its own row, and neither waits.
TEST_F(StoreOverlap, WritersOfDifferentRowsDoNotWait) {
    EXPECT_THAT(run({{"a", "update t set n = n + 1 where id = 1"},
                     {"b", "update t set n = n + 1 where id = 2"},
                     {"a", "insert into t values (4, 'four', 40)"},
                     {"b", "insert into t values (5, 'five', 50)"},
                     {"b", "commit"},
                     {"a", "update t set n = n + 1 where id = 1"},
                     {"a", "commit"}}),
                testing::Each(testing::EndsWith("ok")));
    EXPECT_EQ(query("select id, n from t order by id"), "1|12;2|21;3|30;4|40;5|50");
}

// Source: PostgreSQL manual 13.2.1: the second updater waits and works on the updated row.
TEST_F(StoreOverlap, AnUpdateWaitsAndWorksOnTheRowAsItIsThen) {
    EXPECT_THAT(run({{"a", "update t set n = n + 1 where id = 1"},
                     {"b", "update t set n = n * 2 where id = 1 returning n"},
                     {"a", "commit"},
                     {"b", "commit"}}),
                ElementsAre("a: ok", "b: 22 (at 3)", "a: ok", "b: ok"));
}

TEST_F(StoreOverlap, AnUpdateGoesOnWithTheOldRowWhenTheOtherRollsBack) {
    EXPECT_THAT(run({{"a", "update t set n = n + 1 where id = 1"},
                     {"b", "update t set n = n * 2 where id = 1 returning n"},
                     {"a", "rollback"},
                     {"b", "commit"}}),
                ElementsAre("a: ok", "b: 20 (at 3)", "a: ok", "b: ok"));
}

// Source: PostgreSQL manual 13.2.1, the example with `website`: the condition is looked at again,
// on the row that was waited for and on no other.
TEST_F(StoreOverlap, OnlyTheRowThatWasWaitedForIsLookedAtAgain) {
    EXPECT_THAT(run({{"a", "update t set n = n + 10"},
                     {"b", "delete from t where n = 20 returning id"},
                     {"a", "commit"},
                     {"b", "commit"}}),
                ElementsAre("a: ok", "b: ok (at 3)", "a: ok", "b: ok"))
        << "row 2 was 20 before and 30 after, row 1 was 10 before and 20 after";
    EXPECT_EQ(query("select id, n from t order by id"), "1|20;2|30;3|40");
}

// The famous one: what is chosen in a subquery is chosen on the snapshot, so two workers get the
// same rows unless the condition is repeated outside.
TEST_F(StoreOverlap, ASubqueryIsNotLookedAtAgain) {
    EXPECT_THAT(run({{"a", "update t set name = 'a' where id in (select id from t where name = "
                           "'one') returning id"},
                     {"b", "update t set name = 'b' where id in (select id from t where name = "
                           "'one') returning id"},
                     {"a", "commit"},
                     {"b", "commit"}}),
                ElementsAre("a: 1", "b: 1 (at 3)", "a: ok", "b: ok"));
    EXPECT_THAT(run({{"a", "update t set name = 'c' where name = 'b' and id in (select id from t "
                           "where name = 'b') returning id"},
                     {"b", "update t set name = 'd' where name = 'b' and id in (select id from t "
                           "where name = 'b') returning id"},
                     {"a", "commit"},
                     {"b", "commit"}}),
                ElementsAre("a: 1", "b: ok (at 3)", "a: ok", "b: ok"));
}

TEST_F(StoreOverlap, AnInsertWaitsForTheSameKey) {
    EXPECT_THAT(run({{"a", "insert into t values (4, 'four', 1)"},
                     {"b", "insert into t values (4, 'vier', 2)"},
                     {"c", "insert into t values (5, 'four', 3)"},
                     {"a", "commit"}}),
                ElementsAre("a: ok", "b: failed unique_violation (at 4)",
                            "c: failed unique_violation (at 4)", "a: ok"));
    EXPECT_THAT(run({{"a", "insert into t values (6, 'six', 1)"},
                     {"d", "insert into t values (6, 'sechs', 2)"},
                     {"a", "rollback"},
                     {"d", "commit"}}),
                ElementsAre("a: ok", "d: ok (at 3)", "a: ok", "d: ok"));
    EXPECT_EQ(query("select name from t where id > 3 order by id"), "four;sechs");
}

TEST_F(StoreOverlap, OnConflictWaitsAndDoesWhatItSays) {
    EXPECT_THAT(
        run({{"a", "insert into t values (4, 'four', 1)"},
             {"b", "insert into t values (4, 'vier', 2) on conflict do nothing returning id"},
             {"c", "insert into t values (4, 'quatre', 3) on conflict (id) do update set n "
                   "= t.n + excluded.n returning name, n"},
             {"a", "commit"},
             {"c", "commit"}}),
        ElementsAre("a: ok", "b: ok (at 4)", "c: four|4 (at 4)", "a: ok", "c: ok"));
}

// Source: PostgreSQL waits for whoever has deleted the row with the key.
TEST_F(StoreOverlap, AnInsertWaitsForTheKeyOfADeletedRow) {
    EXPECT_THAT(run({{"a", "delete from t where id = 1"},
                     {"b", "insert into t values (9, 'one', 90)"},
                     {"a", "commit"},
                     {"b", "commit"}}),
                ElementsAre("a: ok", "b: ok (at 3)", "a: ok", "b: ok"));
    EXPECT_EQ(query("select id from t where name = 'one'"), "9");
    EXPECT_THAT(run({{"a", "delete from t where id = 2"},
                     {"b", "insert into t values (8, 'two', 80)"},
                     {"a", "rollback"}}),
                ElementsAre("a: ok", "b: failed unique_violation (at 3)", "a: ok"));
    EXPECT_THAT(run({{"a", "delete from t where id = 2"},
                     {"b", "rollback"},
                     {"b", "insert into t values (8, 'three', 80)"}}),
                ElementsAre("a: ok", "b: ok", "b: failed unique_violation"))
        << "nobody frees that key";
}

// Source: PostgreSQL manual 13.2.2.
TEST_F(StoreOverlap, ARepeatableReadSeesOneSnapshotAndFailsForWhatChangedSince) {
    EXPECT_THAT(run({{"a", "set transaction isolation level repeatable read"},
                     {"a", "select n from t where id = 1"},
                     {"b", "update t set n = 11 where id = 1"},
                     {"b", "commit"},
                     {"a", "select n from t where id = 1"},
                     {"a", "update t set n = 0 where id = 2"},
                     {"a", "update t set n = 0 where id = 1"}}),
                ElementsAre("a: ok", "a: 10", "b: ok", "b: ok", "a: 10", "a: ok",
                            "a: failed serialization failure"));
    EXPECT_EQ(query("select n from t where id = 2"), "20");
}

TEST_F(StoreOverlap, ARepeatableReadFailsForWhatItWaitedFor) {
    const std::vector<Step> steps{{"a", "set transaction isolation level repeatable read"},
                                  {"a", "select count(*) from t"},
                                  {"b", "update t set n = 11 where id = 1"},
                                  {"a", "update t set n = n + 5 where id = 1 returning n"}};
    std::vector<Step> committed = steps;
    committed.push_back({"b", "commit"});
    EXPECT_THAT(run(committed), ElementsAre("a: ok", "a: 3", "b: ok",
                                            "a: failed serialization failure (at 5)", "b: ok"));
    run({{"a", "rollback"}});
    std::vector<Step> undone = steps;
    undone.push_back({"b", "rollback"});
    EXPECT_THAT(run(undone), ElementsAre("a: ok", "a: 3", "b: ok", "a: 16 (at 5)", "b: ok"));
}

TEST_F(StoreOverlap, AnIsolationLevelIsSetBeforeTheFirstStatement) {
    EXPECT_THAT(run({{"a", "select 1"}, {"a", "set transaction isolation level repeatable read"}}),
                ElementsAre("a: 1", "a: failed statement_error"));
    EXPECT_THAT(run({{"b", "set transaction isolation level serializable"}}),
                ElementsAre("b: failed statement_error"));
}

// Source: PostgreSQL manual 20.12: whoever has waited for deadlock_timeout looks, and gives way.
TEST_F(StoreOverlap, ADeadlockIsSeenByWhoWaitedLongest) {
    run({{"a", "update t set n = 1 where id = 1"},
         {"b", "update t set n = 2 where id = 2"},
         {"a", "update t set n = 1 where id = 2"},
         {"b", "update t set n = 2 where id = 1"}});
    EXPECT_THAT(after(milliseconds(900)), ElementsAre("a: ok", "b: ok", "waits", "waits"));
    EXPECT_THAT(after(milliseconds(200)),
                ElementsAre("a: ok", "b: ok", "a: failed deadlock (late)", "b: ok (late)"));
}

// A statement locks its rows one after the other, and keeps them while it waits.
TEST_F(StoreOverlap, AStatementHoldsWhatItHasLockedWhileItWaits) {
    run({{"a", "update t set n = 0 where id = 2"},
         {"b", "update t set n = n + 1 where id in (1, 2, 3)"},
         {"a", "update t set n = 0 where id = 1"}});
    EXPECT_THAT(after(seconds(2)),
                ElementsAre("a: ok", "b: failed deadlock (late)", "a: ok (late)"));
}

TEST_F(StoreOverlap, LockingClausesWaitFailOrSkip) {
    EXPECT_THAT(run({{"a", "select id, n from t where id = 1 for update"},
                     {"b", "select id from t order by id for update skip locked"},
                     {"c", "select id from t where id = 1 for update nowait"},
                     {"d", "select n from t where id = 1"},
                     {"d", "select n from t where id = 1 for no key update"},
                     {"a", "update t set n = 99 where id = 1"},
                     {"a", "commit"}}),
                ElementsAre("a: 1|10", "b: 2;3", "c: failed lock_timeout", "d: 10", "d: 99 (at 7)",
                            "a: ok", "a: ok"));
}

TEST_F(StoreOverlap, SharedLocksGoTogether) {
    EXPECT_THAT(run({{"a", "select id from t where id = 1 for share"},
                     {"b", "select id from t where id = 1 for key share"},
                     {"b", "commit"},
                     {"b", "select id from t where id = 1 for share"},
                     {"c", "update t set n = 0 where id = 1"},
                     {"a", "commit"},
                     {"b", "commit"}}),
                ElementsAre("a: 1", "b: 1", "b: ok", "b: 1", "c: ok (at 7)", "a: ok", "b: ok"));
}

// How workers share a queue: each takes rows that nobody has.
TEST_F(StoreOverlap, WorkersClaimDifferentRows) {
    const std::string claim = "update t set name = name || '!' where id in (select id from t where "
                              "name not like '%!' order by id limit 1 for update skip locked) "
                              "returning id";
    EXPECT_THAT(run({{"a", claim},
                     {"b", claim},
                     {"c", claim},
                     {"d", claim},
                     {"a", "commit"},
                     {"b", "rollback"},
                     {"d", claim}}),
                ElementsAre("a: 1", "b: 2", "c: 3", "d: ok", "a: ok", "b: ok", "d: 2"));
}

// Source: PostgreSQL RI_FKey_check, RI_FKey_noaction_del.
TEST_F(StoreOverlap, AChildKeepsItsParent) {
    EXPECT_THAT(
        run({{"a", "insert into child values (1, 1)"},
             {"b", "update t set n = 0 where id = 1"},
             {"b", "commit"},
             {"b", "delete from t where id = 1"},
             {"a", "commit"}}),
        ElementsAre("a: ok", "b: ok", "b: ok", "b: failed foreign_key_violation (at 5)", "a: ok"));
    EXPECT_THAT(run({{"c", "delete from t where id = 2"},
                     {"d", "insert into child values (2, 2)"},
                     {"c", "commit"}}),
                ElementsAre("c: ok", "d: failed foreign_key_violation (at 3)", "c: ok"));
}

TEST_F(StoreOverlap, AReferenceWithoutColumnsMeansThePrimaryKey) {
    EXPECT_THAT(run({{"a", "insert into room values (1, 7, 1)"},
                     {"b", "delete from house where name = 'red'"},
                     {"a", "commit"}}),
                ElementsAre("a: ok", "b: failed foreign_key_violation (at 3)", "a: ok"));
}

// Source: PostgreSQL manual 9.17: numbers are never given back, and follow the calls, not the
// commits.
TEST_F(StoreOverlap, CommitsComeInAnotherOrderThanSequenceNumbers) {
    EXPECT_THAT(
        run({{"a", "insert into box (what) values ('first') returning position"},
             {"b", "insert into box (what) values ('second') returning position"},
             {"b", "commit"},
             {"c", "select position from box"},
             {"d", "insert into box (what) values ('never') returning position"},
             {"d", "rollback"},
             {"a", "commit"},
             {"d", "insert into box (what) values ('last') returning position"},
             {"d", "commit"}}),
        ElementsAre("a: 1", "b: 2", "b: ok", "c: 2", "d: 3", "d: ok", "a: ok", "d: 4", "d: ok"));
}

TEST_F(StoreOverlap, AStatementThatWaitsDrawsItsNumberOnce) {
    EXPECT_THAT(run({{"a", "insert into t values (7, 'x', nextval('places'))"},
                     {"b", "insert into t values (7, 'y', nextval('places')) on conflict (id) do "
                           "update set n = excluded.n returning n"},
                     {"c", "select nextval('places')"},
                     {"a", "commit"}}),
                ElementsAre("a: ok", "b: 2 (at 4)", "c: 3", "a: ok"));
}

// Source: PostgreSQL manual 9.27.7: the horizon below which every transaction has ended.
TEST_F(StoreOverlap, TellsWhoIsRunning) {
    EXPECT_THAT(
        run({{"a", "select pg_snapshot_xmin(pg_current_snapshot())"},
             {"a", "insert into t values (4, 'four', pg_current_xact_id()) returning n"},
             {"b", "update t set n = pg_current_xact_id() where id = 1 returning n"},
             {"c", "select pg_current_snapshot()"},
             {"b", "commit"},
             {"c", "select pg_snapshot_xmin(pg_current_snapshot()), "
                   "pg_snapshot_xmax(pg_current_snapshot())"},
             {"a", "commit"},
             {"c", "select pg_snapshot_xmin(pg_current_snapshot())"}}),
        ElementsAre("a: 1", "a: 1", "b: 2", "c: 1:3:1,2", "b: ok", "c: 1|3", "a: ok", "c: 3"));
}

TEST_F(StoreOverlap, WhoChangesTheSchemaIsAlone) {
    EXPECT_THAT(run({{"a", "update t set n = 0 where id = 1"},
                     {"b", "create table more (id bigint not null primary key)"},
                     {"c", "select count(*) from t"},
                     {"a", "commit"},
                     {"c", "commit"}}),
                ElementsAre("a: ok", "b: ok (at 5)", "c: 3", "a: ok", "c: ok"))
        << "b waits for a and c";
    EXPECT_THAT(run({{"d", "select count(*) from more"},
                     {"b", "insert into more values (1)"},
                     {"b", "commit"}}),
                ElementsAre("d: 1 (at 3)", "b: ok", "b: ok"));
}

TEST_F(StoreOverlap, TimeoutsOfATransactionEndItsWait) {
    run({{"a", "update t set n = 0 where id = 1"},
         {"b", "set local lock_timeout = '200ms'"},
         {"b", "update t set n = 1 where id = 1"},
         {"c", "set local statement_timeout = 300"},
         {"c", "update t set n = 1 where id = 1"}});
    EXPECT_THAT(after(seconds(1)), ElementsAre("a: ok", "b: ok", "b: failed lock_timeout (late)",
                                               "c: ok", "c: failed query canceled (late)"));
}

} // namespace

} // namespace crier::broker::test
