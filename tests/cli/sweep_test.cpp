// Sweeps as their users meet them.
#include "tests/cli/fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace crier::cli {
namespace {

using testing::HasSubstr;

/// Small, with a relay that takes rows for published too early.
std::string mistaken() {
    std::string text = sound_text;
    text.replace(text.find("to: orders}"), 11, "to: orders, mark: sent}");
    text.erase(text.find("faults:"), text.find("expect:") - text.find("faults:"));
    return text;
}

TEST(Sweep, TellsItsPointsAndAFaultThatReplays) {
    const ScratchFolder folder;
    const std::string file = folder.write("mistaken.yaml", mistaken());
    const Finished done =
        crier({"sweep", file, "--of", "relay", "--for", "500ms", "--json", folder.path("s.json")});
    EXPECT_EQ(done.code, 1) << done.err;
    EXPECT_THAT(done.out, HasSubstr("crash for 500ms  relay/1  at"));
    const Json json = Json::parse(test::read_file(folder.path("s.json")));
    ASSERT_EQ(json["violated_with"].size(), 1u);
    const std::string fault = json["violated_with"][0];
    EXPECT_THAT(done.out, HasSubstr("--fault '" + fault + "' --seed 1"));
    EXPECT_GT(json["points"][0]["count"], 0);
    const Finished again = crier({"replay", file, "--fault", fault, "--json", "-"});
    EXPECT_EQ(again.code, 1);
    EXPECT_EQ(Json::parse(again.out)["digest"], json["first"]["digest"]);
}

TEST(Sweep, CanTakeOnePoint) {
    const ScratchFolder folder;
    const Finished done = crier({"sweep", folder.write("sound.yaml", sound_text), "--of", "relay/1",
                                 "--point", "relay.marked", "--json", "-"});
    EXPECT_EQ(done.code, 0) << done.err;
    const Json json = Json::parse(done.out);
    ASSERT_EQ(json["points"].size(), 1u);
    EXPECT_EQ(json["points"][0]["point"], "relay.marked");
    EXPECT_EQ(json["points"][0]["count"], json["runs"]);
}

TEST(Sweep, NamesWhatIsWrong) {
    const ScratchFolder folder;
    const std::string file = folder.write("sound.yaml", sound_text);
    const Finished nobody = crier({"sweep", file, "--of", "rely"});
    EXPECT_EQ(nobody.code, 2);
    EXPECT_THAT(nobody.err, HasSubstr("nothing here is called `rely`"));
    const Finished nowhere = crier({"sweep", file, "--of", "relay", "--point", "relay.marks"});
    EXPECT_EQ(nowhere.code, 2);
    EXPECT_THAT(nowhere.err, HasSubstr("relay.marked"));
    const Finished length = crier({"sweep", file, "--of", "relay", "--for", "5"});
    EXPECT_EQ(length.code, 2);
    EXPECT_THAT(length.err, HasSubstr("`for`"));
    EXPECT_EQ(crier({"sweep", file}).code, 2);
    EXPECT_EQ(crier({"sweep", file, "--of", "relay", "--with", "reset"}).code, 2);
}

} // namespace
} // namespace crier::cli
