// Many seeds, one report, up to the first violation.
#include "scenarios/explore.hpp"

#include "scenarios/workers.hpp"

#include <limits>

namespace crier::scenario {

namespace {

constexpr std::uint64_t no_seed = std::numeric_limits<std::uint64_t>::max();

class Exploration final : RunCrew {
public:
    Exploration(const Scenario& scenario, const ServiceTable& services,
                const ExploreOptions& options,
                const std::function<void(const ExploreProgress&)>& progress)
        : RunCrew(scenario, services, options), scenario_(scenario), services_(services),
          options_(options), progress_(progress), began_(real_time()) {
        result_.scenario = scenario.name;
        result_.scenario_hash = scenario.hash;
    }

    Campaign operator()() {
        work(options_.first_seed, options_.time_limit ? no_seed - 1 : options_.last_seed);
        result_.interrupted = is_interrupted();
        result_.wall = real_time() - began_;
        judge(result_);
        return std::move(result_);
    }

private:
    [[nodiscard]] bool is_wanted(std::uint64_t seed) const override {
        if (options_.time_limit && real_time() - began_ >= *options_.time_limit) return false;
        return seed <= stop_after_.load();
    }

    // A violation is run again for its history, without which nothing can be told of it; others now
    // and then, to see that they are the same.
    [[nodiscard]] RunResult run(std::uint64_t seed, RunOptions how) override {
        RunResult once = run_scenario(scenario_, services_, how);
        const std::uint64_t every = options_.check_determinism_every;
        how.keep_history = once.verdict == properties::VerdictKind::violated;
        const bool twice = how.keep_history || (every != 0 && seed % every == 0);
        if (!twice || once.interrupted || !once.broken.empty()) return once;
        RunResult again = run_scenario(scenario_, services_, how);
        if (again.interrupted) return once;
        if (again.digest == once.digest) return how.keep_history ? again : once;
        once.broken = "the seed ran twice and gave two digests";
        return once;
    }

    void found(std::uint64_t seed, const RunResult& run) override {
        const bool ends_it =
            !run.broken.empty() ||
            (run.verdict == properties::VerdictKind::violated && !options_.keep_going);
        if (ends_it && seed < stop_after_.load()) stop_after_.store(seed);
    }

    void fold(std::uint64_t seed, RunResult run) override {
        if (seed > stop_after_.load()) return;
        if (run.interrupted && run.broken.empty()) return;
        if (!run.broken.empty()) {
            result_.broken = run.broken;
            result_.broken_seed = seed;
            return;
        }
        add(result_, run);
        const bool is_first = !result_.first && run.verdict == properties::VerdictKind::violated;
        if (is_first) result_.first = std::move(run);
    }

    void tick() override {
        if (!progress_) return;
        ExploreProgress progress;
        progress.done = result_.runs + waiting();
        progress.violations = result_.violations.size();
        progress.total = options_.time_limit ? 0 : options_.last_seed - options_.first_seed + 1;
        progress.elapsed = real_time() - began_;
        const double seconds = static_cast<double>(progress.elapsed.count()) / 1e9;
        progress.seeds_per_second = seconds > 0 ? static_cast<double>(progress.done) / seconds : 0;
        progress_(progress);
    }

    const Scenario& scenario_;
    const ServiceTable& services_;
    const ExploreOptions& options_;
    const std::function<void(const ExploreProgress&)>& progress_;
    std::chrono::nanoseconds began_;
    std::atomic<std::uint64_t> stop_after_{no_seed};
    Campaign result_;
};

} // namespace

Campaign explore(const Scenario& scenario, const ServiceTable& services,
                 const ExploreOptions& options,
                 const std::function<void(const ExploreProgress&)>& progress) {
    Exploration exploration(scenario, services, options, progress);
    return exploration();
}

} // namespace crier::scenario
