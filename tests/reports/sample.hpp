#pragma once

#include "scenarios/campaign.hpp"
#include "scenarios/run.hpp"

// Results made by hand: what reports say of them does not depend on any model.

namespace crier::report {

/// A run with one verdict of each kind.
[[nodiscard]] inline scenario::RunResult sample_run() {
    using properties::VerdictKind;
    scenario::RunResult run;
    run.scenario = "shop";
    run.scenario_hash = 0xABC;
    run.seed = 7;
    run.digest = 0x0123456789ABCDEF;
    run.verdict = VerdictKind::violated;
    const auto add = [&run](const char* name, VerdictKind kind, std::uint64_t observations) {
        properties::Verdict verdict;
        verdict.property = name;
        verdict.kind = kind;
        verdict.observations = observations;
        run.properties.push_back(verdict);
    };
    add("ledger", VerdictKind::holds, 1200);
    add("effect-at-most-once", VerdictKind::violated, 30);
    run.properties.back().violations = 2;
    run.properties.back().witness = "o-1 is twice in \"charges\" & <more>.";
    add("heal-progress", VerdictKind::inconclusive, 3);
    add("park-exactly-once", VerdictKind::vacuous, 0);
    run.services = {{"billing", {600, 590, 4, 3, 2, 1}}, {"shipping", {600, 600, 0, 0, 0, 0}}};
    run.ledger = {1200, 1190, 4, 3, 2, 1};
    run.faults = {{10001, "crash", "billing/1", "crash billing/1 for 1s", true, false, 1},
                  {10002, "crash", "billing/1", "crash billing/1 for 2s", true, false, 3},
                  {20001, "partition", "events", "cut events off for 2s", true, false, 0},
                  {30001, "crash", "events/2", "crash events/2 for 2s", false, true, 0}};
    run.remarks = {"hit nothing: cut events off for 2s"};
    run.quiet = true;
    run.events = 12345;
    run.steps = 99999;
    run.virtual_time = std::chrono::milliseconds(61500);
    return run;
}

/// A campaign that found the run above.
[[nodiscard]] inline scenario::Campaign sample_campaign() {
    scenario::Campaign campaign;
    campaign.scenario = "shop";
    campaign.scenario_hash = 0xABC;
    for (std::uint64_t seed = 1; seed <= 7; ++seed) {
        scenario::RunResult run = sample_run();
        run.seed = seed;
        if (seed != 7) {
            run.properties[1].kind = properties::VerdictKind::holds;
            run.properties[1].violations = 0;
            run.properties[1].witness.clear();
            run.verdict = properties::VerdictKind::holds;
        }
        scenario::add(campaign, run);
    }
    scenario::judge(campaign);
    campaign.first = sample_run();
    campaign.wall = std::chrono::milliseconds(1250);
    return campaign;
}

} // namespace crier::report
