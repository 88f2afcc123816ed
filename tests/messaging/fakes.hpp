#pragma once

#include "messaging/ports/process.hpp"
#include "messaging/ports/store.hpp"
#include "messaging/ports/subscription.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <sqlite3.h>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

// The ports in memory, for tests of the product code. Time is a number that the test moves. The
// store is SQLite, with one connection that transactions take turns at.

namespace crier::messaging::fakes {

/// Completes when `timer` is cancelled: a timer that never ends is Asio's condition variable.
inline asio::awaitable<void> wait_on(std::shared_ptr<asio::steady_timer> timer) {
    co_await timer->async_wait(asio::as_tuple(asio::use_awaitable));
}

inline std::shared_ptr<asio::steady_timer> condition(asio::any_io_executor executor) {
    return std::make_shared<asio::steady_timer>(std::move(executor),
                                                asio::steady_timer::time_point::max());
}

class FakeClock final : public Clock {
public:
    explicit FakeClock(asio::any_io_executor executor) : executor_(std::move(executor)) {}

    [[nodiscard]] Instant now() const override { return now_; }
    [[nodiscard]] WallTime wall_now() const override {
        return WallTime(now_.time_since_epoch() + wall_offset);
    }

    asio::awaitable<void> sleep(Duration duration) override {
        const auto timer = condition(executor_);
        const auto due = std::make_shared<bool>(false);
        Sleeper sleeper(timer, due);
        sleepers_.emplace(now_ + std::max(duration, Duration::zero()), std::move(sleeper));
        co_await wait_on(timer);
        if (!*due) throw boost::system::system_error(asio::error::operation_aborted);
    }

    /// Returns when the next sleeper wakes.
    [[nodiscard]] std::optional<Instant> next() const {
        if (sleepers_.empty()) return std::nullopt;
        return sleepers_.begin()->first;
    }

    void move_to(Instant time) {
        now_ = std::max(now_, time);
        while (!sleepers_.empty() && sleepers_.begin()->first <= now_) {
            const Sleeper sleeper = std::move(sleepers_.begin()->second);
            sleepers_.erase(sleepers_.begin());
            *sleeper.second = true;
            sleeper.first->cancel();
        }
    }

    void clear() { sleepers_.clear(); }

    Duration wall_offset = std::chrono::hours(1);

private:
    using Sleeper = std::pair<std::shared_ptr<asio::steady_timer>, std::shared_ptr<bool>>;

    asio::any_io_executor executor_;
    Instant now_{};
    std::multimap<Instant, Sleeper> sleepers_;
};

class FakeIds final : public Ids {
public:
    explicit FakeIds(std::string prefix) : prefix_(std::move(prefix)) {}
    std::string next() override { return prefix_ + std::to_string(++last_); }
    std::uint64_t draw(std::string_view, std::string_view, std::uint64_t) override { return bits; }

    std::uint64_t bits = 0;

private:
    std::string prefix_;
    int last_ = 0;
};

class FakeObserver final : public Observer {
public:
    void reached(std::string_view point) override {
        ++points[std::string(point)];
        if (on_point) on_point(point);
    }
    void attempting(std::string_view id, int attempt) override { note("attempting", id, attempt); }
    void attempt_failed(std::string_view id, int attempt, std::string_view) override {
        note("failed", id, attempt);
    }
    void called_out(std::string_view id, std::string_view key) override {
        log.push_back("called " + std::string(id) + " " + std::string(key));
    }
    void settled(std::string_view id, Fate fate, std::string_view) override {
        const char* const names[] = {"done", "duplicate", "parked", "discarded"};
        log.push_back(std::string(names[static_cast<int>(fate)]) + " " + std::string(id));
    }

    std::map<std::string, int> points;
    std::vector<std::string> log; ///< `attempting m1 2`, `failed m1 2`, `done m1` and so on.
    std::function<void(std::string_view)> on_point;

private:
    void note(const char* what, std::string_view id, int attempt) {
        log.push_back(std::string(what) + " " + std::string(id) + " " + std::to_string(attempt));
    }
};

class FakeBackground final : public Background {
public:
    explicit FakeBackground(asio::any_io_executor executor) : executor_(std::move(executor)) {}
    asio::any_io_executor executor() override { return executor_; }
    void spawn(std::string_view, asio::awaitable<void> work) override {
        asio::co_spawn(executor_, std::move(work), [](std::exception_ptr error) {
            if (error) std::rethrow_exception(error);
        });
    }

private:
    asio::any_io_executor executor_;
};

/// One process. Destroying it is its crash: its coroutines vanish where they are.
class Process {
public:
    explicit Process(std::string name = "p")
        : io_(std::make_unique<asio::io_context>(1)), clock(io_->get_executor()),
          ids(std::move(name)), background(io_->get_executor()) {}
    ~Process() {
        clock.clear();
        io_.reset();
    }

