#include "scenarios/sweep.hpp"

#include "scenarios/workers.hpp"

#include <algorithm>
#include <limits>

namespace crier::scenario {

namespace {

constexpr std::uint64_t no_end = std::numeric_limits<std::uint64_t>::max();

/// The sweep of one point; its runs are numbered as the times that the node reaches it.
class PointSweep final : RunCrew {
public:
    PointSweep(const SweptScenario& swept, const ServiceTable& services,
               const SweepOptions& options, Sweep& result,
               const std::function<void(std::uint64_t waiting)>& progress)
        : RunCrew(swept.scenario, services, options), swept_(swept), services_(services),
          options_(options), result_(result), progress_(progress) {
        result_.points.push_back({swept.fault});
    }

    void operator()() { work(1, no_end - 1); }

private:
    [[nodiscard]] std::uint64_t seed_of(std::uint64_t) const override { return options_.seed; }

    [[nodiscard]] bool is_wanted(std::uint64_t nth) const override {
        return nth <= stop_after_.load();
    }

    [[nodiscard]] RunResult run(std::uint64_t nth, RunOptions how) override {
        Scenario scenario = swept_.scenario;
        FaultRule& rule = scenario.faults.back();
        rule.nth_low = rule.nth_high = static_cast<std::uint32_t>(nth);
        scenario.hash = sim::mix(swept_.hash, sim::hash_text(swept_.fault.text(nth)));
        RunResult run = run_scenario(scenario, services_, how);
        if (run.verdict != properties::VerdictKind::violated || !run.broken.empty()) return run;
        how.keep_history = true;
        return run_scenario(scenario, services_, how);
    }

    [[nodiscard]] static bool is_reached(const RunResult& run) {
        return run.faults.back().began || run.faults.back().withheld;
    }

    void found(std::uint64_t nth, const RunResult& run) override {
        const bool violates = run.verdict == properties::VerdictKind::violated;
        if (!run.broken.empty() || !is_reached(run) || (violates && !options_.keep_going))
            stop_after_.store(std::min(stop_after_.load(), nth));
    }

    void fold(std::uint64_t nth, RunResult run) override {
        if (nth > stop_after_.load() || (run.interrupted && run.broken.empty())) return;
        Campaign& runs = result_.runs;
        if (!run.broken.empty()) {
            runs.broken = run.broken + "; with " + swept_.fault.text(nth);
            runs.broken_seed = run.seed;
            return;
        }
        if (!is_reached(run)) return;
        ++result_.points.back().count;
        add(runs, run);
        if (run.verdict != properties::VerdictKind::violated) return;
        result_.violated_at.push_back(swept_.fault.text(nth));
        if (!runs.first) runs.first = std::move(run);
    }

    void tick() override { progress_(waiting()); }

    const SweptScenario& swept_;
    const ServiceTable& services_;
    const SweepOptions& options_;
    Sweep& result_;
    const std::function<void(std::uint64_t)>& progress_;
    std::atomic<std::uint64_t> stop_after_{no_end};
};

} // namespace

std::string SweptFault::text(std::uint64_t nth) const {
    return kind + ": {of: " + node + ", point: " + point + ", nth: " + std::to_string(nth) +
           ", for: " + length + "}";
}

Sweep sweep(const std::vector<SweptScenario>& points, const ServiceTable& services,
            const SweepOptions& options,
            const std::function<void(const ExploreProgress&)>& progress) {
    const std::chrono::nanoseconds began = real_time();
    Sweep result;
    result.seed = options.seed;
    const std::function<void(std::uint64_t)> tick = [&](std::uint64_t waiting) {
        if (!progress) return;
        ExploreProgress now;
        now.done = result.runs.runs + waiting;
        now.violations = result.runs.violations.size();
        now.elapsed = real_time() - began;
        now.seeds_per_second =
            static_cast<double>(now.done) * 1e9 / static_cast<double>(now.elapsed.count());
        progress(now);
    };
    for (const SweptScenario& point : points) {
        result.runs.scenario = point.scenario.name;
        result.runs.scenario_hash = point.hash;
        PointSweep one(point, services, options, result, tick);
        one();
        const bool is_interrupted = options.interrupt != nullptr && options.interrupt->load();
        const bool is_over = !options.keep_going && !result.violated_at.empty();
        result.runs.interrupted = is_interrupted;
        if (is_interrupted || is_over || !result.runs.broken.empty()) break;
    }
    result.runs.wall = real_time() - began;
    judge(result.runs);
    return result;
}

} // namespace crier::scenario
