#pragma once

#include "broker-model/store/standing_connection.hpp"
#include "sim/network.hpp"

#include <string>
#include <string_view>
#include <vector>

// Who listens to which channel of a database. What they are told is that something was notified:
// nobody asks for the payload.

namespace crier::broker {

/// A client begins to listen.
struct ListenRequest {
    ConnectionRequest connection;
    std::string channel;
};

/// What a transaction has notified.
struct Notified {
    std::string channel;
    std::string payload;

    friend bool operator==(const Notified&, const Notified&) = default;
};

/// The listeners of one life of a server.
class Listeners {
public:
    explicit Listeners(sim::Node& node) : node_(node), process_(node.process()) {}

    /// A name that is too long is cut, as an identifier's.
    void add(ListenRequest request);
    void remove(SessionId id);

    /// Tells those who listen to one of the channels, in the order in which they came.
    void tell(const std::vector<Notified>& notified);

private:
    void tell(const ConnectionRequest& listener);

    sim::Node& node_;
    sim::Process& process_;
    std::vector<ListenRequest> listeners_;
};

} // namespace crier::broker
