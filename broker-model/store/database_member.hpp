#pragma once

#include "broker-model/store/database_server.hpp"
#include "broker-model/store/replica.hpp"

#include <memory>
#include <optional>
#include <vector>

// What runs on a node of a database: a server on the primary, a replica on the other. Which is
// which is known to whoever leads clients to the primary (Patroni's store, a proxy, an address),
// and outlives both.

namespace crier::broker {

struct DatabaseRoles {
    std::vector<sim::Node*> nodes;
    std::size_t primary = 0;
    std::uint64_t timelines = 0; ///< How many promotions there were.

    [[nodiscard]] sim::Node& primary_node() const { return *nodes[primary]; }
};

/// What the lives of a database's nodes have in common.
struct DatabaseParts {
    std::shared_ptr<const DatabaseOptions> options;
    std::shared_ptr<DatabaseRoles> roles;
    std::shared_ptr<CommitLedger> ledger;
    std::shared_ptr<std::uint64_t> sessions;
};

class DatabaseMember final : public sim::Program {
public:
    /// `index` counts the nodes of the database from 0.
    DatabaseMember(sim::Node& node, std::size_t index, DatabaseParts parts);

    /// Returns the server, or null on a replica.
    [[nodiscard]] DatabaseServer* server() { return server_ ? &*server_ : nullptr; }

    /// The replica becomes the primary. A step of its process. **Source**: PostgreSQL manual 27.3;
    /// xlog.c, the end of recovery: a new timeline, and nothing of the log goes.
    void promote();

    void stop(Duration grace, std::function<void()> done) override;

private:
    sim::Node& node_;
    std::size_t index_;
    DatabaseParts parts_;
    std::optional<Replica> replica_; // stopped, on a primary that was promoted
    std::optional<DatabaseServer> server_;
};

} // namespace crier::broker
