#pragma once

#include "messaging/ports/process.hpp"
#include "sim/node.hpp"

namespace crier::sim {

/// The process ports of one simulated process: its clocks, identities, observer and background
/// work, all from the world. A member of the program that runs in the process.
class ProcessPorts final : public Clock, public Ids, public Observer, public Background {
public:
    explicit ProcessPorts(Node& node) : node_(node), process_(node.process()) {}

    /// Returns the four ports as product code takes them.
    [[nodiscard]] crier::ProcessPorts ports() { return {*this, *this, *this, *this}; }

    [[nodiscard]] Instant now() const override;
    [[nodiscard]] WallTime wall_now() const override;
    [[nodiscard]] asio::awaitable<void> sleep(Duration duration) override;

    [[nodiscard]] std::string next() override;
    [[nodiscard]] std::uint64_t draw(std::string_view purpose, std::string_view subject,
                                     std::uint64_t attempt) override;

    void reached(std::string_view point) override;
    void attempting(std::string_view message_id, int attempt) override;
    void attempt_failed(std::string_view message_id, int attempt, std::string_view reason) override;
    void called_out(std::string_view message_id, std::string_view key) override;
    void settled(std::string_view message_id, Fate fate, std::string_view reason) override;

    [[nodiscard]] asio::any_io_executor executor() override;
    void spawn(std::string_view name, asio::awaitable<void> work) override;

private:
    Node& node_;
    Process& process_;
    std::uint64_t ids_ = 0;
};

/// Returns how a fate is written in the history: `done`, `duplicate`, `parked`, `discarded`.
[[nodiscard]] std::string_view name_of(Fate fate);

} // namespace crier::sim
