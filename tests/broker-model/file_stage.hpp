#pragma once

#include "broker-model/events.hpp"
#include "broker-model/store/embedded/embedded_store.hpp"
#include "sim/world.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "store_stage.hpp"

// A small world for tests of databases in files: one process with a file, whose lives each run one
// script and note what came of it.

namespace crier::broker::test {

/// What runs on the node.
struct FileClient final : sim::Program {
    FileClient(sim::Node& home, EmbeddedDatabase& database, Notes& all)
        : node(home), ports(home), store(database, home, ports), notes(all) {}

    void note(const std::string& what) { notes.push_back(what); }
    asio::awaitable<void> sleep(Duration duration) { return ports.sleep(duration); }

    sim::Node& node;
    sim::ProcessPorts ports;
    EmbeddedStore store;
    Notes& notes;
};

using FileScript = asio::awaitable<void> (*)(FileClient&);

class FileStage {
public:
    FileStage(FileOptions options, FileScript script, std::uint64_t seed = 1)
        : world(stage_world(seed)), database(world, std::move(options)),
          node(world.add_node(node_options(script))) {
        node.start();
    }

    void run(Duration duration) {
        ASSERT_TRUE(world.run_until(world.now() + duration))
            << (world.broken() ? world.broken()->what : "stopped");
    }

    /// Returns the rows of a query as `a|b;c|d`, or what is wrong.
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

    /// Returns the identities of the watched rows that the history says are in the file, sorted, as
    /// `a;b`.
    std::string told_rows() const {
        std::vector<std::string> rows;
        for (const sim::Event& event : world.history().events()) {
            const bool is_row =
                event.kind == events::row_durable.id || event.kind == events::row_lost.id;
            if (!is_row) continue;
            const std::string row(world.history().texts().find(event.operands[1]));
            if (event.kind == events::row_durable.id) {
                rows.push_back(row);
                continue;
            }
            const auto found = std::find(rows.begin(), rows.end(), row);
            if (found == rows.end()) return "lost and never told: " + row;
            rows.erase(found);
        }
        std::sort(rows.begin(), rows.end());
        std::string text;
        for (const std::string& row : rows)
            text += (text.empty() ? "" : ";") + row;
        return text;
    }

    std::size_t count(const sim::EventKind& kind) const {
        std::size_t found = 0;
        for (const sim::Event& event : world.history().events())
            found += event.kind == kind.id ? 1 : 0;
        return found;
    }

    mutable sim::World world;
    EmbeddedDatabase database;
    Notes notes;
    sim::Node& node;

private:
    sim::NodeOptions node_options(FileScript script) {
        sim::NodeOptions options;
        options.name = "app";
        options.entry = [this, script](sim::Node& home) {
            auto client = std::make_unique<FileClient>(home, database, notes);
            client->ports.spawn("script", script(*client));
            return client;
        };
        return options;
    }
};

inline FileOptions charges_file(JournalMode mode, FileSync sync) {
    FileOptions options;
    options.name = "local";
    options.journal_mode = mode;
    options.synchronous = sync;
    options.page_size = 1024;
    options.watches = {{"charges", "id", "customer"}};
    return options;
}

/// A fault at the `nth` I/O of a kind.
inline sim::FaultSpec io_fault(sim::FaultKind kind, const char* point, std::uint32_t nth,
                               const sim::Node& node) {
    sim::FaultSpec fault;
    fault.kind = kind;
    fault.nodes = {node.id()};
    fault.trigger.when = sim::FaultTrigger::When::point;
    fault.trigger.name = point;
    fault.trigger.nth = nth;
    fault.duration = std::chrono::seconds(1);
    fault.what = point;
    return fault;
}

} // namespace crier::broker::test
