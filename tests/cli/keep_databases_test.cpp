// The databases of a run, for people to open.
#include "tests/cli/fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

namespace crier::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Opens a file as anybody's SQLite would. **Returns** the first value of the answer.
std::string ask(const std::string& file, const std::string& sql) {
    sqlite3* connection = nullptr;
    std::string answer = "nothing";
    if (sqlite3_open_v2(file.c_str(), &connection, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK) {
        const auto keep = [](void* to, int, char** values, char**) {
            *static_cast<std::string*>(to) = values[0] == nullptr ? "null" : values[0];
            return 0;
        };
        const int code = sqlite3_exec(connection, sql.c_str(), keep, &answer, nullptr);
        if (code != SQLITE_OK) answer = sqlite3_errmsg(connection);
    }
    sqlite3_close_v2(connection);
    return answer;
}

TEST(KeepDatabases, WritesFilesThatAnySqliteOpens) {
    const ScratchFolder folder;
    const std::string file = folder.write("sound.yaml", sound_text);
    const std::string kept = folder.path("kept");
    EXPECT_EQ(crier({"run", file, "--keep-databases", kept}).code, 0);
    EXPECT_EQ(ask(kept + "/shop-db.sqlite", "pragma integrity_check"), "ok");
    EXPECT_EQ(ask(kept + "/shop-db.sqlite", "select count(*) from orders"), "20");
    EXPECT_EQ(ask(kept + "/billing-db.sqlite", "select count(*) from effects"), "20");
}

TEST(KeepDatabases, WritesTheFileOfEachProcessWithWhatItsLogHas) {
    const ScratchFolder folder;
    std::string text(sound_text);
    text.replace(text.find("[shop-db, billing-db]"), 21, "{shop-db: {}, billing-db: {file: {}}}");
    const std::string file = folder.write("local.yaml", text);
    const std::string kept = folder.path("kept");
    EXPECT_EQ(crier({"run", file, "--keep-databases", kept}).code, 0);
    const std::string billing = kept + "/billing-db-billing-1.sqlite";
    EXPECT_EQ(ask(billing, "pragma integrity_check"), "ok");
    EXPECT_EQ(ask(billing, "select count(*) from effects"), "20");
}

TEST(KeepDatabases, ShowsAMomentOfAReplay) {
    const ScratchFolder folder;
    const std::string file = folder.write("sound.yaml", sound_text);
    const std::string kept = folder.path("kept");
    EXPECT_EQ(crier({"replay", file, "--until", "1s", "--keep-databases", kept}).code, 3);
    const std::string orders = ask(kept + "/shop-db.sqlite", "select count(*) < 20 from orders");
    EXPECT_EQ(orders, "1");
}

TEST(KeepDatabases, NamesAFolderThatCannotBeWritten) {
    const ScratchFolder folder;
    const std::string file = folder.write("sound.yaml", sound_text);
    const std::string taken = folder.write("taken", "as it was");
    const Finished done = crier({"run", file, "--keep-databases", taken});
    EXPECT_EQ(done.code, 2);
    EXPECT_THAT(done.err, HasSubstr(taken + ": is no folder"));
    EXPECT_EQ(done.out, "");
    const std::string nowhere = folder.path("no/where");
    EXPECT_EQ(crier({"run", file, "--keep-databases", nowhere}).code, 2);
    EXPECT_THAT(folder.names(), ElementsAre("sound.yaml", "taken"));
}

} // namespace
} // namespace crier::cli
