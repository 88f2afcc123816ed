#pragma once

#include "broker-model/kafka/log/log_options.hpp"
#include "broker-model/kafka/share_limits.hpp"
#include "broker-model/store/database.hpp"
#include "broker-model/store/embedded/file_options.hpp"
#include "messaging/ports/clock.hpp"
#include "properties/property.hpp"
#include "sim/faults.hpp"
#include "sim/random.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

// What a scenario file says, as plain values with production's defaults.

namespace crier::scenario {

/// A place in a scenario file, both from 1.
struct Place {
    int line = 0;
    int column = 0;
};

struct DurationRange {
    Duration low{};
    Duration high{};

    friend bool operator==(const DurationRange&, const DurationRange&) = default;
};

struct KafkaSpec {
    std::int32_t nodes = 3;
    Duration replica_lag_time_max = std::chrono::seconds(30);
    Duration broker_session_timeout = std::chrono::seconds(9);
    Duration group_initial_rebalance_delay = std::chrono::seconds(3);
    Duration log_retention_check_interval = std::chrono::minutes(5);
    bool eligible_leader_replicas = false;
    Duration leader_imbalance_check_interval = std::chrono::minutes(5);
    std::int64_t producer_byte_rate = 0; ///< 0: no quota.
    std::int64_t consumer_byte_rate = 0;
    Duration log_cleaner_backoff = std::chrono::seconds(15);
    std::int32_t transaction_version = 2;
    bool transaction_partition_verification = true;
    Duration offsets_retention = std::chrono::hours(168);
    Duration offsets_retention_check_interval = std::chrono::minutes(10);
    bool offsets_expire_by_commit = false;
    broker::kafka::ShareLimits share;
};

struct BrokerSpec {
    std::string name;
    KafkaSpec kafka;
};

struct ChannelSpec {
    std::string name;
    std::string on; ///< A broker.
    std::int32_t partitions = 1;
    std::int32_t replication = 1;
    std::int32_t min_in_sync = 1;
    bool unclean_leader_election = false;
    broker::kafka::LogOptions log;
    bool dead_letters = false; ///< Some service names it as its dead-letter channel.
};

struct DatabaseSpec {
    std::string name;
    bool synchronous = true; ///< Of a server; false: a commit may be lost with the power.
    broker::Replication replica = broker::Replication::none;
    std::size_t max_connections = broker::DatabaseOptions().max_connections;
    std::size_t pool_size = broker::DatabaseOptions().pool_size;
    Duration pool_wait = broker::DatabaseOptions().pool_wait;
    std::optional<broker::FileOptions> file; ///< It is no server, but a file of each process.
};

/// The value of one option of a service, as its type in the service table says.
using OptionValue = std::variant<bool, std::int64_t, Duration, sim::Probability, std::string>;

/// Whose rows count: `effects: {table: charges, identity: order_id, key: customer}`.
struct WatchSpec {
    std::string database; ///< The service's own unless named.
    std::string table;
    std::string identity;
    std::string key;        ///< Column of the aggregate; empty: none.
    std::string value = {}; ///< Column of what matters of an effect besides; empty: none.

    friend bool operator==(const WatchSpec&, const WatchSpec&) = default;
};

/// A table of a service's messaging, whose rows are followed where a property needs it.
struct FollowSpec {
    std::string database; ///< The service's own unless named.
    std::string table;
    std::string identity;                       ///< Column that tells one row from another.
    std::string key;                            ///< Column of the aggregate; empty: none.
    std::map<std::string, std::string> columns; ///< By their roles: `owner` is `claimed_by`.
    std::string only_column; ///< Not empty: only rows with `only_value` there are the service's.
    std::string only_value;
    bool keeps = false;   ///< Of an outbox: rows stay when published, until somebody purges them.
    Duration retention{}; ///< Of an inbox: how long it promises to remember; 0: for ever.

    friend bool operator==(const FollowSpec&, const FollowSpec&) = default;
};

/// What a service keeps of messages in its database.
struct FollowedTables {
    std::optional<FollowSpec> outbox; ///< From which it publishes.
    std::optional<FollowSpec> leader; ///< The row that says which relay of the outbox leads.
    std::optional<FollowSpec> inbox;  ///< In which it remembers what it has handled.
};

struct ServiceSpec {
    std::string name;
    std::string is; ///< A row of the service table.
    std::int32_t replicas = 1;
    std::map<std::string, OptionValue> options; ///< All of its type's options, defaults filled in.
    std::optional<WatchSpec> effects;
    std::optional<WatchSpec> accepts; ///< Durable rows of this table are accepted events.
    FollowedTables followed;
    Place place;
};

enum class Arrival { constant, poisson, bursts };

struct LoadSpec {
    std::string to; ///< A service that takes inputs.
    Arrival arrival = Arrival::constant;
    std::uint64_t per_minute = 0; ///< Rate; `20/s` is 1200.
    Duration start{};
    Duration length{};
    std::uint64_t burst = 1;   ///< Inputs of one burst.
    std::uint64_t keys = 100;  ///< Distinct aggregates.
    std::uint32_t skew = 0;    ///< Percent of inputs that go to the first key; the rest uniform.
    sim::Probability poison{}; ///< Share of inputs that no handler can ever process.
    std::uint32_t clients = 1; ///< Load nodes that share the inputs.
};

/// Whom a fault befalls. `billing` any replica, `billing/2` one, `leader-of: orders/0`, a database.
struct Target {
    enum class Kind { name, leader_of, coordinator_of, channel };
    Kind kind = Kind::name;
    std::string name;

