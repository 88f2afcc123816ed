#include "tests/conformance/client_program.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

namespace crier::conformance {
namespace {

using nlohmann::json;

constexpr std::array<std::pair<Action, const char*>, 26> action_names{{
    {Action::open_producer, "open-producer"},
    {Action::send, "send"},
    {Action::close_producer, "close-producer"},
    {Action::kill_producer, "kill-producer"},
    {Action::begin, "begin"},
    {Action::send_offsets, "send-offsets"},
    {Action::commit_transaction, "commit-transaction"},
    {Action::abort_transaction, "abort-transaction"},
    {Action::await_timeout, "await-timeout"},
    {Action::open_consumer, "open-consumer"},
    {Action::settle, "settle"},
    {Action::read, "read"},
    {Action::idle, "idle"},
    {Action::commit, "commit"},
    {Action::seek, "seek"},
    {Action::pause, "pause"},
    {Action::resume, "resume"},
    {Action::stall, "stall"},
    {Action::wake, "wake"},
    {Action::close_consumer, "close-consumer"},
    {Action::kill_consumer, "kill-consumer"},
    {Action::open_share, "open-share"},
    {Action::work, "work"},
    {Action::hold, "hold"},
    {Action::await_locks, "await-locks"},
    {Action::accept_held, "accept-held"},
}};

std::int64_t milliseconds(Duration duration) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

std::string acks_name(kafka::Acks acks) {
    switch (acks) {
    case kafka::Acks::none: return "0";
    case kafka::Acks::leader: return "1";
    case kafka::Acks::all: break;
    }
    return "all";
}

std::string reset_name(kafka::OffsetReset reset) {
    switch (reset) {
    case kafka::OffsetReset::earliest: return "earliest";
    case kafka::OffsetReset::none: return "none";
    case kafka::OffsetReset::latest: break;
    }
    return "latest";
}

std::string assignor_name(kafka::Assignor assignor) {
    switch (assignor) {
    case kafka::Assignor::range: return "range";
    case kafka::Assignor::round_robin: return "roundrobin";
    case kafka::Assignor::cooperative_sticky: return "cooperative-sticky";
    case kafka::Assignor::sticky: break;
    }
    return "sticky";
}

json producer_json(const kafka::ProducerOptions& options, const std::string& prefix) {
    json made{{"acks", acks_name(options.acks)},
              {"enable.idempotence", kafka::is_idempotent(options)},
              {"max.in.flight.requests.per.connection", options.max_in_flight},
              {"batch.size", options.batch_size},
              {"linger.ms", milliseconds(options.linger)},
              {"request.timeout.ms", milliseconds(options.request_timeout)},
              {"delivery.timeout.ms", milliseconds(options.delivery_timeout)},
              {"max.block.ms", milliseconds(options.max_block)}};
    if (!options.transactional_id.empty()) {
        made["transactional.id"] = prefix + options.transactional_id;
        made["transaction.timeout.ms"] = milliseconds(options.transaction_timeout);
    }
    return made;
}

json member_json(const MemberOptions& options, const std::string& prefix) {
    json topics = json::array();
    for (const std::string& topic : options.topics)
        topics.push_back(prefix + topic);
    return {{"group", prefix + options.group},
            {"topics", topics},
            {"reset", reset_name(options.reset)},
            {"assignor", assignor_name(options.assignor)},
            {"auto-commit", options.auto_commit},
            {"committed-only", options.isolation == kafka::Isolation::read_committed},
            {"explicit", options.is_explicit},
            {"new-protocol", options.protocol == kafka::GroupProtocol::consumer},
            {"max-poll-records", options.max_poll_records},
            {"max-poll-interval-ms", milliseconds(options.max_poll_interval)}};
}

json record_json(const kafka::ProducerRecord& record, const std::string& prefix) {
    json made{{"topic", prefix + record.topic}, {"value", record.value}};
    if (record.partition) made["partition"] = *record.partition;
    if (record.key) made["key"] = *record.key;
    return made;
}

bool is_opening(Action action) {
    return action == Action::open_consumer || action == Action::open_share;
}

json step_json(const Step& step, const std::string& prefix) {
    json made{{"do", name_of(step.action)}};
    if (!step.client.empty()) made["client"] = step.client;
    if (!step.group.empty()) made["group"] = prefix + step.group;
    if (step.action == Action::open_producer)
        made["options"] = producer_json(step.producer, prefix);
    if (is_opening(step.action)) made["options"] = member_json(step.member, prefix);
    for (const auto& [value, verdicts] : step.verdicts)
        made["verdicts"][value] = verdicts;
    for (const kafka::ProducerRecord& record : step.records)
        made["records"].push_back(record_json(record, prefix));
    if (!step.place.topic.empty()) {
        made["topic"] = prefix + step.place.topic;
        made["partition"] = step.place.partition;
        made["offset"] = step.place.offset;
    }
    if (step.action == Action::commit) made["back"] = step.back;
    return made;
}

kafka::TopicPartitionOffset place_of(const json& from, const std::string& prefix) {
    kafka::TopicPartitionOffset place;
    place.topic = from.at("topic").get<std::string>();
    if (place.topic.starts_with(prefix)) place.topic.erase(0, prefix.size());
    place.partition = from.at("partition").get<std::int32_t>();
    place.offset = from.value("offset", kafka::Offset{0});
    return place;
}

Seen seen_of(const json& from, const std::string& prefix) {
    Seen seen;
    seen.kind = from.at("kind").get<std::string>();
    seen.client = from.at("client").get<std::string>();
    for (const json& place : from.at("places"))
        seen.places.push_back(place_of(place, prefix));
    if (from.contains("key")) seen.key = from.at("key").get<std::string>();
    seen.value = from.value("value", std::string());
    seen.error = from.value("error", std::string());
    seen.deliveries = from.value("deliveries", 0);
    seen.verdict = from.value("verdict", std::string());
    return seen;
}

SentRecord sent_of(const json& from, const std::string& prefix) {
    SentRecord sent;
    sent.place = place_of(from, prefix);
    sent.error = from.value("error", std::string());
    sent.unknown = from.value("unknown", false);
    return sent;
}

std::string list_of(const std::vector<kafka::TopicPartitionOffset>& places, bool offsets) {
    std::string text;
    for (const kafka::TopicPartitionOffset& place : places) {
        const std::string name = place.topic + "/" + std::to_string(place.partition);
        text += " " + (offsets ? to_text(place) : name);
    }
    return text;
}

std::string options_text(const Step& step) {
    if (step.action == Action::open_producer) {
        const kafka::ProducerOptions& options = step.producer;
        return " acks " + acks_name(options.acks) +
               (kafka::is_idempotent(options) ? ", idempotent" : "") +
               (options.transactional_id.empty()
                    ? ""
                    : ", id " + options.transactional_id + " for " +
                          std::to_string(milliseconds(options.transaction_timeout)) + " ms") +
               ", linger " + std::to_string(milliseconds(options.linger)) + " ms, batches of " +
               std::to_string(options.batch_size);
    }
    if (!is_opening(step.action)) return "";
    std::string text = " in " + step.member.group + ":";
    for (const std::string& topic : step.member.topics)
        text += " " + topic;
    if (step.action == Action::open_share)
        return text + (step.member.is_explicit ? ", says what of each, polls " : ", polls ") +
               std::to_string(step.member.max_poll_records);
    const bool is_new = step.member.protocol == kafka::GroupProtocol::consumer;
    const bool is_careful = step.member.isolation == kafka::Isolation::read_committed;
    return text + (is_new ? ", new protocol, " : ", ") + assignor_name(step.member.assignor) +
           (is_careful ? ", committed only, " : ", ") + reset_name(step.member.reset) +
           (step.member.auto_commit ? ", commits by itself" : "") + ", polls " +
           std::to_string(step.member.max_poll_records);
}

std::string record_text(const kafka::ProducerRecord& record) {
    std::string text = record.topic;
    if (record.partition) text += "/" + std::to_string(*record.partition);
    if (record.key) text += " " + *record.key + "=";
    return text + (record.key ? "" : " ") + record.value;
}

} // namespace

std::string name_of(Action action) {
    for (const auto& [known, name] : action_names) {
        if (known == action) return name;
    }
    throw std::logic_error("an action without a name");
}

bool is_transactional(const Step& step) {
    switch (step.action) {
    case Action::open_producer: return !step.producer.transactional_id.empty();
    case Action::begin:
    case Action::commit_transaction:
    case Action::abort_transaction: return true;
    default: return false;
    }
}

std::string to_json(const Program& program, const std::string& prefix) {
    json made{{"topics", json::array()}, {"steps", json::array()}};
    for (const ProgramTopic& topic : program.topics) {
        made["topics"].push_back({{"name", prefix + topic.name},
                                  {"partitions", topic.partitions},
                                  {"replication", topic.replication},
                                  {"min.insync.replicas", topic.min_insync}});
    }
    for (const Step& step : program.steps)
        made["steps"].push_back(step_json(step, prefix));
    return made.dump();
}

History history_of(const std::string& text, const std::string& prefix) {
    const json parsed = json::parse(text, nullptr, false);
    if (!parsed.is_object() || !parsed.contains("steps")) {
        throw std::runtime_error("the driver answers: " + text);
    }
    History history;
    for (const json& step : parsed.at("steps")) {
        StepAnswer& answer = history.emplace_back();
        answer.error = step.value("error", std::string());
        answer.end = std::chrono::milliseconds(step.value("end-ms", std::int64_t{0}));
        for (const json& sent : step.at("sent"))
            answer.sent.push_back(sent_of(sent, prefix));
        for (const json& seen : step.at("seen"))
            answer.seen.push_back(seen_of(seen, prefix));
    }
    return history;
}

std::string to_text(const kafka::TopicPartitionOffset& place) {
    return kafka::place_of_record(place.topic, place.partition, place.offset);
}

std::string to_text(const Seen& seen) {
    const bool offsets = seen.kind != "assigned" && seen.kind != "revoked" && seen.kind != "lost";
    return seen.client + " " + seen.kind + list_of(seen.places, offsets) +
           (seen.value.empty() ? "" : " " + seen.value) +
           (seen.deliveries == 0 ? "" : " for the " + std::to_string(seen.deliveries) + ". time") +
           (seen.verdict.empty() ? "" : " " + seen.verdict) +
           (seen.error.empty() ? "" : " " + seen.error);
}

std::string to_text(const Step& step) {
    std::string text = name_of(step.action);
    if (!step.client.empty()) text += " " + step.client;
    if (!step.group.empty()) text += " " + step.group;
    text += options_text(step);
    if (!step.place.topic.empty()) text += " " + to_text(step.place);
    if (step.action == Action::commit) text += " back " + std::to_string(step.back);
    for (const kafka::ProducerRecord& record : step.records)
        text += (&record == step.records.data() ? ": " : ", ") + record_text(record);
    for (const auto& [value, verdicts] : step.verdicts)
        text += "; " + value + " " + verdicts;
    return text;
}

std::string to_text(const Program& program) {
    std::string text;
    for (const ProgramTopic& topic : program.topics) {
        text += "topic " + topic.name + ": " + std::to_string(topic.partitions) +
                " partitions, replicas " + std::to_string(topic.replication) + "\n";
    }
    for (std::size_t at = 0; at < program.steps.size(); ++at)
        text += std::to_string(at) + " " + to_text(program.steps[at]) + "\n";
    return text;
}

} // namespace crier::conformance
