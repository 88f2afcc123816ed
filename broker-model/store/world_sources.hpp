#pragma once

#include "broker-model/store/sql_functions.hpp"
#include "sim/node.hpp"

namespace crier::broker {

/// The file of a simulated database on its node's disk.
inline constexpr std::string_view database_file = "database";

/// Answers SQL functions from a node: its sequences, its wall clock, the world's draws. Without a
/// node (a schema is tried out) nothing is drawn and time stands at the start.
class WorldSources final : public SqlSources {
public:
    WorldSources(DiskAccess& access, sim::Node* node)
        : node_(node), sequences_(access, std::string(database_file)) {}

    /// The statement that runs next is this client's, which arrived then: no two do at one time.
    void set_subject(std::uint32_t client, Instant arrived) {
        client_ = client;
        arrived_ = arrived;
    }

    [[nodiscard]] std::uint64_t random(std::uint64_t index) override;
    [[nodiscard]] WallTime wall_now() override;
    [[nodiscard]] SequenceResult next_value(std::string_view sequence,
                                            std::int64_t& value) override {
        return sequences_.next(sequence, value);
    }
    [[nodiscard]] SequenceResult create_sequence(std::string_view name) override {
        return sequences_.create(name);
    }
    [[nodiscard]] std::vector<std::string> sequence_files() const { return sequences_.files(); }

private:
    sim::Node* node_;
    Sequences sequences_;
    std::uint32_t client_ = 0;
    Instant arrived_{};
};

} // namespace crier::broker
