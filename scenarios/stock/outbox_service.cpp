// What takes orders and publishes their events itself, from an outbox that only its own process
// need see: the natural user of a database in a file.
#include "scenarios/stock/outbox_service.hpp"

#include "scenarios/stock/outbox_producer.hpp"
#include "scenarios/stock/outbox_relay.hpp"

#include <algorithm>

namespace crier::scenario {

namespace {

class OutboxService final : public Service {
public:
    explicit OutboxService(ServiceContext& context)
        : producer_(outbox_producer().make(context)), relay_(outbox_relay().make(context)) {}

    asio::awaitable<void> run() override {
        co_await producer_->run(); // makes its tables
        co_await relay_->run();
    }

    asio::awaitable<Outcome<void>> input(Input input) override {
        return producer_->input(std::move(input));
    }

    asio::awaitable<void> stop(Duration grace) override { return relay_->stop(grace); }

private:
    std::unique_ptr<Service> producer_;
    std::unique_ptr<Service> relay_;
};

// In a file no transactions overlap, so a position that is missing is missing for good.
std::vector<std::string> only_on_servers(const ServiceSpec& spec) {
    const auto is = [&spec](const char* option, const char* value) {
        return std::get<std::string>(spec.options.at(option)) == value;
    };
    std::vector<std::string> problems;
    if (std::get<bool>(spec.options.at("notify")) || is("wake", "notification"))
        problems.emplace_back("a file tells nobody of its commits: `wake: poll`");
    if (is("relay-by", "change-stream")) problems.emplace_back("a file has no change stream");
    if (is("relay-by", "cursor") && is("gaps", "transactions"))
        problems.emplace_back("a file cannot be asked for transactions: `gaps: ignored`");
    return problems;
}

} // namespace

ServiceType outbox_service() {
    const ServiceType producer = outbox_producer();
    ServiceType type = outbox_relay();
    type.is = "outbox-service";
    type.summary = "takes orders as an outbox-producer, and publishes them as an outbox-relay";
    for (const OptionInfo& option : producer.options) {
        if (option.name == "lock-customer" || option.name == "notify" || option.name == "key")
            type.options.push_back(option);
    }
    type.takes_inputs = true;
    type.shares_database = false;
    type.accepts = producer.accepts;
    type.points.insert(type.points.begin(), producer.points.begin(), producer.points.end());
    type.check_file = only_on_servers;
    type.make = [](ServiceContext& context) { return std::make_unique<OutboxService>(context); };
    return type;
}

} // namespace crier::scenario
