#include "broker-model/store/sim_connection.hpp"

#include "broker-model/store/database_server.hpp"

namespace crier::broker {

void SimConnection::stand() {
    watch(*database_, process_, id_, end_);
}

void SimConnection::watch(Database& database, sim::Process& process, SessionId id,
                          const std::weak_ptr<ClientEnd>& end) {
    sim::CallOptions options;
    options.timeout = keepalive_limit;
    database.world().network().async_call<bool>(
        process, database.node(), sql_connection, options,
        [&database, id](sim::Process&, sim::Reply<bool> reply) {
            DatabaseServer* const server = database.server();
            if (server != nullptr) server->watch_connection(id, std::move(reply));
        },
        [&database, &process, id, end](const Outcome<bool>& stands) {
            const auto open = end.lock();
            if (open == nullptr) return;
            if (stands && *stands) return watch(database, process, id, end);
            open->is_lost = true;
            open->news.tell();
        });
}

} // namespace crier::broker
