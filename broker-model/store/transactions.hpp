#pragma once

#include "broker-model/store/change_capture.hpp"
#include "broker-model/store/commit_ledger.hpp"
#include "broker-model/store/connections.hpp"
#include "broker-model/store/lock_table.hpp"
#include "broker-model/store/world_sources.hpp"

#include <boost/unordered/unordered_flat_map.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Transactions of a database server that overlap and all write, as PostgreSQL's do. Each works on
// an image of its own, which is the last committed one with its changes on it; rows and keys that
// it changes are locked for all others. What others commit meanwhile is taken in before its next
// statement, its own rows carried over, and again before it commits. Waiting itself, in time and in
// turn, is the server's.

namespace crier::broker {

enum class Isolation {
    read_committed,  ///< Each statement sees what was committed before it.
    repeatable_read, ///< All statements see what was committed before the first.
};

/// A statement that is run, perhaps several times.
struct RunningStatement {
    std::string sql;
    std::vector<Value> parameters;
    Instant arrived{};
    std::vector<std::int64_t> sequence_values; ///< Drawn so far: it draws each once only.
    bool began = false;
    LockTable::Sessions waits_for;
    LockTable::Sessions queues_behind; ///< Others that wait for the row, and were there before.
    std::uint64_t ticket = 0;          ///< Its place among those who wait; 0: none yet.
    LockRequest wants;                 ///< What it waits for.
    bool wants_key = false;            ///< … for the sake of a unique key.
    std::vector<ChangedRow> newer;     ///< Rows that it is to see as they were committed, …
    std::vector<ChangedRow> gone;      ///< … and such as were removed, whatever has their place.
    std::vector<std::int64_t> order;   ///< Row ids, of a query that locks: as it found them first.
    std::vector<ChangedRow> since;     ///< Of its table, what others have changed while it waited.
    std::vector<ChangedRow> written;   ///< Rows that it had before it came to wait for a key.
    std::vector<LockRequest> rechecks; ///< Rows that it has waited for, and keeps in any case.
    bool was_overtaken = false;        ///< Whoever it waited for has committed a change of that.
    bool is_key_taken = false;         ///< … namely a new row with the key that it waited for.
};

/// One transaction between its first statement and its end.
struct OpenTransaction {
    SessionId id = 0;
    std::uint32_t client = 0; ///< Its node.
    bool is_single = false;   ///< One statement is all of it.
    Isolation isolation = Isolation::read_committed;
    std::uint64_t number = 0;    ///< PostgreSQL's transaction id, once it has written; 0: none yet.
    std::uint64_t unseen_as = 0; ///< Its commit, while nobody may see it yet; 0: none.
    Duration lock_timeout{};     ///< Zero: the server's.
    Duration statement_timeout{}; ///< Zero: none.
    std::optional<RunningStatement> statement;

private:
    friend class Transactions;
    struct Slot;
    /// Which row of a transaction has changed what is locked by a key.
    struct KeyOwner {
        LockKey key;
        std::size_t row;
        LockMode mode;
        bool takes; // the row has that value since
    };

    Slot* slot = nullptr;
    PageImage base;                // what was committed when its image was made, …
    std::uint64_t base_commit = 0; // … by this commit
    bool has_snapshot = false;
    bool is_mixed = false; // its image shows some rows newer than its base has them
    bool is_committed = false;
    std::uint64_t committed_as = 0;                   // the commit; 0: none
    std::shared_ptr<const TableShapes> former_shapes; // set: it has changed the schema
    std::optional<TransactionsRunning> seen_running;  // by the snapshot of all its statements
    Changes changes;
    std::vector<KeyOwner> written;   // rows and keys that it has changed
    std::vector<KeyOwner> referring; // rows that its rows refer to since
    std::vector<LockKey> held;
    std::vector<OpenTransaction*> waiters; // whoever waits for this one, in the order of arrival
};

/// The transactions of one life of a server.
class Transactions final : public SqlSources {
public:
    Transactions(sim::Node& node, DiskAccess& access, const DatabaseOptions& options,
                 CommitLedger& ledger);
    ~Transactions() override;

