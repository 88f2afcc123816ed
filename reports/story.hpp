#pragma once

#include "properties/story.hpp"
#include "scenarios/run.hpp"

namespace crier::report {

/// Returns the story of a violation; empty without one, and where the history was not kept.
[[nodiscard]] properties::Story story_of(const scenario::RunResult& run,
                                         const properties::Verdict& verdict);

} // namespace crier::report
