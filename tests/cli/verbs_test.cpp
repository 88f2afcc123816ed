// The happy path of every verb, and that verbs agree with each other.
#include "tests/cli/fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace crier::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

Json json_of(std::vector<std::string> words) {
    words.insert(words.end(), {"--json", "-"});
    const Finished done = crier(std::move(words));
    return Json::parse(done.out, nullptr, false);
}

std::vector<std::string> violated(const Json& run) {
    std::vector<std::string> names;
    for (const Json& property : run["properties"]) {
        if (property["verdict"] == "violated") names.push_back(property["name"]);
    }
    return names;
}

TEST(Run, IsRepeatable) {
    const ScratchFolder folder;
    const std::string file = folder.write("sound.yaml", sound_text);
    Json one = json_of({"run", file});
    Json again = json_of({"run", file});
    one.erase("wall_seconds");
    again.erase("wall_seconds");
    EXPECT_EQ(one, again);
    EXPECT_NE(one["digest"], json_of({"run", file, "--seed", "2"})["digest"]);
}

TEST(Replay, OfAMistakeShowsTheDigestAndTheViolationOfTheRun) {
    const std::string file = catalogue + "memory-dedup.yaml";
    const Json found = json_of({"explore", file, "--seeds", "1..20", "-j", "1"});
    ASSERT_FALSE(found["violations"].empty());
    const std::string seed = std::to_string(found["violations"][0]["seed"].get<std::uint64_t>());
    const Json run = json_of({"run", file, "--seed", seed});
    const Json replay = json_of({"replay", file, "--seed", seed});
    EXPECT_FALSE(violated(run).empty());
    EXPECT_EQ(run["digest"], replay["digest"]);
    EXPECT_EQ(run["digest"], found["violations"][0]["digest"]);
    EXPECT_EQ(violated(run), violated(replay));
    EXPECT_EQ(violated(run).front(), found["violations"][0]["property"]);
    EXPECT_EQ(run["properties"], replay["properties"]);
    EXPECT_EQ(run["properties"], found["first"]["properties"]);
}

TEST(Replay, TracesEveryEventAsALine) {
    const ScratchFolder folder;
    const std::string file = folder.write("sound.yaml", sound_text);
    const Finished done = crier({"replay", file, "--trace"});
    EXPECT_EQ(done.code, 0);
    const std::size_t end = done.out.find("sound, seed 1: holds\n");
    ASSERT_NE(end, std::string::npos);
    const std::string trace = done.out.substr(0, end);
    EXPECT_EQ(std::count(trace.begin(), trace.end(), '\n'), json_of({"run", file})["events"]);
    EXPECT_THAT(trace, StartsWith("     1  "));
    EXPECT_THAT(trace, HasSubstr("o-000000"));
}

TEST(Replay, UntilATimeIsTheBeginningOfTheWholeRun) {
    const ScratchFolder folder;
    const std::string file = folder.write("sound.yaml", sound_text);
    const std::string whole = crier({"replay", file, "--trace"}).out;
    const std::string part = crier({"replay", file, "--trace", "--until", "1.5s"}).out;
    const std::string trace = part.substr(0, part.find("sound, seed 1: "));
    EXPECT_THAT(trace, HasSubstr("\n    50  "));
    EXPECT_THAT(whole, StartsWith(trace));
}

TEST(Explore, GivesTheSameReportForEveryNumberOfWorkers) {
    const ScratchFolder folder;
    const std::string fickle = folder.write("fickle.yaml", fickle_text);
    for (const std::vector<std::string>& more :
         std::vector<std::vector<std::string>>{{}, {"--keep-going"}}) {
        std::vector<std::string> words{"explore", fickle, "--seeds", "1..12"};
        words.insert(words.end(), more.begin(), more.end());
        words.insert(words.end(), {"-j", "1"});
        Json one = json_of(words);
        words.back() = "2";
        Json two = json_of(words);
        one.erase("wall_seconds");
        two.erase("wall_seconds");
        EXPECT_EQ(one, two);
        const std::size_t violations = one["violations"].size();
        EXPECT_GE(violations, 1U);
        if (!more.empty()) EXPECT_EQ(one["runs"], 12);
        if (more.empty()) EXPECT_EQ(violations, 1U);
        if (more.empty()) EXPECT_EQ(one["runs"], one["violations"][0]["seed"]);
    }
}

TEST(Explore, HoldsOverSeedsAndSums) {
    const ScratchFolder folder;
    const std::string file = folder.write("sound.yaml", sound_text);
    const Json one = json_of({"run", file});
    const Json many = json_of({"explore", file, "--seeds", "4..6"});
    EXPECT_EQ(many["verdict"], "holds");
    EXPECT_EQ(many["runs"], 3);
    EXPECT_EQ(many["ledger"]["accepted"], 3 * one["ledger"]["accepted"].get<int>());
    EXPECT_FALSE(many.contains("first"));
}

TEST(CheckDeterminism, AgreesWithTheDigestOfARun) {
    const ScratchFolder folder;
    const std::string file = folder.write("sound.yaml", sound_text);
    const Finished done = crier({"check-determinism", file, "--seed", "5"});
    EXPECT_EQ(done.code, 0) << done.err;
    const Json run = json_of({"run", file, "--seed", "5"});
    EXPECT_THAT(done.out, HasSubstr("digest " + run["digest"].get<std::string>()));
    EXPECT_THAT(done.out, HasSubstr(std::to_string(run["events"].get<int>()) + " events"));
}

// A stand-in for another build: it replays another seed, so the histories part.
TEST(CheckDeterminism, NamesTheFirstEventThatDiffers) {
    const ScratchFolder folder;
    const std::string file = folder.write("sound.yaml", sound_text);
    const std::string other = folder.write("other", "#!/bin/sh\nexec '" CRIER_PROGRAM
                                                    "' replay \"$2\" --seed 6 --history \"$6\"\n");
    std::filesystem::permissions(other, std::filesystem::perms::owner_all);
    const Finished done = crier({"check-determinism", file, "--seed", "5", "--program", other});
    EXPECT_EQ(done.code, 4) << done.err;
    EXPECT_THAT(done.out, HasSubstr("the first difference is event "));
    EXPECT_THAT(done.out, HasSubstr("\n  here:  "));
    EXPECT_THAT(done.out, HasSubstr("\n  there: "));
}

TEST(List, NamesPropertiesFaultsAndServices) {
    const std::string all = crier({"list"}).out;
    const std::string properties = crier({"list", "properties"}).out;
    const std::string faults = crier({"list", "faults"}).out;
    const std::string services = crier({"list", "services"}).out;
    EXPECT_EQ(all, properties + faults + services);
    for (const char* const name : {"ledger", "effect-at-most-once", "outbox-no-phantom", "sql"})
        EXPECT_THAT(properties, HasSubstr(std::string("\n  ") + name + " "));
    for (const char* const name : {"crash", "power-loss", "partition", "lose-answer"})
        EXPECT_THAT(faults, HasSubstr(std::string("\n  ") + name + " "));
    EXPECT_THAT(services, HasSubstr("\n  consumer: "));
    EXPECT_THAT(services, HasSubstr("point consumer.effect-committed-not-settled"));
}

TEST(Schema, IsJsonThatNamesItsDraft) {
    const Finished done = crier({"schema"});
    EXPECT_EQ(done.code, 0);
    const Json schema = Json::parse(done.out);
    EXPECT_EQ(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    EXPECT_TRUE(schema["properties"].contains("services"));
}

} // namespace
} // namespace crier::cli
