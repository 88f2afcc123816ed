#pragma once

#include "tests/broker-model/kafka_client_fixture.hpp"

#include <set>

// Programs of group members, and what must hold of any group: a partition has one owner at a time.

namespace crier::broker::kafka::testing {

/// Sends a number to each partition in turn, for as long as it lives.
inline asio::awaitable<void> produce_on(ClientProgram& program, std::int32_t partitions,
                                        Duration pause) {
    const auto producer = program.client.producer({});
    for (int at = 0;; ++at) {
        std::vector<ProducerRecord> records;
        records.push_back(record_at("orders", at % partitions, std::to_string(at)));
        const SendOutcomes outcomes = co_await producer->send(std::move(records));
        (void)outcomes;
        co_await program.ports.sleep(pause);
    }
}

/// Polls, notes, and commits each batch.
inline asio::awaitable<void> work(ClientProgram& program, ConsumerOptions options, Seen& seen) {
    options.enable_auto_commit = false;
    NotingListener listener(seen);
    const auto consumer = program.client.consumer(std::move(options));
    consumer->subscribe({"orders"}, &listener);
    for (;;) {
        const Outcome<Records> polled = co_await consumer->poll(100ms);
        if (polled.has_error()) co_return;
        for (const ConsumerRecord& record : *polled)
            seen.values.push_back(record.value);
        if (polled->empty()) continue;
        std::vector<TopicPartitionOffset> offsets = after(*polled);
        const Outcome<void> outcome = co_await consumer->commit(std::move(offsets));
        seen.commits.push_back(outcome);
    }
}

/// Requires that in the history nobody is given what a living process holds and has neither given
/// back nor lost, and that only who holds a partition receives from it. **Returns** who holds what
/// in the end.
inline std::map<std::uint64_t, std::uint32_t> check_owners(sim::World& world) {
    std::map<std::uint64_t, std::uint32_t> owners;
    for (const sim::Event& event : world.history().events()) {
        if (event.kind == sim::events::crashed.id) {
            std::erase_if(owners, [&event](const auto& it) { return it.second == event.node; });
        } else if (event.kind == events::assigned.id) {
            EXPECT_TRUE(owners.emplace(event.operands[0], event.node).second)
                << world.history().texts().find(event.operands[0]) << " has two owners";
        } else if (event.kind == events::revoked.id || event.kind == events::lost.id) {
            EXPECT_EQ(owners[event.operands[0]], event.node);
            owners.erase(event.operands[0]);
        } else if (event.kind == events::delivered.id) {
            EXPECT_EQ(owners[event.operands[0]], event.node);
        }
    }
    return owners;
}

/// Members come, leave by crashing, and return in a drawn order; `options` says as what, by number
/// of the member and of its life. Whatever happens, no partition is with two of them. **Returns**
/// how many of five partitions have an owner in the end.
inline std::size_t
come_and_go(std::uint64_t seed,
            const std::function<ConsumerOptions(std::size_t, std::size_t)>& options,
            ClusterOptions cluster = quick_cluster()) {
    static constexpr sim::Purpose purpose{"test.comings-and-goings"};
    Farm farm(seed, {topic_of("orders", 5)}, std::move(cluster));
    farm.add("producer", [](ClientProgram& it) { return produce_on(it, 5, 100ms); });
    std::vector<Seen> seen(4);
    std::vector<std::size_t> lives(4, 0);
    std::vector<sim::Node*> nodes;
    for (std::size_t at = 0; at < seen.size(); ++at) {
        nodes.push_back(&farm.add("billing/" + std::to_string(at + 1), [&, at](ClientProgram& it) {
            return work(it, options(at, lives[at]++), seen[at]);
        }));
    }
    const sim::Random random(seed);
    for (std::uint64_t step = 0; step < 30; ++step) {
        sim::Node& node = *nodes[random.draw(purpose, 1, step).below(nodes.size())];
        if (node.is_up()) {
            node.crash("test");
        } else {
            node.start();
        }
        farm.run_for(random.draw(purpose, 2, step).between(100ms, 8s));
    }
    for (sim::Node* const node : nodes) {
        if (!node->is_up()) node->start();
    }
    farm.run_for(70s);
    return check_owners(farm.world).size();
}

inline std::size_t come_and_go(std::uint64_t seed, const ConsumerOptions& options) {
    return come_and_go(seed, [&options](std::size_t, std::size_t) { return options; });
}

} // namespace crier::broker::kafka::testing
