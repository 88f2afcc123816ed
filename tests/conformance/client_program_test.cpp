#include "tests/conformance/client_program_arms.hpp"
#include "tests/conformance/client_program_check.hpp"
#include "tests/conformance/client_program_gen.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <gtest/gtest.h>
#include <iostream>
#include <mutex>
#include <optional>
#include <random>
#include <thread>

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
    RC_CLASSIFY(does(program, Action::commit_transaction), "commits a transaction");
    RC_CLASSIFY(does(program, Action::abort_transaction), "aborts a transaction");
    RC_CLASSIFY(does(program, Action::send_offsets), "sends offsets");
    RC_CLASSIFY(does(program, Action::await_timeout), "waits for a time-out");
    RC_CLASSIFY(does(program, Action::hold), "holds records of a share group");
    RC_CLASSIFY(does(program, Action::idle), "reads beside an open transaction");
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
    int wrong = 0;
};

/// A program, what the model answers, and how facts are to be taken.
struct Expectation {
    Program program;
    History history;
    Owners owners = Owners::are_facts;
    SendErrors errors = SendErrors::are_facts;

    [[nodiscard]] std::vector<std::string> facts_of(const History& seen) const {
        return facts(program, seen, owners, errors);
    }
};

bool is_over_time(const History& history) {
    return std::any_of(history.begin(), history.end(),
                       [](const StepAnswer& answer) { return !answer.error.empty(); });
}

/// Runs the program there until no rebalance came uninvited, and compares with the model. Returns
/// what is wrong; empty: nothing; nothing: it was always disturbed.
std::optional<std::string> compare(const Expectation& expected, const Arm& elsewhere) {
    const Program& program = expected.program;
    History found = elsewhere(program);
    for (int again = 0; again < 2 && is_disturbed(program, found); ++again)
        found = elsewhere(program);
    if (is_disturbed(program, found)) return std::nullopt;
    // What waited in vain does so again, unless the machine was too slow.
    if (is_over_time(found)) found = elsewhere(program);
    const std::string wrong = unsound(program, found);
    if (!wrong.empty()) return wrong;
    const std::string difference =
        first_difference(expected.facts_of(expected.history), expected.facts_of(found));
    return difference.empty() ? "" : difference + "\n" + story_of(program, found);
}

/// Runs the program by itself, some times. **Returns** whether it ever fails again: what does not
/// was the crowd's doing.
bool repeats(const Expectation& expected, const Arm& elsewhere) {
    for (int again = 0; again < 3; ++again) {
        const std::optional<std::string> result = compare(expected, elsewhere);
        if (!result || result->empty()) continue;
        std::cerr << "again, alone: " << *result << std::endl;
        return true;
    }
    std::cerr << "not again in three runs alone" << std::endl;
    return false;
}

using Make = std::function<Program(const std::vector<Choice>&, const ProgramLimits&)>;

/// Programs of one kind, for one place.
struct Kind {
    Make make;
    Arm elsewhere;
    ProgramLimits limits;
    int transaction_version = 2;
    SendErrors errors = SendErrors::are_facts;
};

std::uint64_t number_of(const char* variable, std::uint64_t otherwise) {
    const char* const value = std::getenv(variable);
    return value == nullptr || *value == 0 ? otherwise : std::stoull(value);
}

/// How many programs CRIER_PROGRAMS asks for, or a part of it.
std::uint64_t programs_asked(std::uint64_t part, std::uint64_t of) {
    return std::max<std::uint64_t>(number_of("CRIER_PROGRAMS", 12) * part / of, 1);
}