    friend bool operator==(const Target&, const Target&) = default;
};

/// A fault that is a whole story: what it is made of is planned as faults of its own.
enum class Story {
    none,
    leader_change,    ///< Another replica in sync leads the partition.
    coordinator_move, ///< … that has the group's offsets, and thereby coordinates it.
    rebalance_storm,  ///< Members of the group are stopped and started one after the other.
    rolling_deploy,   ///< Every replica of the service is stopped and started, in order.
    slow_broker,      ///< Its links and its disk are slow.
    zombie,           ///< A member freezes for longer than its session, and goes on.
    old_log,          ///< A broker comes back without anything that it had not flushed.
    add_partitions,   ///< A channel gets more partitions: keys move.
    recreate_topic,   ///< A channel is deleted with all it has, and made anew.
    fail_over,        ///< A database's primary is killed, and its replica is promoted.
};

struct FaultRule {
    enum class When { at, every, call, point };

    std::string_view name; ///< As scenarios write it; empty: that of its kind.
    sim::FaultKind kind = sim::FaultKind::crash;
    Story story = Story::none;
    std::vector<Target> targets; ///< One is drawn each time.
    std::vector<Target> peers;   ///< Other side of a link fault; empty: everybody else.
    bool one_way = false;
    When when = When::every;
    Duration at{};    ///< When::at; of a fault of calls: those before do not count.
    Duration every{}; ///< When::every: mean distance; each is drawn in [half, one and a half].
    std::string call; ///< When::call
    std::vector<std::string> about; ///< Topic, partition, group that the call must concern.
    std::int64_t strikes_low = 1;   ///< Calls that a fault of calls befalls; 0: all …
    std::int64_t strikes_high = 1;
    sim::Probability chance{1'000'000}; ///< … with this probability …
    DurationRange window;               ///< … for so long.
    std::string error;                  ///< What a failing call is answered with.
    std::string point;                  ///< When::point
    std::uint32_t nth_low = 1;          ///< Of call and point; drawn in the range.
    std::uint32_t nth_high = 1;
    DurationRange length;        ///< How long it lasts.
    std::int64_t amount_low = 0; ///< Slowness, loss per million, clock nanoseconds.
    std::int64_t amount_high = 0;
    Place place;
};

/// How much may fail together such that correct code must still hold.
struct FaultBudget {
    std::int32_t brokers_down =
        1; ///< Of one cluster; a broker counts as down until it is in sync again.
};

struct SqlProperty {
    enum class When { end, always }; ///< `always`: at every quiet moment and at the end.
    std::string name;
    std::string database;
    std::string query;
    When when = When::end;
    std::optional<std::string> equals; ///< The one value expected; none: expected to be empty.
    Place place;
};

struct Expectation {
    std::string property; ///< A name of the catalogue of properties.
    properties::PropertyOptions options;
    Place place;
};

struct Scenario {
    std::string name;        ///< The file's stem.
    std::string file;        ///< As it was given.
    std::string description; ///< Its `about:`.
    std::uint64_t hash = 0;  ///< Of the file's bytes.
    std::vector<BrokerSpec> brokers;
    std::vector<ChannelSpec> channels;
    std::vector<DatabaseSpec> databases;
    std::vector<ServiceSpec> services;
    std::vector<LoadSpec> load;
    std::vector<FaultRule> faults;
    FaultBudget budget;
    std::vector<Expectation> expectations;
    std::vector<SqlProperty> sql;
    Duration settle = std::chrono::seconds(5); ///< Silence after which a finished run is over.
    Duration drain = std::chrono::minutes(5);  ///< The longest wait for that after healing.
    sim::StrategyKind strategy = sim::StrategyKind::random;
};

/// Returns the one of that name, or null. `Specs` is one of the lists above.
template <class Specs>
[[nodiscard]] auto* find_named(Specs& specs, const std::string& name) {
    const auto found = std::find_if(specs.begin(), specs.end(),
                                    [&name](const auto& spec) { return spec.name == name; });
    return found == specs.end() ? nullptr : &*found;
}

} // namespace crier::scenario
