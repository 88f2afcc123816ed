#pragma once

#include "tests/conformance/client_program.hpp"

#include <rapidcheck.h>

namespace crier::conformance {

/// A choice that becomes steps by what is there when its turn comes, so that any choices in any
/// order make a program and RapidCheck may leave out what it likes.
struct Choice {
    int kind = 0; ///< Of 100.
    int who = 0;
    int what = 0;
};

/// What kinds of things a place of execution is able to do.
struct ProgramLimits {
    int nodes = 1;
    bool has_auto_commit = true;
    kafka::GroupProtocol protocol = kafka::GroupProtocol::classic;
    bool has_new_protocol = true; ///< For some groups of programs of transactions.
    std::vector<kafka::Assignor> assignors{kafka::Assignor::range, kafka::Assignor::round_robin,
                                           kafka::Assignor::sticky,
                                           kafka::Assignor::cooperative_sticky};
};

/// Returns the program that the choices make: it ends with each group closed, a new member that
/// shows what was committed, and a reader of everything from the start.
[[nodiscard]] Program make_program(const std::vector<Choice>& choices, const ProgramLimits& limits);

/// The same of transactions: it ends with each transaction ended, a new member that shows which
/// offsets count, and two readers of everything, one of committed records only.
[[nodiscard]] Program make_transaction_program(const std::vector<Choice>& choices,
                                               const ProgramLimits& limits);

/// The same of a share group: in the end everything is done, and who comes then is given only what
/// is new.
[[nodiscard]] Program make_share_program(const std::vector<Choice>& choices,
                                         const ProgramLimits& limits);

/// Draws what `make_program` takes.
[[nodiscard]] rc::Gen<std::vector<Choice>> choices();

} // namespace crier::conformance
