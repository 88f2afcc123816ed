#include "tests/tidy/rules.hpp"

#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <regex>

// The tree keeps its rules, and the rules can see: each is shown a small text that breaks it, and
// one beside it that does not.

namespace crier::tidy {
namespace {

using Rule = void (*)(const Source&, Findings&);

Findings find(Rule rule, std::string path, std::string text) {
    Findings findings;
    rule(make_source(std::move(path), std::move(text)), findings);
    return findings;
}

std::string all(const Findings& findings) {
    std::string text;
    for (const auto& finding : findings)
        text += finding.str() + "\n";
    return text;
}

/// A text, where it would stand, and a word of the message it must cause; empty: it is allowed.
struct Planted {
    std::string path;
    std::string text;
    std::string message;
};

void expect(Rule rule, const std::vector<Planted>& cases) {
    for (const auto& planted : cases) {
        SCOPED_TRACE(planted.path + ": " + planted.text);
        const auto findings = find(rule, planted.path, planted.text + "\n");
        if (planted.message.empty()) {
            EXPECT_EQ(all(findings), "");
        } else {
            ASSERT_EQ(findings.size(), 1U) << all(findings);
            EXPECT_NE(findings[0].message.find(planted.message), std::string::npos)
                << findings[0].message;
        }
    }
}

TEST(Tidy, TreeKeepsTheRules) {
    const auto tree = read_tree(CRIER_SOURCE_DIR);
    EXPECT_GT(tree.size(), 50U) << "no tree was found at " << CRIER_SOURCE_DIR;
    const auto findings = check_tree(tree);
    EXPECT_TRUE(findings.empty()) << all(findings);
}

/// Every test that a page of rules names must be there. **Returns** how many it names.
std::size_t expect_named_tests_exist(const std::string& path) {
    std::ifstream page(CRIER_SOURCE_DIR "/docs/" + path);
    const std::string text{std::istreambuf_iterator<char>(page), {}};
    std::string tests;
    for (const Source& source : read_tree(CRIER_SOURCE_DIR)) {
        if (source.path.starts_with("tests/")) tests += source.text;
    }
    const std::regex name("`([A-Z][A-Za-z]+)\\.([A-Za-z0-9]+)`");
    std::size_t named = 0;
    for (std::sregex_iterator at(text.begin(), text.end(), name), end; at != end; ++at) {
        ++named;
        const std::string test = "(" + (*at)[1].str() + ", " + (*at)[2].str() + ")";
        EXPECT_NE(tests.find(test), std::string::npos) << "there is no test " << (*at)[0];
    }
    return named;
}

// A rule is claimed only with the test that shows it.
TEST(Tidy, ThePageOfTheKafkaModelNamesTestsThatExist) {
    EXPECT_GT(expect_named_tests_exist("kafka-model.md"), 50U);
}

TEST(Tidy, ThePageOfTheStoreModelNamesTestsThatExist) {
    EXPECT_GT(expect_named_tests_exist("store-model.md"), 30U);
}

// … and no row of the rules stands without one, or without the word that it is never to be.
TEST(Tidy, EveryRowOfThePageOfTheKafkaModelHasATest) {
    std::ifstream page(CRIER_SOURCE_DIR "/docs/kafka-model.md");
    const std::regex proof("`[A-Z][A-Za-z]+\\.[A-Za-z0-9]+`|\\| never \\|");
    bool is_rule = false; // in a section of rules
    std::size_t rows = 0;
    for (std::string line; std::getline(page, line);) {
        if (line.starts_with("## ")) is_rule = line.starts_with("## A");
        const bool is_row = is_rule && line.starts_with("| ") && !line.ends_with("| | |");
        if (!is_row) continue;
        ++rows;
        EXPECT_TRUE(std::regex_search(line, proof)) << "neither a test nor never: " << line;
    }
    EXPECT_GT(rows, 100U);
}

TEST(Tidy, IncludesGoDownOnly) {
    expect(
        check_includes,
        {
            {"messaging/ports/store.hpp", "#include \"messaging/relay.hpp\"", "ports must not"},
            {"messaging/relay.cpp", "#include \"sim/world.hpp\"", "messaging must not"},
            {"messaging/relay.cpp", "#include \"messaging/kafka/client.hpp\"", "must not"},
            {"messaging/relay.cpp", "#include \"messaging/asio_clock.hpp\"", "must not"},
            {"messaging/kafka/client.cpp", "#include \"sim/world.hpp\"", "kafka adapter must not"},
            {"broker-model/kafka/client/client.cpp",
             "#include \"broker-model/kafka/groups/group.hpp\"", "client must not"},
            {"broker-model/kafka/groups/group.cpp",
             "#include \"broker-model/kafka/client/client.hpp\"", "servers must not"},
            {"sim/world.hpp", "#include \"messaging/relay.hpp\"", "sim must not"},
            {"sim/world.hpp", "#include \"broker-model/events.hpp\"", "sim must not"},
            {"broker-model/events.hpp", "#include \"properties/property.hpp\"", "must not"},
            {"properties/ledger.cpp", "#include \"messaging/relay.hpp\"", "must not"},
            {"properties/ledger.cpp", "#include \"scenarios/run.hpp\"", "must not"},
            {"scenarios/run.cpp", "#include \"reports/json.hpp\"", "scenarios must not"},
            {"scenarios/run.cpp", "#  include \"messaging/sqlite/store.hpp\"", "must not"},
            {"reports/json.cpp", "#include \"cli/program.hpp\"", "reports must not"},
            {"sim/world.cpp", "#include \"world.hpp\"", "repository root"},
            {"sim/world.cpp", "#include \"tests/support/fakes.hpp\"", "repository root"},
        });
    expect(check_includes, {
                               {"sim/world.hpp", "#include \"messaging/ports/clock.hpp\"", ""},
                               {"messaging/relay.cpp", "#include \"messaging/relay.hpp\"", ""},
                               {"broker-model/x.cpp", "#include \"messaging/outbox.hpp\"", ""},
                               {"reports/json.cpp", "#include \"sim/history.hpp\"", ""},
                               {"cli/run.cpp", "#include \"messaging/kafka/client.hpp\"", ""},
                               {"tests/sim/x_test.cpp", "#include \"cli/program.hpp\"", ""},
                           });
}

TEST(Tidy, ThirdPartiesStayInTheirPlaces) {
    expect(check_includes,
           {
               {"reports/json.cpp", "#include <CLI/CLI.hpp>", "CLI11"},
               {"reports/json.cpp", "#include <yaml-cpp/yaml.h>", "yaml-cpp"},
               {"scenarios/run.cpp", "#include <nlohmann/json.hpp>", "nlohmann"},
               {"messaging/outbox.cpp", "#include <sqlite3.h>", "SQLite"},
               {"broker-model/kafka/client/client.cpp", "#include <sqlite3.h>", "SQLite"},
               {"messaging/outbox.cpp", "#include <libpq-fe.h>", "libpq"},
               {"messaging/relay.cpp", "#include <librdkafka/rdkafka.h>", "librdkafka"},
               {"sim/world.cpp", "#include <spdlog/spdlog.h>", "spdlog"},
               {"sim/world.cpp", "#include <thread>", "threads"},
               {"scenarios/run.cpp", "#include <mutex>", "threads"},
               {"scenarios/run.cpp", "#include <gtest/gtest.h>", "test frameworks"},
           });
    expect(check_includes, {
                               {"cli/main.cpp", "#include <CLI/CLI.hpp>", ""},
                               {"scenarios/load.cpp", "#include <yaml-cpp/yaml.h>", ""},
                               {"broker-model/store/database.cpp", "#include <sqlite3.h>", ""},
                               {"messaging/sqlite/store.cpp", "#include <thread>", ""},
                               {"scenarios/workers.cpp", "#include <thread>", ""},
                               {"scenarios/gtest.hpp", "#include <gtest/gtest.h>", ""},
                               {"sim/world.cpp", "#include <map>", ""},
                           });
}

TEST(Tidy, RealWorldIsBannedBelowTheProgram) {
    expect(check_determinism,
           {
               {"sim/x.cpp", "    auto t = std::chrono::system_clock::now();", "crier::Clock"},
               {"sim/x.cpp", "    auto t = std::chrono::steady_clock::now();", "crier::Clock"},
               {"sim/x.cpp", "    gettimeofday(&tv, nullptr);", "crier::Clock"},
               {"sim/x.cpp", "    const auto t = std::time(nullptr);", "crier::Clock"},
               {"messaging/x.cpp", "    std::this_thread::sleep_for(delay);", "Clock::sleep"},
               {"messaging/x.cpp", "    asio::steady_timer timer(executor);", "Clock::sleep"},
               {"scenarios/workers.cpp", "    asio::system_timer timer(executor);", "Clock::sleep"},
               {"scenarios/x.cpp", "    std::thread worker(work);", "thread"},
               {"scenarios/x.cpp", "    const char* home = std::getenv(name);", "environment"},
               {"reports/x.cpp", "    for (auto& e : fs::directory_iterator(p)) use(e);", "cli"},
               {"sim/x.cpp", "thread_local int depth;", "world"},
               {"cli/x.cpp", "    thread_local int depth = 0;", "world"},
               {"messaging/x.cpp", "    co_spawn(executor, run(), asio::detached);", "spawn"},
               {"cli/x.cpp", "    co_spawn(executor, run(), asio::detached);", "spawn"},
           });
    expect(check_determinism,
           {
               {"cli/x.cpp", "    auto t = std::chrono::steady_clock::now();", ""},
               {"messaging/asio_clock.cpp", "    asio::steady_timer timer(executor);", ""},
               {"messaging/kafka/x.cpp", "    std::thread poll(work);", ""},
               {"scenarios/workers.cpp", "    auto t = std::chrono::steady_clock::now();", ""},
               {"tests/benchmarks/x.cpp", "    auto t = std::chrono::steady_clock::now();", ""},
               {"sim/x.cpp", "    // not system_clock, which is real", ""},
               {"sim/x.cpp", "    say(\"system_clock\"); /* thread_local */", ""},
               {"sim/x.cpp", "    say(R\"(rand() \" detached)\"); auto n = 1'000;", ""},
           });
}

TEST(Tidy, LibraryRandomnessIsBanned) {
    expect(check_determinism,
           {
               {"sim/x.cpp", "    std::random_device device;", "sim::Random"},
               {"sim/x.cpp", "    std::mt19937_64 engine(seed);", "sim::Random"},
               {"sim/x.cpp", "    std::uniform_int_distribution<int> d(1, 6);", "sim::Random"},
               {"sim/x.cpp", "    const int n = rand() % 6;", "sim::Random"},
               {"scenarios/workers.cpp", "    std::shuffle(a.begin(), a.end(), e);", "sim::Random"},
               {"sim/x.cpp", "    f(ids.draw(a, b, 1), ids.draw(a, b, 2));", "two random draws"},
           });
    expect(check_determinism, {
                                  {"sim/x.cpp", "    const auto a = ids.draw(p, s, 1);", ""},
                                  {"sim/x.cpp", "    a = draw(1);\n    b = draw(2);", ""},
                                  {"sim/x.cpp", "    const auto operand = grand(2);", ""},
                              });
}

TEST(Tidy, AddressesHashOrderAndFloatsDecideNothing) {
    expect(
        check_determinism,
        {
            {"sim/x.hpp", "    std::map<Node*, int> ranks_;", "address"},
            {"sim/x.hpp", "    std::set<const sim::Node *> seen_;", "address"},
            {"sim/x.hpp", "    std::unordered_map<Foo<int>*, int> ranks_;", "address"},
            {"sim/x.cpp", "    auto n = reinterpret_cast<std::uintptr_t>(p);", "address"},
            {"sim/x.cpp", "    auto h = std::hash<std::string>()(name);", "hash"},
            {"sim/x.cpp", "    std::unordered_map<int, int> a;\n    for (auto& e : a) use(e);",
             "unordered"},
            {"sim/x.cpp", "    std::unordered_set<int> a_;\n    auto i = a_.begin();", "unordered"},
            {"sim/x.cpp", "    const double share = 0.5;", "integers"},
        });
    expect(check_determinism,
           {
               {"sim/x.hpp", "    std::map<NodeId, Node*> nodes_;", ""},
               {"sim/x.cpp", "    std::unordered_map<int, int> a;\n    auto i = a.find(1);", ""},
               {"sim/x.cpp", "enum class F { time, strftime };", ""},
               {"broker-model/store/image_vfs.cpp", "    static sqlite3_vfs system{};", ""},
               {"messaging/ports/store.hpp", "using Value = std::variant<int, double>;", ""},
               {"reports/x.cpp", "    const double seconds = 0.5;", ""},
           });
}

TEST(Tidy, StateLivesInObjects) {
    expect(check_determinism, {
                                  {"sim/x.cpp", "    static int count = 0;", "world"},
                                  {"sim/x.cpp", "static std::map<int, int> cache;", "world"},
                                  {"sim/x.hpp", "inline std::string name;", "world"},
                                  {"sim/x.cpp", "int count = 0;", "world"},
                                  {"sim/x.cpp", "std::vector<int> numbers;", "world"},
                                  {"sim/x.cpp", "std::atomic<int> count{0};", "world"},
                              });
    expect(check_determinism,
           {
               {"sim/x.cpp", "static constexpr int count = 0;", ""},
               {"sim/x.cpp", "constexpr std::array names{1, 2};", ""},
               {"sim/x.hpp", "inline constexpr CallKind call{\"call\"};", ""},
               {"sim/x.hpp", "    static Foo make(int count = 0);", ""},
               {"sim/x.hpp", "inline bool ready(const Foo& foo) { return foo.ready; }", ""},
               {"sim/x.cpp", "Foo::Foo(int count) : count_(count) {}", ""},
               {"sim/x.cpp", "const std::vector<int>& table() {", ""},
               {"sim/x.hpp", "using Time = int;", ""},
               {"sim/x.cpp", "    static const std::regex pattern(\"a\");", ""},
           });
}

TEST(Tidy, NothingIsMadeInsideAnAwaitingExpression) {
    const std::string path = "messaging/x.cpp";
    expect(check_co_await,
           {
               {path, "void f() { co_await send(Message{1}); }", "name the value"},
               {path, "void f() { co_await send({1, 2}); }", "name the value"},
               {path, "void f() { co_await send([x] { return x; }); }", "name the value"},
               {path, "void f() { co_await send([&](int) {}); }", "name the value"},
               {path, "void f() { auto r = co_await a.b(c, Options{.d = 1}); }", "name the value"},
               {path, "void f() { use(Options{1}, co_await x()); }", "name the value"},
               {path, "void f() { for (auto& x : co_await g({1})) use(x); }", "name the value"},
               {path, "void f() { co_return co_await Task{1}.run(); }", "name the value"},
               {path, "void f() {\n    auto v = T{co_await g()};\n}", "name the value"},
           });
    expect(
        check_co_await,
        {
            {path, "void f() { Message m{1}; co_await send(std::move(m)); }", ""},
            {path, "void f() { if (ready()) { g(Options{1}); } co_await h(); }", ""},
            {path, "void f() { for (;;) { co_await send(a[1]); } h({1}); }", ""},
            {path, "void f() { co_await each([](int x) { use({x}); }); }", ""},
            {path, "void f() { co_await send(); auto g = [x] { return T{x}; }; }", ""},
            {path, "void f() { run([x] { return T{x}; }); co_await send(); }", ""},
            {path, "void f() { spawn([]() -> A<void> { co_await send(); }); }", ""},
            {path, "void f() { while (!g()) { [[maybe_unused]] T t{1}; } co_await h(); }", ""},
            {path, "void f() { if (a) { b(); } else { co_await c(); } T t{1}; }", ""},
            {path, "void f() { g(\"{\"); co_await h(/* {1} */ '{'); }", ""},
            {path, "struct S { int a = 0; };\nvoid f() { co_await g(); }", ""},
            {path, "bool operator==(T) const { return T{1} == 2; }\nA f() { co_await g(); }", ""},
        });
}

TEST(Tidy, NoConditionAwaits) {
    const std::string path = "messaging/x.cpp";
    expect(check_co_await,
           {
               {path, "void f() { while (!co_await g()) h(); }", "name the result"},
               {path, "void f() { if (a && co_await g(1)) h(); }", "name the result"},
               {path, "void f() { switch (co_await g()) {} }", "name the result"},
           });
    expect(check_co_await,
           {
               {path, "void f() { if (a) co_await g(); while (b) co_await h(); }", ""},
               {path, "void f() { for (auto& x : co_await g()) use(x); }", ""},
               {path, "void f() { if (run([]() -> A<void> { co_await g(); })) h(); }", ""},
           });
}

TEST(Tidy, MarksAndLayout) {
    // Markers are written apart, so that searching the tree for them does not find this file.
    const std::string to_do = "TO"
                              "DO";
    const std::string fix_me = "FIX"
                               "ME";
    expect(check_marks, {
                            {"sim/x.cpp", "// " + to_do + ": later", "issue"},
                            {"sim/CMakeLists.txt", "# " + fix_me + " this", "issue"},
                            {"sim/x.cpp", "\tint x;", "tab"},
                            {"sim/x.cpp", "// " + std::string(98, 'x'), "100 columns"},
                        });
    expect(check_marks, {
                            {"sim/x.cpp", "// " + to_do + "(#12): later", ""},
                            {"sim/x.cpp", "// " + std::string(97, 'x'), ""},
                            {"sim/x.cpp", "// \u201c" + std::string(95, 'x') + "\u201d", ""},
                            {"sim/CMakeLists.txt", "# " + std::string(120, 'x'), ""},
                        });
}

TEST(Tidy, EverySourceOfAModuleIsListed) {
    const std::vector<Source> tree{
        make_source("sim/CMakeLists.txt", "crier_library(sim HEADERS world.hpp\n  deep/a.cpp)"),
        make_source("sim/deep/a.cpp", ""),
        make_source("sim/deep/b.cpp", ""),
        make_source("sim/deep/private.hpp", "#include \"sim/deep/more.hpp\"\n"),
        make_source("sim/eep/a.cpp", ""),
        make_source("sim/world.hpp", "\n#include \"sim/deep/private.hpp\"\n"),
        make_source("reports/json.cpp", ""),
        make_source("tests/sim/x_test.cpp", ""),
    };
    Findings findings;
    check_lists(tree, findings);
    ASSERT_EQ(findings.size(), 4U) << all(findings);
    EXPECT_EQ(findings[0].path, "sim/deep/b.cpp");
    EXPECT_EQ(findings[1].path, "sim/eep/a.cpp");
    EXPECT_EQ(findings[2].str().substr(0, 16), "sim/world.hpp:2:");
    EXPECT_EQ(findings[3].path, "reports/json.cpp");
}

TEST(Tidy, EveryMutantStillApplies) {
    const std::string head = "# Caught by: sim_tests\ndiff --git a/sim/x.cpp b/sim/x.cpp\n";
    const std::string files = "--- a/sim/x.cpp\n+++ b/sim/x.cpp\n@@ -9,3 +9,2 @@ f()\n";
    const std::vector<Source> tree{
        make_source("sim/x.cpp", "int a;\nint b;\n\nint c;\n"),
        make_source("tests/mutants/applies.patch", head + files + " int a;\n-int b;\n+int d;\n \n"),
        make_source("tests/mutants/gone.patch", head + files + " int a;\n-int c;\n"),
        make_source("tests/mutants/other.patch",
                    "# Caught by: x\n--- a/sim/y.cpp\n@@ -1 +0,0 @@\n-a\n"),
        make_source("tests/mutants/uncaught.patch", files + " int c;\n"),
    };
    Findings findings;
    check_mutants(tree, findings);
    ASSERT_EQ(findings.size(), 3U) << all(findings);
    EXPECT_EQ(findings[0].str(),
              "tests/mutants/gone.patch:5: does not apply: these lines are not in "
              "sim/x.cpp");
    EXPECT_EQ(findings[1].str(), "tests/mutants/other.patch:3: changes sim/y.cpp, which is not "
                                 "there");
    EXPECT_EQ(findings[2].message, "does not say what it is caught by");
}

TEST(Tidy, FindingNamesItsLine) {
    const auto findings =
        find(check_determinism, "sim/x.cpp", "/* two\n lines */\n    std::random_device d;\n");
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].str().substr(0, 12), "sim/x.cpp:3:");
}

} // namespace
} // namespace crier::tidy
