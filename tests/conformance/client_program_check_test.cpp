#include "tests/conformance/client_program_check.hpp"

#include "tests/conformance/client_program_arms.hpp"
#include "tests/conformance/client_program_gen.hpp"

#include <algorithm>
#include <functional>
#include <gtest/gtest.h>

// The check sees what it is there for: a history of the model, which it accepts, is made wrong in
// one place at a time.

namespace crier::conformance {
namespace {

/// Two members read and commit; then a third comes.
Program sample() {
    const Choice send{0, 5, 6};
    const Choice join_two{40, 0, 1};
    const Choice commit{70, 0, 1};
    const Choice pause{82, 0, 1};
    const Choice join_one{40, 0, 2};
    return make_program({send, join_two, commit, pause, send, join_one, commit}, {});
}

class ProgramCheck : public ::testing::Test {
protected:
    explicit ProgramCheck(Program program = sample()) : program_(std::move(program)) {}

    /// Returns the n-th thing of this kind that was seen.
    Seen& find(const std::string& kind, std::size_t nth = 0) {
        for (StepAnswer& answer : history_) {
            for (Seen& seen : answer.seen) {
                if (seen.kind == kind && !seen.places.empty() && nth-- == 0) return seen;
            }
        }
        throw std::logic_error("no such " + kind);
    }

    void remove(const Seen& gone) {
        for (StepAnswer& answer : history_) {
            for (auto at = answer.seen.begin(); at != answer.seen.end(); ++at) {
                if (&*at != &gone) continue;
                answer.seen.erase(at);
                return;
            }
        }
    }

    void expect_complaint(const std::string& words) const {
        std::string all;
        for (const std::string& violation : violations(program_, history_))
            all += violation + "\n";
        EXPECT_NE(all.find(words), std::string::npos) << "\"" << words << "\" is not in:\n" << all;
    }

    [[nodiscard]] std::string difference() const {
        return first_difference(facts(program_, run_on_model(program_, 1)),
                                facts(program_, history_));
    }

