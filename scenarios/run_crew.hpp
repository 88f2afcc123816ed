#pragma once

#include "scenarios/run.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

// Many runs of one scenario on worker threads. What they find is folded in the order of their
// numbers, so that a report does not depend on how many workers there were.

namespace crier::scenario {

/// How a crew works, whatever for.
struct CrewOptions {
    unsigned workers = 1;
    std::chrono::nanoseconds step_limit =
        std::chrono::seconds(10); ///< Real time one step may take.
    std::atomic<bool>* interrupt = nullptr;
    std::atomic<std::uint64_t>* seeds_running =
        nullptr; ///< One per worker, for whoever reports a crash.
    /// Called first on each worker's thread, which are numbered from 0; unset: nothing.
    std::function<void(unsigned worker)> on_worker_start;
    /// Told when a step takes longer than `step_limit`; it should end the program, since nothing
    /// can end the step. Unset: nobody watches.
    std::function<void(std::uint64_t seed, const std::string& node)> on_hang;
};

/// Runs of one scenario, by number.
class RunCrew {
public:
    RunCrew(const Scenario& scenario, const ServiceTable& services, const CrewOptions& options);
    virtual ~RunCrew() = default;
    RunCrew(const RunCrew&) = delete;
    RunCrew& operator=(const RunCrew&) = delete;

protected:
    /// Makes the runs `first` to `last`, until none is wanted any more.
    void work(std::uint64_t first, std::uint64_t last);

    [[nodiscard]] bool is_interrupted() const;
    /// Returns how many runs were made that wait for an earlier one.
    [[nodiscard]] std::uint64_t waiting() const { return waiting_.size(); }

    /// Makes run `number`; `how` has what the runs of one worker share. On workers.
    [[nodiscard]] virtual RunResult run(std::uint64_t number, RunOptions how) = 0;
    /// Returns the seed of that run. On workers.
    [[nodiscard]] virtual std::uint64_t seed_of(std::uint64_t number) const { return number; }
    /// Whether that run is still to be made. On workers.
    [[nodiscard]] virtual bool is_wanted(std::uint64_t number) const = 0;
    /// Takes note of a run at once, in no order; one at a time.
    virtual void found(std::uint64_t number, const RunResult& run) = 0;
    /// Takes the next run in order. Where work was cut short, some may be left out.
    virtual void fold(std::uint64_t number, RunResult run) = 0;
    /// Called often, not while one folds.
    virtual void tick() {}

private:
    struct Worker {
        sim::StepWatch steps;
        std::shared_ptr<broker::Connections> connections;
        std::atomic<std::uint64_t> seed{0};
        RunResult found; // the latest, until it is collected
        std::uint64_t seen_steps = 0;
        std::uint64_t seen_seed = 0;
        std::chrono::nanoseconds seen_at{};
    };

    void run_on(unsigned worker, std::uint64_t number);
    void collect(unsigned worker, std::uint64_t number);
    void watch(Worker& watched, std::chrono::nanoseconds now);

    const Scenario& scenario_;
    const ServiceTable& services_;
    const CrewOptions& options_;
    std::unique_ptr<Worker[]> workers_;
    std::map<std::uint64_t, RunResult> waiting_;
    std::uint64_t next_to_fold_ = 0;
};

} // namespace crier::scenario
