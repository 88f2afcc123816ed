// The same seed in another process (or in another build of the program): one history, event by
// event.
#include "cli/commands.hpp"
#include "cli/history_file.hpp"
#include "cli/output.hpp"
#include "cli/signals.hpp"
#include "cli/single_run.hpp"
#include "properties/describe.hpp"
#include "reports/result_names.hpp"
#include "scenarios/events.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace crier::cli {

namespace {

struct Options {
    report::Invocation from;
    std::uint64_t seed = 1;
    std::string program = "/proc/self/exe";
};

/// A folder that goes with its scope.
class ScratchFolder {
public:
    ScratchFolder() {
        std::error_code error;
        const std::filesystem::path parent = std::filesystem::temp_directory_path(error);
        if (error) throw BadInput("TMPDIR: not a folder for temporary files: " + error.message());
        std::string pattern = (parent / "crier-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) {
            throw BadInput(pattern + ": cannot make a folder: " + std::strerror(errno));
        }
        path_ = pattern;
    }
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    ~ScratchFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] std::string file(const char* name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

std::vector<sim::Event> run_elsewhere(const Options& options) {
    const ScratchFolder scratch;
    const std::string history = scratch.file("history");
    std::string program = options.program;
    if (program == "/proc/self/exe") program = std::filesystem::read_symlink(program).string();
    std::vector<std::string> words{
        program,     "replay", options.from.file, "--seed", std::to_string(options.seed),
        "--history", history};
    for (const std::string& fault : options.from.faults)
        words.insert(words.end(), {"--fault", fault});
    std::vector<char*> arguments;
    for (std::string& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t child = 0;
    const int error =
        ::posix_spawn(&child, program.c_str(), &actions, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) throw BadInput(program + ": cannot be started: " + std::strerror(error));
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) == exit_harness_failed) {
        throw std::runtime_error("the other process broke: replay the seed to see how");
    }
    const auto events = read_history(history);
    if (!events) throw BadInput(program + ": the other process left no history");
    return *events;
}

bool same(const sim::Event& a, const sim::Event& b) {
    return std::memcmp(&a, &b, sizeof a) == 0;
}

ExitCode check(const Options& options, const scenario::ServiceTable& services) {
    const scenario::Scenario scenario = load(options.from, services);
    const std::string replay = report::replay_command(options.from);
    install_signal_handlers(replay.c_str());
    scenario::RunOptions how;
    how.seed = options.seed;
    how.keep_history = true;
    const scenario::RunResult here = timed_run(scenario, services, how, options.from).result;
    const std::vector<sim::Event> there = run_elsewhere(options);
    const std::size_t both = std::min(here.history.size(), there.size());
    std::size_t at = 0;
    while (at < both && same(here.history[at], there[at]))
        ++at;
    if (at == here.history.size() && at == there.size()) {
        print("one history of " + std::to_string(at) + " events, digest " +
              report::digest_text(here.digest) + "\n");
        return exit_holds;
    }
    const properties::Describer describer(*here.texts, here.node_names, scenario::events::all);
    const auto tell = [&](const std::vector<sim::Event>& events) {
        if (at >= events.size()) return std::string("the end");
        return properties::format_time(events[at].time) + "  " + describer.node(events[at]) + "  " +
               describer.sentence(events[at]);
    };
    print("two histories; the first difference is event " + std::to_string(at + 1) +
          ":\n  here:  " + tell(here.history) + "\n  there: " + tell(there) + "\n");
    return exit_harness_failed;
}

} // namespace

void add_check_determinism(Commands commands) {
    CLI::App* verb = commands.app.add_subcommand(
        "check-determinism",
        "run a seed here and in another process, and name the first event that differs");
    auto options = std::make_shared<Options>();
    options->from.program = commands.program;
    add_scenario(*verb, options->from);
    add_seed(*verb, options->seed);
    verb->add_option("--program", options->program, "another build of this program to run there");
    verb->callback([commands, options] {
        commands.chosen = [options, &services = commands.services] {
            return check(*options, services);
        };
    });
}

} // namespace crier::cli
