#include "reports/result_names.hpp"
#include "reports/text.hpp"
#include "tests/reports/sample.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace crier::report {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(TextOfARun, TellsVerdictsLedgerAndFaults) {
    const std::string text = text_of(sample_run(), {{"shop.yaml"}, false});
    EXPECT_THAT(text, StartsWith("shop, seed 7: violated\n"));
    EXPECT_THAT(text, HasSubstr("\n  holds         ledger               1,200 judged\n"));
    EXPECT_THAT(text, HasSubstr("effect-at-most-once  30 judged, 2 violated\n"));
    EXPECT_THAT(text, HasSubstr("\n  billing        600        590       4          3        2"));
    EXPECT_THAT(text, HasSubstr("\n  all          1,200      1,190       4          3        2"));
    EXPECT_THAT(text, HasSubstr("\n  crash      billing/1        2    2\n"));
    EXPECT_THAT(text, HasSubstr("\n  partition  events           1    0\n"));
    EXPECT_THAT(text, HasSubstr("12,345 events in 61.500 s of virtual time, digest "
                                "0123456789abcdef\nreplay: ./dev replay shop.yaml --seed 7\n"));
}

TEST(TextOfARun, HasColoursOnlyWhereTheyAreWanted) {
    EXPECT_THAT(text_of(sample_run(), {{"shop.yaml"}, false}), Not(HasSubstr("\033")));
    EXPECT_THAT(text_of(sample_run(), {{"shop.yaml"}, true}),
                HasSubstr("\033[1;31mviolated\033[0m"));
}

TEST(TextOfARun, ThatBrokeSaysSoAndNothingElse) {
    scenario::RunResult run = sample_run();
    run.broken = "an event lies in the past";
    EXPECT_EQ(text_of(run, {{"shop.yaml"}, false}),
              "shop, seed 7: the harness itself failed\n  an event lies in the past\n"
              "replay: ./dev replay shop.yaml --seed 7\n");
}

TEST(TextOfARun, BreaksLongWitnessesBetweenWords) {
    scenario::RunResult run = sample_run();
    run.properties[1].witness.clear();
    for (int word = 0; word < 60; ++word)
        run.properties[1].witness += (word == 0 ? "" : " ") + std::string("witness");
    const std::string text = text_of(run, {{"shop.yaml"}, false});
    for (std::size_t begin = 0; begin < text.size(); begin = text.find('\n', begin) + 1)
        EXPECT_LE(text.find('\n', begin) - begin, 100U);
    EXPECT_THAT(text, HasSubstr("witness\n  witness"));
}

TEST(TextOfACampaign, TellsTotalsAndTheFirstRun) {
    const std::string text = text_of(sample_campaign(), {{"shop.yaml"}, false});
    EXPECT_THAT(text, StartsWith("shop, 7 seeds: violated\n"));
    EXPECT_THAT(text, HasSubstr("\n  all          8,400      8,330      28         21       14"));
    EXPECT_THAT(text, HasSubstr("\n  partition        7    0\n"));
    EXPECT_THAT(text, HasSubstr("\n  non-vacuous: park-exactly-once saw nothing"));
    EXPECT_THAT(text, HasSubstr("\n  fault-effective: partition was planned 7 times"));
    EXPECT_THAT(text, HasSubstr("\nshop, seed 7: violated\n"));
}

TEST(ReplayCommand, SurvivesAShell) {
    EXPECT_EQ(replay_command({"a/b.yaml"}, 3), "./dev replay a/b.yaml --seed 3");
    EXPECT_EQ(replay_command({"my file.yaml"}, 3), "./dev replay 'my file.yaml' --seed 3");
    EXPECT_EQ(replay_command({"it's.yaml"}, 3), "./dev replay 'it'\\''s.yaml' --seed 3");
    for (const char* const file : {"a\tb", "~x.yaml", "#x.yaml", "a\nb", "a[1].yaml", "{a,b}.yaml"})
        EXPECT_THAT(replay_command({file}, 3), StartsWith("./dev replay '")) << file;
    EXPECT_EQ(replay_command({"a.yaml", "build/my tests"}, 3),
              "'build/my tests' replay a.yaml --seed 3");
}

} // namespace
} // namespace crier::report
