#pragma once

#include "tests/conformance/client_program.hpp"

#include <string>
#include <vector>

// What a history of a share group must be.
//
// Violations: a record is given as it was sent, to a member that subscribes to its topic, at most
// as often as a record is delivered, each time with the next count, and never again once it was
// accepted, rejected, or released after its last delivery. While somebody holds it, nobody is given
// it until the lock ends or its holder closes. A commit of what the member has is not refused; that
// of what its lock took away is, with INVALID_RECORD_STATE, unless everything up to there is done:
// that is passed over.
//
// Of what lies there when somebody takes records to hold, it is open how much is taken, and how
// much is fetched ahead by who is then slow: there, counts may be left out and are no facts.
// Elsewhere a count that was left out says that the machine was too slow, or else that deliveries
// are miscounted.
//
// Facts: for each `work` step, how often each other record was delivered in it, with which
// verdicts; with which count records come whose holder closed; what a holder's late word was
// answered.

namespace crier::conformance {

struct ShareFindings {
    std::vector<std::string> violations;
    std::vector<std::string> facts;
    /// A lock ended in the middle of work, or unseen: the machine was too slow.
    bool is_disturbed = false;
};

[[nodiscard]] ShareFindings check_shares(const Program& program, const History& history);

} // namespace crier::conformance
