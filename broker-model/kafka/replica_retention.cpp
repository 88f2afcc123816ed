#include "broker-model/events.hpp"
#include "broker-model/kafka/replica_manager.hpp"

// Where logs begin: what retention deletes. Source: Kafka LogManager.cleanupLogs.

namespace crier::broker::kafka {

// Each replica deletes by its own clock; a follower also follows its leader's log start.
void ReplicaManager::delete_old_segments() {
    const std::int64_t now = home_.node.wall_clock().read(home_.now()).time_since_epoch().count();
    for (const auto& replica : replicas_) {
        if (!replica) continue;
        const Offset before = replica->log->start();
        replica->log->delete_old(now, replica->high_watermark);
        note_start(*replica, before, "retention");
    }
    settle();
    home_.kernel().at(home_.process,
                      home_.now() + home_.cluster.options().log_retention_check_interval,
                      [this] { delete_old_segments(); });
}

void ReplicaManager::note_start(Replica& replica, Offset before, std::string_view why) {
    if (replica.log->start() == before || !replica.leads()) return;
    sim::World& world = home_.world();
    world.record_as(&home_.process, events::log_start_moved,
                    home_.cluster.info(replica.id).name_text, replica.log->start(),
                    world.history().name(why));
    for (Peer& peer : replica.peers)
        list(replica, peer, false);
}

} // namespace crier::broker::kafka
