#include "tests/conformance/client_program_member.hpp"

#include <algorithm>
#include <utility>

namespace crier::conformance {

using kafka::TopicPartition;
using kafka::TopicPartitionOffset;

namespace {

constexpr Duration turn = std::chrono::milliseconds(25); // of one member's poll
/// A cooperative rebalance may be followed by another, which heartbeats tell.
constexpr Duration cooperative_wait = 3 * member_heartbeat_interval;
/// By the new protocol who has nothing new is told nothing, so it takes as long as a new target and
/// the heartbeats that bring it about.
constexpr Duration new_protocol_wait = std::chrono::milliseconds(1000);
constexpr Duration idle_time = std::chrono::milliseconds(300);

} // namespace

ProgramRunner::ProgramRunner(kafka::Client& client, Clock& clock, std::string prefix,
                             kafka::ShareClient* shares)
    : client_(client), clock_(clock), prefix_(std::move(prefix)), shares_(shares) {}

ProgramRunner::~ProgramRunner() = default;

asio::awaitable<void> ProgramRunner::run(const Program& program, History& history) {
    for (const ProgramTopic& topic : program.topics)
        partitions_[prefix_ + topic.name] = topic.partitions;
    const Instant begin = clock_.now();
    for (const Step& step : program.steps) {
        StepAnswer answer;
        co_await take(step, answer);
        answer.end = clock_.now() - begin;
        for (const auto& [name, member] : members_)
            member->answer = nullptr;
        history.push_back(std::move(answer));
    }
    producers_.clear();
    writers_.clear();
    for (const auto& [name, worker] : workers_)
        co_await worker.consumer->close();
    workers_.clear();
    for (const auto& [name, member] : members_)
        co_await member->consumer->close();
    members_.clear();
}

asio::awaitable<void> ProgramRunner::take(const Step& step, StepAnswer& answer) {
    for (const auto& [name, member] : members_)
        member->answer = &answer;
    switch (step.action) {
    case Action::open_producer: co_await open_producer(step, answer); break;
    case Action::send: co_await send(step, answer); break;
    case Action::close_producer:
    case Action::kill_producer: drop_producer(step.client); break;
    case Action::begin:
    case Action::commit_transaction:
    case Action::abort_transaction: co_await move_transaction(step, answer); break;
    case Action::send_offsets: co_await send_offsets(step, answer); break;
    case Action::await_timeout: co_await await_markers(step.client, answer); break;
    case Action::open_consumer: open_consumer(step); break;
    case Action::settle: co_await settle(step, answer); break;
    case Action::read: co_await read(step, answer); break;
    case Action::idle: co_await idle(step, answer); break;
    case Action::commit: co_await commit(step, answer); break;
    case Action::seek:
    case Action::pause:
    case Action::resume: on_owner(step, answer); break;
    case Action::stall:
    case Action::wake:
        members_.at(step.client)->is_stalled = step.action == Action::stall;
        await_news(members_.at(step.client)->group);
        break;
    case Action::close_consumer: co_await close_consumer(step.client, answer); break;
    case Action::open_share: open_share(step); break;
    case Action::work: co_await work(step, answer); break;
    case Action::hold: co_await hold(step, answer); break;
    case Action::await_locks: co_await clock_.sleep(2 * share_lock); break;
    case Action::accept_held: co_await accept_held(step, answer); break;
    case Action::kill_consumer: {
        if (workers_.erase(step.client) > 0) break;
        const std::string group = members_.at(step.client)->group;
        members_.erase(step.client);
        await_news(group);
        break;
    }
    }
}

void ProgramRunner::open_consumer(const Step& step) {
    kafka::ConsumerOptions options;
    options.client_id = step.client;
    options.group_id = prefix_ + step.member.group;
    options.enable_auto_commit = step.member.auto_commit;
    options.auto_commit_interval = std::chrono::milliseconds(500);
    options.auto_offset_reset = step.member.reset;
    options.assignors = {step.member.assignor};
    options.max_poll_records = step.member.max_poll_records;
    options.session_timeout = member_session_timeout;
    options.heartbeat_interval = member_heartbeat_interval;
    options.max_poll_interval = step.member.max_poll_interval;
    options.isolation = step.member.isolation;
    options.group_protocol = step.member.protocol;
    const bool has_new_protocol = step.member.protocol == kafka::GroupProtocol::consumer;
    const bool is_range = step.member.assignor == kafka::Assignor::range;
    if (has_new_protocol) options.group_remote_assignor = is_range ? "range" : "uniform";
    options.fetch_max_wait = std::chrono::milliseconds(20);
    auto member = std::make_unique<Member>();
    member->name = step.client;
    member->group = step.member.group;
    member->is_cooperative = step.member.assignor == kafka::Assignor::cooperative_sticky;
    member->has_new_protocol = has_new_protocol;
    member->prefix_size = prefix_.size();
    for (const std::string& topic : step.member.topics)
        member->topics.push_back(prefix_ + topic);
    member->consumer = client_.consumer(std::move(options));
    member->consumer->subscribe(member->topics, member.get());
    members_[step.client] = std::move(member);
    await_news(step.member.group);
}

asio::awaitable<void> ProgramRunner::close_consumer(const std::string& client, StepAnswer& answer) {
    if (const auto worker = workers_.find(client); worker != workers_.end()) {
        co_await worker->second.consumer->close();
        workers_.erase(worker);
        co_await clock_.sleep(share_fetch_end);
        co_return;
    }
    const std::string group = members_.at(client)->group;
    members_.at(client)->answer = &answer;
    co_await members_.at(client)->consumer->close();
    members_.erase(client);
    await_news(group);
}

std::vector<ProgramRunner::Member*> ProgramRunner::polling_members(const std::string& group) {
    std::vector<Member*> found;
    for (const auto& [name, member] : members_) {
        if (member->group == group && !member->is_stalled) found.push_back(member.get());
    }
    return found;
}

void ProgramRunner::await_news(const std::string& group) {
    for (const auto& [name, member] : members_) {
        if (member->group == group) member->has_news = false;
    }
}

// Who has not heard of the last change holds what somebody else was given since, or nothing.
bool ProgramRunner::is_settled(const std::vector<Member*>& members) const {
    std::set<TopicPartition> missing;
    for (const Member* member : members) {
        for (const std::string& topic : member->topics) {
            for (int index = 0; index < partitions_.at(topic); ++index)
                missing.insert({topic, index});
        }
    }
    for (const Member* member : members) {
        if (!member->has_news && !member->has_new_protocol) return false;
        for (const TopicPartition& held : member->consumer->assignment()) {
            if (missing.erase(held) == 0) return false;
        }
    }
    return missing.empty();
}

asio::awaitable<void> ProgramRunner::poll(Member& member, StepAnswer& answer) {
    Outcome<std::vector<kafka::ConsumerRecord>> polled = co_await member.consumer->poll(turn);
    if (!polled) {
        Seen& seen = answer.seen.emplace_back();
        seen.kind = "failed";
        seen.client = member.name;
        seen.error = polled.error().code.message();
        co_return;
    }
    for (kafka::ConsumerRecord& record : *polled) {
        member.positions[{record.topic, record.partition}] = record.offset + 1;
        Seen& seen = answer.seen.emplace_back();
        seen.kind = "record";
        seen.client = member.name;
        seen.places.push_back(
            {record.topic.substr(prefix_.size()), record.partition, record.offset});
        seen.key = std::move(record.key);
        seen.value = std::move(record.value);
    }
}

asio::awaitable<void> ProgramRunner::settle(const Step& step, StepAnswer& answer) {
    const std::vector<Member*> members = polling_members(step.group);
    const Instant give_up = clock_.now() + program_step_limit;
    Duration wait{};
    for (const Member* member : members) {
        if (member->is_cooperative) wait = cooperative_wait;
        if (member->has_new_protocol) wait = new_protocol_wait;
    }
    Instant unsettled = clock_.now();
    for (;;) {
        if (!is_settled(members)) {
            unsettled = clock_.now();
        } else if (wait == Duration{} || clock_.now() - unsettled > wait) {
            co_return;
        }
        for (Member* member : members)
            co_await poll(*member, answer);
        if (clock_.now() <= give_up) continue;
        answer.error = "NOT_SETTLED";
        co_return;
    }
}

asio::awaitable<void> ProgramRunner::read(const Step& step, StepAnswer& answer) {
    const std::vector<Member*> members = polling_members(step.group);
    std::set<std::tuple<std::string, std::int32_t, std::string>> missing;
    for (const kafka::ProducerRecord& record : step.records)
        missing.insert({record.topic, *record.partition, record.value});
    const Instant give_up = clock_.now() + program_step_limit;
    while (!missing.empty()) {
        const std::size_t known = answer.seen.size();
        for (Member* member : members)
            co_await poll(*member, answer);
        for (std::size_t at = known; at < answer.seen.size(); ++at) {
            const Seen& seen = answer.seen[at];
            if (seen.kind != "record") continue;
            missing.erase({seen.places[0].topic, seen.places[0].partition, seen.value});
        }
        if (clock_.now() <= give_up || missing.empty()) continue;
        answer.error = "NOT_READ";
        co_return;
    }
}

asio::awaitable<void> ProgramRunner::idle(const Step& step, StepAnswer& answer) {
    const std::vector<Member*> members = polling_members(step.group);
    const Instant end = clock_.now() + idle_time;
    while (clock_.now() < end) {
        for (Member* member : members)
            co_await poll(*member, answer);
    }
}

asio::awaitable<void> ProgramRunner::commit(const Step& step, StepAnswer& answer) {
    if (!step.client.empty()) {
        co_await commit_of(*members_.at(step.client), step.back, answer);
        co_return;
    }
    const std::vector<Member*> members = polling_members(step.group);
    for (Member* member : members)
        co_await commit_of(*member, step.back, answer);
}

asio::awaitable<void> ProgramRunner::commit_of(Member& member, int back, StepAnswer& answer) {
    std::vector<TopicPartitionOffset> offsets;
    Seen seen;
    seen.kind = "committed";
    seen.client = member.name;
    for (const auto& [partition, position] : member.positions) {
        const kafka::Offset offset = std::max<kafka::Offset>(position - back, 0);
        offsets.push_back({partition.topic, partition.partition, offset});
        seen.places.push_back(
            {partition.topic.substr(prefix_.size()), partition.partition, offset});
    }
    if (offsets.empty()) co_return;
    const Outcome<void> outcome = co_await member.consumer->commit(std::move(offsets));
    if (!outcome) seen.error = outcome.error().code.message();
    answer.seen.push_back(std::move(seen));
}

void ProgramRunner::on_owner(const Step& step, StepAnswer& answer) {
    const TopicPartition place{prefix_ + step.place.topic, step.place.partition};
    for (Member* member : polling_members(step.group)) {
        const std::vector<TopicPartition> held = member->consumer->assignment();
        if (std::find(held.begin(), held.end(), place) == held.end()) continue;
        if (step.action == Action::seek) member->consumer->seek(place, step.place.offset);
        if (step.action == Action::pause) member->consumer->pause(place);
        if (step.action == Action::resume) member->consumer->resume(place);
        return;
    }
    answer.error = "NO_OWNER";
}

} // namespace crier::conformance
