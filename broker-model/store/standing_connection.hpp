#pragma once

#include "broker-model/store/lock_table.hpp"
#include "broker-model/wait_point.hpp"
#include "sim/network.hpp"
#include "sim/node.hpp"

#include <functional>
#include <map>
#include <memory>

// Connections that stand while nothing is asked: those of listeners and of readers of changes. Each
// end keeps a call to the other that is not answered while it stands, so a death of either, or a
// reset, is heard of at once; and the client's is answered now and then, which shows that the other
// machine is there at all. Its times are those of TCP's keepalives, as `tcp_keepalives_idle`
// and `keepalives_idle` set them at both ends.

namespace crier::broker {

/// Time without a word after which one end asks whether the other is there, and after which it
/// takes the other for gone. (PostgreSQL's own default is the system's: two hours.)
inline constexpr Duration keepalive_idle = std::chrono::seconds(30);
inline constexpr Duration keepalive_limit = std::chrono::seconds(60);

/// The end of a connection.
struct ConnectionEnd {};

/// The client's half. Destroyed, it ends the connection.
class ClientEnd {
public:
    explicit ClientEnd(sim::Process& process) : news(process) {}
    ~ClientEnd() {
        if (held) held(ConnectionEnd{});
    }
    ClientEnd(const ClientEnd&) = delete;
    ClientEnd& operator=(const ClientEnd&) = delete;

    WaitPoint news; ///< Told of the loss, and of notifications.
    bool is_lost = false;
    bool was_notified = false;
    sim::Reply<ConnectionEnd> held; ///< The server's call.
};

/// By what a client asks for a connection.
struct ConnectionRequest {
    SessionId id = 0;
    sim::Process* client = nullptr;
    std::weak_ptr<ClientEnd> end; ///< Gone when the client does not want it any more.
};

/// The server's halves.
class StandingConnections {
public:
    /// `ended` is called once for each connection, when it is gone.
    StandingConnections(sim::Node& node, std::function<void(SessionId)> ended);

    void open(const ConnectionRequest& request);

    [[nodiscard]] std::size_t count() const { return connections_.size(); }

    /// The client asks whether the connection stands: answered with `true` after a while, and with
    /// `false` when it does not.
    void watch(SessionId id, sim::Reply<bool> reply);

private:
    struct Connection {
        sim::Reply<bool> watcher;
        sim::Operation* timer = nullptr;
    };

    void answer(SessionId id);
    void end(SessionId id);
    void wait(SessionId id, Connection& connection, Duration time,
              void (StandingConnections::*then)(SessionId));

    sim::Node& node_;
    sim::Process& process_;
    std::function<void(SessionId)> ended_;
    std::map<SessionId, Connection> connections_;
};

} // namespace crier::broker
