#include "scenarios/twin.hpp"

#include "messaging/ports/ensure.hpp"
#include "scenarios/judge.hpp"
#include "sim/hash.hpp"

#include <algorithm>

namespace crier::scenario {

namespace {

std::string joined(const std::vector<std::string>& rows) {
    std::string text;
    for (const std::string& row : rows)
        text += (text.empty() ? "(" : " and (") + row + ")";
    return text;
}

} // namespace

std::vector<FinalEffects> final_effects(const Scenario& scenario, const System& system) {
    std::vector<FinalEffects> all;
    for (const ServiceSpec& service : scenario.services) {
        if (!service.effects) continue;
        const WatchSpec& watch = *service.effects;
        broker::Database* const database = system.database(watch.database);
        ensure(database != nullptr, "a checked scenario's effects are in a database that it has");
        FinalEffects effects;
        effects.service = service.name;
        effects.table = watch.database + "." + watch.table;
        std::string sql = "select " + watch.identity;
        if (!watch.key.empty()) sql += ", " + watch.key;
        if (!watch.value.empty()) sql += ", " + watch.value;
        const Result<Rows, broker::SqlProblem> rows = database->query(sql + " from " + watch.table);
        if (rows) { // without its table it has done nothing
            for (const Row& row : *rows)
                effects.rows[text_of(row.front())].push_back(text_of(row));
        }
        for (auto& [identity, texts] : effects.rows)
            std::sort(texts.begin(), texts.end());
        all.push_back(std::move(effects));
    }
    return all;
}

PlanEdits without_faults(const Scenario& scenario, std::uint64_t seed, PlanEdits edits) {
    for (const PlannedFault& fault : make_plan(scenario, seed, edits).faults)
        edits.without_faults.push_back(fault.id);
    std::sort(edits.without_faults.begin(), edits.without_faults.end());
    return edits;
}

void compare(const std::vector<FinalEffects>& run, const std::vector<FinalEffects>& twin,
             Instant end, properties::Verdict& verdict) {
    for (std::size_t at = 0; at < run.size(); ++at) {
        for (const auto& [identity, rows] : run[at].rows) {
            const auto other = twin[at].rows.find(identity);
            if (other == twin[at].rows.end() || other->second == rows) continue;
            verdict.kind = properties::VerdictKind::violated;
            if (verdict.violations++ > 0) continue;
            verdict.violated_at = end;
            verdict.subjects = {sim::hash_text(identity)};
            verdict.witness = "At the end " + run[at].table + " has " + joined(rows) +
                              "; without any fault, and so without copies, it has " +
                              joined(other->second) + ".";
        }
    }
}

} // namespace crier::scenario
