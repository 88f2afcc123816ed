#pragma once

#include "properties/flow_reader.hpp"
#include "properties/ledger.hpp"
#include "properties/row_reader.hpp"
#include "properties/send_reader.hpp"
#include "sim/history.hpp"

#include <memory>
#include <vector>

namespace crier::properties {

/// One reading of a run's history, shared by all that judge it: where everything belongs, what
/// happens to the messages of flows, what producers were told of their records, what becomes of the
/// rows of outboxes and inboxes, and the ledger. Observers of flows are told of an event first, the
/// ledger before the others; then those of sends; then those of rows; then those that see the event
/// itself.
class Reading final : public sim::EventSink {
public:
    /// `topology` must be complete and outlive the reading.
    explicit Reading(const Topology& topology)
        : topology_(topology), flows_(topology), rows_(flows_.routes()),
          ledger_(make_ledger(*this)) {}

    void on_event(const sim::Event& event) override {
        flows_.read(event);
        sends_.read(event);
        rows_.read(event);
        for (sim::EventSink* const sink : sinks_)
            sink->on_event(event);
    }

    /// Shows every event to `sink`, which must outlive the reading.
    void add(sim::EventSink& sink) { sinks_.push_back(&sink); }

    [[nodiscard]] const Topology& topology() const { return topology_; }
    [[nodiscard]] FlowReader& flows() { return flows_; }
    [[nodiscard]] SendReader& sends() { return sends_; }
    [[nodiscard]] RowReader& rows() { return rows_; }
    [[nodiscard]] Ledger& ledger() { return *ledger_; }

private:
    const Topology& topology_;
    FlowReader flows_;
    SendReader sends_;
    RowReader rows_;
    std::vector<sim::EventSink*> sinks_;
    std::unique_ptr<Ledger> ledger_;
};

} // namespace crier::properties