    [[nodiscard]] ProcessPorts ports() { return {clock, ids, observer, background}; }

    void start(asio::awaitable<void> work) { background.spawn("test", std::move(work)); }

    /// Runs what is ready and lets `duration` pass, timer by timer.
    void run(Duration duration) {
        const Instant end = clock.now() + duration;
        while (true) {
            poll();
            const std::optional<Instant> next = clock.next();
            if (!next || *next > end) break;
            clock.move_to(*next);
        }
        clock.move_to(end);
        poll();
    }

    void poll() {
        io_->restart();
        io_->poll();
    }

private:
    std::unique_ptr<asio::io_context> io_;

public:
    FakeClock clock;
    FakeIds ids;
    FakeObserver observer;
    FakeBackground background;
};

/// Runs `work` in `process` until it has a value; `patience` is how long that may take.
template <class T>
T await(Process& process, asio::awaitable<T> work, Duration patience = std::chrono::seconds(60)) {
    std::optional<T> value;
    const auto store = [](asio::awaitable<T> inner,
                          std::optional<T>* out) -> asio::awaitable<void> {
        out->emplace(co_await std::move(inner));
    };
    process.start(store(std::move(work), &value));
    const Instant end = process.clock.now() + patience;
    process.poll();
    while (!value && process.clock.now() < end)
        process.run(std::chrono::milliseconds(1));
    if (!value) throw std::runtime_error("nothing came");
    return std::move(*value);
}

class FakeStore final : public Store {
public:
    FakeStore() {
        sqlite3_open(":memory:", &database_);
        sqlite3_create_function(database_, "nextval", 1, SQLITE_UTF8 | SQLITE_INNOCUOUS, this,
                                &nextval, nullptr, nullptr);
        sqlite3_create_function(database_, "pg_current_xact_id", 0, SQLITE_UTF8, this, &xact_id,
                                nullptr, nullptr);
        sqlite3_create_function(database_, "pg_current_snapshot", 0, SQLITE_UTF8, this, &snapshot,
                                nullptr, nullptr);
        sqlite3_create_function(database_, "pg_snapshot_xmin", 1, SQLITE_UTF8, this, &xmin, nullptr,
                                nullptr);
        sqlite3_create_function(database_, "pg_notify", 2, SQLITE_UTF8, this, &notify, nullptr,
                                nullptr);
    }
    ~FakeStore() override { sqlite3_close(database_); }
    FakeStore(const FakeStore&) = delete;
    FakeStore& operator=(const FakeStore&) = delete;

    asio::awaitable<Outcome<std::unique_ptr<Transaction>>> begin() override {
        ++begins;
        co_await lock();
        if (const std::optional<Failure> failure = inject("begin")) {
            unlock();
            co_return *failure;
        }
        std::unique_ptr<Transaction> transaction = std::make_unique<FakeTransaction>(*this);
        co_return transaction;
    }

    asio::awaitable<Outcome<Rows>> execute(std::string sql, std::vector<Value> values) override {
        co_await lock();
        const std::optional<Failure> failure = inject(sql);
        if (failure && failure->certainty == Certainty::failed) {
            unlock();
            co_return *failure;
        }
        Outcome<Rows> rows = run(sql, values);
        unlock();
        if (failure) co_return *failure;
        co_return rows;
    }

    /// Runs `sql` at once, for a test's own questions.
    Rows ask(const std::string& sql) { return run(sql, {}).value(); }
    std::int64_t count(const std::string& sql) { return std::get<std::int64_t>(ask(sql)[0][0]); }
    void create(const std::vector<std::string>& schema) {
        for (const std::string& statement : schema)
            ask(statement);
    }

    /// Asked before each call with its SQL, `begin` or `commit`. A failure that is unknown is
    /// reported although the call is carried out.
    std::function<std::optional<Failure>(const std::string&)> fault;
    /// Told of each `pg_notify`, when it is executed.
    std::function<void(const std::string&)> on_notify;
    /// A transaction of somebody else: takes a number, and a position of the outbox.
    std::int64_t begin_elsewhere() {
        running_.insert(++last_number);
        return last_number;
    }
    void end_elsewhere(std::int64_t number) { running_.erase(number); }
    std::int64_t take_position() { return ++sequence_; }

