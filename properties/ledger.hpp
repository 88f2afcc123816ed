#pragma once

#include "properties/property.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

// Property `ledger`: every accepted event has one fate at every subscribing service whose effects
// are counted: effective, parked, or discarded with a reason. Says of what is missing how far it
// came. Does not judge how often an effect was had; that is `effect-at-most-once`.

namespace crier::properties {

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
class Ledger {
public:
    virtual ~Ledger() = default;

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

/// Makes a ledger that takes part in `reading`. Only subscribers whose effects are counted have
/// units.
[[nodiscard]] std::unique_ptr<Ledger> make_ledger(Reading& reading);

[[nodiscard]] std::unique_ptr<Checker> make_ledger_checker(Reading& reading,
                                                           const PropertyOptions& options);

} // namespace crier::properties
