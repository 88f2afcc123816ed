#include "scenarios/load_client.hpp"

#include "scenarios/events.hpp"
#include "sim/world.hpp"

namespace crier::scenario {

namespace {

constexpr Duration answer_timeout = std::chrono::seconds(5);
constexpr Duration retry_wait_min = std::chrono::milliseconds(200);
constexpr Duration retry_wait_max = std::chrono::milliseconds(2000);

std::string_view name_of(const Outcome<InputAnswer>& answer) {
    if (!answer)
        return is_unknown(answer.error()) ? "may have been done (no answer)" : "was refused";
    switch (answer.value()) {
    case InputAnswer::done: return "is done";
    case InputAnswer::failed: return "failed";
    case InputAnswer::unknown: return "may have been done (the service does not know)";
    }
    return "";
}

} // namespace

LoadClient::LoadClient(sim::Node& node, std::vector<const PlannedInput*> inputs,
                       std::vector<sim::Node*> replicas)
    : node_(node), inputs_(std::move(inputs)), replicas_(std::move(replicas)), process_(node) {
    process_.spawn("load", send_all());
}

asio::awaitable<void> LoadClient::send_all() {
    for (const PlannedInput* planned : inputs_) {
        const Duration wait = planned->at - process_.now();
        if (wait > Duration{}) co_await process_.sleep(wait);
        process_.spawn("input", send(*planned));
    }
}

asio::awaitable<void> LoadClient::send(const PlannedInput& planned) {
    static constexpr sim::Purpose replica_draw{"load.replica"};
    static constexpr sim::Purpose wait_draw{"load.retry-wait"};
    sim::World& world = node_.world();
    const std::uint64_t message = world.history().text(planned.input.id);
    const std::uint64_t key = world.history().text(planned.input.key);
    const std::uint64_t number = planned.input.number;
    for (std::uint64_t attempt = 1;; ++attempt) {
        const sim::Draw choice = world.random().draw(replica_draw, number, attempt);
        sim::Node& replica = *replicas_[choice.below(replicas_.size())];
        world.record(events::input_sent, message, key, replica.id(), attempt);
        sim::CallOptions options;
        options.timeout = answer_timeout;
        options.subject = sim::mix(message, attempt);
        auto serve = [input = planned.input, &replica](sim::Process&,
                                                       sim::Reply<InputAnswer> reply) mutable {
            auto* const service = static_cast<ServiceProgram*>(replica.program());
            if (service == nullptr) return reply(InputAnswer::failed); // up, but not begun
            service->take(std::move(input), std::move(reply));
        };
        const Outcome<InputAnswer> answer = co_await world.network().call<InputAnswer>(
            node_.process(), replica, input_call, options, std::move(serve));
        world.record(events::input_answered, message, world.history().name(name_of(answer)));
        if (answer && answer.value() == InputAnswer::done) co_return;
        const sim::Draw wait = world.random().draw(wait_draw, number, attempt);
        co_await process_.sleep(wait.between(retry_wait_min, retry_wait_max));
    }
}

} // namespace crier::scenario
