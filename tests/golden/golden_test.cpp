// What people read, compared with files that are checked in: a change of it is a change of the
// product, and is seen in review. CRIER_UPDATE=1 writes the files anew.
#include "reports/text.hpp"
#include "tests/support/child.hpp"
#include "tests/support/scenario_runs.hpp"

#include <cstdlib>
#include <gtest/gtest.h>
#include <sstream>

namespace crier {
namespace {

void expect_golden(const std::string& name, const std::string& text) {
    const std::string path = CRIER_SOURCE_DIR "/tests/golden/" + name;
    const char* const update = std::getenv("CRIER_UPDATE");
    if (update != nullptr && std::string(update) == "1") {
        std::ofstream(path, std::ios::binary) << text;
        return;
    }
    EXPECT_EQ(text, test::read_file(path))
        << name << " is not what it was; if that is right, run this test with CRIER_UPDATE=1";
}

scenario::RunResult golden_run(const std::string& file, std::uint64_t seed) {
    return test::run(test::load(file), seed, true);
}

TEST(Golden, ReportOfARunThatHolds) {
    const std::string file = "tests/golden/small.yaml";
    expect_golden("small.txt", report::text_of(golden_run(file, 3), {{file}, false}));
}

TEST(Golden, HeadOfATrace) {
    constexpr int lines_max = 60;
    const std::string trace = report::trace_of(golden_run("tests/golden/small.yaml", 3));
    std::size_t end = 0;
    for (int line = 0; line < lines_max; ++line)
        end = trace.find('\n', end) + 1;
    expect_golden("small-trace.txt", trace.substr(0, end));
}

TEST(Golden, ReportOfAViolation) {
    const std::string file = "tests/golden/mistake.yaml";
    expect_golden("mistake.txt", report::text_of(golden_run(file, 1), {{file}, false}));
}

TEST(Golden, ReadmeShowsARealFailure) {
    const std::string file = "scenarios/catalogue/dual-write.yaml";
    std::string shown = "    $ ./dev run " + file + "\n";
    std::istringstream lines(report::text_of(golden_run(file, 1), {{file}, false}));
    for (std::string line; std::getline(lines, line);)
        shown += (line.empty() ? "" : "    ") + line + "\n";
    EXPECT_NE(test::read_file(CRIER_SOURCE_DIR "/README.md").find(shown), std::string::npos)
        << "README.md shows another output than this:\n"
        << shown;
}

} // namespace
} // namespace crier
