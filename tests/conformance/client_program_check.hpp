#pragma once

#include "tests/conformance/client_program.hpp"

// What a history must be, whoever made it. Two kinds of statements:
//
// `violations`: what holds whatever the order of events was. A partition's offsets are dense in the
// order of the outcomes (until control records take some: then ascending). A member is given
// records only of partitions that it holds, each partition has one holder among those that poll, a
// tenure begins at the committed offset, else as the reset policy says, and goes on record by
// record without a gap or a repetition, each with the value and key that were sent there. What is
// paused is silent.
//
// With transactions: each that ends takes one offset in every partition that it wrote to. A careful
// member (read_committed) is given the records of committed transactions and of none, all of them,
// and nothing at or behind the first record of an open one; a careless one is given everything.
// Offsets of a committed transaction count as a commit would have at their place in the log, those
// of an aborted one do not, and while one is open careful members that come do not begin. Who takes
// a transactional id, or lets the time pass, aborts what was open.
//
// `facts`: what programs leave no choice about. Two histories of one program must have the same:
// the partition and offset of each record (in topics where keys or the program choose the
// partition), the errors, who holds what after each `settle`, where reading of each partition began
// and how far it had come at each `read`, what a commit answered. Who holds what under a sticky
// assignor depends on the order of a Java hash map, and by the new protocol on random ids; it is no
// fact: there, shares must be even.

namespace crier::conformance {

/// Returns a sentence for each statement that the history breaks.
[[nodiscard]] std::vector<std::string> violations(const Program& program, const History& history);

/// Whether the ids of members sort as their client ids, so that it is known who is given what.
enum class Owners { are_facts, are_free };

/// Whether it is known which error a record gets whose transaction fails, and by which of its two
/// names who is fenced hears of it. librdkafka says only that the record was purged, and
/// PRODUCER_FENCED or INVALID_PRODUCER_EPOCH by whoever answers first.
enum class SendErrors { are_facts, are_free };

/// Returns one line per fact, in the order of the steps.
[[nodiscard]] std::vector<std::string> facts(const Program& program, const History& history,
                                             Owners owners = Owners::are_facts,
                                             SendErrors errors = SendErrors::are_facts);

/// Returns the first difference between two lists of facts, with some lines around; empty: none.
[[nodiscard]] std::string first_difference(const std::vector<std::string>& expected,
                                           const std::vector<std::string>& found);

/// Whether a group was rebalanced, or a member put out of it, when the program gave no cause, a
/// transaction timed out before its time, or steps took longer than a session or a lock lasts: the
/// machine was too slow for the times of the programs, so that the history says nothing.
[[nodiscard]] bool is_disturbed(const Program& program, const History& history);

/// Topics with this prefix are those where the producer may choose partitions as it likes.
inline constexpr const char* loose_prefix = "unkeyed";

} // namespace crier::conformance
