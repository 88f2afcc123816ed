#pragma once

#include "broker-model/store/standing_connection.hpp"
#include "broker-model/store/transactions.hpp"

#include <map>
#include <string>
#include <vector>

// Replication slots as one life of a server knows them: who reads each, and how far it is
// confirmed, of which the disk is told now and then. A reader sees what was committed and is on the
// platter.
// **Source**: PostgreSQL manual 49.2.2; slot.c, logical.c, logicalfuncs.c, snapbuild.c.

namespace crier::broker {

/// A client wants to read a slot.
struct SlotRequest {
    ConnectionRequest connection;
    std::string slot;
};

/// What a reader is told.
struct SlotAnswer {
    std::vector<InsertedRows> commits;
    StoreError error{}; ///< Zero: none.
};

using SlotReply = sim::Reply<SlotAnswer>;

class ChangeSlots {
public:
    /// The slots that the disk has.
    ChangeSlots(sim::Node& node, DiskAccess& access, const DatabaseOptions& options,
                CommitLedger& ledger, Transactions& transactions);

    /// Gives the slot to a reader, and makes it if it is not there: it begins when every
    /// transaction has ended that might have inserted something before. **Returns** whether the
    /// reader's end is to be told. **Errors**: `unavailable` while another has it.
    bool open(const SlotRequest& request, sim::Reply<SqlAnswer> reply);

    /// **Errors**: `connection_lost`: there is no such reader.
    void read(SessionId reader, std::uint64_t after, std::size_t max, SlotReply reply);
    void confirm(SessionId reader, std::uint64_t commit, sim::Reply<SqlAnswer> reply);

    /// A reader has gone: its slot is free.
    void reader_ended(SessionId reader);

    void transaction_ended(SessionId id);

    /// Writes down all that is confirmed.
    void save();

private:
    struct Slot {
        SessionId reader = 0; ///< 0: nobody.
        std::uint64_t confirmed = 0;
        Instant saved{};
        bool is_made = false; ///< Else it waits for transactions.
        bool is_second_wait = false;
        std::vector<SessionId> waits_for;
        sim::Reply<SqlAnswer> reply; ///< Of its maker, while it waits.
        sim::Operation* timeout = nullptr;
    };
    using Slots = std::map<std::string, Slot>;

    [[nodiscard]] Slots::iterator slot_of(SessionId reader);
    void look(const std::string& name);
    void make(const std::string& name, Slot& slot);
    void give_up(const std::string& name, StoreError error);
    void wait_for_running(Slot& slot) const;
    void answer(sim::Reply<SqlAnswer> reply, StoreError error);
    void keep_rows_or_not();

    sim::Node& node_;
    sim::Process& process_;
    DiskAccess& access_;
    const DatabaseOptions& options_;
    CommitLedger& ledger_;
    Transactions& transactions_;
    Slots slots_;
};

} // namespace crier::broker
