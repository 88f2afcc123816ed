#include "broker-model/store/sql_functions.hpp"

#include "messaging/ports/ensure.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <sqlite3.h>
#include <string>

namespace crier::broker {

namespace {

constexpr std::uint64_t blob_size_max = 1'000'000;

// **Source**: PostgreSQL async.c, Async_Notify.
constexpr std::size_t notified_name_max = 64;
constexpr std::size_t payload_size_max = 8000;

std::string_view text_of(sqlite3_value* value) {
    const unsigned char* const text = sqlite3_value_text(value);
    if (text == nullptr) return {};
    return {reinterpret_cast<const char*>(text),
            static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

void fail(sqlite3_context* context, const char* why) {
    sqlite3_result_error(context, why, -1);
}

bool is_word(sqlite3_value* value, const char* word) {
    return sqlite3_value_type(value) == SQLITE_TEXT &&
           sqlite3_stricmp(reinterpret_cast<const char*>(sqlite3_value_text(value)), word) == 0;
}

enum class DateFunction : std::size_t { date, time, datetime, julianday, unixepoch, strftime };
constexpr std::array<const char*, 6> date_names{"date",      "time",      "datetime",
                                                "julianday", "unixepoch", "strftime"};

/// Returns `2026-01-01 00:00:00.000`.
std::string written_out(WallTime time) {
    const auto since = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
    const auto days = std::chrono::floor<std::chrono::days>(since);
    const std::chrono::year_month_day date{std::chrono::sys_days(days)};
    const std::chrono::hh_mm_ss clock{since - days};
    std::array<char, 64> text{};
    const int length = std::snprintf(
        text.data(), text.size(), "%04d-%02u-%02u %02d:%02d:%02d.%03d",
        static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
        static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
        static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()),
        static_cast<int>(clock.subseconds().count()));
    return {text.data(), static_cast<std::size_t>(length)};
}

sqlite3* open_calendar() {
    sqlite3* connection = nullptr;
    const int opened = sqlite3_open_v2(":memory:", &connection,
                                       SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
    ensure(opened == SQLITE_OK, "a connection without a file opens");
    return connection;
}

} // namespace

void SqlSources::notify(std::string_view, std::string_view) {}

bool SqlSources::is_unlocked(LockMode, std::string_view, std::int64_t) {
    return true;
}

struct SqlFunctions::Glue {
    static SqlFunctions* self(sqlite3_context* context) {
        auto* const functions = static_cast<SqlFunctions*>(sqlite3_user_data(context));
        if (functions->sources_ != nullptr) return functions;
        fail(context, "not available when the harness reads");
        return nullptr;
    }

    static void random(sqlite3_context* context, int, sqlite3_value**) {
        SqlFunctions* const functions = self(context);
        if (functions == nullptr) return;
        const std::uint64_t bits = functions->sources_->random(functions->draws_++);
        sqlite3_result_int64(context, static_cast<std::int64_t>(bits));
    }

    static void random_blob(sqlite3_context* context, int, sqlite3_value** arguments) {
        SqlFunctions* const functions = self(context);
        if (functions == nullptr) return;
        const std::int64_t asked = std::max<std::int64_t>(1, sqlite3_value_int64(arguments[0]));
        const std::uint64_t size = static_cast<std::uint64_t>(asked);
        if (size > blob_size_max) return fail(context, "randomblob: too long");
        std::string bytes;
        while (bytes.size() < size) {
            std::uint64_t bits = functions->sources_->random(functions->draws_++);
            for (int at = 0; at < 8 && bytes.size() < size; ++at, bits >>= 8) {
                bytes.push_back(static_cast<char>(bits & 0xFF));
            }
        }
        sqlite3_result_blob(context, bytes.data(), static_cast<int>(size), SQLITE_TRANSIENT);
    }

    static void next_value(sqlite3_context* context, int, sqlite3_value** arguments) {
        SqlFunctions* const functions = self(context);
        if (functions == nullptr) return;
        std::int64_t value = 0;
        switch (functions->sources_->next_value(text_of(arguments[0]), value)) {
        case SequenceResult::done: sqlite3_result_int64(context, value); return;
        case SequenceResult::disk_full: sqlite3_result_error_code(context, SQLITE_FULL); return;
        case SequenceResult::dead: sqlite3_result_error_code(context, SQLITE_IOERR); return;
        default: fail(context, "nextval: no such sequence"); return;
        }
    }

    static void notify(sqlite3_context* context, int, sqlite3_value** arguments) {
        SqlFunctions* const functions = self(context);
        if (functions == nullptr) return;
        const std::string_view channel = text_of(arguments[0]);
        const std::string_view payload = text_of(arguments[1]);
        if (channel.empty()) return fail(context, "channel name cannot be empty");
        if (channel.size() >= notified_name_max) return fail(context, "channel name too long");
        if (payload.size() >= payload_size_max) return fail(context, "payload string too long");
        functions->sources_->notify(channel, payload);
        sqlite3_result_text(context, "", 0, SQLITE_STATIC); // PostgreSQL's void
    }

    static void transaction_id(sqlite3_context* context, int, sqlite3_value**) {
        SqlFunctions* const functions = self(context);
        if (functions == nullptr) return;
        const auto number = static_cast<sqlite3_int64>(functions->sources_->transaction_id());
        sqlite3_result_int64(context, number);
    }

    // Written as PostgreSQL writes it: `xmin:xmax:xip,xip`.
    static void snapshot(sqlite3_context* context, int, sqlite3_value**) {
        SqlFunctions* const functions = self(context);
        if (functions == nullptr) return;
        const TransactionsRunning running = functions->sources_->running();
        std::string text =
            std::to_string(running.lowest) + ":" + std::to_string(running.next) + ":";
        for (const std::uint64_t number : running.numbers)
            text += (text.back() == ':' ? "" : ",") + std::to_string(number);
        sqlite3_result_text(context, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
    }

    template <int part>
    static void part_of_snapshot(sqlite3_context* context, int, sqlite3_value** arguments) {
        std::string_view text = text_of(arguments[0]);
        for (int at = 0; at < part; ++at)
            text.remove_prefix(std::min(text.size(), text.find(':') + 1));
        std::int64_t number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc()) return fail(context, "expected a snapshot of transactions");
        sqlite3_result_int64(context, number);
    }

    static void unlocked(sqlite3_context* context, int, sqlite3_value** arguments) {
        SqlFunctions* const functions = self(context);
        if (functions == nullptr) return;
        const bool free = functions->sources_->is_unlocked(
            static_cast<LockMode>(sqlite3_value_int(arguments[0])), text_of(arguments[1]),
            sqlite3_value_int64(arguments[2]));
        sqlite3_result_int(context, free ? 1 : 0);
    }

    // SQLite's date functions take `now` from the file system, which does not know whose connection
    // asks. So its own functions do the work on another connection, with the time written out.
    template <DateFunction function>
    static void date(sqlite3_context* context, int count, sqlite3_value** arguments) {
        SqlFunctions* const functions = self(context);
        if (functions == nullptr) return;
        const int time_at = function == DateFunction::strftime ? 1 : 0;
        for (int at = time_at; at < count; ++at) {
            if (is_word(arguments[at], "localtime") || is_word(arguments[at], "utc")) {
                return fail(context, "a database server has no time zone but UTC");
            }
        }
        if (functions->calendar_ == nullptr) functions->calendar_ = open_calendar();
        const int shown = std::max(count, time_at + 1);
        std::string sql =
            std::string("select ") + date_names[static_cast<std::size_t>(function)] + "(?1";
        for (int at = 2; at <= shown; ++at)
            sql += ",?" + std::to_string(at);
        sql += ")";
        sqlite3_stmt* statement = nullptr;
        if (sqlite3_prepare_v2(functions->calendar_, sql.c_str(), -1, &statement, nullptr) !=
            SQLITE_OK) {
            return fail(context, sqlite3_errmsg(functions->calendar_));
        }
        for (int at = 0; at < count; ++at)
            sqlite3_bind_value(statement, at + 1, arguments[at]);
        if (count <= time_at || is_word(arguments[time_at], "now")) {
            const std::string now = written_out(functions->sources_->wall_now());
            sqlite3_bind_text(statement, time_at + 1, now.c_str(), -1, SQLITE_TRANSIENT);
        }
        if (sqlite3_step(statement) == SQLITE_ROW) {
            sqlite3_result_value(context, sqlite3_column_value(statement, 0));
        } else {
            fail(context, sqlite3_errmsg(functions->calendar_));
        }
        sqlite3_finalize(statement);
    }
};

SqlFunctions::SqlFunctions(sqlite3* connection, SqlSources* sources) : sources_(sources) {
    using Function = void (*)(sqlite3_context*, int, sqlite3_value**);
    const auto add = [&](const char* name, int arguments, Function function) {
        const int result =
            sqlite3_create_function_v2(connection, name, arguments, SQLITE_UTF8 | SQLITE_INNOCUOUS,
                                       this, function, nullptr, nullptr, nullptr);
        ensure(result == SQLITE_OK, "SQLite takes a function");
    };
    add("random", 0, &Glue::random);
    add("randomblob", 1, &Glue::random_blob);
    add("nextval", 1, &Glue::next_value);
    add("pg_notify", 2, &Glue::notify);
    add("pg_current_xact_id", 0, &Glue::transaction_id);
    add("pg_current_snapshot", 0, &Glue::snapshot);
    add("pg_snapshot_xmin", 1, &Glue::part_of_snapshot<0>);
    add("pg_snapshot_xmax", 1, &Glue::part_of_snapshot<1>);
    add("unlocked", 3, &Glue::unlocked); // what a locking clause becomes
    add("date", -1, &Glue::date<DateFunction::date>);
    add("time", -1, &Glue::date<DateFunction::time>);
    add("datetime", -1, &Glue::date<DateFunction::datetime>);
    add("julianday", -1, &Glue::date<DateFunction::julianday>);
    add("unixepoch", -1, &Glue::date<DateFunction::unixepoch>);
    add("strftime", -1, &Glue::date<DateFunction::strftime>);
    add("current_date", 0, &Glue::date<DateFunction::date>);
    add("current_time", 0, &Glue::date<DateFunction::time>);
    add("current_timestamp", 0, &Glue::date<DateFunction::datetime>);
}

SqlFunctions::~SqlFunctions() {
    sqlite3_close_v2(calendar_);
}

} // namespace crier::broker
