#include "reports/junit.hpp"

#include "reports/result_names.hpp"
#include "reports/story.hpp"

#include <array>
#include <cstdint>
#include <cstdio>
#include <string_view>

namespace crier::report {

namespace {

using properties::Verdict;
using properties::VerdictKind;

/// Returns the length of the UTF-8 character that `text` begins with; 0 if it is none, or one that
/// XML cannot hold (a surrogate, U+FFFE, U+FFFF).
std::size_t character_length(std::string_view text) {
    const auto byte = [text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    if (byte(0) < 0x80) return 1;
    const std::size_t length = byte(0) >= 0xF0 ? 4 : byte(0) >= 0xE0 ? 3 : 2;
    if (byte(0) < 0xC2 || byte(0) > 0xF4 || text.size() < length) return 0;
    std::uint32_t code = byte(0) & (0xFFU >> (length + 1));
    for (std::size_t at = 1; at < length; ++at) {
        if ((byte(at) & 0xC0) != 0x80) return 0;
        code = code << 6 | (byte(at) & 0x3FU);
    }
    const bool is_overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
    const bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (is_overlong || is_surrogate || code == 0xFFFE || code == 0xFFFF || code > 0x10FFFF)
        return 0;
    return length;
}

// Escapes for content and attributes. What XML cannot hold becomes question marks: control
// characters, and bytes that are no UTF-8 (the name of a file may have them).
std::string escape(std::string_view text) {
    std::string escaped;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const std::size_t length = character_length(text.substr(at));
        if (length > 1) {
            escaped += text.substr(at, length);
            at += length - 1;
            continue;
        }
        const char c = length == 0 ? '\x01' : text[at];
        switch (c) {
        case '&': escaped += "&amp;"; break;
        case '<': escaped += "&lt;"; break;
        case '>': escaped += "&gt;"; break;
        case '"': escaped += "&quot;"; break;
        case '\n': escaped += "&#10;"; break;
        case '\t': escaped += "&#9;"; break;
        default: escaped += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
        }
    }
    return escaped;
}

std::string attribute(std::string_view name, std::string_view value) {
    return " " + std::string(name) + "=\"" + escape(value) + "\"";
}

std::string seconds(std::chrono::nanoseconds duration) {
    const auto milliseconds = duration.count() / 1'000'000;
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%lld.%03lld",
                  static_cast<long long>(milliseconds / 1000),
                  static_cast<long long>(milliseconds % 1000));
    return text.data();
}

struct Suite {
    std::string name;
    std::chrono::nanoseconds wall{};
    std::string properties; // of the suite, as XML
    std::string cases;
    int tests = 0;
    int failures = 0;
    int errors = 0;
    int skipped = 0;

    void property(std::string_view key, std::string_view value) {
        properties +=
            "      <property" + attribute("name", key) + attribute("value", value) + "/>\n";
    }

    void test(std::string_view test_name, const std::string& body) {
        ++tests;
        cases += "    <testcase" + attribute("classname", name) + attribute("name", test_name);
        cases += body.empty() ? "/>\n" : ">\n" + body + "    </testcase>\n";
    }

    [[nodiscard]] std::string xml() const {
        const std::string counts = attribute("tests", std::to_string(tests)) +
                                   attribute("failures", std::to_string(failures)) +
                                   attribute("errors", std::to_string(errors)) +
                                   attribute("skipped", std::to_string(skipped)) +
                                   attribute("time", seconds(wall));
        return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites" + counts +
               ">\n  <testsuite" + attribute("name", name) + counts + ">\n    <properties>\n" +
               properties + "    </properties>\n" + cases + "  </testsuite>\n</testsuites>\n";
    }
};

std::string text_of(const properties::Story& story) {
    if (story.lines.empty()) return "";
    return "\n" + properties::render(story) +
           (story.cause.empty() ? "" : "cause: " + story.cause + "\n");
}

void add_verdict(Suite& suite, const Verdict& verdict, const properties::Story& story,
                 const std::string& replay) {
    std::string body;
    switch (verdict.kind) {
    case VerdictKind::holds: break;
    case VerdictKind::violated:
        ++suite.failures;
        body = "      <failure" + attribute("message", verdict.witness) + ">" +
               escape(verdict.witness + text_of(story)) + "</failure>\n      <system-out>" +
               escape(replay) + "</system-out>\n";
        break;
    case VerdictKind::inconclusive:
        ++suite.errors;
        body = "      <error" + attribute("message", "inconclusive " + verdict.witness) + "/>\n";
        break;
    case VerdictKind::vacuous:
        ++suite.skipped;
        body = "      <skipped" + attribute("message", "nothing to judge") + "/>\n";
        break;
    }
    suite.test(verdict.property, body);
}

// An unfinished run that looks green would be a lie.
void add_interrupted(Suite& suite, bool interrupted) {
    if (!interrupted) return;
    ++suite.skipped;
    suite.test("interrupted", "      <skipped" +
                                  attribute("message", "stopped before the end: what is missing "
                                                       "was not judged") +
                                  "/>\n");
}

void add_broken(Suite& suite, const std::string& broken, const std::string& replay) {
    if (broken.empty()) return;
    ++suite.errors;
    suite.test("harness", "      <error" + attribute("message", broken) + "/>\n      <system-out>" +
                              escape(replay) + "</system-out>\n");
}

} // namespace

std::string junit_of(const scenario::RunResult& run, const Invocation& from,
                     std::chrono::nanoseconds wall) {
    Suite suite;
    suite.name = run.scenario;
    suite.wall = wall;
    suite.property("seed", std::to_string(run.seed));
    suite.property("digest", digest_text(run.digest));
    for (const Verdict& verdict : run.properties)
        add_verdict(suite, verdict, story_of(run, verdict), replay_command(from, run.seed));
    add_interrupted(suite, run.interrupted);
    add_broken(suite, run.broken, replay_command(from, run.seed));
    return suite.xml();
}

std::string junit_of(const scenario::Campaign& campaign, const Invocation& from) {
    Suite suite;
    suite.name = campaign.scenario;
    suite.wall = campaign.wall;
    suite.property("runs", std::to_string(campaign.runs));
    for (std::size_t at = 0; at < campaign.properties.size(); ++at) {
        const std::uint64_t seed = campaign.violating_seeds[at];
        const bool is_told = campaign.first && campaign.first->seed == seed;
        const Verdict& verdict = is_told ? campaign.first->properties[at] : campaign.properties[at];
        add_verdict(suite, verdict,
                    is_told ? story_of(*campaign.first, verdict) : properties::Story{},
                    replay_command(from, seed));
    }
    add_interrupted(suite, campaign.interrupted);
    add_broken(suite, campaign.broken, replay_command(from, campaign.broken_seed));
    return suite.xml();
}

} // namespace crier::report
