#pragma once

#include "properties/property.hpp"

namespace crier::cli {

enum ExitCode : int {
    exit_holds = 0,
    exit_violated = 1,
    exit_bad_input = 2,
    exit_inconclusive = 3,
    exit_harness_failed = 4,
    exit_interrupted = 130,
};

[[nodiscard]] inline ExitCode exit_code_of(properties::VerdictKind verdict) {
    switch (verdict) {
    case properties::VerdictKind::holds: return exit_holds;
    case properties::VerdictKind::violated: return exit_violated;
    case properties::VerdictKind::inconclusive:
    case properties::VerdictKind::vacuous: return exit_inconclusive;
    }
    return exit_harness_failed;
}

} // namespace crier::cli
