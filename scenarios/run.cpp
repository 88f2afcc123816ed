// One run, from a seed to verdicts: build, storm, heal, settle, drain, judge.
#include "scenarios/run.hpp"

#include "scenarios/judge.hpp"
#include "scenarios/system.hpp"
#include "scenarios/twin.hpp"

#include <algorithm>

namespace crier::scenario {

namespace {

constexpr Duration slice =
    std::chrono::milliseconds(250); // how often the run looks whether it is over
constexpr Duration hopeless_silence =
    std::chrono::seconds(150); // longer than any client's own deadline

std::string text_of(const Target& target) {
    switch (target.kind) {
    case Target::Kind::channel:
    case Target::Kind::name: break;
    case Target::Kind::leader_of: return "leader-of: " + target.name;
    case Target::Kind::coordinator_of: return "coordinator-of: " + target.name;
    }
    return target.name;
}

/// The loop of one run.
class Run {
public:
    Run(const Scenario& scenario, const ServiceTable& services, const RunOptions& options)
        : scenario_(scenario), options_(options),
          plan_(make_plan(scenario, options.seed, options.edits)),
          world_(world_options(scenario, options)),
          system_(world_, scenario, services, plan_, options.connections),
          judge_(world_.history(), scenario, system_) {
        world_.kernel().show_to(options.watch);
    }
    ~Run() { world_.end_processes(); }
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

    /// Returns what services have done until now.
    [[nodiscard]] std::vector<FinalEffects> effects() const {
        return final_effects(scenario_, system_);
    }

    RunResult operator()() {
        const std::vector<std::uint32_t> fault_ids = system_.add_faults(plan_);
        system_.start();
        const bool cut = !go();
        RunResult result;
        result.scenario = scenario_.name;
        result.scenario_hash = scenario_.hash;
        result.seed = options_.seed;
        result.interrupted = cut;
        result.quiet = quiet_;
        if (world_.broken()) {
            result.broken = world_.broken()->what + " (on " + world_.broken()->node + ")";
        }
        result.virtual_time = world_.now().time_since_epoch();
        judge_.finish(world_.now(), quiet_, cut, result);
        report_faults(fault_ids, result);
        for (const std::string& escaped : world_.escaped())
            result.remarks.push_back("an exception ended " + escaped);
        result.events = world_.history().count();
        result.steps = world_.kernel().steps();
        result.digest = world_.history().digest();
        if (options_.keep_history) {
            result.history.assign(world_.history().events().begin(),
                                  world_.history().events().end());
            result.texts = std::make_shared<sim::TextTable>(world_.history().texts());
            result.node_names = system_.node_names();
        }
        if (options_.keep_databases) {
            for (const DatabaseSpec& database : scenario_.databases) {
                for (broker::KeptDatabase& kept : system_.keep(database.name))
                    result.databases.push_back(std::move(kept));
            }
        }
        return result;
    }

private:
    static sim::WorldOptions world_options(const Scenario& scenario, const RunOptions& options) {
        sim::WorldOptions world;
        world.seed = options.seed;
        world.strategy = scenario.strategy;
        world.history.keep = options.keep_history;
        return world;
    }

    /// **Returns** false when the run was cut short or broke.
    bool go() {
        if (!storm_until(plan_.heal_at)) return false;
        world_.faults().heal();
        const Instant drain_end = plan_.heal_at + scenario_.drain;
        while (world_.now() < drain_end) {
            if (!advance(world_.now() + slice)) return false;
            const Duration silence = world_.now() - std::max(judge_.last_moved(), plan_.heal_at);
            const bool finished = judge_.open() == 0 && world_.now() >= plan_.load_end;
            if (silence >= (finished ? scenario_.settle : hopeless_silence)) {
                quiet_ = true;
                return true;
            }
        }
        return true;
    }

    bool storm_until(Instant end) {
        while (world_.now() < end) {
            if (!advance(std::min(end, world_.now() + slice))) return false;
            judge_.look(world_.now());
        }
        return true;
    }

    bool advance(Instant limit) {
        const bool last = options_.until && limit >= *options_.until;
        if (last) limit = *options_.until;
        if (!world_.run_until(limit)) return false;
        if (options_.interrupt != nullptr && options_.interrupt->load(std::memory_order_relaxed))
            return false;
        return !last;
    }

    void report_faults(const std::vector<std::uint32_t>& ids, RunResult& result) {
        for (std::size_t at = 0; at < ids.size(); ++at) {
            const PlannedFault& planned = plan_.faults[at];
            const sim::FaultRecord& record = world_.faults().records()[ids[at] - 1];
            FaultOutcome outcome;
            outcome.id = planned.id;
            outcome.kind = std::string(planned.name);
            outcome.target = text_of(planned.target);
            outcome.what = planned.what;
            outcome.began = record.began;
            outcome.withheld = record.withheld;
            outcome.hits = record.hits;
            if (record.withheld) {
                result.remarks.push_back("withheld by the fault budget: " + planned.what);
            } else if (record.hits == 0) {
                result.remarks.push_back("hit nothing: " + planned.what);
            }
            result.faults.push_back(std::move(outcome));
        }
    }

    const Scenario& scenario_;
    const RunOptions& options_;
    Plan plan_;
    sim::World world_;
    System system_;
    Judge judge_;
    bool quiet_ = false;
};

constexpr std::string_view twin_property = "effect-idempotent-value";

/// Runs the twin and compares, if there is reason to: the scenario expects it, and something was
/// handed out more than once.
void compare_with_twin(const Scenario& scenario, const ServiceTable& services,
                       const RunOptions& options, const std::vector<FinalEffects>& effects,
                       RunResult& result) {
    const auto found = std::find_if(
        result.properties.begin(), result.properties.end(),
        [](const properties::Verdict& each) { return each.property == twin_property; });
    if (found == result.properties.end() || found->observations == 0) return;
    if (result.interrupted || !result.broken.empty()) return;
    RunOptions without = options;
    without.keep_history = false;
    without.edits = without_faults(scenario, options.seed, options.edits);
    Run twin(scenario, services, without);
    const RunResult other = twin();
    result.interrupted = other.interrupted;
    if (!other.broken.empty()) result.broken = "in the run without faults: " + other.broken;
    if (other.interrupted || !other.broken.empty()) return;
    compare(effects, twin.effects(), Instant(result.virtual_time), *found);
    result.verdict = worst_of(result.properties);
}

} // namespace

RunResult run_scenario(const Scenario& scenario, const ServiceTable& services,
                       const RunOptions& options) {
    RunResult result;
    std::vector<FinalEffects> effects;
    {
        Run run(scenario, services, options);
        result = run();
        const bool is_expected =
            std::any_of(scenario.expectations.begin(), scenario.expectations.end(),
                        [](const Expectation& each) { return each.property == twin_property; });
        if (is_expected) effects = run.effects();
    }
    compare_with_twin(scenario, services, options, effects, result);
    return result;
}

std::vector<std::string> node_names(const Scenario& scenario, const ServiceTable& services) {
    sim::World world({});
    const Plan nothing;
    const System system(world, scenario, services, nothing);
    return system.node_names();
}

} // namespace crier::scenario
