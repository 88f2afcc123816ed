#include "scenarios/service_program.hpp"

#include "broker-model/store/embedded/embedded_store.hpp"
#include "messaging/ports/ensure.hpp"

namespace crier::scenario {

namespace {

asio::awaitable<void> carry_out(Service& service, Input input, sim::Reply<InputAnswer> reply) {
    const Outcome<void> done = co_await service.input(std::move(input));
    if (done) {
        reply(InputAnswer::done);
    } else {
        reply(is_unknown(done.error()) ? InputAnswer::unknown : InputAnswer::failed);
    }
}

asio::awaitable<void> shut_down(Service& service, Duration grace, std::function<void()> done) {
    co_await service.stop(grace);
    done();
}

} // namespace

asio::awaitable<Outcome<void>> Service::input(Input) {
    ensure(false, "this service takes no inputs");
    co_return Outcome<void>{};
}

asio::awaitable<void> Service::stop(Duration) {
    co_return;
}

ServiceProgram::ServiceProgram(sim::Node& node, const Directory& directory, const ServiceSpec& spec,
                               const ServiceType& type, std::int32_t replica)
    : node_(node), directory_(directory), spec_(spec), replica_(replica), process_(node),
      service_(type.make(*this)) {
    process_.spawn("run", service_->run());
}

void ServiceProgram::take(Input input, sim::Reply<InputAnswer> reply) {
    process_.spawn("input", carry_out(*service_, std::move(input), std::move(reply)));
}

void ServiceProgram::stop(Duration grace, std::function<void()> done) {
    process_.spawn("stop", shut_down(*service_, grace, std::move(done)));
}

broker::Database& ServiceProgram::database(const std::string& name) const {
    const auto found = directory_.databases.find(name);
    ensure(found != directory_.databases.end(), "the scenario has no such database");
    return *found->second;
}

Store& ServiceProgram::store(const std::string& name) {
    std::unique_ptr<Store>& store = stores_[name];
    if (store) return *store;
    if (const auto file = directory_.files.find(name); file != directory_.files.end()) {
        store = std::make_unique<broker::EmbeddedStore>(*file->second, node_, process_);
    } else {
        store = std::make_unique<broker::SimStore>(database(name), node_, process_);
    }
    return *store;
}

Notifications* ServiceProgram::notifications(const std::string& name) {
    if (directory_.files.contains(name)) return nullptr; // a file tells nobody
    std::unique_ptr<broker::SimNotifications>& made = notifications_[name];
    if (!made) made = std::make_unique<broker::SimNotifications>(database(name), node_);
    return made.get();
}

ChangeStreams* ServiceProgram::change_streams(const std::string& name) {
    if (directory_.files.contains(name)) return nullptr;
    std::unique_ptr<broker::SimChangeStreams>& made = change_streams_[name];
    if (!made) made = std::make_unique<broker::SimChangeStreams>(database(name), node_);
    return made.get();
}

broker::kafka::SimKafkaClient& ServiceProgram::client_for(const std::string& channel) {
    const auto found = directory_.cluster_of_channel.find(channel);
    ensure(found != directory_.cluster_of_channel.end(), "the scenario has no such channel");
    broker::kafka::Cluster& cluster = *found->second;
    std::unique_ptr<broker::kafka::SimKafkaClient>& client = clients_[cluster.options().name];
    if (!client) client = std::make_unique<broker::kafka::SimKafkaClient>(cluster, node_, process_);
    return *client;
}

std::string ServiceProgram::text(std::string_view option) const {
    return has(option) ? get<std::string>(option) : std::string();
}

bool ServiceProgram::has(std::string_view option) const {
    return spec_.options.contains(std::string(option));
}

const WatchSpec& ServiceProgram::effects() const {
    ensure(spec_.effects.has_value(), "the service declares no effects");
    return *spec_.effects;
}

template <class T>
T ServiceProgram::get(std::string_view option) const {
    const auto found = spec_.options.find(std::string(option));
    ensure(found != spec_.options.end(),
           "the service's type lists no such option, or it was not given");
    const T* const value = std::get_if<T>(&found->second);
    ensure(value != nullptr, "the option is of another type");
    return *value;
}

} // namespace crier::scenario
