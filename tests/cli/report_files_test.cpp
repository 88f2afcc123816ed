// Reports are written whole or not at all, and a place that cannot be written is named.
#include "tests/cli/fixture.hpp"
#include "tests/support/xml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace crier::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<std::string> verbs{"run", "replay", "explore"};

std::vector<std::string> command(const std::string& verb, const std::string& file) {
    std::vector<std::string> words{verb, file};
    if (verb == "explore") words.insert(words.end(), {"--seeds", "1..2"});
    return words;
}

TEST(ReportFiles, AreWrittenByEveryVerbThatRuns) {
    for (const std::string& verb : verbs) {
        const ScratchFolder folder;
        std::vector<std::string> words = command(verb, folder.write("wrong.yaml", wrong_text));
        words.insert(words.end(),
                     {"--json", folder.path("r.json"), "--junit", folder.path("r.xml")});
        const Finished done = crier(words);
        EXPECT_EQ(done.code, 1) << done.err;
        EXPECT_THAT(folder.names(), ElementsAre("r.json", "r.xml", "wrong.yaml"));
        EXPECT_EQ(Json::parse(test::read_file(folder.path("r.json")))["verdict"], "violated");
        const std::string xml = test::read_file(folder.path("r.xml"));
        EXPECT_EQ(test::xml_complaint(xml), "");
        EXPECT_THAT(xml, HasSubstr("<failure"));
        EXPECT_THAT(xml, HasSubstr(CRIER_PROGRAM " replay "));
    }
}

TEST(ReportFiles, NamedByADashGoToStandardOutputAlone) {
    const ScratchFolder folder;
    const std::string file = folder.write("sound.yaml", sound_text);
    for (const std::string& verb : verbs) {
        std::vector<std::string> words = command(verb, file);
        words.insert(words.end(), {"--json", "-"});
        const Finished done = crier(words);
        EXPECT_EQ(Json::parse(done.out)["verdict"], "holds");
    }
}

TEST(ReportFiles, ReplaceWhatWasThere) {
    const ScratchFolder folder;
    const std::string report = folder.write("r.json", std::string(100'000, 'x'));
    const Finished done = crier({"run", folder.write("sound.yaml", sound_text), "--json", report});
    EXPECT_EQ(done.code, 0);
    EXPECT_EQ(Json::parse(test::read_file(report))["seed"], 1);
}

TEST(ReportFiles, OnAFullDiskAreAnError) {
    const ScratchFolder folder;
    const std::string file = folder.write("sound.yaml", sound_text);
    for (const std::string& verb : verbs) {
        for (const char* const option : {"--json", "--junit"}) {
            std::vector<std::string> words = command(verb, file);
            words.insert(words.end(), {option, "/dev/full"});
            const Finished done = crier(words);
            EXPECT_EQ(done.code, 2) << verb << " " << option;
            EXPECT_THAT(done.err, HasSubstr("/dev/full: cannot write: No space left on device"));
        }
    }
}

// A limit on the size of files stops a write in the middle, as a disk that fills up does.
TEST(ReportFiles, ThatCannotBeFinishedLeaveNothingBehind) {
    const ScratchFolder folder;
    const std::string file = folder.write("wrong.yaml", wrong_text);
    const std::string old = folder.write("r.json", "as it was");
    const std::string script = "ulimit -f 1; exec \"$0\" run \"$1\" --json \"$2\" | cat; exit "
                               "${PIPESTATUS[0]}";
    const Finished done = Child({"/bin/bash", "-c", script, CRIER_PROGRAM, file, old}).wait();
    EXPECT_EQ(done.code, 2);
    EXPECT_THAT(done.err, HasSubstr(old + ": cannot write: File too large"));
    EXPECT_THAT(folder.names(), ElementsAre("r.json", "wrong.yaml"));
    EXPECT_EQ(test::read_file(old), "as it was");
}

TEST(ReportFiles, WithoutAPlaceAreRefusedBeforeTheWork) {
    const ScratchFolder folder;
    const std::string file = folder.write("sound.yaml", sound_text);
    const std::string nowhere = folder.path("missing/r.json");
    for (const std::string& verb : verbs) {
        for (const char* const option : {"--json", "--junit"}) {
            const Finished done = crier({verb, file, option, nowhere});
            EXPECT_EQ(done.code, 2);
            EXPECT_EQ(done.out, "");
            EXPECT_THAT(done.err, HasSubstr(nowhere + ": cannot write: No such file or directory"));
        }
    }
    const Finished done = crier({"run", file, "--json", catalogue});
    EXPECT_EQ(done.code, 2);
    EXPECT_THAT(done.err, HasSubstr(catalogue + ": cannot write: Is a directory"));
    EXPECT_THAT(folder.names(), ElementsAre("sound.yaml"));
}

TEST(StandardOutput, ThatIsFullIsAnErrorOfEveryVerb) {
    const ScratchFolder folder;
    const std::string file = folder.write("sound.yaml", sound_text);
    for (const std::vector<std::string>& words :
         std::vector<std::vector<std::string>>{{"run", file},
                                               {"replay", file, "--trace"},
                                               {"explore", file, "--seeds", "1..2"},
                                               {"check-determinism", file},
                                               {"run", file, "--json", "-"},
                                               {"list"},
                                               {"schema"},
                                               {"--help"},
                                               {"--version"}}) {
        const Finished done = crier(words, "/dev/full");
        EXPECT_EQ(done.code, 2) << words.front();
        EXPECT_THAT(done.err, HasSubstr("standard output: cannot write")) << words.front();
    }
}

} // namespace
} // namespace crier::cli
