#pragma once

#include "reports/result_names.hpp"
#include "scenarios/campaign.hpp"
#include "scenarios/run.hpp"
#include "scenarios/sweep.hpp"

#include <string>

namespace crier::report {

struct TextOptions {
    Invocation from;    ///< For the replay command.
    bool color = false; ///< ANSI colours for verdicts.
};

/// Tells one run: verdicts, ledger, faults, remarks; and for a violation its story (if the history
/// was kept) and the replay command. **Shape**: lines of at most about 120 columns.
[[nodiscard]] std::string text_of(const scenario::RunResult& run, const TextOptions& options);

/// Tells a campaign, with the first violating run.
[[nodiscard]] std::string text_of(const scenario::Campaign& campaign, const TextOptions& options);

/// Tells a sweep: how many points of which kind it struck, and the first violating run.
[[nodiscard]] std::string text_of(const scenario::Sweep& sweep, const TextOptions& options);

/// Tells a kept history, one line an event. **Requires** that the history was kept.
[[nodiscard]] std::string trace_of(const scenario::RunResult& run);

} // namespace crier::report
