#pragma once

#include "broker-model/events.hpp"
#include "broker-model/store/sim_change_streams.hpp"
#include "broker-model/store/sim_notifications.hpp"
#include "broker-model/store/sim_store.hpp"
#include "sim/world.hpp"

#include <deque>
#include <string>
#include <vector>

// A small world for tests of the store: one database, and clients that each run one script and note
// what came of it.

namespace crier::broker::test {

using Notes = std::vector<std::string>;

/// `ok`, `failed unique_violation`, `unknown connection_lost` …
template <class T>
std::string told(const Outcome<T>& outcome) {
    if (outcome) return "ok";
    const std::string certainty = is_unknown(outcome.error()) ? "unknown " : "failed ";
    switch (static_cast<StoreError>(outcome.error().code.value())) {
    case StoreError::unique_violation: return certainty + "unique_violation";
    case StoreError::foreign_key_violation: return certainty + "foreign_key_violation";
    case StoreError::check_violation: return certainty + "check_violation";
    case StoreError::lock_timeout: return certainty + "lock_timeout";
    case StoreError::connection_lost: return certainty + "connection_lost";
    case StoreError::unavailable: return certainty + "unavailable";
    case StoreError::aborted: return certainty + "aborted";
    case StoreError::statement_error: return certainty + "statement_error";
    case StoreError::disk_full: return certainty + "disk_full";
    default: return certainty + outcome.error().code.message();
    }
}

/// The value as text; integers in decimal.
inline std::string told(const Value& value) {
    if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    if (const auto* real = std::get_if<double>(&value)) return std::to_string(*real);
    return "null";
}

class Stage;

/// What runs on a client's node.
struct Client final : sim::Program {
    Client(sim::Node& home, Database& database, Notes& all)
        : node(home), ports(home), store(database, home), notifications(database, home),
          streams(database, home), notes(all) {}

    void note(const std::string& what) { notes.push_back(node.name() + ": " + what); }
    asio::awaitable<void> sleep(Duration duration) { return ports.sleep(duration); }

    sim::Node& node;
    sim::ProcessPorts ports;
    SimStore store;
    SimNotifications notifications;
    SimChangeStreams streams;
    Notes& notes;
};

using Script = asio::awaitable<void> (*)(Client&);

inline sim::WorldOptions stage_world(std::uint64_t seed) {
    sim::WorldOptions options;
    options.seed = seed;
    options.history.keep = true;
    return options;
}

class Stage {
public:
    explicit Stage(DatabaseOptions options, std::uint64_t seed = 1)
        : world(stage_world(seed)), database(world, std::move(options)) {
        database.start();
    }

    /// Adds a client that runs `script` in every life.
    sim::Node& add_client(std::string name, Script script) {
        sim::NodeOptions options;
        options.name = std::move(name);
        options.entry = [this, script](sim::Node& node) {
            auto client = std::make_unique<Client>(node, database, notes);
            client->ports.spawn("script", script(*client));
            return client;
        };
        sim::Node& node = world.add_node(std::move(options));
        node.start();
        return node;
    }

    void run(Duration duration) {
        ASSERT_TRUE(world.run_until(world.now() + duration))
            << (world.broken() ? world.broken()->what : "stopped");
    }

    /// Returns the rows of a query as `a|b;c|d`.
    std::string query(const std::string& sql) {
        const auto rows = database.query(sql);
        if (!rows) return rows.error().message;
        std::string text;
        for (const Row& row : *rows) {
            if (!text.empty()) text += ";";
            for (std::size_t at = 0; at < row.size(); ++at)
                text += (at > 0 ? "|" : "") + told(row[at]);
        }
        return text;
    }

    /// Returns how many events of a kind were recorded.
    std::size_t count(const sim::EventKind& kind) const {
        std::size_t found = 0;
        for (const sim::Event& event : world.history().events())
            found += event.kind == kind.id ? 1 : 0;
        return found;
    }

    /// Returns the texts of one operand of all events of a kind, in order.
    std::vector<std::string> texts(const sim::EventKind& kind, std::size_t operand) const {
        std::vector<std::string> found;
        for (const sim::Event& event : world.history().events()) {
            if (event.kind == kind.id) {
                found.push_back(world.history().texts().find(event.operands[operand]));
            }
        }
        return found;
    }

    mutable sim::World world;
    Database database;
    Notes notes;
};

/// A database `db` with the table that most tests use, watched.
inline DatabaseOptions charges_database() {
    DatabaseOptions options;
    options.name = "db";
    options.schema = {"create table charges (id text primary key, customer text not null, "
                      "amount bigint not null check (amount >= 0))"};
    options.watches = {{"charges", "id", "customer"}};
    return options;
}

inline constexpr const char* insert_charge =
    "insert into charges (id, customer, amount) values ($1, $2, $3)";

/// Begins, inserts one charge and commits. **Returns** what each step came to.
inline asio::awaitable<std::string> charge(Client& client, std::string id, std::string customer,
                                           std::int64_t amount) {
    auto transaction = co_await client.store.begin();
    std::vector<Value> values = parameters(std::move(id), std::move(customer), amount);
    std::string sql = insert_charge;
    const Outcome<Rows> inserted =
        co_await (*transaction)->execute(std::move(sql), std::move(values));
    if (!inserted) co_return told(inserted);
    const Outcome<void> committed = co_await (*transaction)->commit();
    co_return told(committed);
}

} // namespace crier::broker::test
