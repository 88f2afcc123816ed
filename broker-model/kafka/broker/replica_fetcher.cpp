#include "broker-model/kafka/broker/replica_fetcher.hpp"

#include "broker-model/kafka/broker/broker_home.hpp"
#include "broker-model/kafka/broker/replica_manager.hpp"
#include "broker-model/kafka/broker_request.hpp"

#include <algorithm>

namespace crier::broker::kafka {

void ReplicaFetcher::add(PartitionId partition) {
    const auto place = std::lower_bound(partitions_.begin(), partitions_.end(), partition);
    if (place == partitions_.end() || *place != partition) partitions_.insert(place, partition);
    if (std::find(changed_.begin(), changed_.end(), partition) == changed_.end()) {
        changed_.push_back(partition);
    }
}

void ReplicaFetcher::remove(PartitionId partition) {
    const auto place = std::lower_bound(partitions_.begin(), partitions_.end(), partition);
    if (place == partitions_.end() || *place != partition) return;
    partitions_.erase(place);
    std::erase(changed_, partition);
    if (!partitions_.empty()) return;
    ++round_; // an idle fetcher thread ends, and its connection with it
    busy_ = false;
    session_ = 0;
}

void ReplicaFetcher::go_on() {
    if (busy_ || partitions_.empty()) return;
    busy_ = true;
    const std::uint64_t round = ++round_;
    FetchRequest request = make_request();
    sim::CallOptions options;
    options.bytes = 64 + 16 * request.partitions.size();
    sim::Node& leader = home_.cluster.broker(leader_);
    home_.network().async_call<FetchAnswer>(
        home_.process, leader, calls::replica_fetch, options,
        BrokerRequest<FetchRequest, FetchAnswer>(home_.cluster, leader, std::move(request)),
        [this, round](Outcome<FetchAnswer> outcome) { receive(round, std::move(outcome)); });
}

FetchRequest ReplicaFetcher::make_request() {
    FetchRequest request;
    request.replica = home_.id;
    request.replica_broker_epoch = home_.broker_epoch;
    request.max_wait = home_.cluster.options().replica_fetch_wait_max;
    request.max_bytes = 10485760; // replica.fetch.response.max.bytes
    request.session = session_;
    const std::vector<PartitionId>& named = session_ == 0 ? partitions_ : changed_;
    request.partitions.reserve(named.size());
    for (const PartitionId partition : named) {
        request.partitions.push_back(replicas_.next_fetch(partition));
    }
    changed_.clear();
    return request;
}

void ReplicaFetcher::receive(std::uint64_t round, Outcome<FetchAnswer> outcome) {
    if (round != round_) return;
    busy_ = false;
    if (!outcome) { // whether the leader saw the request is unknown: tell it everything again
        session_ = 0;
        return go_on_after(backoff);
    }
    const bool had_session = session_ != 0;
    session_ = outcome->session;
    std::vector<PartitionId> failed;
    for (FetchPartitionAnswer& answer : outcome->partitions) {
        switch (replicas_.receive(leader_, answer)) {
        case ReplicaManager::Received::changed: add(answer.partition); break;
        case ReplicaManager::Received::failed: failed.push_back(answer.partition); break;
        case ReplicaManager::Received::nothing: break;
        }
    }
    if (!failed.empty()) {
        home_.kernel().at(home_.process, home_.now() + backoff, [this, failed = std::move(failed)] {
            for (const PartitionId partition : failed) {
                if (std::binary_search(partitions_.begin(), partitions_.end(), partition)) {
                    add(partition);
                }
            }
            go_on();
        });
    }
    const Duration io = home_.take_disk_time();
    if (io > Duration{}) return go_on_after(io);
    if (session_ == 0 && !had_session) return go_on_after(backoff);
    go_on();
}

void ReplicaFetcher::go_on_after(Duration delay) {
    busy_ = true;
    home_.kernel().at(home_.process, home_.now() + delay, [this, round = round_] {
        if (round != round_) return;
        busy_ = false;
        go_on();
    });
}

} // namespace crier::broker::kafka
