#include "broker-model/store/listeners.hpp"

#include "broker-model/store/store_calls.hpp"
#include "sim/world.hpp"

#include <algorithm>

namespace crier::broker {

namespace {

struct Heard {};

} // namespace

// **Source**: PostgreSQL truncate_identifier, NAMEDATALEN; here at a byte, there at a character.
void Listeners::add(ListenRequest request) {
    constexpr std::size_t name_size_max = 63;
    if (request.channel.size() > name_size_max) request.channel.resize(name_size_max);
    listeners_.push_back(std::move(request));
}

void Listeners::remove(SessionId id) {
    std::erase_if(listeners_,
                  [id](const ListenRequest& listener) { return listener.connection.id == id; });
}

void Listeners::tell(const std::vector<Notified>& notified) {
    if (notified.empty()) return;
    for (const ListenRequest& listener : listeners_) {
        const bool is_meant =
            std::any_of(notified.begin(), notified.end(), [&listener](const Notified& each) {
                return each.channel == listener.channel;
            });
        if (is_meant) tell(listener.connection);
    }
}

void Listeners::tell(const ConnectionRequest& listener) {
    sim::World& world = node_.world();
    world.network().async_call<Heard>(
        process_, world.node(listener.client->node()), sql_notification, {},
        [client = listener.client, end = listener.end](sim::Process& found,
                                                       sim::Reply<Heard> reply) {
            reply(Heard{});
            const auto open = &found == client ? end.lock() : nullptr;
            if (open == nullptr) return;
            open->was_notified = true;
            open->news.tell();
        },
        [](const Outcome<Heard>&) {});
}

} // namespace crier::broker
