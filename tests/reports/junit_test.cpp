#include "reports/junit.hpp"
#include "tests/reports/sample.hpp"
#include "tests/support/xml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace crier::report {
namespace {

using test::xml_complaint;
using testing::HasSubstr;
using testing::Not;

TEST(XmlJudge, TellsWhatIsWellFormed) {
    EXPECT_EQ(xml_complaint("<?xml version=\"1.0\"?>\n<a b=\"&amp;\"><c/>x&#10;</a>\n"), "");
    for (const char* const bad :
         {"", "<a>", "<a></b>", "<a b=c/>", "<a b=\"<\"/>", "<a>&</a>", "<a>&x;</a>", "<a/><b/>",
          "x<a/>", "<a>\x01</a>", "<a>\xff</a>", "<a>\xc3</a>", "<a b=\"x/>"})
        EXPECT_NE(xml_complaint(bad), "") << bad;
}

TEST(JunitOfARun, IsWellFormedAndCountsItsCases) {
    const std::string xml = junit_of(sample_run(), {"shop.yaml"}, std::chrono::milliseconds(1250));
    EXPECT_EQ(xml_complaint(xml), "") << xml;
    EXPECT_THAT(xml, HasSubstr("<testsuite name=\"shop\" tests=\"4\" failures=\"1\" errors=\"1\" "
                               "skipped=\"1\" time=\"1.250\">"));
    EXPECT_THAT(xml, HasSubstr("<testcase classname=\"shop\" name=\"ledger\"/>"));
    EXPECT_THAT(xml, HasSubstr("<property name=\"digest\" value=\"0123456789abcdef\"/>"));
}

TEST(JunitOfARun, ShowsTheWitnessEscapedAndTheReplayCommand) {
    const std::string xml = junit_of(sample_run(), {"shop.yaml"}, {});
    EXPECT_THAT(xml, HasSubstr("<failure message=\"o-1 is twice in &quot;charges&quot; &amp; "
                               "&lt;more&gt;.\">"));
    EXPECT_THAT(xml, HasSubstr("<system-out>./dev replay shop.yaml --seed 7</system-out>"));
}

TEST(JunitOfARun, IsWellFormedWhateverTextAUserWrote) {
    scenario::RunResult run = sample_run();
    run.properties[1].witness = std::string("]]> \0 \x01 \r\n\t \x7f", 13) +
                                "\xff \xc3 \xc3( \xed\xa0\x80 \xef\xbf\xbf \xf4\x90\x80\x80 "
                                "\xc0\xaf \xe0\x80\xaf a\xc3\xa4 \xf0\x9f\x90\x8e";
    run.scenario = "a\"b'<c>&d";
    const std::string xml = junit_of(run, {"it's \xff <here>.yaml"}, {});
    EXPECT_EQ(xml_complaint(xml), "") << xml;
    EXPECT_THAT(xml, HasSubstr("a\xc3\xa4 \xf0\x9f\x90\x8e"));
    EXPECT_THAT(xml, Not(HasSubstr("\xed\xa0\x80")));
    EXPECT_THAT(xml, Not(HasSubstr("\xef\xbf\xbf")));
    EXPECT_THAT(xml, HasSubstr("classname=\"a&quot;b'&lt;c&gt;&amp;d\""));
}

TEST(JunitOfARun, ThatBrokeHasAnErrorForTheHarness) {
    scenario::RunResult run = sample_run();
    run.broken = "an event lies in the past";
    const std::string xml = junit_of(run, {"shop.yaml"}, {});
    EXPECT_EQ(xml_complaint(xml), "");
    EXPECT_THAT(xml, HasSubstr("name=\"harness\">\n      <error message=\"an event lies in the "
                               "past\"/>"));
    EXPECT_THAT(xml, HasSubstr("errors=\"2\""));
}

TEST(JunitOfACampaign, HasACasePerPropertyOverAllRuns) {
    const std::string xml = junit_of(sample_campaign(), {"shop.yaml"});
    EXPECT_EQ(xml_complaint(xml), "") << xml;
    EXPECT_THAT(xml, HasSubstr("tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\""));
    EXPECT_THAT(xml, HasSubstr("<property name=\"runs\" value=\"7\"/>"));
    EXPECT_THAT(xml, HasSubstr("--seed 7</system-out>"));
}

} // namespace
} // namespace crier::report
