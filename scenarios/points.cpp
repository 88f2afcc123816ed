#include "scenarios/points.hpp"

#include "scenarios/file_databases.hpp"

namespace crier::scenario {

namespace {

std::string name_in(const std::string& address) {
    return address.substr(0, address.rfind('/'));
}

} // namespace

std::vector<std::string> disk_points() {
    return {"disk.write", "disk.sync"};
}

std::vector<std::string> file_points() {
    return {"disk.read", "disk.write", "disk.truncate", "disk.sync", "disk.delete"};
}

std::vector<std::string> points_of(const Scenario& scenario, const ServiceTable& services,
                                   const std::string& address) {
    const std::string name = name_in(address);
    std::vector<std::string> points;
    if (find_named(scenario.databases, name) != nullptr) {
        if (is_file(scenario, name)) return points;
        points = disk_points();
    } else if (const ServiceSpec* const service = find_named(scenario.services, name)) {
        const ServiceType& type = *services.find(service->is);
        for (const std::string_view point : type.points)
            points.emplace_back(point);
        if (has_files(scenario, *service, type)) {
            for (std::string& point : file_points())
                points.push_back(std::move(point));
        }
    } else if (find_named(scenario.brokers, name) == nullptr) {
        return points;
    }
    points.emplace_back(sim::await_point);
    return points;
}

std::int64_t member_count(const Scenario& scenario, const std::string& name) {
    if (const ServiceSpec* const service = find_named(scenario.services, name))
        return service->replicas;
    if (const BrokerSpec* const broker = find_named(scenario.brokers, name))
        return broker->kafka.nodes;
    const DatabaseSpec* const database = find_named(scenario.databases, name);
    const bool has_replica = database != nullptr && database->replica != broker::Replication::none;
    return has_replica ? 2 : 0;
}

std::vector<std::string> members_of(const Scenario& scenario, const std::string& address) {
    const std::int64_t count = member_count(scenario, address);
    if (count == 0) return {address};
    std::vector<std::string> members;
    for (std::int64_t member = 1; member <= count; ++member)
        members.push_back(address + "/" + std::to_string(member));
    return members;
}

} // namespace crier::scenario
