#include "tests/conformance/store_place.hpp"

#include "tests/conformance/postgres_arm.hpp"
#include "tests/conformance/real_postgres.hpp"
#include "tests/conformance/store_program_gen.hpp"

#include <algorithm>
#include <stdexcept>

namespace crier::conformance {

namespace {

/// They wait most of the time.
constexpr std::size_t side_by_side = 8;

constexpr std::chrono::minutes limit{20};

class PostgresPlace final : public StorePlace {
public:
    explicit PostgresPlace(const std::vector<std::string>& settings) : server_(settings) {}

    std::vector<StoreHistory> run(const std::vector<StoreProgram>& programs) override {
        std::vector<StoreHistory> histories(programs.size());
        process_.run(run_all(programs, histories), limit);
        return histories;
    }

private:
    /// What the workers of one call share.
    struct Work {
        const std::vector<StoreProgram>& programs;
        std::vector<StoreHistory>& histories;
        std::size_t next = 0;
        std::size_t working = 0;
    };

    asio::awaitable<void> run_all(const std::vector<StoreProgram>& programs,
                                  std::vector<StoreHistory>& histories) {
        const std::size_t needed = std::min(side_by_side, programs.size());
        while (arms_.size() < needed) {
            arms_.push_back(std::make_unique<PostgresArm>(process_.ports(), server_.options(),
                                                          store_sessions_max, arms_.size()));
            co_await arms_.back()->prepare();
        }
        Work work{programs, histories};
        for (std::size_t arm = 0; arm < needed; ++arm) {
            ++work.working;
            process_.ports().background.spawn("programs", run_some(*arms_[arm], work));
        }
        while (work.working > 0)
            co_await process_.ports().clock.sleep(std::chrono::milliseconds(2));
    }

    static asio::awaitable<void> run_some(PostgresArm& arm, Work& work) {
        while (work.next < work.programs.size()) {
            const std::size_t at = work.next++;
            co_await arm.reset();
            co_await run_store_program(work.programs[at], arm, work.histories[at]);
        }
        --work.working;
    }

    RealPostgres server_;
    RealProcess process_;
    std::vector<std::unique_ptr<PostgresArm>> arms_;
};

} // namespace

std::unique_ptr<StorePlace> postgres_place(std::string& missing) {
    return postgres_place_with(missing, {});
}

std::unique_ptr<StorePlace> postgres_place_with(std::string& missing,
                                                const std::vector<std::string>& settings) {
    missing = RealPostgres::missing();
    if (!missing.empty()) return nullptr;
    return std::make_unique<PostgresPlace>(settings);
}

} // namespace crier::conformance
