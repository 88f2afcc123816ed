// Whatever is wrong with the input: exit code 2, the place, nothing on standard output.
#include "tests/cli/fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace crier::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// Returns the text with the first `what` replaced.
std::string with(std::string text, const std::string& what, const std::string& by) {
    const std::size_t at = text.find(what);
    if (at == std::string::npos) ADD_FAILURE() << "no '" << what << "' to replace";
    return text.replace(at, what.size(), by);
}

/// Runs a scenario that cannot be read; expects `complaint` about the place `at` (`14:22`).
void expect_refused(const std::string& text, const std::string& at, const std::string& complaint) {
    const ScratchFolder folder;
    const std::string file = folder.write("bad.yaml", text);
    const Finished done = crier({"run", file, "--json", folder.path("report.json")});
    EXPECT_EQ(done.code, 2) << text;
    EXPECT_EQ(done.out, "");
    EXPECT_THAT(done.err, HasSubstr("crier: " + file + ":" + at + ": ")) << text;
    EXPECT_THAT(done.err, HasSubstr(complaint));
    EXPECT_EQ(folder.names(), std::vector<std::string>{"bad.yaml"});
}

TEST(BadInput, OfTheWrongTypeIsLocated) {
    expect_refused(with(sound_text, "10/s", "fast"), "13:22", "`rate` must be a rate");
    expect_refused(with(sound_text, "partitions: 3", "partitions: three"), "6:24",
                   "must be a whole number");
    expect_refused(with(sound_text, "[shop-db, billing-db]", "7"), "7:12", "databases");
}

TEST(BadInput, WithAnUnknownKeyGetsASuggestion) {
    expect_refused(with(sound_text, "partitions", "partitons"), "6:12",
                   "did you mean `partitions`?");
    expect_refused(with(sound_text, "  - ledger", "  - legder"), "17:5", "did you mean `ledger`?");
    expect_refused(with(sound_text, "offset-reset", "offset-rest"), "11:63", "`offset-reset`");
}

TEST(BadInput, WithAbsurdNumbersIsRefused) {
    expect_refused(with(sound_text, "10/s", "999999999999999999999/s"), "13:22", "rate");
    expect_refused(with(sound_text, "for: 2s", "for: 999999h"), "13:33", "from 1ms to 24h");
    expect_refused(with(sound_text, "partitions: 3", "partitions: -1"), "6:24", "from 1 to");
    expect_refused(with(sound_text, "partitions: 3", "partitions: 99999999999999999999"), "6:24",
                   "from 1 to");
    expect_refused(with(sound_text, "replication: 3", "replication: 9"), "6:40",
                   "more than the 3 nodes");
    expect_refused(with(sound_text, "keys: 3", "keys: 0"), "13:43", "keys");
}

TEST(BadInput, AllOfItIsTold) {
    const ScratchFolder folder;
    const std::string text = with(with(sound_text, "10/s", "fast"), "partitions", "partitons");
    const Finished done = crier({"run", folder.write("bad.yaml", text)});
    EXPECT_THAT(done.err, HasSubstr("bad.yaml:13:22: "));
    EXPECT_THAT(done.err, HasSubstr("bad.yaml:6:12: "));
}

TEST(BadInput, TruncatedAnywhereNeverCrashes) {
    const ScratchFolder folder;
    int refused = 0;
    for (std::size_t length = 0; length < sound_text.size() - 30; length += 23) {
        const Finished done =
            crier({"run", folder.write("bad.yaml", sound_text.substr(0, length))});
        EXPECT_EQ(done.code, 2) << "after " << length << " bytes: " << done.err;
        EXPECT_THAT(done.err, HasSubstr("bad.yaml:"));
        ++refused;
    }
    EXPECT_GT(refused, 20);
}

