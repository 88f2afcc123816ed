// What the program's end says to scripts.
#include "tests/cli/fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace crier::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(ExitCode, IsZeroWhenAllHolds) {
    const ScratchFolder folder;
    const Finished done = crier({"run", folder.write("sound.yaml", sound_text)});
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_THAT(done.out, StartsWith("sound, seed 1: holds\n"));
    EXPECT_EQ(done.err, "");
}

TEST(ExitCode, IsOneForAViolationAndTheReplayCommandIsShown) {
    const ScratchFolder folder;
    const std::string file = folder.write("wrong.yaml", wrong_text);
    const Finished done = crier({"run", file, "--seed", "3"});
    EXPECT_EQ(done.code, 1) << done.err;
    EXPECT_THAT(done.out, StartsWith("wrong, seed 3: violated\n"));
    EXPECT_THAT(done.out, HasSubstr("replay: " CRIER_PROGRAM " replay " + file + " --seed 3\n"));
}

TEST(ExitCode, IsThreeForARunThatIsCutShort) {
    const ScratchFolder folder;
    const std::string file = folder.write("sound.yaml", sound_text);
    const Finished done = crier({"replay", file, "--until", "1.5s"});
    EXPECT_EQ(done.code, 3) << done.err;
    EXPECT_THAT(done.out, StartsWith("sound, seed 1: inconclusive\n"
                                     "stopped at 1.500 s of virtual time: "));
    EXPECT_THAT(done.out, HasSubstr("in 1.500 s of virtual time"));
}

TEST(ExitCode, IsThreeWhenThereWasTimeForNothing) {
    const ScratchFolder folder;
    const Finished done =
        crier({"explore", folder.write("sound.yaml", sound_text), "--for", "1ns"});
    EXPECT_EQ(done.code, 3) << done.err;
    EXPECT_THAT(done.out, StartsWith("sound, 0 seeds: vacuous"));
}

TEST(ExitCode, IsZeroForHelpAndVersion) {
    EXPECT_THAT(crier({"--help"}).out, HasSubstr("check-determinism"));
    EXPECT_EQ(crier({"--help"}).code, 0);
    EXPECT_EQ(crier({"explore", "--help"}).code, 0);
    EXPECT_THAT(crier({"--version"}).out, StartsWith("crier "));
}

TEST(ExitCode, IsTwoForACommandLineThatSaysNothing) {
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
             {}, {"run"}, {"walk"}, {"list", "colours"}, {"run", "a.yaml", "--fast"}}) {
        const Finished done = crier(words);
        EXPECT_EQ(done.code, 2);
        EXPECT_EQ(done.out, "");
        EXPECT_NE(done.err, "");
    }
}

/// Returns whether a process has installed a handler of its own for the signal.
bool catches(pid_t process, int signal) {
    const std::string status = test::read_file("/proc/" + std::to_string(process) + "/status");
    const std::size_t at = status.find("SigCgt:");
    if (at == std::string::npos) return false;
    return ((std::stoull(status.substr(at + 7), nullptr, 16) >> (signal - 1)) & 1U) != 0;
}

TEST(ExitCode, IsOfAnInterruptWhenNothingWasFound) {
    const ScratchFolder folder;
    Child child({CRIER_PROGRAM, "explore", folder.write("sound.yaml", sound_text), "--seeds",
                 "1..1000000000", "-j", "1"});
    while (!catches(child.pid(), SIGINT)) {
    }
    ASSERT_EQ(::kill(child.pid(), SIGINT), 0);
    const Finished done = child.wait();
    EXPECT_EQ(done.code, 130) << done.err;
    EXPECT_THAT(done.out, HasSubstr("(interrupted)"));
}

} // namespace
} // namespace crier::cli
