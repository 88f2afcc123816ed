#include "messaging/postgres/postgres_change_streams.hpp"
#include "messaging/postgres/test_decoding.hpp"
#include "tests/conformance/postgres_test.hpp"

// Of change streams of a real PostgreSQL, what the simulated one does not have; see StreamStories.

namespace crier::conformance {
namespace {

using namespace std::chrono_literals;
using messaging::postgres::DecodedBegin;
using messaging::postgres::DecodedCommit;
using messaging::postgres::DecodedInsert;
using messaging::postgres::DecodedOther;
using messaging::postgres::PostgresChangeStreams;
using messaging::postgres::read_decoded;

class PostgresStreams : public PostgresTest {
protected:
    void SetUp() override {
        PostgresTest::SetUp();
        if (IsSkipped()) return;
        store_ = open();
        streams_ = std::make_unique<PostgresChangeStreams>(process_.ports().background,
                                                           server_->options(), 10ms);
    }

    std::unique_ptr<Store> store_;
    std::unique_ptr<ChangeStreams> streams_;
};

// --- Change streams.

asio::awaitable<std::unique_ptr<ChangeStream>> must_open(ChangeStreams& streams, std::string slot) {
    Outcome<std::unique_ptr<ChangeStream>> stream = co_await streams.open(std::move(slot));
    co_return std::move(stream.value());
}

asio::awaitable<std::vector<Change>> must_read(ChangeStream& stream, std::size_t max) {
    Outcome<std::vector<Change>> changes = co_await stream.next(max, 60s);
    co_return std::move(changes.value());
}

asio::awaitable<void> expect_nothing(ChangeStream& stream) {
    const Outcome<std::vector<Change>> changes = co_await stream.next(100, 30ms);
    EXPECT_TRUE(changes.value().empty());
}

asio::awaitable<std::string> confirmed_place(Store& store) {
    const Rows rows = co_await must(store, "select confirmed_flush_lsn from pg_replication_slots");
    co_return std::get<std::string>(rows.at(0).at(0));
}

asio::awaitable<void> forget_by_itself(Store& store, ChangeStreams& streams) {
    co_await must(store, "create table t (n bigint)");
    co_await must(store, "insert into t values (1)");
    const std::unique_ptr<ChangeStream> stream = co_await must_open(streams, "slot");
    const std::string before = co_await confirmed_place(store);
    co_await must(store, "update t set n = 2");
    co_await must(store, "delete from t");
    co_await must(store, "truncate t");
    co_await must(store, "select pg_logical_emit_message(true, 'p', 'INSERT')");
    co_await expect_nothing(*stream);
    const std::string after = co_await confirmed_place(store);
    EXPECT_NE(before, after);
    // … but not what comes behind a row that nobody confirmed.
    co_await must(store, "insert into t values (1)");
    co_await must(store, "delete from t");
    const std::vector<Change> changes = co_await must_read(*stream, 100);
    EXPECT_EQ(changes.size(), 1U);
    const std::string kept = co_await confirmed_place(store);
    EXPECT_EQ(kept, after);
}

TEST_F(PostgresStreams, TheServerForgetsWhatHasNoRowsForUs) {
    process_.run(forget_by_itself(*store_, *streams_));
}

asio::awaitable<void> stream_values(Store& store, ChangeStreams& streams) {
    co_await must(store, "create table \"My 'T'\" (a bigint, \"B \"\"x\" text, c text, d boolean,"
                         " e double precision, f bytea, g text[], h character varying(9),"
                         " i numeric, j timestamp, \"select\" jsonb)");
    co_await must(store, "create schema other");
    co_await must(store, "create table other.t (n integer)");
    const std::unique_ptr<ChangeStream> stream = co_await must_open(streams, "slot");
    const std::string text = "it's \n table public.t: INSERT: a[bigint]:1 '' \\ \"";
    const std::string bytes("\0\xff'", 3);
    co_await must(store,
                  "insert into \"My 'T'\" values ($1, $2, null, true, 0.5, $3,"
                  " array['x', 'it''s'], 'null', 12, '2026-01-02 03:04:05', '{\"a\": \"b''\"}')",
                  parameters(-7, text, bytes));
    co_await must(store, "insert into other.t values (1)");
    const std::vector<Change> changes = co_await must_read(*stream, 100);
    EXPECT_EQ(changes.size(), 2U);
    EXPECT_EQ(changes.at(0).table, "My 'T'");
    const std::vector<std::string> columns{"a", "B \"x", "c", "d", "e",     "f",
                                           "g", "h",     "i", "j", "select"};
    EXPECT_EQ(changes.at(0).columns, columns);
    const Row row{std::int64_t{-7},
                  text,
                  std::monostate{},
                  std::int64_t{1},
                  0.5,
                  bytes,
                  std::string("{x,it's}"),
                  std::string("null"),
                  std::int64_t{12},
                  std::string("2026-01-02 03:04:05"),
                  std::string("{\"a\": \"b'\"}")};
    EXPECT_EQ(changes.at(0).row, row);
    EXPECT_EQ(changes.at(1).table, "other.t");
}

TEST_F(PostgresStreams, KeepValuesWhatTheyWere) {
    process_.run(stream_values(*store_, *streams_));
}

// --- The texts of test_decoding.

TEST(TestDecoding, ReadsWhatThePluginWrites) {
    EXPECT_TRUE(std::holds_alternative<DecodedBegin>(read_decoded("BEGIN 693").value()));
    EXPECT_TRUE(std::holds_alternative<DecodedCommit>(read_decoded("COMMIT 693").value()));
    const auto other = [](std::string_view text) {
        return std::holds_alternative<DecodedOther>(read_decoded(text).value());
    };
    EXPECT_TRUE(other("table public.t: UPDATE: old-key: a[integer]:1 new-tuple: a[integer]:2"));
    EXPECT_TRUE(other("table public.t: DELETE: (no-tuple-data)"));
    EXPECT_TRUE(other("table public.t, public.\"U, v\": TRUNCATE: (no-flags)"));
    const auto insert = std::get<DecodedInsert>(
        read_decoded("table \"S.\".\"a: INSERT:\": INSERT: \"x[\"[s.\"odd]:\"]:'a''b' b[bit]:B'10'"
                     " c[\"char\"]:'c' d[double precision]:NaN e[integer[]]:'{1}' f[bigint]:null")
            .value());
    EXPECT_EQ(insert.schema, "S.");
    EXPECT_EQ(insert.change.table, "a: INSERT:");
    EXPECT_EQ(insert.change.columns, (std::vector<std::string>{"x[", "b", "c", "d", "e", "f"}));
    EXPECT_EQ(insert.change.row.at(0), Value(std::string("a'b")));
    EXPECT_EQ(insert.change.row.at(1), Value(std::string("10")));
    EXPECT_EQ(insert.change.row.at(4), Value(std::string("{1}")));
    EXPECT_EQ(insert.change.row.at(5), Value());
}

TEST(TestDecoding, RefusesWhatItDoesNotWhollyUnderstand) {
    for (const char* text :
         {"", "BEGIN", "BEGIN x", "COMMIT 1 ", "table t: INSERT: a[integer]:1",
          "table public.t: INSERT: a[integer]:", "table public.t: INSERT: a[integer]:1 ",
          "table public.t: INSERT: a[text]:'x", "table public.t: INSERT: a[text]:'x'y",
          "table public.t: INSERT: a[text:'x'", "table public.t: INSERT: a:1",
          "table public.t: INSERT: A[text]:'x'", "table public.t: MERGE: a[text]:'x'",
          "table public.t: INSERT: []:1", "streaming"}) {
        EXPECT_FALSE(read_decoded(text)) << text;
    }
}

} // namespace
} // namespace crier::conformance
