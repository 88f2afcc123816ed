#pragma once

#include "scenarios/load_format.hpp"

// How faults are written: a row for each kind, and one for each call that they can wait for.

namespace crier::scenario {

struct FaultFormat {
    enum class Amount { none, times, loss, by, error, partitions };
    enum class Whom {
        nodes,
        link,     ///< Has another side: `between`, `one-way`.
        calls,    ///< Befalls calls, and needs to know which; of anybody unless it says whom.
        leader,   ///< The leader of a partition.
        group,    ///< The coordinator of a group.
        service,  ///< A service.
        broker,   ///< A broker, or some broker of a cluster.
        channel,  ///< A channel.
        database, ///< A database with a replica.
    };

    std::string_view name;
    sim::FaultKind kind = sim::FaultKind::crash;
    std::string_view help;
    Whom whom = Whom::nodes;
    bool lasts = true;     ///< Takes `for`.
    bool for_ever = false; ///< … which may be left out.
    Amount amount = Amount::none;
    Story story = Story::none;

    [[nodiscard]] bool is_link() const { return whom == Whom::link; }
    [[nodiscard]] bool is_call() const { return whom == Whom::calls; }
    /// Whether it can wait for a call or a point.
    [[nodiscard]] bool takes_points() const { return story == Story::none && !is_call(); }
    /// The keys that say whom: one of them.
    [[nodiscard]] std::vector<std::string> ways() const;
};
[[nodiscard]] std::span<const FaultFormat> fault_formats();
[[nodiscard]] Keys fault_keys(const FaultFormat& format);

/// The ways to name whom a fault befalls that are not plain names.
[[nodiscard]] Keys target_keys();

/// A call that faults can wait for.
struct CallFormat {
    enum class Errors { none, kafka, store };
    std::string_view name;
    Errors errors = Errors::none; ///< What it can be answered with instead of success.
    bool can_be_stale = false;
};
[[nodiscard]] std::vector<CallFormat> call_formats();
[[nodiscard]] std::vector<std::string> call_names();

/// Returns the names of the errors with which such a call can fail.
[[nodiscard]] std::vector<std::string> error_names(CallFormat::Errors errors);

/// Returns the number of that error, if there is one.
[[nodiscard]] std::optional<std::int64_t> find_error(CallFormat::Errors errors,
                                                     std::string_view name);

} // namespace crier::scenario
