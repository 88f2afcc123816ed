#include "scenarios/fault_format.hpp"

#include "broker-model/kafka/protocol.hpp"
#include "broker-model/store/database_server.hpp"
#include "scenarios/service_program.hpp"

#include <algorithm>
#include <array>

namespace crier::scenario {

namespace {

using enum sim::FaultKind;
using Whom = FaultFormat::Whom;
using Amount = FaultFormat::Amount;

constexpr std::int64_t millisecond = 1'000'000;

constexpr std::array<FaultFormat, 27> formats{{
    {"crash", crash, "the process dies, and starts again over what its disk has"},
    {"power-loss", power_loss, "the machine dies: unsynced writes go"},
    {"stop", stop, "the process is told to stop, is killed after `for` if it has not, and starts"},
    {"pause", pause, "the process freezes while the world goes on"},
    {"partition", partition, "nothing passes between two sides", Whom::link},
    {"slow-link", slow_link, "latency grows `times`", Whom::link, true, false, Amount::times},
    {"lossy-link", lossy_link, "packets are lost", Whom::link, true, false, Amount::loss},
    {"reset", reset, "connections break", Whom::link, false},
    {"clock-jump", clock_jump, "the wall clock jumps `by`, and back after `for`", Whom::nodes, true,
     true, Amount::by},
    {"slow-disk", slow_disk, "the disk is `times` as slow", Whom::nodes, true, false,
     Amount::times},
    {"full-disk", full_disk, "the disk takes no new data"},
    {"failing-disk", failing_disk, "all reads, writes and syncs of a service's files fail",
     Whom::service},
    {"drop-request", drop_request, "a call vanishes on its way", Whom::calls, false},
    {"lose-answer", lose_answer, "a call is executed, and its answer vanishes", Whom::calls, false},
    {"delay-call", delay_call, "a call leaves late", Whom::calls},
    {"fail-call", fail_call, "a call is not executed but answered with an error", Whom::calls,
     false, false, Amount::error},
    {"stale-answer", stale_answer, "a call is answered with what was true before", Whom::calls,
     false},
    {"leader-change", act, "another replica in sync becomes the leader", Whom::leader, false, false,
     Amount::none, Story::leader_change},
    {"coordinator-move", act, "another broker becomes the group's coordinator", Whom::group, false,
     false, Amount::none, Story::coordinator_move},
    {"rebalance-storm", stop, "for so long, a member is stopped and started every few seconds",
     Whom::service, true, false, Amount::none, Story::rebalance_storm},
    {"rolling-deploy", stop, "one replica after the other is stopped, and starts after `for`",
     Whom::service, true, false, Amount::none, Story::rolling_deploy},
    {"slow-broker", slow_link, "the broker's links and disk are `times` as slow", Whom::broker,
     true, false, Amount::times, Story::slow_broker},
    {"zombie", pause, "a member freezes until its session is over, and then goes on", Whom::service,
     false, false, Amount::none, Story::zombie},
    {"old-log", power_loss, "a broker comes back without what it had not flushed", Whom::broker,
     true, false, Amount::none, Story::old_log},
    {"add-partitions", act, "a channel gets more partitions, so keys move", Whom::channel, false,
     false, Amount::partitions, Story::add_partitions},
    {"recreate-topic", act, "a channel is deleted with its records and commits, and made anew",
     Whom::channel, false, false, Amount::none, Story::recreate_topic},
    {"fail-over", act, "a database's primary is killed, and its replica promoted as it is",
     Whom::database, true, false, Amount::none, Story::fail_over},
}};

Key duration(std::string name, std::int64_t low, std::string help,
             KeyType type = KeyType::duration) {
    return {std::move(name), type, std::move(help), false, low, longest.count()};
}

Key required(Key key) {
    key.required = true;
    return key;
}

/// What a call must be for a fault that waits for one.
void add_call_keys(const FaultFormat& format, Keys& keys) {
    Key call{"call", KeyType::reference, "at a call from or to the target"};
    call.choices = call_names();
    call.required = format.is_call();
    keys.push_back(std::move(call));
    keys.push_back({"topic", KeyType::reference, "only calls about this channel"});
    keys.push_back({"partition", KeyType::reference, "only calls about `orders/0`"});
    keys.push_back({"group", KeyType::reference, "only calls about the group of this service"});
    if (!format.is_call()) return;
    keys.push_back({"strikes", KeyType::count_range, "how many calls; 1", false, 1, 1'000'000});
    keys.push_back({"always", KeyType::flag, "every call from then on; off"});
    Key chance{"chance", KeyType::share, "each call with this probability, again and again"};
    chance.high = 1'000'000;
    keys.push_back(std::move(chance));
    keys.push_back(duration("lasts", millisecond, "for so long from `at` or `every` on",
                            KeyType::duration_range));
}

Key amount_key(Amount amount) {
    switch (amount) {
    case Amount::times:
        return {"times", KeyType::count_range, "how many times", true, 2, 1'000'000};
    case Amount::loss:
        return {"loss", KeyType::share_range, "share of packets", true, 1, 1'000'000};
    case Amount::by:
        return {"by", KeyType::duration_range, "how far", true, -longest.count(), longest.count()};
    case Amount::partitions:
        return {"to", KeyType::count_range, "how many partitions in all", true, 2, 1'000};
    case Amount::error:
    case Amount::none: break;
    }
    return {"error", KeyType::reference, "the error's name, `NOT_COORDINATOR`", true};
}

} // namespace

std::vector<std::string> FaultFormat::ways() const {
    switch (whom) {
    case Whom::leader: return {"leader-of"};
    case Whom::group: return {"coordinator-of"};
    case Whom::channel: return {"channel"};
    case Whom::database:
    case Whom::service: return {"of", "any-of"};
    case Whom::nodes:
    case Whom::broker: return {"of", "any-of", "leader-of", "coordinator-of"};
    case Whom::link:
    case Whom::calls: break;
    }
    return {"of", "any-of", "leader-of", "coordinator-of", "between"};
}

std::span<const FaultFormat> fault_formats() {
    return formats;
}

Keys target_keys() {
    return {
        {"leader-of", KeyType::reference, "the leader of `orders/0` when it begins"},
        {"coordinator-of", KeyType::reference,
         "the coordinator of a consumer's group when it begins"},
    };
}

Keys fault_keys(const FaultFormat& format) {
    const std::vector<std::string> ways = format.ways();
    const auto has_way = [&ways](std::string_view way) {
        return std::find(ways.begin(), ways.end(), way) != ways.end();
    };
    Keys keys;
    if (has_way("of")) {
        keys.push_back({"of", KeyType::structure, "whom it befalls"});
        keys.back().structure = "target";
        keys.push_back({"any-of", KeyType::structure, "one of these is drawn each time"});
        keys.back().structure = "targets";
    }
    for (Key& key : target_keys()) {
        if (has_way(key.name)) keys.push_back(std::move(key));
    }
    if (has_way("channel")) keys.push_back({"channel", KeyType::reference, "which channel"});
    if (has_way("between")) {
        keys.push_back({"between", KeyType::structure,
                        format.is_call() ? "calls between two sides"
                                         : "two sides; with `of` everybody else is the other"});
        keys.back().structure = "sides";
    }
    if (format.is_link())
        keys.push_back({"one-way", KeyType::flag, "only from the first side to the other; off"});
    keys.push_back(duration("at", 0, "once, then"));
    keys.push_back(
        duration("every", millisecond, "again and again, at drawn distances with this mean"));
    if (format.story == Story::none) {
        add_call_keys(format, keys);
        if (format.takes_points())
            keys.push_back({"point", KeyType::reference, "when the target reaches a named point"});
        keys.push_back({"nth", KeyType::count_range, "which time; 1", false, 1, 1'000'000'000});
    }
    if (format.lasts) {
        Key length = duration("for", millisecond, "how long", KeyType::duration_range);
        keys.push_back(format.for_ever ? std::move(length) : required(std::move(length)));
    }
    if (format.amount != Amount::none) keys.push_back(amount_key(format.amount));
    return keys;
}

std::vector<CallFormat> call_formats() {
    namespace calls = broker::kafka::calls;
    constexpr auto kafka = CallFormat::Errors::kafka;
    constexpr auto store = CallFormat::Errors::store;
    return {
        {calls::metadata.name, CallFormat::Errors::none, true},
        {calls::produce.name, kafka},
        {calls::init_producer_id.name, kafka},
        {calls::fetch.name, kafka, true},
        {calls::replica_fetch.name, kafka},
        {calls::list_offsets.name, kafka, true},
        {calls::delete_records.name, kafka},
        {calls::offsets_for_leader_epoch.name, kafka},
        {calls::find_coordinator.name, kafka, true},
        {calls::create_topics.name, kafka},
        {calls::create_partitions.name, kafka},
        {calls::delete_topics.name, kafka},
        {calls::join_group.name, kafka},
        {calls::sync_group.name, kafka},
        {calls::heartbeat.name, kafka},
        {calls::leave_group.name, kafka},
        {calls::offset_commit.name, kafka},
        {calls::offset_fetch.name, kafka, true},
        {calls::add_partitions_to_txn.name, kafka},
        {calls::verify_partitions.name},
        {calls::add_offsets_to_txn.name, kafka},
        {calls::end_txn.name, kafka},
        {calls::write_txn_markers.name},
        {calls::txn_offset_commit.name, kafka},
        {calls::consumer_group_heartbeat.name, kafka},
        {calls::share_group_heartbeat.name, kafka},
        {calls::share_fetch.name, kafka},
        {calls::share_acknowledge.name, kafka},
        {calls::read_share_state.name, kafka},
        {calls::write_share_state.name, kafka},
        {calls::delete_group.name, kafka},
        {calls::offset_delete.name, kafka},
        {calls::register_broker.name},
        {calls::broker_heartbeat.name},
        {calls::alter_partition.name},
        {broker::sql_statement.name, store},
        {broker::sql_execute.name, store},
        {broker::sql_commit.name, store},
        {broker::sql_rollback.name},
        {broker::sql_listen.name, store},
        {broker::sql_notification.name},
        {broker::sql_stream_open.name, store},
        {broker::sql_stream_read.name, store},
        {broker::sql_stream_confirm.name, store},
        {broker::sql_replicate.name},
        {input_call.name},
    };
}

std::vector<std::string> call_names() {
    std::vector<std::string> names;
    for (const CallFormat& call : call_formats())
        names.emplace_back(call.name);
    return names;
}

std::vector<std::string> error_names(CallFormat::Errors errors) {
    std::vector<std::string> names;
    if (errors == CallFormat::Errors::kafka) {
        for (const kafka::ErrorCode code : kafka::error_codes())
            names.push_back(make_error_code(code).message());
    } else if (errors == CallFormat::Errors::store) {
        for (int code = 1; code <= static_cast<int>(StoreError::read_only); ++code) {
            names.push_back(make_error_code(static_cast<StoreError>(code)).message());
            std::replace(names.back().begin(), names.back().end(), ' ', '-');
        }
    }
    return names;
}

std::optional<std::int64_t> find_error(CallFormat::Errors errors, std::string_view name) {
    if (errors == CallFormat::Errors::kafka) {
        const std::optional<kafka::ErrorCode> code = kafka::find_error(name);
        if (!code || *code == kafka::ErrorCode::none) return std::nullopt;
        return static_cast<std::int64_t>(*code);
    }
    const std::vector<std::string> names = error_names(errors);
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) return std::nullopt;
    return found - names.begin() + 1; // store errors count from 1
}

} // namespace crier::scenario
