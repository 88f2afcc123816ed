// Many seeds, one report. Workers take seeds in order; what they find is folded in the order of
// seeds, up to the first violation, so that the report does not depend on how many workers there
// were.
#include "scenarios/explore.hpp"

#include "broker-model/store/connections.hpp"
#include "scenarios/judge.hpp"
#include "scenarios/workers.hpp"

#include <algorithm>
#include <limits>
#include <memory>

namespace crier::scenario {

namespace {

constexpr std::uint64_t no_seed = std::numeric_limits<std::uint64_t>::max();

class Exploration {
public:
    Exploration(const Scenario& scenario, const ServiceTable& services,
                const ExploreOptions& options,
                const std::function<void(const ExploreProgress&)>& progress)
        : scenario_(scenario), services_(services), options_(options), progress_(progress),
          began_(real_time()), workers_(std::make_unique<Worker[]>(options.workers)),
          next_to_fold_(options.first_seed) {
        result_.scenario = scenario.name;
        result_.scenario_hash = scenario.hash;
    }

    Campaign operator()() {
        WorkerOptions work;
        work.first = options_.first_seed;
        work.last = options_.time_limit ? no_seed - 1 : options_.last_seed;
        work.workers = options_.workers;
        work.start = options_.on_worker_start;
        work.is_wanted = [this](std::uint64_t seed) { return is_wanted(seed); };
        work.run = [this](unsigned worker, std::uint64_t seed) { run(worker, seed); };
        work.collect = [this](unsigned worker, std::uint64_t seed) { collect(worker, seed); };
        work.tick = [this] { tick(); };
        run_workers(work);
        conclude();
        return std::move(result_);
    }

private:
    struct Worker {
        sim::StepWatch steps;
        std::shared_ptr<broker::Connections> connections = std::make_shared<broker::Connections>();
        std::atomic<std::uint64_t> seed{0};
        RunResult found; // of the worker's latest seed, until it is collected
        std::uint64_t seen_steps = 0;
        std::uint64_t seen_seed = 0;
        std::chrono::nanoseconds seen_at{};
    };

    [[nodiscard]] bool is_interrupted() const {
        return options_.interrupt != nullptr && options_.interrupt->load(std::memory_order_relaxed);
    }

    bool is_wanted(std::uint64_t seed) const {
        if (is_interrupted()) return false;
        if (options_.time_limit && real_time() - began_ >= *options_.time_limit) return false;
        return seed <= stop_after_.load();
    }

    void run(unsigned worker, std::uint64_t seed) {
        Worker& watched = workers_[worker];
        watched.seed.store(seed);
        if (options_.seeds_running != nullptr) options_.seeds_running[worker].store(seed);
        RunOptions how;
        how.seed = seed;
        how.interrupt = options_.interrupt;
        how.watch = &watched.steps;
        how.connections = watched.connections;
        RunResult& found = watched.found;
        found = run_scenario(scenario_, services_, how);
        // A violation is run again for its history, without which nothing can be told of it; others
        // now and then, to see that they are the same.
        const std::uint64_t every = options_.check_determinism_every;
        how.keep_history = found.verdict == properties::VerdictKind::violated;
        const bool twice = how.keep_history || (every != 0 && seed % every == 0);
        if (twice && !found.interrupted && found.broken.empty()) {
            RunResult again = run_scenario(scenario_, services_, how);
            if (!again.interrupted && again.digest != found.digest) {
                found.broken = "the seed ran twice and gave two digests";
            } else if (how.keep_history && !again.interrupted) {
                found = std::move(again);
            }
        }
        watched.seed.store(0);
        if (options_.seeds_running != nullptr) options_.seeds_running[worker].store(0);
    }

    void collect(unsigned worker, std::uint64_t seed) {
        RunResult& found = workers_[worker].found;
        const bool ends_it =
            !found.broken.empty() ||
            (found.verdict == properties::VerdictKind::violated && !options_.keep_going);
        if (ends_it && seed < stop_after_.load()) stop_after_.store(seed);
        waiting_.emplace(seed, std::move(found));
        fold();
    }

    void fold() {
        while (!waiting_.empty() && waiting_.begin()->first == next_to_fold_) {
            add(std::move(waiting_.begin()->second));
            waiting_.erase(waiting_.begin());
            ++next_to_fold_;
        }
    }

    void add(RunResult run) {
        if (run.seed > stop_after_.load()) return;
        if (run.interrupted && run.broken.empty()) return;
        if (!run.broken.empty()) {
            result_.broken = run.broken;
            result_.broken_seed = run.seed;
            return;
        }
        scenario::add(result_, run);
        const bool is_first = !result_.first && run.verdict == properties::VerdictKind::violated;
        if (is_first) result_.first = std::move(run);
    }

    void tick() {
        const std::chrono::nanoseconds now = real_time();
        for (unsigned worker = 0; worker < options_.workers; ++worker)
            watch(workers_[worker], now);
        if (!progress_) return;
        ExploreProgress progress;
        progress.done = result_.runs + waiting_.size();
        progress.violations = result_.violations.size();
        progress.total = options_.time_limit ? 0 : options_.last_seed - options_.first_seed + 1;
        progress.elapsed = now - began_;
        const double seconds = static_cast<double>(progress.elapsed.count()) / 1e9;
        progress.seeds_per_second = seconds > 0 ? static_cast<double>(progress.done) / seconds : 0;
        progress_(progress);
    }

    void watch(Worker& watched, std::chrono::nanoseconds now) {
        const std::uint64_t steps = watched.steps.steps.load(std::memory_order_relaxed);
        const std::uint64_t seed = watched.seed.load();
        if (seed == 0 || steps != watched.seen_steps || seed != watched.seen_seed) {
            watched.seen_steps = steps;
            watched.seen_seed = seed;
            watched.seen_at = now;
            return;
        }
        if (now - watched.seen_at < options_.step_limit || !options_.on_hang) return;
        const std::uint32_t node = watched.steps.node.load(std::memory_order_relaxed);
        const std::vector<std::string> names = node_names(scenario_, services_);
        options_.on_hang(seed, node < names.size() ? names[node] : "an unknown node");
        watched.seen_at = now;
    }

    void conclude() {
        // Where work was cut short, seeds behind one that was not run may have ended.
        for (auto& [seed, run] : waiting_)
            add(std::move(run));
        waiting_.clear();
        result_.interrupted = is_interrupted();
        result_.wall = real_time() - began_;
        judge(result_);
    }

    const Scenario& scenario_;
    const ServiceTable& services_;
    const ExploreOptions& options_;
    const std::function<void(const ExploreProgress&)>& progress_;
    std::chrono::nanoseconds began_;
    std::unique_ptr<Worker[]> workers_; // by worker
    std::atomic<std::uint64_t> stop_after_{no_seed};
    std::map<std::uint64_t, RunResult> waiting_;
    std::uint64_t next_to_fold_;
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
