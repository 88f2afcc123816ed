#include "broker-model/store/database_member.hpp"

#include <utility>

namespace crier::broker {

namespace {

/// Has the primary answer a replica. Whoever is asked may be none any more.
void serve_replica(const DatabaseRoles& roles, const sim::Process& asked, ReplicaRequest request,
                   ReplicaReply reply) {
    const sim::Node& primary = roles.primary_node();
    sim::Program* const program = &primary.process() == &asked ? primary.program() : nullptr;
    DatabaseServer* const server =
        program == nullptr ? nullptr : static_cast<DatabaseMember*>(program)->server();
    if (server == nullptr) return reply(ReplicaState{});
    server->replicate(request, std::move(reply));
}

} // namespace

DatabaseMember::DatabaseMember(sim::Node& node, std::size_t index, DatabaseParts parts)
    : node_(node), index_(index), parts_(std::move(parts)) {
    if (parts_.roles->primary == index_) {
        server_.emplace(node_, parts_.options, parts_.ledger, *parts_.sessions);
        return;
    }
    const std::shared_ptr<DatabaseRoles> roles = parts_.roles;
    replica_.emplace(
        node_, parts_.ledger->log_of(index_),
        [roles]() -> sim::Node& { return roles->primary_node(); },
        [roles](sim::Process& asked, ReplicaRequest request, ReplicaReply reply) {
            serve_replica(*roles, asked, request, std::move(reply));
        });
}

// It begins a timeline that its disk knows of, or it is not promoted.
void DatabaseMember::promote() {
    if (server_) return;
    replica_->stop();
    CommitLog& log = parts_.ledger->log_of(index_);
    Commit begun = log.written();
    begun.timeline = ++parts_.roles->timelines;
    begun.changes.clear();
    IoResult done = log.write(replica_->access(), std::move(begun));
    if (done == IoResult::done) done = log.sync(replica_->access());
    if (done == IoResult::full) node_.crash("no space for a timeline");
    if (done != IoResult::done) return;
    parts_.roles->primary = index_;
    parts_.ledger->promoted(node_.process(), index_);
    server_.emplace(node_, parts_.options, parts_.ledger, *parts_.sessions);
}

void DatabaseMember::stop(Duration grace, std::function<void()> done) {
    if (server_) return server_->stop(grace, std::move(done));
    done();
}

} // namespace crier::broker