TEST(BadInput, ThatIsNoTextIsRefused) {
    expect_refused("a: \xff\xfe", "1:4", "UTF-8");
    expect_refused("a: &a [*a]\n", "1:4", "anchors");
    expect_refused("a: " + std::string(200'000, '['), "1:5", "");
}

TEST(BadInput, MissingFilesAndFoldersAreNamed) {
    for (const char* const verb : {"run", "explore", "replay", "check-determinism"}) {
        const ScratchFolder folder;
        const std::string missing = folder.path("missing.yaml");
        const Finished done = crier({verb, missing});
        EXPECT_EQ(done.code, 2);
        EXPECT_THAT(done.err, HasSubstr(missing + ": cannot be read: No such file or directory"));
        const Finished of_folder = crier({verb, catalogue});
        EXPECT_EQ(of_folder.code, 2);
        EXPECT_THAT(of_folder.err, HasSubstr("is a directory"));
    }
}

/// Runs a verb on a sound scenario with arguments that are wrong.
void expect_argument_refused(const std::string& verb, const std::string& option,
                             const std::string& value) {
    const ScratchFolder folder;
    const Finished done = crier({verb, folder.write("sound.yaml", sound_text), option, value});
    EXPECT_EQ(done.code, 2) << verb << " " << option << " " << value;
    EXPECT_EQ(done.out, "") << verb << " " << option << " " << value;
    EXPECT_THAT(done.err, HasSubstr(option == "-j" ? "--workers" : option));
    EXPECT_THAT(done.err, HasSubstr(value));
}

TEST(BadArgument, ForSeedsIsNamed) {
    for (const char* const value :
         {"5..1", "0..3", "abc", "1..", "..3", "1..2..3", "-3..3", "1..99999999999999999999"})
        expect_argument_refused("explore", "--seeds", value);
    for (const char* const value : {"-1", "0", "abc", "1.5", "99999999999999999999"}) {
        expect_argument_refused("run", "--seed", value);
        expect_argument_refused("replay", "--seed", value);
        expect_argument_refused("check-determinism", "--seed", value);
    }
}

TEST(BadArgument, ForTimesIsNamed) {
    expect_argument_refused("explore", "--for", "0s");
    for (const char* const value : {"abc", "3", "-1s", "1e3s", "99999999999999h", "1 s"}) {
        expect_argument_refused("explore", "--for", value);
        expect_argument_refused("replay", "--until", value);
    }
}

TEST(BadArgument, ForWorkersIsNamed) {
    for (const char* const value : {"-1", "0", "257", "many", "99999999999"})
        expect_argument_refused("explore", "-j", value);
}

TEST(BadArgument, SeedsAndTimeTogetherAreRefused) {
    const ScratchFolder folder;
    const Finished done = crier(
        {"explore", folder.write("sound.yaml", sound_text), "--seeds", "1..2", "--for", "1s"});
    EXPECT_EQ(done.code, 2);
    EXPECT_THAT(done.err, HasSubstr("--seeds and --for exclude each other"));
}

TEST(BadArgument, SeedsMayHaveLeadingZeros) {
    const ScratchFolder folder;
    const Finished done = crier({"run", folder.write("sound.yaml", sound_text), "--seed", "010"});
    EXPECT_THAT(done.out, StartsWith("sound, seed 10: "));
}

TEST(BadArgument, AProgramToCompareWithThatIsNoneIsNamed) {
    const ScratchFolder folder;
    const std::string file = folder.write("sound.yaml", sound_text);
    const std::string missing = folder.path("nothing");
    const Finished done = crier({"check-determinism", file, "--program", missing});
    EXPECT_EQ(done.code, 2);
    EXPECT_THAT(done.err, HasSubstr(missing + ": cannot be started"));
    const Finished mute = crier({"check-determinism", file, "--program", "/bin/true"});
    EXPECT_EQ(mute.code, 2);
    EXPECT_THAT(mute.err, HasSubstr("/bin/true: the other process left no history"));
}

} // namespace
} // namespace crier::cli
