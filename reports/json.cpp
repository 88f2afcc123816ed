#include "reports/json.hpp"

#include "reports/result_names.hpp"
#include "reports/story.hpp"

#include <nlohmann/json.hpp>

namespace crier::report {

namespace {

using Json = nlohmann::ordered_json;

Json counts_json(const properties::LedgerCounts& counts) {
    return {{"accepted", counts.accepted}, {"effective", counts.effective},
            {"parked", counts.parked},     {"discarded", counts.discarded},
            {"expired", counts.expired},   {"unaccounted", counts.unaccounted}};
}

Json provenance_json() {
    const Provenance from = provenance();
    return {
        {"crier", from.version}, {"format", from.format_version}, {"sqlite", from.sqlite_version}};
}

Json seconds_json(std::chrono::nanoseconds duration) {
    return std::chrono::duration<double>(duration).count();
}

// A violation has its story and cause where the run's history was kept.
Json properties_json(const std::vector<properties::Verdict>& verdicts,
                     const scenario::RunResult* run) {
    Json json = Json::array();
    for (const properties::Verdict& verdict : verdicts) {
        Json entry{{"name", verdict.property},
                   {"verdict", properties::name_of(verdict.kind)},
                   {"observations", verdict.observations},
                   {"violations", verdict.violations},
                   {"witness", verdict.witness}};
        const properties::Story story = run ? story_of(*run, verdict) : properties::Story{};
        for (const properties::StoryLine& line : story.lines) {
            entry["story"].push_back({{"event", line.sequence},
                                      {"seconds", seconds_json(line.time.time_since_epoch())},
                                      {"node", line.node},
                                      {"text", line.text}});
        }
        if (!story.cause.empty()) entry["cause"] = story.cause;
        json.push_back(std::move(entry));
    }
    return json;
}

Json ledger_json(const properties::LedgerCounts& all,
                 const std::vector<properties::ServiceLedger>& services) {
    Json json = counts_json(all);
    json["services"] = Json::object();
    for (const properties::ServiceLedger& service : services)
        json["services"][service.service] = counts_json(service.counts);
    return json;
}

Json run_json(const scenario::RunResult& run) {
    Json json;
    json["scenario"] = run.scenario;
    json["scenario_hash"] = digest_text(run.scenario_hash);
    json["versions"] = provenance_json();
    json["seed"] = run.seed;
    json["digest"] = digest_text(run.digest);
    json["verdict"] = properties::name_of(run.verdict);
    json["properties"] = properties_json(run.properties, &run);
    json["ledger"] = ledger_json(run.ledger, run.services);
    json["faults"] = Json::array();
    for (const scenario::FaultOutcome& fault : run.faults) {
        json["faults"].push_back({{"id", fault.id},
                                  {"kind", fault.kind},
                                  {"target", fault.target},
                                  {"what", fault.what},
                                  {"planned", 1},
                                  {"withheld", fault.withheld ? 1 : 0},
                                  {"hit", fault.hits > 0 ? 1 : 0},
                                  {"hits", fault.hits}});
    }
    json["remarks"] = run.remarks;
    json["quiet"] = run.quiet;
    json["broken"] = run.broken;
    json["virtual_seconds"] = seconds_json(run.virtual_time);
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
    json["wall_seconds"] = seconds_json(wall);
    return dump(json);
}

namespace {

Json campaign_json(const scenario::Campaign& campaign) {
    Json json;
    json["scenario"] = campaign.scenario;
    json["scenario_hash"] = digest_text(campaign.scenario_hash);
    json["versions"] = provenance_json();
    json["verdict"] = properties::name_of(campaign.verdict);
    json["runs"] = campaign.runs;
    json["inconclusive"] = campaign.inconclusive;
    json["interrupted"] = campaign.interrupted;
    json["violations"] = Json::array();
    for (const scenario::Violation& violation : campaign.violations) {
        json["violations"].push_back({{"seed", violation.seed},
                                      {"digest", digest_text(violation.digest)},
                                      {"property", violation.property},
                                      {"witness", violation.witness}});
    }
    json["properties"] = properties_json(campaign.properties, nullptr);
    json["ledger"] = ledger_json(campaign.ledger, campaign.services);
    json["faults"] = Json::array();
    for (const auto& [key, tally] : campaign.faults) {
        json["faults"].push_back({{"kind", key.first},
                                  {"target", key.second},
                                  {"planned", tally.planned},
                                  {"withheld", tally.withheld},
                                  {"hit", tally.hit}});
    }
    json["remarks"] = campaign.remarks;
    json["broken"] = campaign.broken;
    if (!campaign.broken.empty()) json["broken_seed"] = campaign.broken_seed;
    json["virtual_seconds"] = seconds_json(campaign.virtual_time);
    json["events"] = campaign.events;
    json["wall_seconds"] = seconds_json(campaign.wall);
    if (campaign.first) json["first"] = run_json(*campaign.first);
    return json;
}

} // namespace

std::string json_of(const scenario::Campaign& campaign) {
    return dump(campaign_json(campaign));
}

std::string json_of(const scenario::Sweep& sweep) {
    Json json = campaign_json(sweep.runs);
    json["seed"] = sweep.seed;
    json["points"] = Json::array();
    for (const scenario::SweptPoint& point : sweep.points) {
        json["points"].push_back({{"fault", point.fault.kind},
                                  {"node", point.fault.node},
                                  {"point", point.fault.point},
                                  {"for", point.fault.length},
                                  {"count", point.count}});
    }
    json["violated_with"] = sweep.violated_at;
    return dump(json);
}

} // namespace crier::report
