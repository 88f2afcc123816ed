#pragma once

#include "messaging/ports/change_stream.hpp"
#include "messaging/ports/kafka.hpp"
#include "messaging/ports/kafka_share.hpp"
#include "messaging/ports/notifications.hpp"
#include "messaging/ports/process.hpp"
#include "messaging/ports/store.hpp"
#include "properties/topology.hpp"
#include "scenarios/scenario.hpp"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// The table of services: what `is: …` in a scenario can name, and what a team adds to it.

namespace crier::scenario {

/// What an option of a service may hold.
enum class OptionType { flag, count, duration, share, choice, text, database, channel };

struct OptionInfo {
    std::string name; ///< As in YAML: `dead-letter`, or `retry.backoff` for `retry: {backoff: …}`.
    OptionType type = OptionType::text;
    std::optional<OptionValue> fallback; ///< None: the option must be given, unless `optional`.
    bool optional = false;               ///< May be absent without a value.
    std::vector<std::string> choices;    ///< For OptionType::choice.
    std::string help;
    std::optional<std::int64_t> low = std::nullopt; ///< Least count, or duration in nanoseconds …
    std::optional<std::int64_t> high =
        std::nullopt; ///< … and greatest; none: 1 to 1,000,000; 0s to 24h.
};

/// One input from outside: a command that the service is asked to carry out.
struct Input {
    std::string id;  ///< The same for every retry.
    std::string key; ///< The aggregate that it concerns.
    bool poison = false;
    std::uint64_t number = 0; ///< Of the plan, from 0.
};

/// What a service is built from: ports, its options, and its place. Outlives the service.
class ServiceContext {
public:
    virtual ~ServiceContext() = default;

    [[nodiscard]] virtual ProcessPorts ports() = 0;
    /// `billing`: also the group with which to subscribe and the service that dead letters name
    /// (`messaging/dead_letters.hpp`); by these the checkers know what is whose.
    [[nodiscard]] virtual const std::string& service() const = 0;
    [[nodiscard]] virtual std::int32_t replica() const = 0; ///< From 1.

    /// Returns the database of that name. **Requires** that the scenario has it.
    [[nodiscard]] virtual Store& store(const std::string& database) = 0;

    /// Returns the notifications of that database, or null: it has none.
    [[nodiscard]] virtual Notifications* notifications(const std::string& database) = 0;

    /// Returns the change streams of that database, or null: it has none.
    [[nodiscard]] virtual ChangeStreams* change_streams(const std::string& database) = 0;

    /// Returns the Kafka client of the broker on which that channel is.
    [[nodiscard]] virtual kafka::Client& kafka_for(const std::string& channel) = 0;

    /// The same, for members of share groups.
    [[nodiscard]] virtual kafka::ShareClient& kafka_share_for(const std::string& channel) = 0;

    /// Typed access to options; **requires** that the service type lists them with that type.
    [[nodiscard]] virtual bool flag(std::string_view option) const = 0;
    [[nodiscard]] virtual std::int64_t count(std::string_view option) const = 0;
    [[nodiscard]] virtual Duration duration(std::string_view option) const = 0;
    [[nodiscard]] virtual sim::Probability share(std::string_view option) const = 0;
    /// Choice, text, database or channel; empty when an optional one is absent.
    [[nodiscard]] virtual std::string text(std::string_view option) const = 0;
    [[nodiscard]] virtual bool has(std::string_view option) const = 0;

    /// Returns the table whose rows are this service's effects. **Requires** that it declares one.
    [[nodiscard]] virtual const WatchSpec& effects() const = 0;
};

/// A running service, of the simulator's or of a team's making. Destroyed when its process dies.
class Service {
public:
    virtual ~Service() = default;

    /// Runs until `stop`; whatever escapes ends the process.
    [[nodiscard]] virtual asio::awaitable<void> run() = 0;

    /// Takes one input. **Errors**: as its store and broker say; the client retries all but
    /// success.
    [[nodiscard]] virtual asio::awaitable<Outcome<void>> input(Input input);

    /// Shuts down within `grace`.
    [[nodiscard]] virtual asio::awaitable<void> stop(Duration grace);
};

/// One row of the table.
struct ServiceType {
    std::string is;
    std::string summary;
    std::vector<OptionInfo> options;
    bool takes_inputs = false;
    std::string database_option; ///< Option that names its database, for `effects` and `accepts`.
    std::string from_option;     ///< Option that names the channel it subscribes to; empty: none.
    std::string to_option;       ///< Option that names the channel it publishes to; empty: none.
    std::string dead_letter_option; ///< Option that names its dead-letter channel; empty: none.
    std::string
        attempts_option; ///< Option with the attempts before parking; empty: it does not park.
    std::optional<WatchSpec> accepts; ///< Table (without database) of accepted events by default.
    std::optional<WatchSpec> effects; ///< Table (without database) of effects by default.
    std::vector<std::string_view> points; ///< Names for faults and sweeps.
    bool shares_database = false; ///< Other processes must see its database: it can be no file.
    std::function<std::unique_ptr<Service>(ServiceContext&)> make;
    /// Returns what is wrong with options that are right one by one; unset: nothing.
    std::function<std::vector<std::string>(const ServiceSpec&)> check = nullptr;
    /// Returns what of its options only a database server has, when its database is a file; unset:
    /// nothing.
    std::function<std::vector<std::string>(const ServiceSpec&)> check_file = nullptr;
    /// Returns the tables of its messaging by default; unset: it has none, or does not say.
    std::function<FollowedTables(const ServiceSpec&)> follows = nullptr;
    /// Returns what checkers must know of the group that it subscribes as; unset: nothing known.
    std::function<properties::GroupTraits(const ServiceSpec&)> group = nullptr;
};

class ServiceTable {
public:
    /// Adds a row. **Requires** a name that is not there yet.
    ServiceTable& add(ServiceType type);

    /// Returns the row, or null.
    [[nodiscard]] const ServiceType* find(std::string_view is) const;
    [[nodiscard]] std::span<const ServiceType> rows() const { return rows_; }

private:
    std::vector<ServiceType> rows_;
};

/// Returns the table with the stock services: outbox-producer, outbox-relay, outbox-service,
/// consumer, copier.
[[nodiscard]] ServiceTable stock_services();

} // namespace crier::scenario