    Program program_;
    History history_ = run_on_model(program_, 1);
};

TEST_F(ProgramCheck, AcceptsWhatTheModelDoes) {
    EXPECT_TRUE(violations(program_, history_).empty());
    EXPECT_EQ(difference(), "");
    EXPECT_GT(facts(program_, history_).size(), 20U);
}

TEST_F(ProgramCheck, SeesARecordThatWasLeftOut) {
    remove(find("record", 1));
    expect_complaint("expected");
}

TEST_F(ProgramCheck, SeesARecordThatCameTwice) {
    Seen& record = find("record");
    for (StepAnswer& answer : history_) {
        if (!answer.seen.empty() && &answer.seen.front() <= &record &&
            &record <= &answer.seen.back()) {
            const Seen copy = record;
            answer.seen.insert(answer.seen.begin() + (&record - answer.seen.data()), copy);
            break;
        }
    }
    expect_complaint("expected");
}

TEST_F(ProgramCheck, SeesAValueThatWasNotSent) {
    find("record").value = "other";
    expect_complaint("was sent there");
}

TEST_F(ProgramCheck, SeesARecordOfAPartitionThatIsNotHeld) {
    remove(find("assigned"));
    expect_complaint("not held");
}

TEST_F(ProgramCheck, SeesTwoHolders) {
    remove(find("revoked"));
    expect_complaint("holds it");
}

TEST_F(ProgramCheck, SeesThatACommitWasNotHeeded) {
    for (kafka::TopicPartitionOffset& place : find("committed").places)
        place.offset = 0;
    expect_complaint("begins at");
}

TEST_F(ProgramCheck, SeesAnOffsetThatIsNotTheNext) {
    for (StepAnswer& answer : history_) {
        if (answer.sent.empty()) continue;
        answer.sent.back().place.offset += 1;
        break;
    }
    expect_complaint("not at the end");
}

TEST_F(ProgramCheck, SeesAPausedPartitionSpeak) {
    for (std::size_t at = 0; at < program_.steps.size(); ++at) {
        if (program_.steps[at].action == Action::pause)
            program_.steps[at].place = find("record").places[0];
    }
    expect_complaint("paused");
}

TEST_F(ProgramCheck, SeesWhatDidNotComeToItsEnd) {
    history_.back().error = "NOT_READ";
    expect_complaint("NOT_READ");
    history_.resize(3);
    expect_complaint("has no answer");
}

TEST_F(ProgramCheck, SeesOtherFacts) {
    for (StepAnswer& answer : history_) {
        if (answer.sent.empty()) continue;
        answer.sent.front().error = "NOT_LEADER_OR_FOLLOWER";
        break;
    }
    EXPECT_NE(difference().find("NOT_LEADER_OR_FOLLOWER"), std::string::npos) << difference();
}

TEST_F(ProgramCheck, SeesAnUninvitedRebalance) {
    EXPECT_FALSE(is_disturbed(program_, history_));
    for (std::size_t at = 0; at < program_.steps.size(); ++at) {
        if (program_.steps[at].action == Action::read)
            history_[at].seen.insert(history_[at].seen.begin(), find("revoked"));
    }
    EXPECT_TRUE(is_disturbed(program_, history_));
}

TEST_F(ProgramCheck, SeesThatClosingTookLongerThanASession) {
    for (std::size_t at = 1; at < program_.steps.size(); ++at) {
        const bool is_last = program_.steps[at].action == Action::close_consumer;
        history_[at].end = history_[at - 1].end + std::chrono::seconds(is_last ? 3 : 0);
    }
    EXPECT_TRUE(is_disturbed(program_, history_)) << "three members, one after the other";
}

TEST_F(ProgramCheck, SeesThatTheCoordinatorDidNotAnswer) {
    Seen& failed = history_.back().seen.emplace_back();
    failed.kind = "failed";
    failed.client = "c0";
    failed.error = "REQUEST_TIMED_OUT";
    EXPECT_TRUE(is_disturbed(program_, history_));
}

/// A committed transaction, an aborted one, offsets that were committed with one, a producer that
/// was fenced, and one that died.
Program transactions() {
    const Choice send{0, 5, 6};
    const Choice commit{40, 1, 0};
    const Choice abort{50, 1, 0};
    const Choice offsets{60, 1, 0};
    const Choice join{80, 0, 0};
    const Choice fence{85, 2, 2};
    const Choice kill{92, 1, 4};
    return make_transaction_program(
        {send, commit, send, abort, offsets, commit, join, fence, kill, kill}, {});
}

class TransactionProgramCheck : public ProgramCheck {
protected:
    TransactionProgramCheck() : ProgramCheck(transactions()) {}

    [[nodiscard]] std::vector<Seen> given_to(const std::string& client) const {
        std::vector<Seen> found;
        for (const StepAnswer& answer : history_) {
            for (const Seen& seen : answer.seen) {
                if (seen.kind == "record" && seen.client == client) found.push_back(seen);
            }
        }
        return found;
    }

    /// Gives the careful reader in the end, in its place, a record that only the careless one had.
    void give_an_aborted_record() {
        const std::vector<Seen> careful = given_to("careful");
        for (Seen seen : given_to("careless")) {
            const bool is_known = std::any_of(careful.begin(), careful.end(), [&](const Seen& it) {
                return it.places == seen.places;
            });
            if (is_known) continue;
            seen.client = "careful";
            for (StepAnswer& answer : history_) {
                const auto behind =
                    std::find_if(answer.seen.begin(), answer.seen.end(), [&](const Seen& it) {
                        return it.kind == "record" && it.client == "careful" &&
                               it.places[0] > seen.places[0] &&
                               it.places[0].partition == seen.places[0].partition;
                    });
                if (behind == answer.seen.end()) continue;
                answer.seen.insert(behind, seen);
                return;
            }
        }
        throw std::logic_error("nothing was aborted");
    }

