// The keys that others read; they do not change their meaning within a format version.
#include "reports/json.hpp"
#include "tests/reports/sample.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace crier::report {
namespace {

using Json = nlohmann::json;
using testing::EndsWith;

Json ledger(int accepted, int effective, int parked, int discarded, int expired, int unaccounted) {
    return {{"accepted", accepted},   {"effective", effective}, {"parked", parked},
            {"discarded", discarded}, {"expired", expired},     {"unaccounted", unaccounted}};
}

TEST(JsonOfARun, SaysWhichRunItWas) {
    const Json json = Json::parse(json_of(sample_run(), std::chrono::milliseconds(1250)));
    EXPECT_EQ(json["scenario"], "shop");
    EXPECT_EQ(json["scenario_hash"], "0000000000000abc");
    EXPECT_EQ(json["seed"], 7);
    EXPECT_EQ(json["digest"], "0123456789abcdef");
    EXPECT_EQ(json["verdict"], "violated");
    EXPECT_EQ(json["wall_seconds"], 1.25);
    EXPECT_EQ(json["virtual_seconds"], 61.5);
    EXPECT_EQ(json["events"], 12345);
    for (const char* const key : {"crier", "format", "sqlite"})
        EXPECT_NE(json["versions"][key], "") << key;
}

TEST(JsonOfARun, HasTheVerdictsInTheirOrder) {
    const Json json = Json::parse(json_of(sample_run(), {}));
    ASSERT_EQ(json["properties"].size(), 4U);
    EXPECT_EQ(json["properties"][0], Json({{"name", "ledger"},
                                           {"verdict", "holds"},
                                           {"observations", 1200},
                                           {"violations", 0},
                                           {"witness", ""}}));
    EXPECT_EQ(json["properties"][1], Json({{"name", "effect-at-most-once"},
                                           {"verdict", "violated"},
                                           {"observations", 30},
                                           {"violations", 2},
                                           {"witness", "o-1 is twice in \"charges\" & <more>."}}));
    EXPECT_EQ(json["properties"][2]["verdict"], "inconclusive");
    EXPECT_EQ(json["properties"][3]["verdict"], "vacuous");
}

TEST(JsonOfARun, HasTheLedgerAsAWholeAndByService) {
    const Json json = Json::parse(json_of(sample_run(), {}));
    Json expected = ledger(1200, 1190, 4, 3, 2, 1);
    expected["services"]["billing"] = ledger(600, 590, 4, 3, 2, 1);
    expected["services"]["shipping"] = ledger(600, 600, 0, 0, 0, 0);
    EXPECT_EQ(json["ledger"], expected);
}

TEST(JsonOfARun, HasTheFaultsWithTheirHits) {
    const Json json = Json::parse(json_of(sample_run(), {}));
    ASSERT_EQ(json["faults"].size(), 4U);
    EXPECT_EQ(json["faults"][1], Json({{"id", 10002},
                                       {"kind", "crash"},
                                       {"target", "billing/1"},
                                       {"what", "crash billing/1 for 2s"},
                                       {"planned", 1},
                                       {"withheld", 0},
                                       {"hit", 1},
                                       {"hits", 3}}));
    EXPECT_EQ(json["faults"][2]["hit"], 0);
    EXPECT_EQ(json["faults"][3]["withheld"], 1);
}

TEST(JsonOfARun, HoldsWhateverTextAUserWrote) {
    scenario::RunResult run = sample_run();
    run.scenario = "no utf-8: \xff, a \"quote\" and a \n line";
    const std::string text = json_of(run, {});
    EXPECT_FALSE(Json::parse(text, nullptr, false).is_discarded()) << text;
    EXPECT_THAT(text, EndsWith("}\n"));
}

TEST(JsonOfACampaign, HasRunsViolationsAndTheFirstRun) {
    const Json json = Json::parse(json_of(sample_campaign()));
    EXPECT_EQ(json["verdict"], "violated");
    EXPECT_EQ(json["runs"], 7);
    EXPECT_EQ(json["wall_seconds"], 1.25);
    EXPECT_EQ(json["scenario"], "shop");
    EXPECT_EQ(json["violations"],
              Json::array({{{"seed", 7},
                            {"digest", "0123456789abcdef"},
                            {"property", "effect-at-most-once"},
                            {"witness", "o-1 is twice in \"charges\" & <more>."}}}));
    EXPECT_EQ(json["first"]["seed"], 7);
    EXPECT_EQ(json["first"]["digest"], "0123456789abcdef");
    EXPECT_EQ(json["first"]["properties"][1]["name"], "effect-at-most-once");
}

TEST(JsonOfACampaign, SumsWhatTheRunsSaw) {
    const Json json = Json::parse(json_of(sample_campaign()));
    EXPECT_EQ(json["properties"][1], Json({{"name", "effect-at-most-once"},
                                           {"verdict", "violated"},
                                           {"observations", 210},
                                           {"violations", 2},
                                           {"witness", "o-1 is twice in \"charges\" & <more>."}}));
    EXPECT_EQ(json["ledger"]["accepted"], 8400);
    EXPECT_EQ(json["ledger"]["services"]["billing"], ledger(4200, 4130, 28, 21, 14, 7));
    EXPECT_EQ(json["virtual_seconds"], 430.5);
    EXPECT_EQ(json["events"], 86415);
}

TEST(JsonOfACampaign, CountsFaultsByKindAndTarget) {
    const Json json = Json::parse(json_of(sample_campaign()));
    ASSERT_EQ(json["faults"].size(), 3U);
    EXPECT_EQ(json["faults"][0], Json({{"kind", "crash"},
                                       {"target", "billing/1"},
                                       {"planned", 14},
                                       {"withheld", 0},
                                       {"hit", 14}}));
    EXPECT_EQ(json["faults"][1]["withheld"], 7);
}

TEST(JsonOfACampaign, WithoutAViolationHasNoFirstRun) {
    scenario::Campaign result = sample_campaign();
    result.first.reset();
    result.violations.clear();
    const Json json = Json::parse(json_of(result));
    EXPECT_FALSE(json.contains("first"));
    EXPECT_EQ(json["violations"], Json::array());
}

} // namespace
} // namespace crier::report
