#pragma once

#include "broker-model/events.hpp"
#include "sim/hash.hpp"
#include "sim/history.hpp"

#include <cstdint>
#include <map>
#include <tuple>

namespace crier::properties {

/// Which consumers read committed records only. Of several in one process that read for one group,
/// all must; who never said is not one.
class CarefulReaders {
public:
    void read(const sim::Event& event) {
        if (event.kind != broker::events::consumer_opened.id) return;
        const bool is_careful = event.operands[1] == committed_;
        const auto [found, is_new] =
            careful_.try_emplace({event.node, event.incarnation, event.operands[0]}, is_careful);
        if (!is_new) found->second = found->second && is_careful;
    }

    /// Whether who recorded `event` reads so for that group.
    [[nodiscard]] bool has(const sim::Event& event, std::uint64_t group) const {
        const auto found = careful_.find({event.node, event.incarnation, group});
        return found != careful_.end() && found->second;
    }

private:
    std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint64_t>, bool> careful_;
    std::uint64_t committed_ = sim::hash_text("read-committed");
};

} // namespace crier::properties
