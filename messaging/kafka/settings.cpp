#include "messaging/kafka/settings.hpp"

#include "messaging/ports/ensure.hpp"

#include <algorithm>

namespace crier::messaging::kafka {

namespace {

using crier::kafka::Acks;
using crier::kafka::Isolation;
using crier::kafka::OffsetReset;

/// Rounds up, so that a positive duration never becomes "at once".
std::string milliseconds(Duration duration) {
    return std::to_string(std::chrono::ceil<std::chrono::milliseconds>(duration).count());
}

std::string boolean(bool value) {
    return value ? "true" : "false";
}

std::string acks_name(Acks acks) {
    switch (acks) {
    case Acks::none: return "0";
    case Acks::leader: return "1";
    case Acks::all: break;
    }
    return "all";
}

std::string reset_name(OffsetReset reset) {
    switch (reset) {
    case OffsetReset::earliest: return "earliest";
    case OffsetReset::none: return "error";
    case OffsetReset::by_duration: ensure(false, "librdkafka has no policy by_duration"); break;
    case OffsetReset::latest: break;
    }
    return "latest";
}

std::string assignor_name(crier::kafka::Assignor assignor) {
    using crier::kafka::Assignor;
    ensure(assignor != Assignor::sticky, "librdkafka has no eager sticky assignor");
    if (assignor == Assignor::cooperative_sticky) return "cooperative-sticky";
    return assignor == Assignor::range ? "range" : "roundrobin";
}

/// librdkafka's names. **Requires** those that it has. It refuses to mix eager and cooperative
/// ones, where Java is eager: so the cooperative ones are left out beside others.
std::string assignor_names(const std::vector<crier::kafka::Assignor>& assignors) {
    const bool cooperative = crier::kafka::is_cooperative(assignors);
    std::string names;
    for (const crier::kafka::Assignor assignor : assignors) {
        const bool is_extra = assignor == crier::kafka::Assignor::cooperative_sticky;
        if (is_extra && !cooperative) continue;
        names += names.empty() ? "" : ",";
        names += assignor_name(assignor);
    }
    return names;
}

} // namespace

Settings producer_settings(const crier::kafka::ProducerOptions& options) {
    Settings settings{
        {"acks", acks_name(options.acks)},
        {"batch.size", std::to_string(options.batch_size)},
        {"enable.idempotence", boolean(crier::kafka::is_idempotent(options))},
        {"linger.ms", milliseconds(options.linger)},
        {"max.in.flight.requests.per.connection", std::to_string(options.max_in_flight)},
        {"message.send.max.retries", std::to_string(options.retries)},
        {"message.timeout.ms", milliseconds(options.delivery_timeout)},
        {"partitioner", "murmur2_random"},
        {"request.timeout.ms", milliseconds(options.request_timeout)},
        {"retry.backoff.ms", milliseconds(options.retry_backoff)},
        {"retry.backoff.max.ms", milliseconds(options.retry_backoff_max)},
        {"socket.timeout.ms", milliseconds(options.request_timeout)},
    };
    if (!options.client_id.empty()) settings.emplace("client.id", options.client_id);
    if (!options.transactional_id.empty()) {
        settings.emplace("transactional.id", options.transactional_id);
        settings.emplace("transaction.timeout.ms", milliseconds(options.transaction_timeout));
        // librdkafka refuses to wait for a record beyond its transaction.
        settings["message.timeout.ms"] =
            milliseconds(std::min(options.delivery_timeout, options.transaction_timeout));
    }
    return settings;
}

Settings consumer_settings(const crier::kafka::ConsumerOptions& options) {
    ensure(options.group_protocol == crier::kafka::GroupProtocol::classic,
           "this librdkafka speaks the classic group protocol only");
    Settings settings{
        {"auto.commit.interval.ms", milliseconds(options.auto_commit_interval)},
        {"auto.offset.reset", reset_name(options.auto_offset_reset)},
        {"check.crcs", "true"},
        {"enable.auto.commit", boolean(options.enable_auto_commit)},
        {"enable.auto.offset.store", "false"},
        {"enable.partition.eof", "false"},
        {"fetch.max.bytes", std::to_string(options.fetch_max_bytes)},
        {"fetch.min.bytes", std::to_string(options.fetch_min_bytes)},
        {"fetch.wait.max.ms", milliseconds(options.fetch_max_wait)},
        {"group.id", options.group_id},
        {"heartbeat.interval.ms", milliseconds(options.heartbeat_interval)},
        {"isolation.level",
         options.isolation == Isolation::read_committed ? "read_committed" : "read_uncommitted"},
        {"max.partition.fetch.bytes", std::to_string(options.max_partition_fetch_bytes)},
        {"max.poll.interval.ms", milliseconds(options.max_poll_interval)},
        {"partition.assignment.strategy", assignor_names(options.assignors)},
        {"session.timeout.ms", milliseconds(options.session_timeout)},
        {"socket.timeout.ms", milliseconds(options.request_timeout)},
    };
    if (!options.client_id.empty()) settings.emplace("client.id", options.client_id);
    if (!options.group_instance_id.empty()) {
        settings.emplace("group.instance.id", options.group_instance_id);
    }
    return settings;
}

} // namespace crier::messaging::kafka
