#pragma once

#include "broker-model/store/commit_ledger.hpp"
#include "broker-model/store/disk_access.hpp"
#include "sim/network.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

// The node of a database that is not the primary: it has what the primary flushed, a little later.
// It asks for the state after the last commit that it has on its platter, which tells the primary
// that it has that, and is answered when there is a newer one. PostgreSQL sends every record of its
// log; here the newest state stands for all before, so that a replica that was away has caught up
// with one answer.

namespace crier::broker {

/// What a replica has, when it asks for more.
struct ReplicaRequest {
    std::uint64_t timeline = 0;
    std::uint64_t commit = 0;
};

/// The primary's last commit on its platter.
struct ReplicaState {
    bool is_primary = false; ///< Else who was asked has nothing to tell.
    Commit commit;           ///< Without the changes of rows.
    /// The numbers that each sequence has reserved, by the name of its file.
    struct Sequence {
        std::string file;
        std::vector<std::byte> reserved;
    };
    std::vector<Sequence> sequences;
};

using ReplicaReply = sim::Reply<ReplicaState>;

/// Returns what a disk knows of its sequences.
[[nodiscard]] std::vector<ReplicaState::Sequence> sequences_on(const sim::Disk& disk);

/// One life of a replica.
class Replica {
public:
    using Primary = std::function<sim::Node&()>;
    /// Has whoever runs in that process answer, as a step of it.
    using Serve = std::function<void(sim::Process&, ReplicaRequest, ReplicaReply)>;

    /// Asks the primary from now on.
    Replica(sim::Node& node, CommitLog& log, Primary primary, Serve serve);

    /// It is to be the primary: it takes nothing more.
    void stop() { is_stopped_ = true; }

    [[nodiscard]] DiskAccess& access() { return access_; }

private:
    void ask();
    void ask_later(Duration after);
    void hear(Outcome<ReplicaState>& answer);
    [[nodiscard]] IoResult take(ReplicaState& state);

    sim::Node& node_;
    sim::Process& process_;
    CommitLog& log_;
    DiskAccess access_;
    Primary primary_;
    Serve serve_;
    bool is_stopped_ = false;
};

} // namespace crier::broker
