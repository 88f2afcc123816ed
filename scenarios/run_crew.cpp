#include "scenarios/run_crew.hpp"

#include "broker-model/store/connections.hpp"
#include "scenarios/workers.hpp"

namespace crier::scenario {

RunCrew::RunCrew(const Scenario& scenario, const ServiceTable& services, const CrewOptions& options)
    : scenario_(scenario), services_(services), options_(options),
      workers_(std::make_unique<Worker[]>(options.workers)) {
    for (unsigned worker = 0; worker < options.workers; ++worker)
        workers_[worker].connections = std::make_shared<broker::Connections>();
}

bool RunCrew::is_interrupted() const {
    return options_.interrupt != nullptr && options_.interrupt->load(std::memory_order_relaxed);
}

void RunCrew::work(std::uint64_t first, std::uint64_t last) {
    next_to_fold_ = first;
    WorkerOptions work;
    work.first = first;
    work.last = last;
    work.workers = options_.workers;
    work.start = options_.on_worker_start;
    work.is_wanted = [this](std::uint64_t number) {
        return !is_interrupted() && is_wanted(number);
    };
    work.run = [this](unsigned worker, std::uint64_t number) { run_on(worker, number); };
    work.collect = [this](unsigned worker, std::uint64_t number) { collect(worker, number); };
    work.tick = [this] {
        const std::chrono::nanoseconds now = real_time();
        for (unsigned worker = 0; worker < options_.workers; ++worker)
            watch(workers_[worker], now);
        tick();
    };
    run_workers(work);
    // Where work was cut short, runs behind one that was not made may have ended.
    for (auto& [number, run] : waiting_)
        fold(number, std::move(run));
    waiting_.clear();
}

void RunCrew::run_on(unsigned worker, std::uint64_t number) {
    Worker& watched = workers_[worker];
    const std::uint64_t seed = seed_of(number);
    watched.seed.store(seed);
    if (options_.seeds_running != nullptr) options_.seeds_running[worker].store(seed);
    RunOptions how;
    how.seed = seed;
    how.interrupt = options_.interrupt;
    how.watch = &watched.steps;
    how.connections = watched.connections;
    watched.found = run(number, std::move(how));
    watched.seed.store(0);
    if (options_.seeds_running != nullptr) options_.seeds_running[worker].store(0);
}

void RunCrew::collect(unsigned worker, std::uint64_t number) {
    RunResult& result = workers_[worker].found;
    found(number, result);
    waiting_.emplace(number, std::move(result));
    while (!waiting_.empty() && waiting_.begin()->first == next_to_fold_) {
        fold(next_to_fold_, std::move(waiting_.begin()->second));
        waiting_.erase(waiting_.begin());
        ++next_to_fold_;
    }
}

void RunCrew::watch(Worker& watched, std::chrono::nanoseconds now) {
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

} // namespace crier::scenario