/// Draws programs, as many at a time as CRIER_PROGRAMS_AT_ONCE says, and compares: they wait most
/// of the time. What is wrong is told at once, with what CRIER_PROGRAMS_SEED must be to see it
/// again.
void expect_allowed(const Kind& kind, std::uint64_t count) {
    const std::uint64_t seed =
        number_of("CRIER_PROGRAMS_SEED", std::random_device()() % 1'000'000'000);
    std::atomic<std::uint64_t> next = 0;
    std::mutex mutex; // of the model, the tally and what is said
    Tally tally;
    std::vector<Expectation> doubtful;
    const auto run_some = [&] {
        for (std::uint64_t at = next++; at < count; at = next++) {
            Expectation expected;
            expected.errors = kind.errors;
            expected.program = kind.make(choices()(rc::Random(seed + at)).value(), kind.limits);
            std::string wrong;
            {
                const std::lock_guard lock(mutex);
                if (tally.wrong + doubtful.size() >= 3 + count / 10) return;
                expected.history =
                    run_on_model(expected.program, kind.limits.nodes, kind.transaction_version);
                wrong = unsound(expected.program, expected.history);
            }
            std::optional<std::string> result = "the model: " + wrong;
            try {
                if (wrong.empty()) result = compare(expected, kind.elsewhere);
            } catch (const std::exception& failure) {
                result = std::string(failure.what()) + "\n" + to_text(expected.program);
            }
            const std::lock_guard lock(mutex);
            ++tally.programs;
            if (!result) ++tally.without_result;
            if (!result || result->empty()) continue;
            std::cerr << "CRIER_PROGRAMS_SEED=" << seed + at << ": " << *result << std::endl;
            if (wrong.empty()) {
                doubtful.push_back(std::move(expected));
            } else {
                ++tally.wrong;
            }
        }
    };
    std::vector<std::thread> threads;
    for (std::uint64_t at = 0; at < number_of("CRIER_PROGRAMS_AT_ONCE", 8); ++at)
        threads.emplace_back(run_some);
    for (std::thread& thread : threads)
        thread.join();
    for (const Expectation& expected : doubtful) {
        if (repeats(expected, kind.elsewhere)) {
            ++tally.wrong;
        } else {
            ++tally.without_result;
        }
    }
    std::cout << tally.programs << " programs from seed " << seed << ", " << tally.wrong
              << " wrong, " << tally.without_result << " without result\n";
    EXPECT_EQ(tally.wrong, 0);
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

/// Returns what is wrong with the program on the model; empty: nothing.
std::string wrong_on_model(const Program& program, int nodes, int transaction_version = 2) {
    const History history = run_on_model(program, nodes, transaction_version);
    const std::string wrong = unsound(program, history);
    if (!wrong.empty()) return wrong;
    return is_disturbed(program, history) ? "disturbed\n" + story_of(program, history) : "";
}

void expect_sound(const Make& make, ProgramLimits limits, const std::vector<int>& versions) {
    EXPECT_TRUE(rc::check([&] {
        const std::vector<Choice> drawn = *choices();
        for (const int nodes : {1, 3}) {
            limits.nodes = nodes;
            const Program program = make(drawn, limits);
            if (nodes == 1) classify(program);
            for (const int version : versions) {
                const std::string wrong = wrong_on_model(program, nodes, version);
                if (!wrong.empty()) RC_FAIL(wrong);
            }
        }
    }));
}

TEST(ClientPrograms, AreSoundOnTheModel) {
    expect_sound(make_program, {}, {2});
}

TEST(ClientPrograms, OfNewGroupsAreSoundOnTheModel) {
    ProgramLimits limits;
    limits.protocol = kafka::GroupProtocol::consumer;
    expect_sound(make_program, limits, {2});
}

TEST(ClientPrograms, OfShareGroupsAreSoundOnTheModel) {
    expect_sound(make_share_program, {}, {2});
}

TEST(ClientPrograms, OfTransactionsAreSoundOnTheModel) {
    expect_sound(make_transaction_program, {}, {1, 2});
}

std::string compare_on_mock(const Program& program) {
    Expectation expected;
    expected.program = program;
    expected.history = run_on_model(program, 1);
    expected.owners = Owners::are_free;
    const std::string wrong = unsound(program, expected.history);
    if (!wrong.empty()) return "the model: " + wrong;
    return compare(expected, run_on_mock).value_or("");
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
    Arm by_java_ = [this](const Program& program) { return run_on_java(program, *driver_); };
    Arm by_librdkafka_ = [this](const Program& program) {
        return run_on_real(program, kafka_, *driver_);
    };
};

TEST_F(RealKafka, AnswersGroupsOfJavaClientsAsTheModelAllows) {
    expect_allowed({make_program, by_java_, limits_}, programs_asked(1, 1));
}

TEST_F(RealKafka, AnswersGroupsOfLibrdkafkaAsTheModelAllows) {
    limits_.assignors = assignors_of_librdkafka;
    expect_allowed({make_program, by_librdkafka_, limits_}, programs_asked(1, 2));
}

TEST_F(RealKafka, AnswersTransactionsOfJavaClientsAsTheModelAllows) {
    expect_allowed({make_transaction_program, by_java_, limits_}, programs_asked(2, 3));
}

// It speaks the older version, whatever the brokers could do.
TEST_F(RealKafka, AnswersTransactionsOfLibrdkafkaAsTheModelAllows) {
    limits_.has_new_protocol = false;
    expect_allowed({make_transaction_program, by_librdkafka_, limits_, 1, SendErrors::are_free},
                   programs_asked(1, 3));
}

TEST_F(RealKafka, AnswersNewGroupsOfJavaClientsAsTheModelAllows) {
    limits_.protocol = kafka::GroupProtocol::consumer;
    expect_allowed({make_program, by_java_, limits_}, programs_asked(1, 4));
}

TEST_F(RealKafka, AnswersShareGroupsOfJavaClientsAsTheModelAllows) {
    expect_allowed({make_share_program, by_java_, limits_}, programs_asked(1, 4));
}

} // namespace
} // namespace crier::conformance
