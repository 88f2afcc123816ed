#include "properties/property.hpp"

#include "properties/attempts_exact.hpp"
#include "properties/commit_not_ahead.hpp"
#include "properties/effect_at_least_once.hpp"
#include "properties/effect_at_most_once.hpp"
#include "properties/heal_progress.hpp"
#include "properties/key_affinity.hpp"
#include "properties/ledger.hpp"
#include "properties/outbox_no_missing.hpp"
#include "properties/outbox_no_phantom.hpp"
#include "properties/outbox_order_per_key.hpp"
#include "properties/park_exactly_once.hpp"
#include "properties/per_key_effect_order.hpp"

namespace crier::properties {

std::string_view name_of(VerdictKind kind) {
    switch (kind) {
    case VerdictKind::holds: return "holds";
    case VerdictKind::violated: return "violated";
    case VerdictKind::inconclusive: return "inconclusive";
    case VerdictKind::vacuous: return "vacuous";
    }
    return "unknown";
}

Verdict finish(Checker& checker, const PropertyOptions& options, const RunEnd& end) {
    Verdict verdict = checker.finish(end);
    if (!options.must_observe || end.cut || verdict.kind != VerdictKind::vacuous) return verdict;
    verdict.kind = VerdictKind::violated;
    verdict.violations = 1;
    verdict.violated_at = end.time;
    verdict.witness = "There was nothing to judge, and the scenario says that there must be.";
    return verdict;
}

const std::vector<PropertyInfo>& catalogue() {
    static const std::vector<PropertyInfo> all{
        {"attempts-exact", "A message was parked after too few or too many failed attempts.",
         make_attempts_exact},
        {"commit-not-ahead", "An offset was committed past a message that was not finished.",
         make_commit_not_ahead},
        {"effect-at-least-once",
         "An accepted event has no effect, although it was neither parked nor discarded.",
         make_effect_at_least_once},
        {"effect-at-most-once", "One event took effect more than once.", make_effect_at_most_once},
        {"heal-progress", "After all faults were over, work was pending and nothing moved.",
         make_heal_progress},
        {"key-affinity", "Events of one aggregate were stored with different record keys.",
         make_key_affinity},
        {"ledger", "An accepted event is unaccounted for, or has two fates.", make_ledger_checker},
        {"outbox-no-missing", "An accepted event was never published.", make_outbox_no_missing},
        {"outbox-no-phantom", "An event was published without, or before, its transaction.",
         make_outbox_no_phantom},
        {"outbox-order-per-key",
         "Events of one aggregate were published in another order than they were accepted.",
         make_outbox_order_per_key},
        {"park-exactly-once", "A message was dead-lettered more than once.",
         make_park_exactly_once},
        {"per-key-effect-order",
         "Events of one aggregate took effect in another order than they were accepted.",
         make_per_key_effect_order},
    };
    return all;
}

} // namespace crier::properties
