#include "reports/json.hpp"

#include "properties/story.hpp"
#include "reports/result_names.hpp"
#include "scenarios/events.hpp"

#include <nlohmann/json.hpp>

namespace crier::report {

namespace {

using Json = nlohmann::ordered_json;

double seconds(std::chrono::nanoseconds duration) {
    return static_cast<double>(duration.count()) / 1e9;
}

Json json_of(const properties::LedgerCounts& counts) {
    return {{"accepted", counts.accepted}, {"effective", counts.effective},
            {"parked", counts.parked},     {"discarded", counts.discarded},
            {"expired", counts.expired},   {"unaccounted", counts.unaccounted}};
}

Json provenance_json() {
    const Provenance from = provenance();
    return {
        {"crier", from.version}, {"format", from.format_version}, {"sqlite", from.sqlite_version}};
}

// Adds the story of a violation and its cause, where the history was kept.
void add_story(Json& entry, const scenario::RunResult& run, const properties::Verdict& verdict) {
    if (run.history.empty() || verdict.kind != properties::VerdictKind::violated) return;
    const properties::Story story =
        properties::tell(verdict, run.history, *run.texts, run.node_names, scenario::events::all);
    for (const properties::StoryLine& line : story.lines) {
        entry["story"].push_back({{"event", line.sequence},
                                  {"seconds", seconds(line.time.time_since_epoch())},
                                  {"node", line.node},
                                  {"text", line.text}});
    }
    if (!story.cause.empty()) entry["cause"] = story.cause;
}

Json run_json(const scenario::RunResult& run) {
    Json json;
    json["scenario"] = run.scenario;
    json["scenario_hash"] = digest_text(run.scenario_hash);
    json["versions"] = provenance_json();
    json["seed"] = run.seed;
    json["digest"] = digest_text(run.digest);
    json["verdict"] = properties::name_of(run.verdict);
    json["properties"] = Json::array();
    for (const properties::Verdict& verdict : run.properties) {
        Json entry{{"name", verdict.property},
                   {"verdict", properties::name_of(verdict.kind)},
                   {"observations", verdict.observations},
                   {"violations", verdict.violations},
                   {"witness", verdict.witness}};
        add_story(entry, run, verdict);
        json["properties"].push_back(std::move(entry));
    }
    json["ledger"] = json_of(run.ledger);
    json["ledger"]["services"] = Json::object();
    for (const properties::ServiceLedger& service : run.services) {
        json["ledger"]["services"][service.service] = json_of(service.counts);
    }
    json["faults"] = Json::array();
    for (const scenario::FaultOutcome& fault : run.faults) {
        json["faults"].push_back({{"id", fault.id},
                                  {"kind", fault.kind},
                                  {"target", fault.target},
                                  {"what", fault.what},
                                  {"planned", 1},
                                  {"withheld", fault.withheld},
                                  {"hit", fault.hits}});
    }
    json["remarks"] = run.remarks;
    json["within_budget"] = run.within_budget;
    json["quiet"] = run.quiet;
    json["broken"] = run.broken;
    json["virtual_seconds"] = seconds(run.virtual_time);
    json["events"] = run.events;
    json["steps"] = run.steps;
    return json;
}

// Text that users wrote may be no UTF-8; a report replaces what is not, rather than failing.
std::string dump(const Json& json) {
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace

std::string json_of(const scenario::RunResult& run, std::chrono::nanoseconds wall) {
    Json json = run_json(run);
    json["wall_seconds"] = seconds(wall);
    return dump(json);
}

std::string json_of(const scenario::ExploreResult& result) {
    Json json;
    json["versions"] = provenance_json();
    json["verdict"] = properties::name_of(result.verdict);
    json["runs"] = result.runs;
    json["interrupted"] = result.interrupted;
    json["violations"] = Json::array();
    for (const scenario::Violation& violation : result.violations) {
        json["violations"].push_back({{"seed", violation.seed},
                                      {"digest", digest_text(violation.digest)},
                                      {"property", violation.property},
                                      {"witness", violation.witness}});
    }
    json["observations"] = result.observations;
    json["faults"] = Json::object();
    for (const auto& [kind, planned] : result.fault_planned) {
        const auto hit = result.fault_hits.find(kind);
        json["faults"][kind] = {{"planned", planned},
                                {"hit", hit == result.fault_hits.end() ? 0 : hit->second}};
    }
    json["ledger"] = json_of(result.ledger);
    json["inconclusive"] = result.inconclusive;
    json["beyond_budget"] = result.beyond_budget;
    json["remarks"] = result.remarks;
    json["broken"] = result.broken;
    if (!result.broken.empty()) json["broken_seed"] = result.broken_seed;
    json["wall_seconds"] = seconds(result.wall);
    if (result.first) json["first"] = run_json(*result.first);
    return dump(json);
}

} // namespace crier::report
