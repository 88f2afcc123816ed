#include "broker-model/kafka/broker/replica.hpp"

#include <algorithm>

namespace crier::broker::kafka {

namespace {

bool contains(const std::vector<BrokerId>& brokers, BrokerId broker) {
    return std::find(brokers.begin(), brokers.end(), broker) != brokers.end();
}

} // namespace

bool Replica::is_in_isr(BrokerId broker) const {
    return contains(state.isr, broker);
}

Peer* Replica::find_peer(BrokerId broker) {
    for (Peer& peer : peers) {
        if (peer.broker == broker) return &peer;
    }
    return nullptr;
}

void Replica::lead(BrokerId self, Instant now) {
    log->begin_epoch(state.leader_epoch);
    log->producers().forget_verifications(); // of a life or a leadership before
    epoch_start = log->end();
    part = Part::leader;
    joining.clear();
    is_altering = false;
    peers.clear();
    for (const BrokerId broker : state.replicas) {
        if (broker == self) continue;
        Peer peer;
        peer.broker = broker;
        if (is_in_isr(broker)) peer.caught_up = now; // it gets its time to show itself
        peers.push_back(peer);
    }
}

Offset Replica::append(const Writing& writing, std::int64_t now) {
    StoredBatch stored;
    stored.base_offset = log->end();
    stored.leader_epoch = state.leader_epoch;
    stored.batch = writing.batch;
    stored.producer = writing.producer;
    if (log->options().log_append_time) stored.append_time = now;
    stored.marker = writing.marker;
    stored.coordinator_epoch = writing.coordinator_epoch;
    log->append(stored);
    return stored.base_offset;
}

void Replica::note_caught_up(Peer& peer, Instant session_fetch) {
    if (peer.end == log->end()) peer.caught_up = std::max(peer.caught_up, session_fetch);
}

void Replica::note_fetch(Peer& peer, Offset offset, Instant now) {
    if (offset >= log->end()) {
        peer.caught_up = now;
    } else if (offset >= peer.last_fetch_end && peer.last_fetch > peer.caught_up) {
        peer.caught_up = peer.last_fetch;
    }
    peer.end = offset;
    peer.last_fetch = now;
    peer.last_fetch_end = log->end();
}

bool Replica::lags(const Peer& peer, Instant now, Duration lag_max) const {
    return peer.end != log->end() && now - peer.caught_up > lag_max;
}

bool Replica::may_join(const Peer& peer, const std::vector<BrokerId>& live) const {
    return peer.end >= high_watermark && peer.end >= epoch_start && contains(live, peer.broker) &&
           !is_in_isr(peer.broker);
}

Offset Replica::allowed_watermark(Instant now, Duration lag_max,
                                  const std::vector<BrokerId>& live) const {
    if (is_under_min_insync()) return high_watermark;
    Offset allowed = log->end();
    for (const Peer& peer : peers) {
        if (peer.end >= allowed) continue;
        const bool in_sync = is_in_isr(peer.broker) || contains(joining, peer.broker);
        const bool about_to_join =
            !in_sync && peer.end >= 0 && !lags(peer, now, lag_max) && contains(live, peer.broker);
        if (in_sync || about_to_join) allowed = std::max<Offset>(peer.end, 0);
    }
    return std::max(allowed, high_watermark);
}

} // namespace crier::broker::kafka
