#include "tests/conformance/postgres_arm.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <stdexcept>

namespace crier::conformance {

namespace {

using namespace std::chrono_literals;
using messaging::postgres::PostgresStore;

/// Much longer than any statement takes that does not wait.
constexpr Duration patience = 20s;

/// By process of the server, whom it waits for.
using Waits = std::map<std::int64_t, std::vector<std::int64_t>>;

std::vector<std::int64_t> read_list(std::string_view text) {
    std::vector<std::int64_t> list;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(','), text.size());
        std::int64_t number = 0;
        std::from_chars(text.data(), text.data() + end, number);
        list.push_back(number);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return list;
}

/// Whether `from` waits for itself, by way of others.
bool is_in_cycle(const Waits& waits, std::int64_t from) {
    std::set<std::int64_t> seen;
    std::vector<std::int64_t> next = waits.at(from);
    while (!next.empty()) {
        const std::int64_t at = next.back();
        next.pop_back();
        if (at == from) return true;
        const auto found = waits.find(at);
        if (found == waits.end() || !seen.insert(at).second) continue;
        next.insert(next.end(), found->second.begin(), found->second.end());
    }
    return false;
}

asio::awaitable<Rows> must(Store& store, std::string sql, std::vector<Value> values) {
    Outcome<Rows> rows = co_await store.execute(std::move(sql), std::move(values));
    co_return std::move(rows.value());
}

} // namespace

PostgresArm::PostgresArm(ProcessPorts ports, const messaging::postgres::PostgresOptions& options,
                         std::size_t sessions, std::size_t number)
    : ports_(ports), schema_("arm" + std::to_string(number)) {
    messaging::postgres::PostgresOptions own = options;
    own.connections_max = 1;
    own.statements_max = 200;
    own.session_setup = {"set search_path = " + schema_, "set deadlock_timeout = '3ms'"};
    for (std::size_t session = 0; session < sessions; ++session)
        sessions_.push_back(std::make_unique<PostgresStore>(ports_.background, own));
    observer_ = std::make_unique<PostgresStore>(ports_.background, own);
}

asio::awaitable<void> PostgresArm::prepare() {
    co_await must(*observer_, "create schema " + schema_, parameters());
    for (std::string& statement : store_program_schema())
        co_await must(*observer_, std::move(statement), parameters());
    for (const auto& session : sessions_) {
        const Rows rows = co_await must(*session, "select pg_backend_pid()", parameters());
        processes_.push_back(std::get<std::int64_t>(rows.at(0).at(0)));
        process_list_ += (process_list_.empty() ? "{" : ",") + std::to_string(processes_.back());
    }
    process_list_ += "}";
}

asio::awaitable<void> PostgresArm::reset() {
    co_await must(*observer_, "truncate items, parts", parameters());
    co_await must(*observer_, "select setval('numbers', 1, false)", parameters());
    for (std::string& statement : store_program_rows())
        co_await must(*observer_, std::move(statement), parameters());
}

asio::awaitable<void> PostgresArm::settle(Pending pending) {
    const Instant give_up = ports_.clock.now() + patience;
    // Most are answered in less than it takes to ask the server about them.
    for (int look = 0; look < 5 && !pending().empty(); ++look)
        co_await ports_.clock.sleep(200us);
    for (;;) {
        const std::vector<std::size_t> open = pending();
        if (open.empty()) break;
        const bool rests = co_await all_wait(open);
        if (rests && pending() == open) break;
        if (ports_.clock.now() > give_up) throw std::runtime_error("the sessions do not rest");
        co_await ports_.clock.sleep(500us);
    }
}

/// Whether all wait for locks that were not granted (a lock is granted by whoever gives it up,
/// before that one is answered), the check for a deadlock is behind each, and found none.
asio::awaitable<bool> PostgresArm::all_wait(std::vector<std::size_t> pending) {
    const Rows rows =
        co_await must(*observer_,
                      "select pid, array_to_string(pg_blocking_pids(pid), ','),"
                      " waitstart < clock_timestamp() - interval '9 ms'"
                      " from pg_locks where not granted and pid = any(cast($1 as integer[]))",
                      parameters(process_list_));
    Waits waits;
    for (const Row& row : rows) {
        if (row.at(2) != Value(std::int64_t{1})) co_return false;
        waits[std::get<std::int64_t>(row.at(0))] = read_list(std::get<std::string>(row.at(1)));
    }
    for (const std::size_t session : pending) {
        const std::int64_t process = processes_.at(session);
        if (!waits.contains(process) || is_in_cycle(waits, process)) co_return false;
    }
    co_return true;
}

} // namespace crier::conformance