    Seen& find_done(Action action, const std::string& error) {
        for (std::size_t at = 0; at < history_.size(); ++at) {
            if (program_.steps[at].action != action) continue;
            for (Seen& seen : history_[at].seen) {
                if (seen.kind == "done" && seen.error == error) return seen;
            }
        }
        throw std::logic_error("nobody did that");
    }
};

TEST_F(TransactionProgramCheck, AcceptsWhatTheModelDoes) {
    EXPECT_EQ(violations(program_, history_), std::vector<std::string>());
    EXPECT_EQ(difference(), "");
    EXPECT_GT(given_to("careless").size(), given_to("careful").size());
    EXPECT_FALSE(find("offered").places.empty());
}

TEST_F(TransactionProgramCheck, SeesAnAbortedRecord) {
    give_an_aborted_record();
    expect_complaint("expected");
}

TEST_F(TransactionProgramCheck, SeesACommittedRecordThatWasLeftOut) {
    const std::string value = given_to("careful").at(1).value;
    for (StepAnswer& answer : history_) {
        std::erase_if(answer.seen, [&value](const Seen& seen) {
            return seen.client == "careful" && seen.value == value;
        });
    }
    expect_complaint("expected");
}

// The idle step lies beside an open transaction.
TEST_F(TransactionProgramCheck, SeesARecordOfAnOpenTransaction) {
    for (std::size_t at = program_.steps.size(); at-- > 0;) {
        if (program_.steps[at].action != Action::idle) continue;
        for (std::size_t sent = at; sent-- > 0;) {
            if (program_.steps[sent].client == "marker" || history_[sent].sent.empty()) continue;
            Seen& seen = history_[at].seen.emplace_back();
            seen.kind = "record";
            seen.client = find("record", given_to("c0").size()).client;
            seen.places.push_back(history_[sent].sent[0].place);
            seen.value = program_.steps[sent].records[0].value;
            return expect_complaint("expected -1");
        }
    }
    FAIL() << "nothing was open";
}

TEST_F(TransactionProgramCheck, SeesThatOffsetsDidNotCount) {
    for (StepAnswer& answer : history_) {
        for (Seen& seen : answer.seen) {
            if (seen.kind != "offered") continue;
            for (kafka::TopicPartitionOffset& place : seen.places)
                place.offset = 0;
        }
    }
    expect_complaint("begins at");
}

TEST_F(TransactionProgramCheck, SeesThatMarkersTakeOffsets) {
    find_done(Action::commit_transaction, "").error = "CONCURRENT_TRANSACTIONS";
    expect_complaint("not at the end");
}

TEST(TransactionTimes, AreTooShortForASlowMachine) {
    const Program program = make_transaction_program({{97, 1, 1}}, {});
    History history = run_on_model(program, 1);
    EXPECT_FALSE(is_disturbed(program, history));
    for (std::size_t at = 0; at < history.size(); ++at)
        history[at].end = std::chrono::seconds(at);
    EXPECT_TRUE(is_disturbed(program, history));
}

TEST_F(TransactionProgramCheck, SeesAnotherErrorOfWhoIsFenced) {
    find_done(Action::abort_transaction, "PRODUCER_FENCED").error = "INVALID_TXN_STATE";
    EXPECT_NE(difference().find("INVALID_TXN_STATE"), std::string::npos) << difference();
}

/// Work with releases and rejections; one who closes with what it has, one who is too slow, one who
/// accepts in time.
Program shares() {
    const Choice send{0, 4, 1};
    const Choice join{40, 0, 1};
    const Choice work{60, 0, 1};
    const Choice closes{80, 0, 1};
    const Choice is_slow{80, 3, 2};
    const Choice is_slower{80, 3, 1};
    const Choice accepts{80, 2, 1};
    return make_share_program(
        {send, join, work, closes, send, is_slow, send, is_slower, send, accepts}, {});
}

class ShareProgramCheck : public ProgramCheck {
protected:
    ShareProgramCheck() : ProgramCheck(shares()) {}

