#include "scenarios/workers.hpp"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace crier::scenario {

namespace {

struct Pool {
    explicit Pool(const WorkerOptions& chosen) : options(chosen), next(chosen.first) {}

    void work(unsigned worker) {
        if (options.start) options.start(worker);
        for (;;) {
            const std::uint64_t job = next.fetch_add(1);
            if (job > options.last || !options.is_wanted(job)) break;
            try {
                options.run(worker, job);
                const std::lock_guard lock(mutex);
                options.collect(worker, job);
            } catch (...) { // carried to the caller's thread
                const std::lock_guard lock(mutex);
                if (!failed_job || job < *failed_job) {
                    failed_job = job;
                    failure = std::current_exception();
                }
                break;
            }
        }
        const std::lock_guard lock(mutex);
        --running;
        changed.notify_all();
    }

    const WorkerOptions& options;
    std::atomic<std::uint64_t> next;
    std::mutex mutex;
    std::condition_variable changed;
    unsigned running = 0;
    std::optional<std::uint64_t> failed_job;
    std::exception_ptr failure;
};

} // namespace

void run_workers(const WorkerOptions& options) {
    Pool pool(options);
    pool.running = options.workers;
    std::vector<std::jthread> threads;
    for (unsigned worker = 0; worker < options.workers; ++worker) {
        threads.emplace_back([&pool, worker] { pool.work(worker); });
    }
    std::unique_lock lock(pool.mutex);
    while (pool.running > 0) {
        pool.changed.wait_for(lock, options.tick_every);
        options.tick();
    }
    lock.unlock();
    threads.clear();
    if (pool.failure) std::rethrow_exception(pool.failure);
}

std::chrono::nanoseconds real_time() {
    return std::chrono::steady_clock::now().time_since_epoch();
}

} // namespace crier::scenario