    std::int64_t last_number = 700; ///< Of transactions; statements only take one if they ask.
    bool unknown_commits_happen = true;
    int begins = 0;
    std::vector<std::string> statements;

private:
    class FakeTransaction final : public Transaction {
    public:
        explicit FakeTransaction(FakeStore& store) : store_(store) { store_.raw("begin"); }
        ~FakeTransaction() override { end("rollback"); }

        asio::awaitable<Outcome<Rows>> execute(std::string sql,
                                               std::vector<Value> values) override {
            if (const std::optional<Failure> failure = store_.inject(sql)) co_return *failure;
            co_return store_.run(sql, values);
        }
        asio::awaitable<Outcome<void>> commit() override {
            const std::optional<Failure> failure = store_.inject("commit");
            const bool unknown = failure && failure->certainty == Certainty::unknown;
            end(!failure || (unknown && store_.unknown_commits_happen) ? "commit" : "rollback");
            if (failure) co_return *failure;
            co_return Outcome<void>();
        }
        asio::awaitable<void> rollback() override {
            end("rollback");
            co_return;
        }

    private:
        void end(const char* how) {
            if (!open_) return;
            open_ = false;
            store_.raw(how);
            store_.unlock();
        }
        FakeStore& store_;
        bool open_ = true;
    };

    asio::awaitable<void> lock() {
        while (locked_) {
            const asio::any_io_executor executor = co_await asio::this_coro::executor;
            const auto turn = condition(executor);
            waiting_.push_back(turn);
            co_await wait_on(turn);
        }
        locked_ = true;
    }

    void unlock() {
        locked_ = false;
        // Those of a process that crashed are gone.
        while (!waiting_.empty()) {
            const std::shared_ptr<asio::steady_timer> turn = waiting_.front().lock();
            waiting_.pop_front();
            if (!turn) continue;
            turn->cancel();
            break;
        }
    }

    std::optional<Failure> inject(const std::string& call) {
        return fault ? fault(call) : std::nullopt;
    }

    void raw(const char* sql) { sqlite3_exec(database_, sql, nullptr, nullptr, nullptr); }

