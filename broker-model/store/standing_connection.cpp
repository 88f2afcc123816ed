#include "broker-model/store/standing_connection.hpp"

#include "broker-model/store/store_calls.hpp"
#include "sim/world.hpp"

#include <utility>

namespace crier::broker {

StandingConnections::StandingConnections(sim::Node& node, std::function<void(SessionId)> ended)
    : node_(node), process_(node.process()), ended_(std::move(ended)) {}

void StandingConnections::open(const ConnectionRequest& request) {
    const SessionId id = request.id;
    wait(id, connections_[id], keepalive_limit, &StandingConnections::end);
    sim::World& world = node_.world();
    sim::CallOptions options;
    options.timeout = for_ever;
    world.network().async_call<ConnectionEnd>(
        process_, world.node(request.client->node()), sql_connection, options,
        [client = request.client, end = request.end](sim::Process& found,
                                                     sim::Reply<ConnectionEnd> reply) {
            const auto open = &found == client ? end.lock() : nullptr;
            if (open == nullptr) return reply(ConnectionEnd{});
            open->held = std::move(reply);
        },
        [this, id](const Outcome<ConnectionEnd>&) { end(id); });
}

void StandingConnections::watch(SessionId id, sim::Reply<bool> reply) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return reply(false);
    found->second.watcher = std::move(reply);
    wait(id, found->second, keepalive_idle, &StandingConnections::answer);
}

void StandingConnections::answer(SessionId id) {
    Connection& connection = connections_.at(id);
    connection.watcher(true);
    wait(id, connection, keepalive_limit - keepalive_idle, &StandingConnections::end);
}

void StandingConnections::end(SessionId id) {
    auto ended = connections_.extract(id);
    if (ended.empty()) return; // heard of before
    Connection& connection = ended.mapped();
    if (connection.timer != nullptr) process_.kernel().discard(connection.timer);
    if (connection.watcher) connection.watcher(false);
    ended_(id);
}

void StandingConnections::wait(SessionId id, Connection& connection, Duration time,
                               void (StandingConnections::*then)(SessionId)) {
    sim::Kernel& kernel = process_.kernel();
    if (connection.timer != nullptr) kernel.discard(connection.timer);
    connection.timer = kernel.at(process_, kernel.now() + time, [this, id, then] {
        connections_.at(id).timer = nullptr;
        (this->*then)(id);
    });
}

} // namespace crier::broker
