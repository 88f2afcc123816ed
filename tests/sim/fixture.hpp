#pragma once

#include "sim/process_ports.hpp"
#include "sim/timer.hpp"
#include "sim/world.hpp"

#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <functional>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace crier::sim::test {

using namespace std::chrono_literals;

/// A program whose body is a coroutine given by the test.
class Body final : public Program {
public:
    using Coroutine = std::function<asio::awaitable<void>(Body&)>;

    Body(Node& at, const Coroutine& body) : node(at), ports(at) {
        if (body) ports.spawn("body", body(*this));
    }

    Node& node;
    ProcessPorts ports;
};

/// Adds a node that runs `body` in each of its lives, and starts it.
inline Node& add_body(World& world, std::string name, Body::Coroutine body = {}) {
    NodeOptions options;
    options.name = std::move(name);
    options.entry = [run = std::move(body)](Node& node) {
        return std::make_unique<Body>(node, run);
    };
    Node& node = world.add_node(std::move(options));
    node.start();
    return node;
}

/// Counts its living instances: what a crash must bring to zero.
class Counted {
public:
    explicit Counted(int& count) : count_(count) { ++count_; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    ~Counted() { --count_; }

private:
    int& count_;
};

inline FaultSpec fault_at(FaultKind kind, std::vector<std::uint32_t> nodes, Duration at,
                          Duration length) {
    FaultSpec spec;
    spec.kind = kind;
    spec.nodes = std::move(nodes);
    spec.trigger.at = Instant(at);
    spec.duration = length;
    spec.what = std::string(name_of(kind));
    return spec;
}

} // namespace crier::sim::test
