#include "messaging/kafka/member.hpp"

#include <algorithm>
#include <cstring>
#include <thread>
#include <utility>

namespace crier::messaging::kafka {

using crier::kafka::ConsumerRecord;
using crier::kafka::Offset;
using crier::kafka::TopicPartition;
using crier::kafka::TopicPartitionOffset;

namespace {

constexpr int events = RD_KAFKA_EVENT_FETCH | RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_ERROR |
                       RD_KAFKA_EVENT_OFFSET_COMMIT;
constexpr Duration seek_wait = std::chrono::milliseconds(100); // Even when the poll has no time.
constexpr auto seek_pause = std::chrono::milliseconds(5);
constexpr int close_wait_ms = 100;

std::string text(const void* bytes, std::size_t size) {
    return bytes == nullptr ? std::string() : std::string(static_cast<const char*>(bytes), size);
}

std::vector<Header> headers_of(const rd_kafka_message_t& message) {
    std::vector<Header> headers;
    rd_kafka_headers_t* list = nullptr;
    if (rd_kafka_message_headers(&message, &list) != RD_KAFKA_RESP_ERR_NO_ERROR) return headers;
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0;
         rd_kafka_header_get_all(list, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         ++i) {
        headers.push_back({name, text(value, size)});
    }
    return headers;
}

ConsumerRecord to_record(const rd_kafka_message_t& message) {
    ConsumerRecord record;
    record.topic = rd_kafka_topic_name(message.rkt);
    record.partition = message.partition;
    record.offset = message.offset;
    const std::int64_t ms = rd_kafka_message_timestamp(&message, nullptr);
    record.timestamp = WallTime(std::chrono::milliseconds(std::max<std::int64_t>(ms, 0)));
    if (message.key != nullptr) record.key = text(message.key, message.key_len);
    record.value = text(message.payload, message.len);
    record.headers = headers_of(message);
    return record;
}

PartitionList make_list(std::size_t size) {
    return PartitionList(rd_kafka_topic_partition_list_new(static_cast<int>(size)));
}

void add(const PartitionList& list, const TopicPartition& partition, Offset offset) {
    rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition)
        ->offset = offset;
}

/// The list frees its copy with free().
void set_metadata(rd_kafka_topic_partition_t& element, const std::string& metadata) {
    if (metadata.empty()) return;
    element.metadata = ::strdup(metadata.c_str());
    element.metadata_size = metadata.size();
}

PartitionList to_list(const std::map<TopicPartition, Offset>& offsets) {
    PartitionList list = make_list(offsets.size());
    for (const auto& [partition, offset] : offsets)
        add(list, partition, offset);
    return list;
}

/// Says where to begin: at `positions` where given, else at the committed offsets.
PartitionList to_list(const Partitions& partitions,
                      const std::map<TopicPartition, Offset>& positions) {
    PartitionList list = make_list(partitions.size());
    for (const TopicPartition& partition : partitions) {
        const auto position = positions.find(partition);
        add(list, partition,
            position == positions.end() ? RD_KAFKA_OFFSET_INVALID : position->second);
    }
    return list;
}

Partitions to_partitions(const rd_kafka_topic_partition_list_t* list) {
    Partitions partitions;
    for (int i = 0; list != nullptr && i < list->cnt; ++i) {
        partitions.push_back({list->elems[i].topic, list->elems[i].partition});
    }
    std::sort(partitions.begin(), partitions.end());
    return partitions;
}

/// Returns whether the broker can never have seen the commit, or has refused it.
bool is_refused(rd_kafka_resp_err_t error) {
    switch (error) {
    // The coordinator's log may have taken the commit and not finished replicating it.
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR: return false;
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR__STATE:
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
    case RD_KAFKA_RESP_ERR__UNKNOWN_GROUP:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST:
    case RD_KAFKA_RESP_ERR__FATAL: return true;
    default: return error > RD_KAFKA_RESP_ERR_NO_ERROR;
    }
}

Outcome<void> commit_outcome(rd_kafka_event_t* event) {
    rd_kafka_resp_err_t error = rd_kafka_event_error(event);
    const rd_kafka_topic_partition_list_t* list = rd_kafka_event_topic_partition_list(event);
    for (int i = 0; list != nullptr && i < list->cnt && error == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
        error = list->elems[i].err;
    }
    const bool nothing_to_do = error == RD_KAFKA_RESP_ERR__NO_OFFSET;
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR || nothing_to_do) return {};
    return Failure{to_error(error), is_refused(error) ? Certainty::failed : Certainty::unknown};
}

