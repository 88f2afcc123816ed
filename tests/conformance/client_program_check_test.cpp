#include "tests/conformance/client_program_check.hpp"

#include "tests/conformance/client_program_arms.hpp"
#include "tests/conformance/client_program_gen.hpp"

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

    Program program_ = sample();
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

} // namespace
} // namespace crier::conformance
