// The steps of a program that producers take.

#include "tests/conformance/client_program_member.hpp"

#include <stdexcept>
#include <utility>

namespace crier::conformance {

using kafka::TopicPartition;
using kafka::TopicPartitionOffset;

namespace {

Seen& note_done(const std::string& client, StepAnswer& answer) {
    Seen& seen = answer.seen.emplace_back();
    seen.kind = "done";
    seen.client = client;
    return seen;
}

} // namespace

asio::awaitable<void> ProgramRunner::open_producer(const Step& step, StepAnswer& answer) {
    if (step.producer.transactional_id.empty()) {
        producers_[step.client] = client_.producer(step.producer);
        co_return;
    }
    kafka::ProducerOptions options = step.producer;
    options.transactional_id.insert(0, prefix_);
    Writer writer;
    writer.id = options.transactional_id;
    writer.producer = client_.transactional_producer(std::move(options));
    const Outcome<void> outcome = co_await writer.producer->init();
    Seen& seen = note_done(step.client, answer);
    if (!outcome) seen.error = outcome.error().code.message();
    std::vector<std::string> fenced;
    for (const auto& [name, other] : writers_) {
        if (other.id == writer.id) fenced.push_back(name);
    }
    for (const std::string& name : fenced)
        co_await await_markers(name, answer);
    writers_[step.client] = std::move(writer);
}

void ProgramRunner::drop_producer(const std::string& client) {
    producers_.erase(client);
    const auto writer = writers_.find(client);
    if (writer != writers_.end()) writer->second.producer.reset();
}

asio::awaitable<void> ProgramRunner::send(const Step& step, StepAnswer& answer) {
    std::vector<kafka::ProducerRecord> records = step.records;
    for (kafka::ProducerRecord& record : records)
        record.topic.insert(0, prefix_);
    const auto writer = writers_.find(step.client);
    const bool is_plain = writer == writers_.end();
    kafka::Producer& producer = is_plain ? *producers_.at(step.client) : *writer->second.producer;
    const std::vector<Outcome<kafka::RecordMetadata>> outcomes =
        co_await producer.send(std::move(records));
    for (std::size_t at = 0; at < outcomes.size(); ++at) {
        SentRecord& sent = answer.sent.emplace_back();
        sent.place.topic = step.records[at].topic;
        sent.place.partition = step.records[at].partition.value_or(-1);
        sent.place.offset = -1;
        if (outcomes[at]) {
            sent.place.partition = outcomes[at]->partition;
            sent.place.offset = outcomes[at]->offset;
            const TopicPartition place{prefix_ + sent.place.topic, sent.place.partition};
            ends_[place] = std::max(ends_[place], sent.place.offset + 1);
            if (!is_plain) writer->second.touched.insert(place);
        } else {
            sent.error = outcomes[at].error().code.message();
            sent.unknown = is_unknown(outcomes[at].error());
        }
    }
}

asio::awaitable<void> ProgramRunner::move_transaction(const Step& step, StepAnswer& answer) {
    kafka::TransactionalProducer& producer = *writers_.at(step.client).producer;
    Outcome<void> outcome;
    bool is_refused = false;
    try {
        if (step.action == Action::begin) producer.begin();
        if (step.action == Action::commit_transaction) outcome = co_await producer.commit();
        if (step.action == Action::abort_transaction) outcome = co_await producer.abort();
    } catch (const std::logic_error&) {
        is_refused = true;
    }
    Seen& seen = note_done(step.client, answer);
    if (is_refused) seen.error = "WRONG_PHASE";
    if (!outcome) seen.error = outcome.error().code.message();
    const bool is_over = step.action != Action::begin && seen.error.empty();
    if (is_over) co_await await_markers(step.client, answer);
}

/// Waits until each partition of what the producer had begun ends with a marker behind all records
/// that anybody was told of.
asio::awaitable<void> ProgramRunner::await_markers(const std::string& client, StepAnswer& answer) {
    if (!observer_) {
        kafka::ConsumerOptions options;
        options.group_id = prefix_ + "observer";
        options.enable_auto_commit = false;
        observer_ = client_.consumer(std::move(options));
    }
    const Instant give_up = clock_.now() + program_step_limit;
    const std::set<TopicPartition> touched = std::exchange(writers_.at(client).touched, {});
    for (const TopicPartition& place : touched) {
        for (;;) {
            const std::vector<TopicPartition> asked{place};
            const Outcome<std::vector<TopicPartitionOffset>> found =
                co_await observer_->end_offsets(asked);
            if (found && found->front().offset > ends_[place]) break;
            if (clock_.now() > give_up) {
                answer.error = "NOT_DECIDED";
                co_return;
            }
            co_await clock_.sleep(std::chrono::milliseconds(10));
        }
        ++ends_[place];
    }
}

asio::awaitable<void> ProgramRunner::send_offsets(const Step& step, StepAnswer& answer) {
    const std::vector<Member*> members = polling_members(step.group);
    for (Member* member : members) {
        std::vector<TopicPartitionOffset> offsets;
        Seen seen;
        seen.kind = "offered";
        seen.client = member->name;
        for (const kafka::ProducerRecord& record : step.records) {
            const auto position =
                member->positions.find({prefix_ + record.topic, *record.partition});
            if (position == member->positions.end()) continue;
            offsets.push_back({position->first.topic, *record.partition, position->second});
            seen.places.push_back({record.topic, *record.partition, position->second});
        }
        if (offsets.empty()) continue;
        kafka::GroupMetadata group = member->consumer->group_metadata();
        kafka::TransactionalProducer& producer = *writers_.at(step.client).producer;
        const Outcome<void> outcome =
            co_await producer.send_offsets(std::move(offsets), std::move(group));
        if (!outcome) seen.error = outcome.error().code.message();
        answer.seen.push_back(std::move(seen));
    }
}

} // namespace crier::conformance
