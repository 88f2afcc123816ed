#pragma once

#include "tests/conformance/client_program_run.hpp"

#include <algorithm>

namespace crier::conformance {

/// A consumer and what it was told in the current step.
struct ProgramRunner::Member final : kafka::RebalanceListener {
    asio::awaitable<void>
    partitions_revoked(std::vector<kafka::TopicPartition> partitions) override {
        note("revoked", partitions);
        for (const kafka::TopicPartition& partition : partitions)
            positions.erase(partition);
        co_return;
    }
    asio::awaitable<void>
    partitions_assigned(std::vector<kafka::TopicPartition> partitions) override {
        note("assigned", partitions);
        has_news = true;
        co_return;
    }
    asio::awaitable<void> partitions_lost(std::vector<kafka::TopicPartition> partitions) override {
        note("lost", partitions);
        for (const kafka::TopicPartition& partition : partitions)
            positions.erase(partition);
        co_return;
    }

    void note(std::string kind, const std::vector<kafka::TopicPartition>& partitions) {
        if (answer == nullptr) return;
        Seen& seen = answer->seen.emplace_back();
        seen.kind = std::move(kind);
        seen.client = name;
        for (const auto& [topic, partition] : partitions)
            seen.places.push_back({topic.substr(prefix_size), partition, 0});
        std::sort(seen.places.begin(), seen.places.end());
    }

    std::string name;
    std::string group;
    std::size_t prefix_size = 0;
    std::vector<std::string> topics;
    std::unique_ptr<kafka::Consumer> consumer;
    std::map<kafka::TopicPartition, kafka::Offset> positions; ///< After what was returned.
    StepAnswer* answer = nullptr;
    bool has_news = false; ///< Was assigned since the group last changed.
    bool is_stalled = false;
    bool is_cooperative = false;
    bool has_new_protocol = false;
};

} // namespace crier::conformance