    Outcome<Rows> run(const std::string& sql, const std::vector<Value>& values) {
        statements.push_back(sql);
        if (sql.starts_with("create sequence")) return Rows();
        sqlite3_stmt* statement = nullptr;
        if (sqlite3_prepare_v2(database_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
            throw std::runtime_error(std::string(sqlite3_errmsg(database_)) + ": " + sql);
        }
        for (std::size_t index = 0; index < values.size(); ++index) {
            bind(statement, values[index], "$" + std::to_string(index + 1));
        }
        Rows rows;
        int code = sqlite3_step(statement);
        for (; code == SQLITE_ROW; code = sqlite3_step(statement)) {
            rows.emplace_back();
            for (int column = 0; column < sqlite3_column_count(statement); ++column) {
                rows.back().push_back(read(statement, column));
            }
        }
        sqlite3_finalize(statement);
        // `returning` promises no order.
        if (sql.starts_with("update")) std::reverse(rows.begin(), rows.end());
        if (code == SQLITE_CONSTRAINT)
            return Failure{StoreError::unique_violation, Certainty::failed};
        if (code != SQLITE_DONE) return Failure{StoreError::statement_error, Certainty::failed};
        return rows;
    }

    static void bind(sqlite3_stmt* statement, const Value& value, const std::string& name) {
        const int place = sqlite3_bind_parameter_index(statement, name.c_str());
        if (place == 0) throw std::runtime_error("unused parameter " + name);
        if (const auto* number = std::get_if<std::int64_t>(&value)) {
            sqlite3_bind_int64(statement, place, *number);
        } else if (const auto* text = std::get_if<std::string>(&value)) {
            sqlite3_bind_text(statement, place, text->data(), static_cast<int>(text->size()),
                              SQLITE_TRANSIENT);
        }
    }

    static Value read(sqlite3_stmt* statement, int column) {
        switch (sqlite3_column_type(statement, column)) {
        case SQLITE_INTEGER: return sqlite3_column_int64(statement, column);
        case SQLITE_TEXT: {
            const auto* text =
                reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
            return std::string(text,
                               static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
        }
        default: return std::monostate();
        }
    }

    static void nextval(sqlite3_context* context, int, sqlite3_value**) {
        auto* const store = static_cast<FakeStore*>(sqlite3_user_data(context));
        sqlite3_result_int64(context, ++store->sequence_);
    }

    static void xact_id(sqlite3_context* context, int, sqlite3_value**) {
        auto* const store = static_cast<FakeStore*>(sqlite3_user_data(context));
        sqlite3_result_int64(context, ++store->last_number);
    }
    static void snapshot(sqlite3_context* context, int, sqlite3_value**) {
        const auto* const store = static_cast<const FakeStore*>(sqlite3_user_data(context));
        const std::int64_t next = store->last_number + 1;
        sqlite3_result_int64(context, store->running_.empty() ? next : *store->running_.begin());
    }
    static void xmin(sqlite3_context* context, int, sqlite3_value** snapshot) {
        sqlite3_result_value(context, snapshot[0]);
    }
    static void notify(sqlite3_context* context, int, sqlite3_value** values) {
        const auto* const store = static_cast<const FakeStore*>(sqlite3_user_data(context));
        const auto* const channel = reinterpret_cast<const char*>(sqlite3_value_text(values[0]));
        if (store->on_notify) store->on_notify(channel);
        sqlite3_result_null(context);
    }

    sqlite3* database_ = nullptr;
    std::set<std::int64_t> running_;
    std::int64_t sequence_ = 0;
    bool locked_ = false;
    std::deque<std::weak_ptr<asio::steady_timer>> waiting_;
};

/// A queue in memory; its lanes never go away by themselves.
class FakeSubscription final : public Subscription {
public:
    explicit FakeSubscription(Clock& clock) : clock_(clock) {}

    void push(std::string id, std::string key, std::string body = {}, std::uint64_t lane = 1,
              int count = 0) {
        Delivery delivery;
        delivery.delivery_count = count;
        delivery.message.id = std::move(id);
        delivery.message.key = std::move(key);
        delivery.message.body = std::move(body);
        delivery.lane = lane;
        delivery.token = ++last_;
        delivery.origin = "orders/" + std::to_string(lane) + "@" + std::to_string(last_);
        incoming_.push_back(std::move(delivery));
    }

    asio::awaitable<Outcome<std::vector<Delivery>>> receive(Duration wait) override {
        ++receives;
        if (between_receives) co_await between_receives();
        std::vector<Delivery> deliveries;
        if (incoming_.empty() || !held.empty()) {
            co_await clock_.sleep(wait);
            if (!held.empty()) co_return deliveries;
        }
        std::swap(deliveries, incoming_);
        co_return deliveries;
    }
    asio::awaitable<Outcome<void>> settle(const Delivery& delivery, Settlement how) override {
        settled.push_back(delivery.message.id);
        settlements.push_back(how);
        co_return Outcome<void>();
    }
    asio::awaitable<Outcome<void>> flush() override {
        flushed = settled.size();
        co_return Outcome<void>();
    }
    asio::awaitable<Outcome<void>> extend(const Delivery&, Duration) override {
        co_return Outcome<void>();
    }
    void hold(std::uint64_t lane, bool on) override {
        if (on) {
            held.insert(lane);
        } else {
            held.erase(lane);
        }
    }
    asio::awaitable<void> close() override {
        closed = true;
        co_return;
    }

    std::vector<std::string> settled; ///< Ids, in the order of settlement.
    std::vector<Settlement> settlements;
    std::size_t flushed = 0;
    int receives = 0;
    std::set<std::uint64_t> held;
    bool closed = false;
    std::function<asio::awaitable<void>()> between_receives;

private:
    Clock& clock_;
    std::vector<Delivery> incoming_;
    std::uint64_t last_ = 0;
};

class FakePublisher final : public Publisher {
public:
    explicit FakePublisher(Clock& clock) : clock_(clock) {}

    asio::awaitable<std::vector<Outcome<void>>> publish(std::string channel,
                                                        std::vector<Message> messages) override {
        ++calls;
        if (on_publish) on_publish(messages);
        if (latency > Duration::zero()) co_await clock_.sleep(latency);
        std::vector<Outcome<void>> outcomes;
        for (Message& message : messages) {
            const std::optional<Failure> failure = fault ? fault(message) : std::nullopt;
            if (failure) {
                outcomes.emplace_back(*failure);
            } else {
                outcomes.emplace_back();
            }
            if (failure && failure->certainty == Certainty::failed) continue;
            channels.push_back(channel);
            published.push_back(std::move(message));
        }
        co_return outcomes;
    }

    [[nodiscard]] std::vector<std::string> ids() const {
        std::vector<std::string> list;
        for (const Message& message : published)
            list.push_back(message.id);
        return list;
    }

    std::vector<std::string> channels;
    std::vector<Message> published;
    std::function<std::optional<Failure>(const Message&)> fault;
    std::function<void(const std::vector<Message>&)> on_publish;
    Duration latency{};
    int calls = 0;

private:
    Clock& clock_;
};

} // namespace crier::messaging::fakes
