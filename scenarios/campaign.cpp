#include "scenarios/campaign.hpp"

namespace crier::scenario {

namespace {

using properties::Verdict;
using properties::VerdictKind;

void add(properties::LedgerCounts& sum, const properties::LedgerCounts& counts) {
    sum.accepted += counts.accepted;
    sum.effective += counts.effective;
    sum.parked += counts.parked;
    sum.discarded += counts.discarded;
    sum.expired += counts.expired;
    sum.unaccounted += counts.unaccounted;
}

int weight(VerdictKind kind) {
    switch (kind) {
    case VerdictKind::vacuous: return 0;
    case VerdictKind::holds: return 1;
    case VerdictKind::inconclusive: return 2;
    case VerdictKind::violated: return 3;
    }
    return 0;
}

void add(Verdict& sum, const Verdict& verdict) {
    sum.observations += verdict.observations;
    sum.violations += verdict.violations;
    if (weight(verdict.kind) <= weight(sum.kind)) return;
    sum.kind = verdict.kind;
    sum.witness = verdict.witness;
}

} // namespace

void add(FaultTallies& tallies, const std::vector<FaultOutcome>& faults) {
    for (const FaultOutcome& fault : faults) {
        FaultTally& tally = tallies[{fault.kind, fault.target}];
        ++tally.planned;
        tally.withheld += fault.withheld ? 1 : 0;
        tally.hit += fault.hits > 0 ? 1 : 0;
    }
}

std::map<std::string, FaultTally> by_kind(const FaultTallies& tallies) {
    std::map<std::string, FaultTally> kinds;
    for (const auto& [key, tally] : tallies) {
        FaultTally& kind = kinds[key.first];
        kind.planned += tally.planned;
        kind.withheld += tally.withheld;
        kind.hit += tally.hit;
    }
    return kinds;
}

void add(Campaign& campaign, const RunResult& run) {
    if (++campaign.runs == 1) {
        for (const Verdict& verdict : run.properties)
            campaign.properties.emplace_back().property = verdict.property;
        for (const properties::ServiceLedger& service : run.services)
            campaign.services.push_back({service.service, {}});
        campaign.violating_seeds.resize(run.properties.size());
    }
    for (std::size_t at = 0; at < run.properties.size(); ++at) {
        add(campaign.properties[at], run.properties[at]);
        std::uint64_t& seed = campaign.violating_seeds[at];
        if (seed == 0 && run.properties[at].kind == VerdictKind::violated) seed = run.seed;
    }
    for (std::size_t at = 0; at < run.services.size(); ++at)
        add(campaign.services[at].counts, run.services[at].counts);
    add(campaign.ledger, run.ledger);
    add(campaign.faults, run.faults);
    campaign.events += run.events;
    campaign.virtual_time += run.virtual_time;
    if (run.verdict == VerdictKind::inconclusive) ++campaign.inconclusive;
    for (const Verdict& verdict : run.properties) {
        if (verdict.kind != VerdictKind::violated) continue;
        campaign.violations.push_back({run.seed, run.digest, verdict.property, verdict.witness});
        break;
    }
}

void judge(Campaign& campaign) {
    if (campaign.runs == 0) return;
    for (const Verdict& verdict : campaign.properties) {
        if (verdict.kind == VerdictKind::vacuous)
            campaign.remarks.push_back("non-vacuous: " + verdict.property +
                                       " saw nothing to judge in any run");
    }
    for (const auto& [kind, tally] : by_kind(campaign.faults)) {
        if (tally.hit == 0)
            campaign.remarks.push_back("fault-effective: " + kind + " was planned " +
                                       std::to_string(tally.planned) +
                                       " times and hit nothing in any run");
    }
    campaign.verdict = !campaign.violations.empty()  ? VerdictKind::violated
                       : campaign.inconclusive > 0   ? VerdictKind::inconclusive
                       : !campaign.remarks.empty()   ? VerdictKind::vacuous
                       : campaign.properties.empty() ? VerdictKind::vacuous
                                                     : VerdictKind::holds;
}

} // namespace crier::scenario
