#include "sim/node.hpp"

#include "sim/world.hpp"

namespace crier::sim {

void Program::stop(Duration, std::function<void()> done) {
    done();
}

Node::Node(World& world, std::uint32_t id, NodeOptions options)
    : world_(world), id_(id), options_(std::move(options)),
      name_text_(world.history().name(options_.name)), disk_(options_.disk) {}

Node::~Node() = default;

void Node::start() {
    ensure(!is_up(), "a node is started once at a time");
    powered_ = true;
    process_ = &world_.make_process(id_, ++incarnation_);
    world_.record_as(process_, events::started, incarnation_);
    // The program is built as a step of its own process, so that what it does is its own doing.
    Process* const process = process_;
    world_.kernel().post(*process, [this, process] {
        std::shared_ptr<Program> program = options_.entry(*this);
        if (process->is_alive()) program_ = program.get(); // it may have died while it was built
        process->own(std::move(program));
    });
}

void Node::crash(std::string_view how) {
    if (!is_up()) return;
    world_.record_as(process_, events::crashed, world_.history().name(how));
    program_ = nullptr;
    process_->kill();
    world_.network().process_died(*process_);
}

// The step in which the program says that it is done is its last.
void Node::stop(Duration grace) {
    if (!is_up()) return;
    Process* const process = process_;
    world_.record_as(process, events::stopping);
    world_.kernel().post(*process, [this, process, grace] {
        auto done = [this, process] {
            if (process->is_alive()) crash("stopped");
        };
        if (program_ == nullptr) return done();
        program_->stop(grace, std::move(done));
    });
}

void Node::lose_power(bool thorough) {
    static constexpr Purpose torn{"disk.power-loss"};
    if (!powered_) return;
    const Draw draw = world_.random().draw(torn, id_, incarnation_);
    const std::uint64_t lost = disk_.lose_unsynced(thorough ? std::nullopt : std::optional(draw));
    world_.record_as(process_, events::power_lost, lost);
    powered_ = false;
    program_ = nullptr;
    if (process_ != nullptr) process_->kill();
    world_.network().power_lost(id_);
}

void Node::pause(Duration expected) {
    if (!is_up()) return;
    world_.record_as(process_, events::paused, expected.count());
    process_->pause();
}

std::uint64_t Node::resume() {
    if (!is_up()) return 0;
    const std::uint64_t held_count = process_->resume();
    world_.record_as(process_, events::resumed);
    return held_count;
}

void Node::exception_escaped(std::string_view work, const std::exception_ptr& escaped) {
    std::string what = "an unknown exception"; // of a library, so nothing for the history
    try {
        std::rethrow_exception(escaped);
    } catch (const ContractViolation& violation) {
        world_.note_broken(violation.what());
        return;
    } catch (const std::exception& error) {
        what = error.what();
    } catch (...) { // anything may be thrown; it ends the process all the same
    }
    if (!is_up()) return;
    world_.record_as(process_, events::exception_escaped, world_.history().name(work));
    world_.note_escaped(name() + " in " + std::string(work) + ": " + what);
    crash("escaped exception");
    world_.kernel().at(world_.process(), world_.now() + options_.restart_delay, [this] {
        if (!is_up() && powered_) start();
    });
}

} // namespace crier::sim
