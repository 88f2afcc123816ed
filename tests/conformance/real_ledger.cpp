#include "tests/conformance/real_ledger.hpp"

#include <cstddef>
#include <map>
#include <set>

namespace crier::conformance {

namespace {

struct Fates {
    std::string key;
    std::size_t position = 0; ///< Among everything accepted.
    int effects = 0;
    int discards = 0;
    std::set<std::string> parkings;
};

using Events = std::map<std::string, Fates>;

/// Returns the event, or null after saying that nobody has accepted it.
Fates* find(Events& events, const std::string& id, const char* what,
            std::vector<std::string>& problems) {
    const auto found = events.find(id);
    if (found != events.end()) return &found->second;
    problems.push_back(std::string(what) + " of " + id + ", which was never accepted");
    return nullptr;
}

void count_effects(const RealLedger& ledger, Events& events, std::vector<std::string>& problems) {
    std::map<std::string, std::size_t> latest; // By key: the position behind the last first effect.
    for (const Effect& effect : ledger.effects) {
        Fates* const fates = find(events, effect.id, "effect", problems);
        if (fates == nullptr) continue;
        if (++fates->effects > 1) {
            problems.push_back("effect of " + effect.id + " happened again");
            continue;
        }
        if (fates->key != effect.key) problems.push_back("effect of " + effect.id + ": wrong key");
        std::size_t& behind = latest[fates->key];
        if (fates->position < behind) problems.push_back("effect of " + effect.id + " came late");
        behind = fates->position + 1;
    }
}

void count_parked(const RealLedger& ledger, int attempts, Events& events,
                  std::vector<std::string>& problems) {
    for (const Parked& parked : ledger.parked) {
        Fates* const fates = find(events, parked.id, "dead letter", problems);
        if (fates == nullptr) continue;
        fates->parkings.insert(parked.dead_letter_id);
        if (parked.attempts != attempts) {
            problems.push_back(parked.id + " was parked after " + std::to_string(parked.attempts) +
                               " attempts");
        }
    }
}

} // namespace

std::vector<std::string> judge(const RealLedger& ledger, int attempts) {
    std::vector<std::string> problems;
    Events events;
    for (const Accepted& accepted : ledger.accepted) {
        Fates fates;
        fates.key = accepted.key;
        fates.position = events.size();
        if (!events.emplace(accepted.id, fates).second) {
            problems.push_back(accepted.id + " was accepted twice");
        }
    }
    count_effects(ledger, events, problems);
    count_parked(ledger, attempts, events, problems);
    for (const Discarded& discarded : ledger.discarded) {
        Fates* const fates = find(events, discarded.id, "discard", problems);
        if (fates == nullptr) continue;
        ++fates->discards;
        if (discarded.reason.empty()) problems.push_back(discarded.id + ": discarded, no reason");
    }
    for (const auto& [id, fates] : events) {
        const int kinds = (fates.effects > 0 ? 1 : 0) + (fates.discards > 0 ? 1 : 0) +
                          (fates.parkings.empty() ? 0 : 1);
        if (kinds == 0) problems.push_back(id + " is unaccounted for");
        if (kinds > 1) problems.push_back(id + " has two fates");
        if (fates.parkings.size() > 1) problems.push_back(id + " was parked twice");
    }
    if (ledger.outbox_rows != 0) problems.emplace_back("the outbox is not empty");
    return problems;
}

} // namespace crier::conformance