    /// Returns the answer to the n-th step of the kind.
    StepAnswer& answer_to(Action action, std::size_t nth = 0) {
        for (std::size_t at = 0; at < history_.size(); ++at) {
            if (program_.steps[at].action == action && nth-- == 0) return history_[at];
        }
        throw std::logic_error("no such step");
    }

    /// Returns the first record given with that verdict.
    Seen& given_with(const std::string& verdict) {
        for (StepAnswer& answer : history_) {
            for (Seen& seen : answer.seen) {
                if (seen.kind == "given" && seen.verdict == verdict) return seen;
            }
        }
        throw std::logic_error("no such verdict");
    }
};

TEST_F(ShareProgramCheck, AcceptsWhatTheModelDoes) {
    EXPECT_EQ(violations(program_, history_), std::vector<std::string>());
    EXPECT_EQ(difference(), "");
    EXPECT_FALSE(is_disturbed(program_, history_));
    EXPECT_EQ(given_with("j").deliveries, 1);
    EXPECT_EQ(answer_to(Action::accept_held).seen.at(0).error, "INVALID_RECORD_STATE");
    EXPECT_EQ(answer_to(Action::accept_held, 1).seen.at(0).error, "") << "passed over";
    EXPECT_EQ(answer_to(Action::accept_held, 2).seen.at(0).error, "") << "in time";
}

TEST_F(ShareProgramCheck, SeesWhatIsGivenAfterItWasDone) {
    Seen again = given_with("a");
    ++again.deliveries;
    StepAnswer& work = answer_to(Action::work);
    work.seen.push_back(again);
    expect_complaint("it was done");
}

TEST_F(ShareProgramCheck, SeesADeliveryThatDoesNotCount) {
    Seen& released = given_with("r");
    for (Seen& seen : answer_to(Action::work).seen) {
        if (seen.kind == "given" && seen.value == released.value && seen.deliveries == 2)
            seen.deliveries = 1;
    }
    expect_complaint("that is not the next");
}

TEST_F(ShareProgramCheck, SeesARecordThatSomebodyHolds) {
    // As if no time had passed, so that the lock was on.
    for (StepAnswer& answer : history_)
        answer.end = Duration::zero();
    expect_complaint("holds it");
}

TEST_F(ShareProgramCheck, SeesALateWordThatIsHeeded) {
    answer_to(Action::accept_held).seen.at(0).error = "";
    expect_complaint("not refused");
}

TEST_F(ShareProgramCheck, SeesAWordInTimeThatIsRefused) {
    answer_to(Action::accept_held, 2).seen.at(0).error = "INVALID_RECORD_STATE";
    expect_complaint("INVALID_RECORD_STATE: refused");
}

TEST_F(ShareProgramCheck, SeesAnotherValueAndAnotherMember) {
    given_with("a").value = "other";
    expect_complaint("was sent there");
    given_with("j").client = "nobody";
    expect_complaint("there is no such member");
}

TEST_F(ShareProgramCheck, SeesThatALockEndedInTheMiddleOfWork) {
    for (Seen& seen : answer_to(Action::work).seen) {
        if (seen.kind == "acknowledged") seen.error = "INVALID_RECORD_STATE";
    }
    EXPECT_TRUE(is_disturbed(program_, history_));
    expect_complaint("nobody else may have it");
}

TEST_F(ShareProgramCheck, SeesAnotherVerdict) {
    Seen& rejected = given_with("j");
    rejected.verdict = "a";
    EXPECT_NE(difference().find("1a"), std::string::npos) << difference();
}

} // namespace
} // namespace crier::conformance
