#pragma once

#include "broker-model/store/change_slots.hpp"
#include "broker-model/store/commit_ledger.hpp"
#include "broker-model/store/listeners.hpp"
#include "broker-model/store/replica.hpp"
#include "broker-model/store/standing_connection.hpp"
#include "broker-model/store/store_calls.hpp"
#include "broker-model/store/transactions.hpp"
#include "sim/network.hpp"

#include <map>
#include <optional>
#include <vector>

// One life of a database server: requests of clients, their connections, and all that takes time.
// A statement that must wait for another transaction waits until that one has ended, at most for
// its lock timeout, and is looked at for a deadlock after a while. A commit lets go of its locks,
// and is answered, when the disk is done, and a synchronous replica.

namespace crier::broker {

/// A statement on its way.
struct SqlRequest {
    SessionId session = 0; ///< The client's transaction; 0: a statement of its own.
    bool opens = false;    ///< It is the first of its session.
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
                   std::shared_ptr<CommitLedger> ledger, std::uint64_t& sessions);

    // The requests of clients, as steps of this process.
    void statement(SqlRequest request, Reply reply);
    void commit(const sim::Process& client, SessionId session, Reply reply);
    void rollback(SessionId session);
    void listen(ListenRequest request, Reply reply);
    void open_slot(SlotRequest request, Reply reply);
    void read_slot(SessionId reader, std::uint64_t after, std::size_t max, SlotReply reply);
    void confirm_slot(SessionId reader, std::uint64_t commit, Reply reply);
    void watch_connection(SessionId id, sim::Reply<bool> reply);

    /// The replica has that much; it is answered when there is more.
    void replicate(ReplicaRequest request, ReplicaReply reply);

    /// A clean end: what is confirmed is written down, and the replica has all, if it is there.
    /// **Source**: PostgreSQL ShutdownXLOG; postmaster.c, PM_SHUTDOWN_2 waits for walsenders.
    void stop(Duration grace, std::function<void()> done) override;

private:
    /// A connection in a transaction.
    struct Session {
        OpenTransaction* transaction = nullptr;
        sim::Process* client = nullptr;
        std::uint64_t attendance = 0; ///< Of the client, when it was opened.
        Instant last_request{};
        std::optional<Reply> reply; ///< Of the statement that is being run.
        bool is_ending = false;     ///< It is committed, and the disk has yet to say so.
        sim::Operation* timeout = nullptr;
        sim::Operation* deadlock_check = nullptr;
        sim::Operation* statement_timeout = nullptr;
    };
    [[nodiscard]] sim::Kernel& kernel() const { return process_.kernel(); }

    template <class Request, class Answer>
    [[nodiscard]] bool is_put_off(void (DatabaseServer::*serve)(Request, Answer), Request& request,
                                  Answer& reply);
    void run(Session& session);
    void wait(Session& session);
    void stop_timers(Session& session);
    void settle(Session& session, SqlAnswer answer);
    void end(SessionId id);
    void end_with(SessionId id, Reply reply, SqlAnswer answer);
    void fail(SessionId id, StoreError error);
    void check_deadlock(SessionId id);
    void run_ready();

    void flushed(SessionId id, Reply reply, SqlAnswer answer);
    void end_replicated();
    void answer_replica();
    void plan_flush();
    void connection_stands_no_more(SessionId id);

    void attend(sim::Process& client);
    [[nodiscard]] StoreError why_gone(const sim::Process& client, SessionId id);
    [[nodiscard]] bool admit(const sim::Process& client);
    [[nodiscard]] bool is_full() const;
    void note_end(const Session& session);
    void connection_ended(sim::Process& client);
    void watch_idleness();
    [[nodiscard]] Session* find(SessionId id);

    sim::Node& node_;
    sim::Process& process_;
    std::shared_ptr<const DatabaseOptions> options_;
    std::shared_ptr<CommitLedger> ledger_;
    std::uint64_t& session_count_; // of the database
    DiskAccess access_;
    std::optional<Transactions> transactions_;
    StandingConnections connections_;
    Listeners listeners_;
    std::optional<ChangeSlots> slots_;
    std::map<SessionId, Session> sessions_;
    /// A commit that waits for the replica.
    struct Waiting {
        std::uint64_t commit;
        SessionId session;
        Reply reply;
        SqlAnswer answer;
    };
    std::vector<Waiting> waiting_;
    ReplicaRequest replica_has_;
    bool replica_was_told_ = false; // more than it has, and it has not asked again
    std::function<void()> stopped_; // set: it ends when the replica has all, and serves nobody
    ReplicaReply replica_;          // that waits for more; or none
    bool running_ready_ = false;
    /// What the server has of one client process. A client opens another connection when all that
    /// it has are in use, and keeps it.
    struct Client {
        sim::Process* process = nullptr; // whose end will be heard of; null: nobody
        std::uint64_t attendance = 0;    // unlike that of its earlier connections
        std::size_t connections = 0;
        std::size_t in_use = 0;
        std::vector<SessionId> idled; // cut for idling, and it has not heard of that
    };
    std::vector<Client> clients_; // by node
    std::size_t connection_count_ = 0;
    std::uint64_t attendances_ = 0;
    Instant ready_at_{}; // recovery takes until then
    bool idleness_watched_ = false;
    bool flush_planned_ = false;
};

} // namespace crier::broker
