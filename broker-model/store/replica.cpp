#include "broker-model/store/replica.hpp"

#include "broker-model/store/store_calls.hpp"
#include "broker-model/store/world_sources.hpp"
#include "sim/world.hpp"

#include <utility>

namespace crier::broker {

namespace {

/// **Source**: PostgreSQL wal_retrieve_retry_interval.
constexpr Duration retry_interval = std::chrono::seconds(5);

/// Without a word for so long, the connection is given up and another one made. A primary that has
/// nothing to tell is asked again then, in place of its keepalives. **Source**: PostgreSQL
/// wal_receiver_timeout.
constexpr Duration receiver_timeout = std::chrono::seconds(60);

} // namespace

std::vector<ReplicaState::Sequence> sequences_on(const sim::Disk& disk) {
    std::vector<ReplicaState::Sequence> found;
    for (std::string& name : disk.names(std::string(database_file) + ".sequence.")) {
        const std::shared_ptr<sim::File> file = disk.find_file(name);
        std::vector<std::byte> reserved(file->size());
        file->read(0, reserved.data(), reserved.size());
        found.push_back({std::move(name), std::move(reserved)});
    }
    return found;
}

Replica::Replica(sim::Node& node, CommitLog& log, Primary primary, Serve serve)
    : node_(node), process_(node.process()), log_(log), access_(node), primary_(std::move(primary)),
      serve_(std::move(serve)) {
    if (log_.sync(access_) != IoResult::done) return; // as a server that recovers
    ask_later(node_.disk().take_time());
}

void Replica::ask_later(Duration after) {
    process_.kernel().at(process_, process_.kernel().now() + after, [this] { ask(); });
}

// What it says that it has, it has on the platter.
void Replica::ask() {
    if (is_stopped_) return;
    ReplicaRequest request;
    request.timeline = log_.synced().timeline;
    request.commit = log_.synced().number;
    sim::CallOptions options;
    options.timeout = receiver_timeout;
    node_.world().network().async_call<ReplicaState>(
        process_, primary_(), sql_replicate, options,
        [serve = serve_, request](sim::Process& asked, ReplicaReply reply) {
            serve(asked, request, std::move(reply));
        },
        [this](Outcome<ReplicaState> answer) { hear(answer); });
}

void Replica::hear(Outcome<ReplicaState>& answer) {
    if (is_stopped_) return;
    if (!answer && answer.error().code == sim::CallError::timed_out) return ask();
    if (!answer || !answer->is_primary) return ask_later(retry_interval);
    const IoResult taken = take(*answer);
    if (taken == IoResult::dead) return;
    // A server that cannot write its log ends; here it tries again as one that has started anew.
    const Duration time = node_.disk().take_time();
    ask_later(taken == IoResult::done ? time : retry_interval);
}

// Numbers of sequences come first: those that nobody was given may be skipped, and none is to come
// twice. On another timeline this is pg_rewind, which keeps no slots. **Source**: PostgreSQL
// pg_rewind filemap.c, excludeDirContents.
IoResult Replica::take(ReplicaState& state) {
    for (const ReplicaState::Sequence& sequence : state.sequences) {
        sim::File& file = access_.disk().open(sequence.file);
        std::vector<std::byte> known(file.size());
        file.read(0, known.data(), known.size());
        if (known == sequence.reserved) continue;
        const IoResult written =
            access_.write(file, 0, sequence.reserved.data(), sequence.reserved.size());
        if (written != IoResult::done) return written;
        const IoResult synced = access_.sync(file);
        if (synced != IoResult::done) return synced;
    }
    const bool rewinds = state.commit.timeline != log_.synced().timeline;
    const IoResult written = log_.write(access_, std::move(state.commit));
    if (written != IoResult::done) return written;
    const IoResult synced = log_.sync(access_);
    if (synced == IoResult::done && rewinds) log_.forget_changes();
    return synced;
}

} // namespace crier::broker
