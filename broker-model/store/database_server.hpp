#pragma once

#include "broker-model/store/commit_ledger.hpp"
#include "broker-model/store/sql_engine.hpp"
#include "broker-model/store/world_sources.hpp"
#include "sim/network.hpp"

#include <deque>
#include <optional>

// One life of a database server. Transactions are serial: the owner has the engine from its first
// statement to its end, or until its connection breaks or it idles too long; all others wait in the
// order of their arrival, each at most `lock_timeout`. An answer leaves when the disk is done.

namespace crier::broker {

// What clients ask of the server. Faults name these kinds.
inline constexpr sim::CallKind sql_statement{"sql-statement"}; ///< In a transaction.
inline constexpr sim::CallKind sql_execute{"sql-execute"};     ///< In a transaction of its own.
inline constexpr sim::CallKind sql_commit{"sql-commit"};
inline constexpr sim::CallKind sql_rollback{"sql-rollback"};
inline constexpr sim::CallKind sql_connection{"sql-connection"}; ///< Its end is a client's death.

/// A statement on its way.
struct SqlRequest {
    std::uint64_t session = 0; ///< The client's transaction; 0: a statement of its own.
    bool opens = false;        ///< It is the first of its session.
    sim::Process* client = nullptr;
    std::string sql;
    std::vector<Value> parameters;
};

/// The program of the database node.
class DatabaseServer final : public sim::Program {
public:
    using Reply = sim::Reply<SqlAnswer>;

    /// Recovers what the disk kept.
    DatabaseServer(sim::Node& node, std::shared_ptr<const DatabaseOptions> options,
                   std::shared_ptr<CommitLedger> ledger);

    // The requests of clients, as steps of this process.
    void statement(SqlRequest request, Reply reply);
    void commit(std::uint64_t session, Reply reply);
    void rollback(std::uint64_t session);

private:
    struct Owner {
        std::uint64_t session;
        sim::Process* client;
    };

    /// A statement that opens a transaction or is one, and must wait for its turn.
    struct Job {
        std::uint64_t ticket = 0;
        SqlRequest request;
        Reply reply;
        Instant arrived;
        sim::Operation* timeout = nullptr;
    };
    struct ConnectionEnd {};

    [[nodiscard]] bool is_busy() const {
        return owner_.has_value() || kernel().now() < busy_until_;
    }
    [[nodiscard]] sim::Kernel& kernel() const { return process_.kernel(); }

    void enqueue(SqlRequest request, Reply reply);
    void start(Job job);
    void run_alone(Job job);
    void run_in_transaction(SqlRequest& request, Instant arrived, Reply reply);
    void serve_next();
    void lock_timed_out(std::uint64_t ticket);
    void end_transaction();

    /// Answers when the disk is done; then, if the server is `occupied` meanwhile, serves the next.
    void answer(Reply reply, SqlAnswer result, bool occupied);
    void committed(const sim::Process& client);

    void attend(sim::Process& client);
    void connection_ended(sim::Process& client);
    void watch_idleness();

    sim::Node& node_;
    sim::Process& process_;
    std::shared_ptr<const DatabaseOptions> options_;
    std::shared_ptr<CommitLedger> ledger_;
    DiskAccess access_;
    WorldSources sources_;
    std::optional<SqlEngine> engine_;
    std::optional<Owner> owner_;
    std::deque<Job> waiting_;
    std::vector<sim::Process*> clients_; // by node: whose connection's end will be heard of
    std::uint64_t tickets_ = 0;
    Instant busy_until_{};
    Instant last_request_{}; // of the owner
    bool idleness_watched_ = false;
    bool flush_planned_ = false;
};

} // namespace crier::broker