    /// Opens a transaction; it sees nothing yet and holds nothing.
    OpenTransaction& open(SessionId id, std::uint32_t client);

    /// Runs `transaction.statement` from the start, or again after a wait. **Returns** what came of
    /// it, or nothing if it has to wait for `statement->waits_for`.
    /// **Errors**: the transaction is of no use but to be ended.
    [[nodiscard]] std::optional<SqlAnswer> run(OpenTransaction& transaction);

    /// Makes the changes durable. **Errors**: it is not committed. After either it must be ended;
    /// if it is `unseen_as` a commit, not before that has been shown.
    [[nodiscard]] StoreError commit(OpenTransaction& transaction);

    /// The replica has all commits up to this one: from now on they are seen.
    void show_up_to(std::uint64_t commit);

    /// Returns what it has notified, if it is committed.
    [[nodiscard]] std::vector<Notified> take_notified(OpenTransaction& transaction);

    /// Whether commits tell the log what they inserted, from the next statements on.
    void keep_inserted(bool keeps) { keeps_inserted_ = keeps; }

    /// Releases all that it holds; it is gone then.
    void end(OpenTransaction& transaction);

    /// Returns the next one whose statement need wait for nobody any more, or null.
    [[nodiscard]] OpenTransaction* take_ready();

    /// Whether the waits lead from this transaction back to itself.
    [[nodiscard]] bool is_deadlocked(const OpenTransaction& transaction) const;

    [[nodiscard]] const std::vector<OpenTransaction*>& all() const { return open_; }

    // For SQL functions, about the statement that is being run.
    [[nodiscard]] std::uint64_t random(std::uint64_t index) override;
    [[nodiscard]] WallTime wall_now() override { return sources_.wall_now(); }
    [[nodiscard]] SequenceResult next_value(std::string_view sequence,
                                            std::int64_t& value) override;
    [[nodiscard]] SequenceResult create_sequence(std::string_view name) override {
        return sources_.create_sequence(name);
    }
    [[nodiscard]] std::uint64_t transaction_id() override;
    [[nodiscard]] TransactionsRunning running() override;
    void notify(std::string_view channel, std::string_view payload) override;
    [[nodiscard]] bool is_unlocked(LockMode mode, std::string_view table,
                                   std::int64_t row_id) override;

private:
    using Slot = OpenTransaction::Slot;

