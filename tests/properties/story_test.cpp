#include "tests/properties/history_builder.hpp"

#include "properties/describe.hpp"
#include "properties/story.hpp"

#include <gmock/gmock.h>

namespace crier::properties::testing_support {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Story story_of(const HistoryBuilder& run, const Verdict& verdict,
               const std::vector<std::string>& names) {
    return tell(verdict, run.history().events(), run.history().texts(), names);
}

Story story_of(HistoryBuilder& run, std::string_view property) {
    return story_of(run, run.judge(property), run.topology().node_names);
}

TEST(Describe, FormatsTimesAndDurations) {
    EXPECT_EQ(format_time(12'031'999'999), "12.031 s");
    EXPECT_EQ(format_time(0), "0.000 s");
    EXPECT_EQ(format_duration(250'000'000), "250 ms");
    EXPECT_EQ(format_duration(3'000'000'000), "3 s");
    EXPECT_EQ(format_duration(1'500'000'000), "1.5 s");
    EXPECT_EQ(format_duration(1'234'000'000), "1.234 s");
    EXPECT_EQ(format_duration(1'000'000'001), "1.000000001 s");
    EXPECT_EQ(format_duration(0), "0 s");
}

TEST(Describe, FillsSentencesFromNamesAndOperands) {
    HistoryBuilder run;
    run.store("o-1", "orders/0", 7, "customer-1");
    run.store("o-2", "orders/0", 8, "");
    run.pause(billing_1);
    run.settle(billing_2, "o-1", "done");
    const Describer describer(run.history().texts(), run.topology().node_names);
    const auto events = run.history().events();
    EXPECT_EQ(describer.sentence(events[0]), "o-1 (key customer-1) is stored at orders/0 offset 7");
    EXPECT_EQ(describer.sentence(events[1]), "o-2 is stored at orders/0 offset 8");
    EXPECT_EQ(describer.sentence(events[2]), "billing/1 freezes for 1 s");
    EXPECT_EQ(describer.predicate(events[2]), "freezes for 1 s");
    EXPECT_EQ(describer.sentence(events[3]), "billing/2 is done with o-1: done");
}

TEST(Describe, TellsKindsThatItWasGivenAndSurvivesOthers) {
    const sim::EventKind charged{0x0901,
                                 "charged",
                                 "{node} charges {amount} to {whom}",
                                 {{{"amount", sim::OperandType::number}}}};
    sim::Event event;
    event.kind = 0x0901;
    event.operands[0] = 5;
    const sim::TextTable texts;
    const std::vector<sim::EventKind> more{charged};
    EXPECT_EQ(Describer(texts, {}, more).sentence(event), "node 0 charges 5 to {whom}");
    EXPECT_EQ(Describer(texts, {}).sentence(event), "event of kind 2305: 5 0 0 0");
}

TEST(Story, NamesACommitBeforeTheEffectAndTheDeathInBetween) {
    HistoryBuilder run;
    bill(run, "o-1", 0);
    run.accept("o-2");
    run.store("o-2", "orders/0", 1);
    run.deliver(billing_1, "orders/0", 1, 2);
    run.commit("orders/0", 2);
    run.attempt(billing_1, "o-2");
    run.crash(billing_1);
    const std::string cause =
        "the offset was committed before the effect was durable, and billing/1 died in between";
    EXPECT_EQ(story_of(run, "effect-at-least-once").cause, cause);
    EXPECT_EQ(story_of(run, "commit-not-ahead").cause, cause);
    const Story story = story_of(run, "ledger");
    EXPECT_EQ(story.cause, cause);
    const std::string text = render(story);
    EXPECT_EQ(text, "  0.008 s  shop-db    o-2 (key customer-1) is in shop-db.orders, commit 1\n"
                    "  0.009 s  events/1   o-2 (key customer-1) is stored at orders/0 offset 1\n"
                    "  0.010 s  billing/1  receives orders/0 from 1 up to before 2 for billing\n"
                    "  0.011 s  events/1   billing commits orders/0 up to before 2 (generation 1)\n"
                    "  0.012 s  billing/1  handles o-2, attempt 1\n"
                    "  0.013 s  billing/1  dies (killed)\n");
}

TEST(Cause, OfWhatAFailOverTookBack) {
    HistoryBuilder run;
    run.accept("o-1");
    run.store("o-1", "orders/0", 0);
    run.deliver(billing_1, "orders/0", 0, 1);
    run.effect("o-1");
    run.commit("orders/0", 1);
    run.fail_over_effect("o-1");
    EXPECT_EQ(story_of(run, "ledger").cause,
              "its effect was in a commit that the replica did not have yet: the fail-over to "
              "billing-db took it back");
    run.fail_over_accepted("o-1");
    EXPECT_EQ(story_of(run, "outbox-no-phantom").cause,
              "it was published from a commit that the replica did not have yet: the fail-over to "
              "shop-db took it back");
}

TEST(Story, NamesTheProducerThatDiedBeforeItPublished) {
    HistoryBuilder run;
    bill(run, "o-1", 0);
    run.accept("o-2");
    run.crash(billing_1);
    run.crash(shop_1);
    for (const auto property : {"outbox-no-missing", "ledger"}) {
        const Story story = story_of(run, property);
        EXPECT_EQ(story.cause,
                  "its transaction was committed, and shop/1 died before it was published");
        ASSERT_EQ(story.lines.size(), 2u);
        EXPECT_EQ(story.lines.back().node, "shop/1");
    }
}

TEST(Story, NamesTheRowThatWasPublishedInItsPlace) {
    HistoryBuilder run;
    run.accept("o-1");
    bill(run, "o-2", 0);
    for (const auto property : {"outbox-no-missing", "ledger"}) {
        const Story story = story_of(run, property);
        EXPECT_EQ(story.cause, "its transaction was committed, and it was passed over: o-2, which "
                               "was committed later, was published");
        ASSERT_EQ(story.lines.size(), 3u);
        EXPECT_THAT(story.lines[1].text, HasSubstr("o-2 (key customer-1) is in shop-db.orders"));
        EXPECT_THAT(story.lines[2].text, HasSubstr("is stored at orders/0"));
    }
    // Who was published before it says nothing.
    HistoryBuilder last;
    bill(last, "o-1", 0);
    last.accept("o-2");
    const std::string nothing =
        "its transaction was committed, and nothing published it afterwards";
    EXPECT_EQ(story_of(last, "outbox-no-missing").cause, nothing);
}

TEST(Story, NamesTheProducerThatHadLostTheDatabase) {
    HistoryBuilder run;
    run.send(shop_1, "o-0", "orders/0", 0);
    run.cut(shop_1, shop_db);
    run.accept("o-1");
    const Story story = story_of(run, "outbox-no-missing");
    EXPECT_EQ(story.cause, "its transaction was committed, and nothing published it afterwards: "
                           "shop/1 had just lost its connection to the database");
    ASSERT_EQ(story.lines.size(), 2u);
    EXPECT_EQ(story.lines[0].text, "the connection of shop/1 and shop-db breaks");
    // A connection of who publishes nothing, or to another server, or long before, is not it.
    HistoryBuilder others;
    others.send(shop_1, "o-0", "orders/0", 0);
    others.cut(billing_1, shop_db);
    others.cut(shop_1, events_1);
    others.accept("o-1");
    EXPECT_THAT(story_of(others, "outbox-no-missing").cause, Not(HasSubstr("lost")));
    HistoryBuilder early;
    early.send(shop_1, "o-0", "orders/0", 0);
    early.cut(shop_db, shop_1);
    early.wait(std::chrono::seconds(3));
    early.accept("o-1");
    EXPECT_THAT(story_of(early, "outbox-no-missing").cause, Not(HasSubstr("lost")));
}

TEST(Story, TellsOfAnEffectThatWasHadAgainAfterADeath) {
    HistoryBuilder run;
    run.accept("o-1");
    run.store("o-1", "orders/0", 0);
    run.deliver(billing_1, "orders/0", 0, 1);
    run.attempt(billing_1, "o-1");
    run.effect("o-1");
    run.crash(billing_1);
    run.crash(billing_2); // has nothing to do with it
    run.assign(billing_3, "orders/0");
    run.deliver(billing_3, "orders/0", 0, 1);
    run.attempt(billing_3, "o-1");
    run.effect("o-1");
    run.commit("orders/0", 1); // after it
    const Story story = story_of(run, "effect-at-most-once");
    EXPECT_EQ(story.cause, "billing/1 died after the effect was durable and before its offset was "
                           "committed, and billing/3 did not know of it");
    EXPECT_THAT(render(story), Not(HasSubstr("billing/2")));
    EXPECT_THAT(render(story), Not(HasSubstr("commits")));
    EXPECT_EQ(story.lines.size(), 10u);
}

TEST(Story, TellsAZombieFromADeath) {
    HistoryBuilder run;
    run.store("o-1", "orders/0", 0);
    run.attempt(billing_1, "o-1");
    run.pause(billing_1);
    run.attempt(billing_2, "o-1");
    run.effect("o-1");
    run.effect("o-1");
    EXPECT_THAT(story_of(run, "effect-at-most-once").cause, Not(HasSubstr("died")));
    HistoryBuilder other;
    other.store("o-1", "orders/0", 0);
    other.attempt(billing_1, "o-1");
    other.effect("o-1");
    other.pause(billing_1);
    other.attempt(billing_2, "o-1");
    other.effect("o-1");
    EXPECT_EQ(story_of(other, "effect-at-most-once").cause,
              "billing/1 froze, its partition was given to billing/2, and nothing kept both from "
              "doing it");
}

TEST(Story, NamesADeadLetterThatNobodyWaitedFor) {
    HistoryBuilder run;
    run.accept("o-1");
    run.store("o-1", "orders/0", 0);
    run.deliver(billing_1, "orders/0", 0, 1);
    run.try_in_vain(billing_1, "o-1", 1);
    run.settle(billing_1, "o-1", "parked", "card declined");
    run.commit("orders/0", 1);
    run.crash(billing_1);
    EXPECT_EQ(
        story_of(run, "ledger").cause,
        "billing/1 went on before its dead letter was stored, and the dead letter never came: "
        "billing/1 died in between");
}

TEST(Story, NamesDeduplicationApartFromTheEffect) {
    HistoryBuilder run;
    run.accept("o-1");
    run.store("o-1", "orders/0", 0);
    run.deliver(billing_1, "orders/0", 0, 1);
    run.attempt(billing_1, "o-1");
    run.crash(billing_1);
    run.deliver(billing_2, "orders/0", 0, 1);
    run.settle(billing_2, "o-1", "duplicate");
    run.commit("orders/0", 1);
    EXPECT_THAT(story_of(run, "ledger").cause,
                HasSubstr("billing/2 took it for a duplicate, but its effect was never durable"));
}

TEST(Story, NamesWhyTheOrderWasLost) {
    HistoryBuilder run;
    run.accept("o-1");
    run.accept("o-2");
    run.store("o-1", "orders/0", 0, "o-1");
    run.store("o-2", "orders/1", 0, "o-2");
    run.effect("o-2");
    run.effect("o-1");
    EXPECT_EQ(story_of(run, "per-key-effect-order").cause,
              "they are stored in different partitions, orders/0 and orders/1, so nothing keeps "
              "their order");
    EXPECT_EQ(story_of(run, "key-affinity").cause, "the record key is not the aggregate");

    HistoryBuilder retried;
    retried.accept("o-1");
    retried.accept("o-2");
    retried.store("o-1", "orders/0", 0);
    retried.store("o-2", "orders/0", 1);
    retried.try_in_vain(billing_1, "o-1", 1);
    retried.effect("o-2");
    retried.effect("o-1");
    EXPECT_EQ(story_of(retried, "per-key-effect-order").cause,
              "the retries of o-1 did not hold o-2 back");
}

TEST(Story, NamesACountOfAttemptsThatDidNotSurvive) {
    HistoryBuilder run;
    run.try_in_vain(billing_1, "o-1", 1);
    run.try_in_vain(billing_1, "o-1", 2);
    run.crash(billing_1);
    for (std::uint64_t i = 1; i <= 3; ++i)
        run.try_in_vain(billing_1, "o-1", i);
    run.park("o-1", "letter-1");
    EXPECT_EQ(story_of(run, "attempts-exact").cause,
              "the count of failed attempts did not survive the end of billing/1");
}

TEST(Story, NamesARecordThatItsGroupBeganBehind) {
    HistoryBuilder run;
    run.accept("o-1");
    run.store("o-1", "orders/0", 0);
    run.assign(billing_1, "orders/0");
    run.reset(billing_1, "orders/0", 1, "latest");
    run.commit("orders/0", 5);
    const Story story = story_of(run, "ledger");
    EXPECT_EQ(story.cause, "billing/1 had no committed offset to begin at and began behind it "
                           "(offset-reset: latest)");
    EXPECT_THAT(render(story), HasSubstr("has no position in orders/0 for billing and begins at 1, "
                                         "latest"));
    EXPECT_THAT(run.judge("ledger").witness, HasSubstr("never received"));
}

TEST(Story, NamesAnOffsetThatTheLogUsedAgain) {
    HistoryBuilder run;
    bill(run, "o-1", 0);
    bill(run, "o-2", 1);
    run.lose_records("orders/0", 1, 1);
    run.accept("o-3");
    run.store("o-3", "orders/0", 1);
    const Story story = story_of(run, "ledger");
    EXPECT_EQ(story.cause, "the log had lost records, and it was stored anew at an offset that "
                           "billing had committed before");
    EXPECT_THAT(run.judge("ledger").witness,
                HasSubstr("never received: its offset had been used and committed before"));
    EXPECT_THAT(render(story), HasSubstr("commits orders/0 up to before 2"));
}

TEST(Story, NamesARecordThatTheLogLost) {
    HistoryBuilder run;
    run.accept("o-1");
    run.store("o-1", "orders/0", 0);
    run.lose_records("orders/0", 0, 0);
    EXPECT_EQ(story_of(run, "ledger").cause, "the log lost it after it was stored");
}

TEST(Story, LeavesOutWhatTellsLeastAndSaysHowMuch) {
    HistoryBuilder run;
    run.accept("o-1");
    run.store("o-1", "orders/0", 0);
    run.deliver(billing_1, "orders/0", 0, 1);
    for (std::uint64_t i = 1; i <= 30; ++i)
        run.try_in_vain(billing_1, "o-1", i);
    run.commit("orders/0", 1);
    const Story story = story_of(run, "ledger");
    EXPECT_EQ(story.lines.size(), story_lines_max);
    EXPECT_EQ(story.lines.front().sequence, 1u);
    EXPECT_EQ(story.lines.back().sequence, 64u);
    EXPECT_EQ(story.lines.back().omitted, 64u - story_lines_max);
    EXPECT_THAT(render(story), HasSubstr("  … 49 more events\n"));
    EXPECT_EQ(story.cause, "the offset was committed although its attempts had failed");
}

TEST(Story, IsEmptyForAVerdictWithoutASubject) {
    HistoryBuilder run;
    bill(run, "o-1", 0);
    const Verdict verdict = run.judge("ledger");
    const Story story = story_of(run, verdict, run.topology().node_names);
    EXPECT_TRUE(story.lines.empty());
    EXPECT_TRUE(story.cause.empty());
    EXPECT_EQ(render(story), "");
}

} // namespace
} // namespace crier::properties::testing_support
