#pragma once

#include "properties/index.hpp"
#include "properties/routes.hpp"
#include "sim/history.hpp"

#include <cstdint>
#include <vector>

// Reads the stream of a history as what happens to the messages of flows: accepted, stored,
// effective, parked, discarded. One for all that judge flows; what it means is theirs.

namespace crier::properties {

/// One message of one flow. The same identity in two flows is two of them.
struct FlowMessage {
    std::uint32_t number = 0; ///< 0, 1, 2 … in the order of first sight, over all flows.
    std::size_t flow = 0;
    std::uint64_t text = 0; ///< Its identity.
};

/// Told by a reader. Observers override what they need.
class FlowObserver {
public:
    virtual ~FlowObserver() = default;

    /// The message is accepted: the first durable row, or the first record where the flow has no
    /// table.
    virtual void on_accepted(const FlowMessage&, std::uint64_t /*key*/, const sim::Event&) {}
    /// Its last accepted row is gone again.
    virtual void on_unaccepted(const FlowMessage&, const sim::Event&) {}
    /// A record of it is in the flow's channel; every copy is told.
    virtual void on_stored(const FlowMessage&, const sim::Event&) {}
    /// A row of it is in the effects table of the subscriber; every row is told.
    virtual void on_effect(const FlowMessage&, std::size_t /*subscriber*/, const sim::Event&) {}
    virtual void on_effect_lost(const FlowMessage&, std::size_t /*subscriber*/, const sim::Event&) {
    }
    /// Every dead letter is told.
    virtual void on_parked(const FlowMessage&, std::size_t /*subscriber*/, const sim::Event&) {}
    /// Dropped on purpose, with a reason.
    virtual void on_discarded(const FlowMessage&, std::size_t /*subscriber*/, const sim::Event&) {}
    /// A replica of the subscriber begins an attempt, or says what became of the message.
    virtual void on_attempting(const FlowMessage&, std::size_t /*subscriber*/, const sim::Event&) {}
    virtual void on_settled(const FlowMessage&, std::size_t /*subscriber*/, const sim::Event&) {}
};

class FlowReader {
public:
    /// `topology` must outlive the reader.
    explicit FlowReader(const Topology& topology) : routes_(topology) {}

    /// Tells `observer`, after those added before it; it must outlive the reading.
    void add(FlowObserver& observer) { observers_.push_back(&observer); }

    void read(const sim::Event& event);

    [[nodiscard]] const Routes& routes() const { return routes_; }
    [[nodiscard]] const FateTexts& fates() const { return fates_; }
    [[nodiscard]] std::uint32_t count() const { return index_.size(); }
    [[nodiscard]] FlowMessage message(std::uint32_t number) const;
    [[nodiscard]] bool is_accepted(std::uint32_t number) const { return seen_[number].rows > 0; }

    /// Returns the number of that message of that flow, if it was seen.
    [[nodiscard]] std::optional<std::uint32_t> find(std::size_t flow, std::uint64_t text) const;

    /// Whether any flow into the channel has accepted the message.
    [[nodiscard]] bool is_accepted_by(std::size_t channel, std::uint64_t text) const;

private:
    struct Seen {
        std::uint64_t text = 0;
        std::uint32_t flow = 0;
        std::uint32_t rows = 0; // accepted rows, or 1 for a flow without a table
    };

    using Told = void (FlowObserver::*)(const FlowMessage&, std::size_t, const sim::Event&);

    std::uint32_t enter(std::size_t flow, std::uint64_t text);
    void accepted(const FlowMessage& message, std::uint64_t key, const sim::Event& event);
    void row_durable(const sim::Event& event);
    void row_lost(const sim::Event& event);
    void stored(const sim::Event& event);
    void settled(const sim::Event& event);
    void tell(std::size_t subscriber, std::uint64_t text, Told told, const sim::Event& event);

    Routes routes_;
    FateTexts fates_;
    std::vector<FlowObserver*> observers_;
    Index index_;
    std::vector<Seen> seen_;
};

} // namespace crier::properties
