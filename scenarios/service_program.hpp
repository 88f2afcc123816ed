#pragma once

#include "broker-model/kafka/client/client.hpp"
#include "broker-model/store/embedded/embedded_database.hpp"
#include "broker-model/store/sim_change_streams.hpp"
#include "broker-model/store/sim_notifications.hpp"
#include "broker-model/store/sim_store.hpp"
#include "scenarios/service.hpp"
#include "sim/network.hpp"
#include "sim/process_ports.hpp"

#include <map>
#include <memory>
#include <string>

namespace crier::scenario {

/// The request by which a load client hands an input to a service.
inline constexpr sim::CallKind input_call{"input"};

/// What the service says of it.
enum class InputAnswer { done, failed, unknown };

/// Where services find databases and brokers by name; lives as long as the world.
struct Directory {
    std::map<std::string, broker::Database*> databases;
    std::map<std::string, broker::EmbeddedDatabase*> files;
    std::map<std::string, broker::kafka::Cluster*> cluster_of_channel;
};

/// The program of a service's node: the service with its context, both in this life of the process.
class ServiceProgram final : public sim::Program, private ServiceContext {
public:
    ServiceProgram(sim::Node& node, const Directory& directory, const ServiceSpec& spec,
                   const ServiceType& type, std::int32_t replica);

    /// Hands an input to the service and answers when it is done.
    void take(Input input, sim::Reply<InputAnswer> reply);

    void stop(Duration grace, std::function<void()> done) override;

private:
    ProcessPorts ports() override { return process_.ports(); }
    const std::string& service() const override { return spec_.name; }
    std::int32_t replica() const override { return replica_; }
    Store& store(const std::string& name) override;
    Notifications* notifications(const std::string& name) override;
    ChangeStreams* change_streams(const std::string& name) override;
    kafka::Client& kafka_for(const std::string& channel) override { return client_for(channel); }
    kafka::ShareClient& kafka_share_for(const std::string& channel) override {
        return client_for(channel);
    }
    bool flag(std::string_view option) const override { return get<bool>(option); }
    std::int64_t count(std::string_view option) const override { return get<std::int64_t>(option); }
    Duration duration(std::string_view option) const override { return get<Duration>(option); }
    sim::Probability share(std::string_view option) const override {
        return get<sim::Probability>(option);
    }
    std::string text(std::string_view option) const override;
    bool has(std::string_view option) const override;
    const WatchSpec& effects() const override;

    broker::Database& database(const std::string& name) const;
    broker::kafka::SimKafkaClient& client_for(const std::string& channel);
    template <class T>
    T get(std::string_view option) const;

    sim::Node& node_;
    const Directory& directory_;
    const ServiceSpec& spec_;
    std::int32_t replica_;
    sim::ProcessPorts process_;
    std::map<std::string, std::unique_ptr<Store>> stores_;
    std::map<std::string, std::unique_ptr<broker::SimNotifications>> notifications_;
    std::map<std::string, std::unique_ptr<broker::SimChangeStreams>> change_streams_;
    std::map<std::string, std::unique_ptr<broker::kafka::SimKafkaClient>>
        clients_; // by channel's cluster
    std::unique_ptr<Service> service_;
};

} // namespace crier::scenario
