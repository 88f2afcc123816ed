#include "sim/process_ports.hpp"

#include "sim/timer.hpp"
#include "sim/world.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdio>

namespace crier::sim {

std::string_view name_of(Fate fate) {
    switch (fate) {
    case Fate::done: return "done";
    case Fate::duplicate: return "duplicate";
    case Fate::parked: return "parked";
    case Fate::discarded: return "discarded";
    }
    return "unknown";
}

Instant ProcessPorts::now() const {
    return process_.kernel().now();
}

WallTime ProcessPorts::wall_now() const {
    return node_.wall_clock().read(process_.kernel().now());
}

asio::awaitable<void> ProcessPorts::sleep(Duration duration) {
    return async_sleep_until(process_, process_.kernel().now() + duration, asio::use_awaitable);
}

// Counted by life, not drawn: readable, and no other process's ids move when this one makes more.
std::string ProcessPorts::next() {
    return node_.name() + "-" + std::to_string(process_.incarnation()) + "-" +
           std::to_string(++ids_);
}

std::uint64_t ProcessPorts::draw(std::string_view purpose, std::string_view subject,
                                 std::uint64_t attempt) {
    static constexpr Purpose product{"product"};
    return node_.world()
        .random()
        .draw(product, node_.name_text(), hash_text(purpose), hash_text(subject), attempt)
        .bits();
}

void ProcessPorts::reached(std::string_view point) {
    if (!process_.is_alive()) return;
    World& world = node_.world();
    const std::uint64_t text = world.history().name(point);
    world.record_as(&process_, events::point_reached, text);
    world.faults().on_point(node_.id(), text);
}

void ProcessPorts::attempting(std::string_view message_id, int attempt) {
    World& world = node_.world();
    world.record_as(&process_, events::attempting, world.history().text(message_id), attempt);
}

void ProcessPorts::attempt_failed(std::string_view message_id, int attempt,
                                  std::string_view reason) {
    // A reason is a class of failures, and checkers read it: so it is kept as a name.
    World& world = node_.world();
    world.record_as(&process_, events::attempt_failed, world.history().text(message_id), attempt,
                    world.history().name(reason));
}

void ProcessPorts::called_out(std::string_view message_id, std::string_view key) {
    World& world = node_.world();
    world.record_as(&process_, events::called_out, world.history().text(message_id),
                    world.history().text(key));
}

void ProcessPorts::settled(std::string_view message_id, Fate fate, std::string_view reason) {
    World& world = node_.world();
    world.record_as(&process_, events::settled, world.history().text(message_id),
                    world.history().name(name_of(fate)), world.history().text(reason));
}

asio::any_io_executor ProcessPorts::executor() {
    return process_.executor();
}

void ProcessPorts::spawn(std::string_view name, asio::awaitable<void> work) {
    if (!process_.is_alive()) return;
    asio::co_spawn(
        process_.executor(), std::move(work),
        [&node = node_, work_name = std::string(name)](const std::exception_ptr& escaped) {
            if (escaped) node.exception_escaped(work_name, escaped);
        });
}

} // namespace crier::sim
