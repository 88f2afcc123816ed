#pragma once

#include "sim/history.hpp"

// The kinds of events that a scenario's own load clients record: numbers 0x05xx.

namespace crier::scenario::events {

using sim::EventKind;
using enum sim::OperandType;

inline constexpr EventKind input_sent{
    0x0501,
    "input-sent",
    "{node} asks {to} for {message} ({key}), try {try}",
    {{{"message", text}, {"key", text}, {"to", sim::OperandType::node}, {"try", number}}}};
inline constexpr EventKind input_answered{0x0502,
                                          "input-answered",
                                          "{node} is told that {message} {outcome}",
                                          {{{"message", text}, {"outcome", text}}}};

inline constexpr std::array all{input_sent, input_answered};

} // namespace crier::scenario::events
