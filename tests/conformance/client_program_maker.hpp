#pragma once

#include "tests/conformance/client_program_gen.hpp"

#include <string>
#include <utility>
#include <vector>

namespace crier::conformance {

/// What all that make programs have in common.
class ProgramMaker {
protected:
    explicit ProgramMaker(const ProgramLimits& limits) : limits_(limits) {}

    Step& add(Action action) {
        program_.steps.emplace_back().action = action;
        return program_.steps.back();
    }
    Step& add(Action action, const std::string& client) {
        Step& step = add(action);
        step.client = client;
        return step;
    }

    [[nodiscard]] std::string next_value(const char* kind) {
        return kind + std::to_string(++values_);
    }

    /// The producer of `mark`; comes first.
    void open_marker() { add(Action::open_producer, "marker").producer.linger = Duration::zero(); }

    /// Sends a record to each place. **Returns** them.
    std::vector<kafka::ProducerRecord> send_markers(const std::vector<kafka::TopicPartition>& to) {
        std::vector<kafka::ProducerRecord> markers;
        for (const kafka::TopicPartition& place : to) {
            kafka::ProducerRecord& record = markers.emplace_back();
            record.topic = place.topic;
            record.partition = place.partition;
            record.value = next_value("m");
        }
        if (!markers.empty()) add(Action::send, "marker").records = markers;
        return markers;
    }

    /// Lets the group read a record that is sent now to each place, and so all before it.
    void mark(const std::vector<kafka::TopicPartition>& places, const std::string& group) {
        std::vector<kafka::ProducerRecord> markers = send_markers(places);
        if (markers.empty()) return;
        Step& step = add(Action::read);
        step.group = group;
        step.records = std::move(markers);
    }

    ProgramLimits limits_;
    Program program_;

private:
    int values_ = 0;
};

} // namespace crier::conformance
