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

/// Judges one property over the stream of a history. Linear in time; observes only.
class Checker : public sim::EventSink {
public:
    /// Returns the verdict; called once, after the last event.
    [[nodiscard]] virtual Verdict finish(const RunEnd& end) = 0;
};

/// How an event order is judged.
enum class OrderMode { strict, skip_parked, none };

/// What a scenario may say of a property.
struct PropertyOptions {
    OrderMode order = OrderMode::skip_parked;
    Duration within = std::chrono::seconds(60); ///< heal-progress: the longest silence allowed.
    bool must_observe = false;                  ///< Having nothing to judge is a violation.
};

/// A property as it is listed and chosen by name.
struct PropertyInfo {
    std::string_view name;
    std::string_view summary; ///< One sentence: what it means when it is violated.
    /// Makes a checker. `topology` must be complete and outlive it.
    std::unique_ptr<Checker> (*make)(const Topology& topology, const PropertyOptions& options);
};

/// Returns all properties, sorted by name. SQL properties and those of the harness are not among
/// them.
[[nodiscard]] const std::vector<PropertyInfo>& catalogue();

/// Counts of the ledger, in units of (accepted event × subscribing service).
struct LedgerCounts {
    std::uint64_t accepted = 0;
    std::uint64_t effective = 0;
    std::uint64_t parked = 0;
    std::uint64_t discarded = 0;
    std::uint64_t expired = 0;
    std::uint64_t unaccounted = 0;

    friend bool operator==(const LedgerCounts&, const LedgerCounts&) = default;
};

struct ServiceLedger {
    std::string service;
    LedgerCounts counts;
};

/// The bookkeeping of a run: kept always, whether or not the property `ledger` is asked for.
class Ledger : public sim::EventSink {
public:
    /// Returns the totals, `accepted` being events × services.
    [[nodiscard]] virtual LedgerCounts totals() const = 0;
    [[nodiscard]] virtual std::vector<ServiceLedger> by_service() const = 0;

    /// Returns how many units have no fate yet.
    [[nodiscard]] virtual std::uint64_t open() const = 0;

    /// Returns when a ledger-relevant event last came.
    [[nodiscard]] virtual Instant last_moved() const = 0;

    /// Returns the verdict of property `ledger`.
    [[nodiscard]] virtual Verdict finish(const RunEnd& end) = 0;
};

/// Makes a ledger. `topology` must be complete and outlive it. Only subscribers whose effects are
/// counted have units.
[[nodiscard]] std::unique_ptr<Ledger> make_ledger(const Topology& topology);

} // namespace crier::properties
