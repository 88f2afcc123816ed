#include "tests/conformance/client_program_arms.hpp"
#include "tests/conformance/client_program_check.hpp"
#include "tests/conformance/client_program_gen.hpp"

#include <algorithm>
#include <functional>
#include <gtest/gtest.h>
#include <iostream>

// Random client programs, run on the model and elsewhere. The model is right when no history seen
// elsewhere is one that it does not allow; client_program_check.hpp says what that means.

namespace crier::conformance {
namespace {

using Arm = std::function<History(const Program&)>;

std::string story_of(const Program& program, const History& history) {
    std::string text = to_text(program) + "\n";
    for (std::size_t at = 0; at < history.size(); ++at) {
        for (const SentRecord& sent : history[at].sent)
            text += std::to_string(at) + " sent " + to_text(sent.place) + " " + sent.error + "\n";
        for (const Seen& seen : history[at].seen)
            text += std::to_string(at) + " " + to_text(seen) + "\n";
        if (!history[at].error.empty()) text += std::to_string(at) + " " + history[at].error + "\n";
    }
    return text;
}

bool does(const Program& program, Action action) {
    const auto is_it = [action](const Step& step) { return step.action == action; };
    return std::any_of(program.steps.begin(), program.steps.end(), is_it);
}

/// Lets RapidCheck say how many programs do what.
void classify(const Program& program) {
    RC_CLASSIFY(does(program, Action::commit), "commits");
    RC_CLASSIFY(does(program, Action::seek), "seeks");
    RC_CLASSIFY(does(program, Action::pause), "pauses");
    RC_CLASSIFY(does(program, Action::kill_consumer), "kills a member");
    RC_CLASSIFY(does(program, Action::stall), "stalls a member");
    const auto settles = std::count_if(program.steps.begin(), program.steps.end(),
                                       [](const Step& it) { return it.action == Action::settle; });
    RC_CLASSIFY(settles >= 5, "rebalances five times or more");
}

/// Returns what is wrong with the history, and its story; empty: nothing.
std::string unsound(const Program& program, const History& history) {
    const std::vector<std::string> found = violations(program, history);
    return found.empty() ? "" : found.front() + "\n" + story_of(program, history);
}

/// Programs whose history never came without an uninvited rebalance, and so says nothing.
struct Tally {
    int programs = 0;
    int without_result = 0;
};

/// Runs the program there until no rebalance came uninvited, and compares with the model. Returns
/// what is wrong; empty: nothing.
std::string compare(const Program& program, int nodes, const Arm& elsewhere, Tally& tally,
                    Owners owners = Owners::are_facts) {
    ++tally.programs;
    const History expected = run_on_model(program, nodes);
    std::string wrong = unsound(program, expected);
    if (!wrong.empty()) return "the model: " + wrong;
    History found = elsewhere(program);
    if (is_disturbed(program, found)) found = elsewhere(program);
    if (is_disturbed(program, found)) {
        ++tally.without_result;
        return "";
    }
    wrong = unsound(program, found);
    if (!wrong.empty()) return wrong;
    const std::string difference =
        first_difference(facts(program, expected, owners), facts(program, found, owners));
    return difference.empty() ? "" : difference + "\n" + story_of(program, found);
}

/// Draws programs and compares. What is wrong is told at once, since RapidCheck runs a program
/// again to tell its story, and a real Kafka may do something else then.
void expect_allowed(const ProgramLimits& limits, const Arm& elsewhere) {
    Tally tally;
    EXPECT_TRUE(rc::check([&] {
        const Program program = make_program(*choices(), limits);
        classify(program);
        const std::string wrong = compare(program, limits.nodes, elsewhere, tally);
        if (wrong.empty()) return;
        std::cerr << wrong << std::endl;
        RC_FAIL(wrong.substr(0, wrong.find("\ntopic")));
    }));
    std::cout << tally.programs << " programs, " << tally.without_result << " without result\n";
    EXPECT_LE(tally.without_result, 1 + tally.programs / 10) << "the machine is too slow";
}

/// A few programs, the same each time.
std::vector<Program> few_programs(const ProgramLimits& limits) {
    std::vector<Program> programs;
    for (std::uint64_t seed = 1; seed <= 5; ++seed)
        programs.push_back(make_program(choices()(rc::Random(seed)).value(), limits));
    return programs;
}

const std::vector<kafka::Assignor> assignors_of_librdkafka{
    kafka::Assignor::range, kafka::Assignor::round_robin, kafka::Assignor::cooperative_sticky};

TEST(ClientPrograms, AreSoundOnTheModel) {
    EXPECT_TRUE(rc::check([] {
        const std::vector<Choice> drawn = *choices();
        for (const int nodes : {1, 3}) {
            ProgramLimits limits;
            limits.nodes = nodes;
            const Program program = make_program(drawn, limits);
            classify(program);
            const History history = run_on_model(program, nodes);
            const std::string wrong = unsound(program, history);
            if (!wrong.empty()) RC_FAIL(wrong);
            if (is_disturbed(program, history)) RC_FAIL("disturbed\n" + story_of(program, history));
        }
    }));
}

std::string compare_on_mock(const Program& program) {
    Tally tally;
    return compare(program, 1, run_on_mock, tally, Owners::are_free);
}

// librdkafka kept the pause of a partition that it was given anew.
TEST(MockKafka, EndsAPauseWithTheAssignment) {
    const Choice join_one{40, 0, 2};
    const Choice pause{82, 0, 0};
    const Program program = make_program({join_one, pause, join_one, {60, 0, 0}}, {});
    EXPECT_EQ(compare_on_mock(program), "");
}

// Groups of the mock wait for seconds, so these are few. It refuses commits during a rebalance,
// which those that the client makes by itself would meet.
TEST(MockKafka, AnswersGroupsAsTheModelAllows) {
    ProgramLimits limits;
    limits.assignors = assignors_of_librdkafka;
    limits.has_auto_commit = false;
    for (const Program& program : few_programs(limits))
        EXPECT_EQ(compare_on_mock(program), "");
}

class RealKafka : public ::testing::Test {
protected:
    void SetUp() override {
        if (!kafka_.is_there()) GTEST_SKIP() << no_real_kafka;
        driver_ = std::make_unique<JavaDriver>(kafka_);
        limits_.nodes = kafka_.nodes;
    }

    RealCluster kafka_ = find_real_kafka();
    std::unique_ptr<JavaDriver> driver_;
    ProgramLimits limits_;
};

TEST_F(RealKafka, AnswersGroupsOfJavaClientsAsTheModelAllows) {
    expect_allowed(limits_,
                   [this](const Program& program) { return run_on_java(program, *driver_); });
}

TEST_F(RealKafka, AnswersGroupsOfLibrdkafkaAsTheModelAllows) {
    limits_.assignors = assignors_of_librdkafka;
    expect_allowed(
        limits_, [this](const Program& program) { return run_on_real(program, kafka_, *driver_); });
}

} // namespace
} // namespace crier::conformance
