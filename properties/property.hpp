#pragma once

#include "messaging/ports/clock.hpp"
#include "properties/topology.hpp"
#include "sim/history.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace crier::properties {

enum class VerdictKind { holds, violated, inconclusive, vacuous };

/// Returns `holds`, `violated`, `inconclusive` or `vacuous`.
[[nodiscard]] std::string_view name_of(VerdictKind kind);

/// What one property says of one run.
struct Verdict {
    std::string property; ///< As in the scenario: `effect-at-most-once`.
    VerdictKind kind = VerdictKind::vacuous;
    std::uint64_t observations = 0; ///< How many things it judged.
    std::uint64_t violations = 0;
    std::string witness; ///< Of the first violation, in one or two sentences; empty when it holds.
    std::string remark;  ///< What it saw that is no violation, for people; mostly empty.
    Instant violated_at{}; ///< When the first violation became certain.
    std::vector<std::uint64_t>
        subjects; ///< Message texts (hashes) that the witness is about, the main first.
    std::vector<std::uint64_t> events;    ///< Sequences of the events that show it, ascending.
    std::optional<Subscriber> subscriber; ///< Whose it is, when it concerns one subscriber.
};

/// How a run ended, as far as judges care.
struct RunEnd {
    Instant time{};
    bool quiet = false; ///< Everything came to rest before the drain budget was over.
    bool cut = false;   ///< Stopped from outside; what is missing might still have come.
    const sim::TextTable* texts = nullptr; ///< For witnesses.
};

class Reading;

/// Judges one property over the reading of a history. Linear in time; observes only.
class Checker {
public:
    virtual ~Checker() = default;

    /// Returns the verdict; called once, after the last event.
    [[nodiscard]] virtual Verdict finish(const RunEnd& end) = 0;
};

/// How an event order is judged.
enum class OrderMode { strict, skip_parked, none };

/// What a scenario may say of a property.
struct PropertyOptions {
    OrderMode order = OrderMode::skip_parked;
    /// heal-progress: the longest silence allowed. rebalance-storm: the time of `generations`.
    /// outbox-drain: how long a backlog may last after the faults. outbox-lag: the longest lag
    /// allowed. stuck-in-progress: how long nobody need look at what was left.
    Duration within = std::chrono::seconds(60);
    std::uint32_t generations = 10; ///< rebalance-storm: so many within the time are allowed.
    bool must_observe = false;      ///< Having nothing to judge is a violation.
};

/// Returns the checker's verdict; having had nothing to judge is a violation where `options` say
/// so.
[[nodiscard]] Verdict finish(Checker& checker, const PropertyOptions& options, const RunEnd& end);

/// Which tables a property needs to be followed row by row.
enum class Follows { nothing, outboxes, inboxes, both };

/// A property as it is listed and chosen by name.
struct PropertyInfo {
    std::string_view name;
    std::string_view summary; ///< One sentence: what it means when it is violated.
    /// Makes a checker that takes part in `reading`, which must not have begun, and outlive it.
    std::unique_ptr<Checker> (*make)(Reading& reading, const PropertyOptions& options);
    Follows follows = Follows::nothing;
};

/// Returns all properties, sorted by name. SQL properties and those of the harness are not among
/// them.
[[nodiscard]] const std::vector<PropertyInfo>& catalogue();

} // namespace crier::properties
