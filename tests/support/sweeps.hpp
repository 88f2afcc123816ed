#pragma once

#include "broker-model/store/sqlite_setup.hpp"
#include "scenarios/load_scenario.hpp"
#include "scenarios/points.hpp"
#include "scenarios/sweep.hpp"

#include <gtest/gtest.h>
#include <stdexcept>
#include <string>
#include <vector>

// Sweeps over a small outbox.

namespace crier::test {

/// A small run: what is published may be published twice, and no more. It ends only after whoever
/// lost an answer has tried again.
inline std::string small_outbox(const std::string& relay) {
    return R"(
brokers:
  events: {kafka: {nodes: 1}}
channels:
  orders: {partitions: 2}
databases: [shop-db]
services:
  shop: {is: outbox-producer, database: shop-db, replicas: 2, notify: on}
  relay: {is: outbox-relay, database: shop-db, to: orders, replicas: 2, lease: 2s, )" +
           relay + R"(}
load:
  - {to: shop, rate: 10/s, for: 1s, keys: 3}
  - {to: shop, rate: 1/s, for: 1s, start: 4s, keys: 3}
settle: 1m
expect:
  - outbox-no-missing
  - outbox-no-phantom
  - outbox-order-per-key
)";
}

inline scenario::Scenario parsed(const std::string& text,
                                 const std::vector<std::string>& faults = {}) {
    broker::configure_sqlite();
    auto read = scenario::parse_scenario(text, "small.yaml", scenario::stock_services(), faults);
    if (read) return std::move(*read);
    for (const scenario::LoadError& error : read.error())
        ADD_FAILURE() << error.text();
    throw std::runtime_error("no scenario");
}

/// Sweeps all points of those nodes.
inline scenario::Sweep swept(const std::string& text, const std::vector<std::string>& nodes,
                             const std::string& kind, bool keep_going = true) {
    const scenario::Scenario base = parsed(text);
    std::vector<scenario::SweptScenario> points;
    for (const std::string& address : nodes) {
        for (const std::string& node : scenario::members_of(base, address)) {
            for (const std::string& point :
                 scenario::points_of(base, scenario::stock_services(), node)) {
                scenario::SweptScenario& one = points.emplace_back();
                one.fault = {kind, node, point, "1s"};
                one.hash = base.hash;
                one.scenario = parsed(text, {one.fault.text(1)});
            }
        }
    }
    scenario::SweepOptions options;
    options.workers = 2;
    options.keep_going = keep_going;
    return scenario::sweep(points, scenario::stock_services(), options, nullptr);
}

/// Returns how often the node, or the nodes of that name together, reached the point.
inline std::uint64_t count_of(const scenario::Sweep& sweep, const std::string& address,
                              const std::string& point) {
    std::uint64_t count = 0;
    for (const scenario::SweptPoint& each : sweep.points) {
        const std::string& node = each.fault.node;
        const bool is_it = node == address || node.starts_with(address + "/");
        if (is_it && each.fault.point == point) count += each.count;
    }
    return count;
}

} // namespace crier::test
