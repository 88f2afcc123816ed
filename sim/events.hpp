#pragma once

#include "sim/history.hpp"

// The kinds of events that the kernel's world records: numbers 0x01xx.

namespace crier::sim::events {

using enum OperandType;

inline constexpr EventKind node_added{0x0101, "node-added", "{name} exists", {{{"name", text}}}};
inline constexpr EventKind started{
    0x0102, "started", "{node} starts (life {life})", {{{"life", number}}}};
inline constexpr EventKind crashed{0x0103, "crashed", "{node} dies ({how})", {{{"how", text}}}};
inline constexpr EventKind power_lost{0x0104,
                                      "power-lost",
                                      "{node} loses power; {lost} unsynced writes are gone",
                                      {{{"lost", number}}}};
inline constexpr EventKind stopping{0x0113, "stopping", "{node} is told to stop", {}};
inline constexpr EventKind paused{
    0x0105, "paused", "{node} freezes for {for}", {{{"for", duration}}}};
inline constexpr EventKind resumed{0x0106, "resumed", "{node} goes on", {}};
inline constexpr EventKind fault_began{
    0x0107, "fault-began", "fault #{fault} begins: {what}", {{{"fault", number}, {"what", text}}}};
inline constexpr EventKind fault_ended{
    0x0108, "fault-ended", "fault #{fault} ends: {what}", {{{"fault", number}, {"what", text}}}};
inline constexpr EventKind healed{0x0109, "healed", "every fault is over", {}};
inline constexpr EventKind point_reached{
    0x010A, "point-reached", "{node} reaches {point}", {{{"point", text}}}};
inline constexpr EventKind exception_escaped{
    0x010B, "exception-escaped", "an exception ends {node} in {work}", {{{"work", text}}}};
inline constexpr EventKind message_stalled{
    0x010C,
    "message-stalled",
    "the network holds {call} from {from} to {to} back",
    {{{"call", text}, {"from", OperandType::node}, {"to", OperandType::node}}}};
inline constexpr EventKind answer_lost{
    0x010D,
    "answer-lost",
    "{to} executed {call} for {from}, and the answer is lost",
    {{{"call", text}, {"from", OperandType::node}, {"to", OperandType::node}}}};
inline constexpr EventKind connection_reset{
    0x010E,
    "connection-reset",
    "the connection of {from} and {to} breaks",
    {{{"from", OperandType::node}, {"to", OperandType::node}}}};
/// A fault had the server answer a call otherwise than it would have: an error, or what is stale.
inline constexpr EventKind answer_forged{
    0x010F,
    "answer-forged",
    "{to} answers {call} of {from} as the fault has it: {answer}",
    {{{"call", text}, {"from", OperandType::node}, {"to", OperandType::node}, {"answer", text}}}};
inline constexpr EventKind attempting{0x0110,
                                      "attempting",
                                      "{node} handles {message}, attempt {attempt}",
                                      {{{"message", text}, {"attempt", number}}}};
inline constexpr EventKind attempt_failed{
    0x0111,
    "attempt-failed",
    "{node} fails on {message}, attempt {attempt}: {reason}",
    {{{"message", text}, {"attempt", number}, {"reason", text}}}};
inline constexpr EventKind settled{0x0112,
                                   "settled",
                                   "{node} is done with {message}: {fate}: {reason}",
                                   {{{"message", text}, {"fate", text}, {"reason", text}}}};
/// Outside a database, where a repetition is known by its key or not at all.
inline constexpr EventKind called_out{0x0114,
                                      "called-out",
                                      "{node} calls out for {message} under key {key}",
                                      {{{"message", text}, {"key", text}}}};

/// All of them, for readers.
inline constexpr std::array all{
    node_added,    stopping,          started,         crashed,     power_lost,
    paused,        resumed,           fault_began,     fault_ended, healed,
    point_reached, exception_escaped, message_stalled, answer_lost, connection_reset,
    answer_forged, attempting,        attempt_failed,  settled,     called_out};

} // namespace crier::sim::events
