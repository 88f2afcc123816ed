#pragma once

#include "properties/property.hpp"

#include <span>
#include <string>
#include <vector>

// The story of a violation: the few events of a kept history that tell it, in plain sentences, and
// its cause in words. Chooses and words; judges nothing.

namespace crier::properties {

struct StoryLine {
    std::uint64_t omitted = 0; ///< Related events left out between the line before and this one.
    std::uint64_t sequence = 0;
    Instant time{};
    std::string node;
    std::string text; ///< What the node does, without its name; or a whole sentence.
};

struct Story {
    std::vector<StoryLine> lines; ///< In the order of the run; at most `story_lines_max`.
    std::uint64_t omitted = 0;    ///< Related events left out after the last line.
    std::string cause;            ///< See `cause_of`.
};

inline constexpr std::size_t story_lines_max = 15;

/// Tells a verdict from the events that it was made of. `more_kinds` are kinds beyond those of the
/// kernel, the brokers and the stores. **Returns** no lines when the verdict names no events or
/// subjects.
[[nodiscard]] Story tell(const Verdict& verdict, std::span<const sim::Event> history,
                         const sim::TextTable& texts, std::span<const std::string> node_names,
                         std::span<const sim::EventKind> more_kinds = {});

/// Returns the lines in columns, each ending in a newline: `  12.031 s  billing/1  handles …`. The
/// cause is not among them.
[[nodiscard]] std::string render(const Story& story);

} // namespace crier::properties
