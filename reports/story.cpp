#include "reports/story.hpp"

#include "scenarios/events.hpp"

namespace crier::report {

properties::Story story_of(const scenario::RunResult& run, const properties::Verdict& verdict) {
    if (run.history.empty() || verdict.kind != properties::VerdictKind::violated) return {};
    return properties::tell(verdict, run.history, *run.texts, run.node_names,
                            scenario::events::all);
}

} // namespace crier::report