    [[nodiscard]] SqlAnswer apply(OpenTransaction& transaction, const StatementText& text);
    [[nodiscard]] bool wait_for_schema(OpenTransaction& transaction);
    [[nodiscard]] std::optional<SqlAnswer> met(OpenTransaction& transaction,
                                               const StatementText& text) const;
    void take_snapshot(OpenTransaction& transaction);
    [[nodiscard]] PageImage rebased(OpenTransaction& transaction, PageImage onto);
    [[nodiscard]] SqlAnswer execute(OpenTransaction& transaction, Show show,
                                    std::vector<std::int64_t>& found);
    [[nodiscard]] std::optional<SqlAnswer> attempt(OpenTransaction& transaction,
                                                   const StatementText& text);
    [[nodiscard]] std::optional<SqlAnswer> settle(OpenTransaction& transaction,
                                                  const StatementText& text, SqlAnswer answer,
                                                  Show show,
                                                  const std::vector<std::int64_t>& found);
    void add_locks(OpenTransaction& transaction, const StatementText& text, Show show,
                   const std::vector<std::int64_t>& found);
    /// What came of the wish for locks.
    enum class Locked {
        all,
        not_yet,   ///< It waits, or is to be run again at once.
        refused,   ///< Somebody has one, and it does not want to wait.
        overtaken, ///< Its snapshot is too old.
    };
    [[nodiscard]] Locked lock(OpenTransaction& transaction, const StatementText& text,
                              const std::vector<LockRequest>& requests);
    [[nodiscard]] Locked look_at(OpenTransaction& transaction, const StatementText& text,
                                 const LockRequest& request);
    [[nodiscard]] Locked lock_targets(OpenTransaction& transaction, const StatementText& text);
    [[nodiscard]] Locked look_at_proposed(OpenTransaction& transaction, const StatementText& text,
                                          SqlAnswer& answer);
    [[nodiscard]] Locked lock_unseen(OpenTransaction& transaction, const StatementText& text,
                                     Show show, SqlAnswer& answer);
    [[nodiscard]] bool others_hold_something(const OpenTransaction& transaction) const;
    [[nodiscard]] OpenTransaction* who_changes(const OpenTransaction& transaction,
                                               const RowPlace& row) const;
    void wait_for_row(OpenTransaction& transaction, const RowPlace& row, SessionId holder,
                      bool for_key);
    [[nodiscard]] bool is_arbiter(const StatementText& text, const LockRequest& request) const;
    [[nodiscard]] bool waits_for_a_row(OpenTransaction& transaction, StoreError error);
    [[nodiscard]] bool is_overtaken(const OpenTransaction& transaction, const StatementText& text,
                                    const LockRequest& request) const;
    void show(OpenTransaction& transaction, PageImage image, std::uint64_t commit);
    void note_versions(const OpenTransaction& transaction);
    void show_relatives(const OpenTransaction& transaction);
    void wait(OpenTransaction& transaction, const LockRequest& wants, LockTable::Sessions holders);
    void keep(OpenTransaction& transaction);
    [[nodiscard]] std::optional<SqlAnswer> settle_schema(OpenTransaction& transaction,
                                                         SqlAnswer answer);
    void tell_waiters(const OpenTransaction& transaction);
    void stop_waiting(OpenTransaction& transaction);
    void leave_queue(const OpenTransaction& transaction);
    [[nodiscard]] LockTable::Sessions before_in_queue(const OpenTransaction& transaction,
                                                      const LockRequest& request) const;
    [[nodiscard]] static bool is_gone(const OpenTransaction& transaction, const LockKey& key,
                                      std::size_t row);
    [[nodiscard]] OpenTransaction* find(SessionId id) const;
    [[nodiscard]] Slot& borrow_slot();

    sim::Node& node_;
    sim::Process& process_;
    DiskAccess& access_;
    const DatabaseOptions& options_;
    CommitLedger& ledger_;
    WorldSources sources_;
    std::shared_ptr<Connections> connections_;
    std::unique_ptr<RowMover> mover_;
    LockTable locks_;
    PageImage committed_;
    std::uint64_t commit_ = 0;
    /// A commit that the replica does not have yet: nobody sees it, and it keeps its locks.
    struct Unseen {
        std::uint64_t commit;
        PageImage image;
        OpenTransaction* transaction;
    };
    std::deque<Unseen> unseen_; // in order
    std::shared_ptr<const TableShapes> shapes_;
    /// The last commit that changed a row or key, and which row that was, as far as somebody may
    /// look at an older snapshot.
    struct Version {
        std::uint64_t commit;
        RowPlace row;
        bool is_gone;  ///< It was removed, and another row has its place since.
        LockMode mode; ///< What the change took.
        bool takes;    ///< It has that value since.
    };
    boost::unordered_flat_map<LockKey, Version, LockKeyHash> versions_;
    std::vector<OpenTransaction*> open_; // in the order of their begin
    std::vector<std::unique_ptr<OpenTransaction>> pool_;
    std::vector<OpenTransaction*> unused_;
    std::vector<std::unique_ptr<Slot>> slots_;
    std::vector<Slot*> free_slots_;
    std::uint64_t next_number_ = 1;
    std::uint64_t tickets_ = 0;
    std::uint64_t wakes_ = 0;
    std::vector<OpenTransaction*> ready_;
    OpenTransaction* subject_ = nullptr; // whose statement is being run
    std::size_t drawn_ = 0;              // sequence values that its present run has drawn
    bool keeps_inserted_ = false;
    Changes step_;                   // what its present run has changed
    std::vector<LockRequest> found_; // … and what it has to lock besides
};

} // namespace crier::broker
