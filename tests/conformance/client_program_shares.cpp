// The steps of a program that members of share groups take.

#include "tests/conformance/client_program_run.hpp"

#include <utility>

namespace crier::conformance {

using kafka::AcknowledgeType;
using kafka::ShareRecord;

namespace {

constexpr Duration turn = std::chrono::milliseconds(25); // of one member's poll

AcknowledgeType type_of(char verdict) {
    if (verdict == 'r') return AcknowledgeType::release;
    return verdict == 'j' ? AcknowledgeType::reject : AcknowledgeType::accept;
}

char verdict_on(const Step& step, const ShareRecord& record) {
    const auto verdicts = step.verdicts.find(record.record.value);
    const auto at = static_cast<std::size_t>(record.delivery_count - 1);
    const bool is_said = verdicts != step.verdicts.end() && at < verdicts->second.size();
    return is_said ? verdicts->second[at] : 'a';
}

} // namespace

void ProgramRunner::open_share(const Step& step) {
    kafka::ShareConsumerOptions options;
    options.client_id = step.client;
    options.group_id = prefix_ + step.member.group;
    options.acknowledgement_mode = step.member.is_explicit
                                       ? kafka::AcknowledgementMode::explicit_each
                                       : kafka::AcknowledgementMode::implicit_all;
    options.max_poll_records = step.member.max_poll_records;
    options.fetch_max_wait = std::chrono::milliseconds(20);
    Worker& worker = workers_[step.client];
    worker.group = step.member.group;
    worker.is_explicit = step.member.is_explicit;
    worker.consumer = shares_->share_consumer(std::move(options));
    std::vector<std::string> topics;
    for (const std::string& topic : step.member.topics)
        topics.push_back(prefix_ + topic);
    worker.consumer->subscribe(std::move(topics));
}

asio::awaitable<std::vector<ShareRecord>> ProgramRunner::receive(const std::string& client,
                                                                 StepAnswer& answer) {
    Outcome<std::vector<ShareRecord>> polled = co_await workers_.at(client).consumer->poll(turn);
    if (!polled) {
        Seen& seen = answer.seen.emplace_back();
        seen.kind = "failed";
        seen.client = client;
        seen.error = polled.error().code.message();
        co_return std::vector<ShareRecord>();
    }
    for (const ShareRecord& record : *polled) {
        Seen& seen = answer.seen.emplace_back();
        seen.kind = "given";
        seen.client = client;
        seen.places.push_back({record.record.topic.substr(prefix_.size()), record.record.partition,
                               record.record.offset});
        seen.key = record.record.key;
        seen.value = record.record.value;
        seen.deliveries = record.delivery_count;
    }
    co_return std::move(*polled);
}

asio::awaitable<void> ProgramRunner::tell_verdicts(const std::string& client, StepAnswer& answer) {
    const std::vector<kafka::AcknowledgementOutcome> outcomes =
        co_await workers_.at(client).consumer->commit();
    for (const kafka::AcknowledgementOutcome& outcome : outcomes) {
        Seen& seen = answer.seen.emplace_back();
        seen.kind = "acknowledged";
        seen.client = client;
        seen.places.push_back(
            {outcome.partition.topic.substr(prefix_.size()), outcome.partition.partition, 0});
        if (!outcome.outcome) seen.error = outcome.outcome.error().code.message();
    }
}

asio::awaitable<void> ProgramRunner::work(const Step& step, StepAnswer& answer) {
    Named missing;
    for (const kafka::ProducerRecord& record : step.records)
        missing.insert({record.topic, *record.partition, record.value});
    for (const auto& done : done_)
        missing.erase(done);
    const Instant give_up = clock_.now() + program_step_limit;
    while (!missing.empty() && clock_.now() < give_up) {
        for (auto& [client, worker] : workers_) {
            if (worker.group != step.group || !worker.held.empty()) continue;
            const std::size_t known = answer.seen.size();
            const std::vector<ShareRecord> records = co_await receive(client, answer);
            for (std::size_t at = 0; at < records.size(); ++at) {
                const char verdict = verdict_on(step, records[at]);
                Seen& seen = answer.seen[known + at];
                seen.verdict = std::string(1, verdict);
                if (worker.is_explicit) worker.consumer->acknowledge(records[at], type_of(verdict));
                if (verdict == 'r' && seen.deliveries < share_deliveries) continue;
                missing.erase({seen.places[0].topic, seen.places[0].partition, seen.value});
                done_.insert({seen.places[0].topic, seen.places[0].partition, seen.value});
            }
            if (!records.empty()) co_await tell_verdicts(client, answer);
        }
    }
    if (!missing.empty()) answer.error = "NOT_DONE";
    co_await clock_.sleep(share_fetch_end);
}

asio::awaitable<void> ProgramRunner::hold(const Step& step, StepAnswer& answer) {
    std::vector<ShareRecord>& held = workers_.at(step.client).held;
    const Instant give_up = clock_.now() + program_step_limit;
    while (held.empty() && clock_.now() < give_up)
        held = co_await receive(step.client, answer);
    if (held.empty()) answer.error = "NOT_GIVEN";
}

asio::awaitable<void> ProgramRunner::accept_held(const Step& step, StepAnswer& answer) {
    Worker& worker = workers_.at(step.client);
    for (const ShareRecord& record : worker.held) {
        if (worker.is_explicit) worker.consumer->acknowledge(record, AcknowledgeType::accept);
    }
    const std::size_t known = answer.seen.size();
    co_await tell_verdicts(step.client, answer);
    std::set<kafka::TopicPartition> refused;
    for (std::size_t at = known; at < answer.seen.size(); ++at) {
        const kafka::TopicPartitionOffset& place = answer.seen[at].places[0];
        if (!answer.seen[at].error.empty()) refused.insert({place.topic, place.partition});
    }
    for (const ShareRecord& record : std::exchange(worker.held, {})) {
        const std::string topic = record.record.topic.substr(prefix_.size());
        if (refused.contains({topic, record.record.partition})) continue;
        done_.insert({topic, record.record.partition, record.record.value});
    }
}

} // namespace crier::conformance