/// Returns whether the process should hear of `error`; lost connections mend themselves.
bool is_worth_telling(rd_kafka_resp_err_t error) {
    return error > RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR__FATAL ||
           error == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || error == RD_KAFKA_RESP_ERR__FENCED ||
           error == RD_KAFKA_RESP_ERR__AUTHENTICATION;
}

} // namespace

Member::Member(const Settings& settings, crier::kafka::ConsumerOptions options)
    : options_(std::move(options)),
      handle_(make_handle(RD_KAFKA_CONSUMER, make_conf(settings, events))) {
    // Everything of this client arrives on the one queue that is looked at.
    rd_kafka_poll_set_consumer(handle_);
    queue_.reset(rd_kafka_queue_get_consumer(handle_));
}

Member::~Member() {
    pending_.reset();
    queue_.reset();
    rd_kafka_destroy_flags(handle_, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

Polled Member::poll(const Changes& changes, Duration timeout) {
    const Deadline deadline = std::chrono::steady_clock::now() + timeout;
    store_consumed();
    note(changes);
    if (const auto failure = subscribe()) return *failure;
    pause_and_resume();
    if (const auto failure = seek(deadline)) return *failure;
    for (;;) {
        const auto left = deadline - std::chrono::steady_clock::now();
        Event event =
            pending_ ? std::move(pending_) : Event(rd_kafka_queue_poll(queue_.get(), to_ms(left)));
        const bool time_is_up = !event && left <= Duration::zero();
        if (event) {
            if (auto polled = collect(std::move(event))) return std::move(*polled);
        }
        if (time_is_up || interrupted_) return std::vector<ConsumerRecord>();
    }
}

void Member::assign(const Partitions& partitions,
                    const std::map<TopicPartition, Offset>& positions) {
    const PartitionList list = to_list(partitions, positions);
    // A pause ends with the assignment it was asked under, as in Java; librdkafka would keep it.
    const PartitionList paused(rd_kafka_topic_partition_list_copy(list.get()));
    rd_kafka_resume_partitions(handle_, paused.get());
    if (!is_cooperative()) return assign_all(partitions, positions);
    const Owned<rd_kafka_error_t> refused(rd_kafka_incremental_assign(handle_, list.get()));
}

void Member::assign_all(const Partitions& partitions,
                        const std::map<TopicPartition, Offset>& positions) {
    const PartitionList list = to_list(partitions, positions);
    rd_kafka_assign(handle_, list.get());
}

void Member::unassign(const Partitions& partitions) {
    if (!is_cooperative()) {
        consumed_.clear();
        changes_.pauses.clear();
        changes_.seeks.clear();
        rd_kafka_assign(handle_, nullptr);
        return;
    }
    const PartitionList list = make_list(partitions.size());
    for (const TopicPartition& partition : partitions) {
        consumed_.erase(partition);
        changes_.pauses.erase(partition);
        changes_.seeks.erase(partition);
        add(list, partition, RD_KAFKA_OFFSET_INVALID);
    }
    const Owned<rd_kafka_error_t> refused(rd_kafka_incremental_unassign(handle_, list.get()));
}

void Member::decline() {
    const std::map<TopicPartition, Offset> nowhere;
    if (is_cooperative()) return assign({}, nowhere);
    unassign({});
}

bool Member::is_cooperative() const {
    return crier::kafka::is_cooperative(options_.assignors);
}

Outcome<void> Member::commit(const std::vector<TopicPartitionOffset>& offsets) {
    const PartitionList list = make_list(offsets.size());
    for (const TopicPartitionOffset& one : offsets) {
        add(list, {one.topic, one.partition}, one.offset);
        set_metadata(list->elems[list->cnt - 1], one.metadata);
    }
    const Queue answers(rd_kafka_queue_new(handle_));
    const rd_kafka_resp_err_t error =
        rd_kafka_commit_queue(handle_, list.get(), answers.get(), nullptr, nullptr);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return Failure{to_error(error), Certainty::failed};
    const Event event(rd_kafka_queue_poll(answers.get(), to_ms(options_.default_api_timeout)));
    if (event) return commit_outcome(event.get());
    return Failure{crier::kafka::ErrorCode::request_timed_out, Certainty::unknown};
}

Outcome<std::vector<TopicPartitionOffset>> Member::committed(const Partitions& partitions) {
    const PartitionList list = make_list(partitions.size());
    for (const TopicPartition& partition : partitions)
        add(list, partition, RD_KAFKA_OFFSET_INVALID);
    const rd_kafka_resp_err_t error =
        rd_kafka_committed(handle_, list.get(), to_ms(options_.default_api_timeout));
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return Failure{to_error(error), Certainty::failed};
    std::vector<TopicPartitionOffset> offsets;
    for (int at = 0; at < list->cnt; ++at) {
        const rd_kafka_topic_partition_t& found = list->elems[at];
        if (found.offset < 0) continue;
        offsets.push_back({found.topic, found.partition, found.offset,
                           text(found.metadata, found.metadata_size)});
    }
    return offsets;
}

void Member::commit_consumed() {
    if (!options_.enable_auto_commit || consumed_.empty()) return;
    // librdkafka commits once more, when the partitions go, what was stored: not something older.
    store_consumed();
    // As in Java a failed automatic commit is nobody's business: the records come again.
    std::vector<TopicPartitionOffset> offsets;
    for (const auto& [partition, offset] : consumed_) {
        offsets.push_back({partition.topic, partition.partition, offset});
    }
    static_cast<void>(commit(offsets));
}

void Member::start_close() {
    const Owned<rd_kafka_error_t> error(rd_kafka_consumer_close_queue(handle_, queue_.get()));
}

std::optional<Polled> Member::poll_close() {
    while (rd_kafka_consumer_closed(handle_) == 0) {
        Event event = pending_ ? std::move(pending_)
                               : Event(rd_kafka_queue_poll(queue_.get(), close_wait_ms));
        if (event && rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_REBALANCE) {
            return rebalance(event);
        }
    }
    return std::nullopt;
}

void Member::interrupt() {
    interrupted_ = true;
    rd_kafka_queue_yield(queue_.get());
}

void Member::note(const Changes& changes) {
    if (!changes.topics.empty()) changes_.topics = changes.topics;
    for (const auto& [partition, paused] : changes.pauses) {
        changes_.pauses.insert_or_assign(partition, paused);
    }
    for (const auto& [partition, offset] : changes.seeks) {
        changes_.seeks.insert_or_assign(partition, offset);
        // For automatic commits: who goes back has not consumed what lies beyond.
        consumed_.insert_or_assign(partition, offset);
    }
}

std::optional<Failure> Member::subscribe() {
    if (changes_.topics.empty()) return std::nullopt;
    const PartitionList list = make_list(changes_.topics.size());
    for (const std::string& topic : changes_.topics) {
        rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
    }
    const rd_kafka_resp_err_t error = rd_kafka_subscribe(handle_, list.get());
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return Failure{to_error(error), Certainty::failed};
    changes_.topics.clear();
    return std::nullopt;
}

void Member::pause_and_resume() {
    for (const auto& [partition, paused] : changes_.pauses) {
        const PartitionList list = make_list(1);
        add(list, partition, RD_KAFKA_OFFSET_INVALID);
        if (paused) {
            rd_kafka_pause_partitions(handle_, list.get());
        } else {
            rd_kafka_resume_partitions(handle_, list.get());
        }
    }
    changes_.pauses.clear();
}

std::optional<Failure> Member::seek(Deadline deadline) {
    while (!changes_.seeks.empty()) {
        const auto left =
            std::max<Duration>(deadline - std::chrono::steady_clock::now(), seek_wait);
        const PartitionList list = to_list(changes_.seeks);
        const Owned<rd_kafka_error_t> refused(
            rd_kafka_seek_partitions(handle_, list.get(), to_ms(left)));
        rd_kafka_resp_err_t error =
            refused ? rd_kafka_error_code(refused.get()) : RD_KAFKA_RESP_ERR_NO_ERROR;
        for (int i = 0; i < list->cnt && error == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
            error = list->elems[i].err;
        }
        // Not fetching yet: the committed offset of a new assignment is still being asked for.
        const bool too_early = error == RD_KAFKA_RESP_ERR__STATE;
        const bool passing = too_early || error == RD_KAFKA_RESP_ERR__TIMED_OUT;
        if (!passing) changes_.seeks.clear();
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) break;
        const bool in_time = !interrupted_ && std::chrono::steady_clock::now() < deadline;
        if (!too_early || !in_time) return Failure{to_error(error), Certainty::failed};
        std::this_thread::sleep_for(seek_pause);
    }
    return std::nullopt;
}

/// Makes something of `first` and of what lies behind it in the queue; nothing: not worth telling.
std::optional<Polled> Member::collect(Event first) {
    std::vector<ConsumerRecord> records;
    const auto limit = static_cast<std::size_t>(std::max(options_.max_poll_records, 1));
    for (Event event = std::move(first); event && records.size() < limit;) {
        const rd_kafka_event_type_t type = rd_kafka_event_type(event.get());
        const rd_kafka_message_t* message = nullptr;
        if (type == RD_KAFKA_EVENT_FETCH) message = rd_kafka_event_message_next(event.get());
        if (message != nullptr && message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            records.push_back(to_record(*message));
        } else if (!records.empty()) {
            pending_ = std::move(event); // Records first.
            break;
        } else if (type == RD_KAFKA_EVENT_REBALANCE) {
            return rebalance(event);
        } else {
            const rd_kafka_resp_err_t error =
                message != nullptr ? message->err : rd_kafka_event_error(event.get());
            // The report of an automatic commit is no error of the subscription.
            const bool told = type != RD_KAFKA_EVENT_OFFSET_COMMIT && is_worth_telling(error);
            if (told) return Failure{to_error(error), Certainty::failed};
        }
        // Not beyond the limit: what is taken off the queue has to be returned.
        if (records.size() < limit) event.reset(rd_kafka_queue_poll(queue_.get(), 0));
    }
    if (records.empty()) return std::nullopt;
    for (const ConsumerRecord& record : records) {
        consumed_.insert_or_assign(TopicPartition{record.topic, record.partition},
                                   record.offset + 1);
    }
    return records;
}

Polled Member::rebalance(const Event& event) {
    Partitions partitions = to_partitions(rd_kafka_event_topic_partition_list(event.get()));
    if (rd_kafka_event_error(event.get()) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        return Assigned{std::move(partitions)};
    }
    return Revoked{std::move(partitions), rd_kafka_assignment_lost(handle_) != 0};
}

/// Tells librdkafka's commit timer what may be committed: what the process came back from.
void Member::store_consumed() {
    if (!options_.enable_auto_commit || consumed_.empty()) return;
    const PartitionList list = to_list(consumed_);
    rd_kafka_offsets_store(handle_, list.get());
}

// librdkafka 2.0 names no generation; it writes all that it knows as bytes of its own.
crier::kafka::GroupMetadata Member::group_metadata() const {
    crier::kafka::GroupMetadata group;
    group.group_id = options_.group_id;
    const Owned<rd_kafka_consumer_group_metadata_t> metadata(
        rd_kafka_consumer_group_metadata(handle_));
    if (!metadata) return group;
    void* bytes = nullptr;
    std::size_t size = 0;
    const Owned<rd_kafka_error_t> error(
        rd_kafka_consumer_group_metadata_write(metadata.get(), &bytes, &size));
    if (!error) group.token.assign(static_cast<const char*>(bytes), size);
    rd_kafka_mem_free(nullptr, bytes);
    return group;
}

} // namespace crier::messaging::kafka
