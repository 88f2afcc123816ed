#include "broker-model/kafka/client/producer_sender.hpp"

#include <algorithm>
#include <stdexcept>

namespace crier::broker::kafka {

using crier::kafka::Acks;
using crier::kafka::ProducerRecord;
using crier::kafka::RecordMetadata;

namespace {

constexpr Duration reconnect_backoff = std::chrono::milliseconds(50); // reconnect.backoff.ms
constexpr Duration reconnect_backoff_max =
    std::chrono::milliseconds(1000); // reconnect.backoff.max.ms

/// Whether an answer with that error leaves open what became of the records.
/// Source: Kafka ReplicaManager: they are in the leader's log when these are answered; a leader
/// that was deposed answers alike before and after it has appended.
bool may_be_stored(ErrorCode error) {
    switch (error) {
    case ErrorCode::request_timed_out:
    case ErrorCode::not_leader_or_follower:
    case ErrorCode::not_enough_replicas_after_append:
    case ErrorCode::kafka_storage_error:
    case ErrorCode::network_exception:
    case ErrorCode::unknown_server_error: return true;
    default: return false;
    }
}

std::string_view name_of(Acks acks) {
    switch (acks) {
    case Acks::none: return "none";
    case Acks::leader: return "leader";
    case Acks::all: break;
    }
    return "all";
}

/// Source: Kafka's InvalidMetadataException subclasses.
bool tells_stale_metadata(ErrorCode error) {
    switch (error) {
    case ErrorCode::unknown_topic_or_partition:
    case ErrorCode::unknown_topic_id:
    case ErrorCode::leader_not_available:
    case ErrorCode::not_leader_or_follower:
    case ErrorCode::network_exception:
    case ErrorCode::kafka_storage_error:
    case ErrorCode::fenced_leader_epoch: return true;
    default: return false;
    }
}

bool has_error(const ProduceAnswer& answer) {
    return std::any_of(
        answer.partitions.begin(), answer.partitions.end(),
        [](const ProducePartitionAnswer& it) { return it.error != ErrorCode::none; });
}

} // namespace

ProducerSender::ProducerSender(const ClientContext& context, crier::kafka::ProducerOptions options)
    : context_(context), options_(std::move(options)),
      metadata_(std::make_shared<MetadataCache>(context, options_.request_timeout,
                                                options_.retry_backoff, [this] { on_metadata(); })),
      accumulator_(context.cluster().partition_count(), options_),
      sticky_(context, options_.batch_size),
      sequences_(context.cluster().partition_count(), !options_.transactional_id.empty()),
      client_(context.quota_name(options_.client_id)),
      is_idempotent_(crier::kafka::is_idempotent(options_)),
      connections_(context.cluster().broker_count() + std::size_t{1}),
      is_muted_(context.cluster().partition_count()) {
    ensure(options_.max_in_flight >= 1, "max_in_flight is at least 1");
    if (const std::string wrong = config_error(options_); !wrong.empty()) {
        throw std::invalid_argument(wrong);
    }
    options_.delivery_timeout =
        std::max(options_.delivery_timeout, options_.linger + options_.request_timeout);
    tell_opened();
    if (options_.transactional_id.empty()) return;
    transactions_ = std::make_shared<ProducerTransactions>(context, options_, [this] {
        const std::shared_ptr<ProducerSender> self = shared_from_this();
        heed_failure();
        drain();
        tell_finished();
    });
}

void ProducerSender::tell_opened() const {
    sim::History& history = context_.world().history();
    const std::string_view order = is_idempotent_                ? "idempotent"
                                   : options_.max_in_flight == 1 ? "one-in-flight"
                                                                 : "unordered";
    const std::uint64_t acks = history.name(name_of(options_.acks));
    const std::string& id = options_.transactional_id;
    context_.record(events::producer_opened, context_.number(), acks, history.name(order),
                    id.empty() ? 0 : history.name(id));
}

ProducerSender::~ProducerSender() {
    metadata_->close();
    if (transactions_) transactions_->close();
}

std::size_t ProducerSender::append(std::vector<ProducerRecord>& records, std::size_t next,
                                   const std::shared_ptr<SendCall>& call, std::size_t limit) {
    limit = std::min(limit, records.size());
    const Instant now = context_.now();
    const std::int64_t timestamp = context_.ports().wall_now().time_since_epoch().count();
    const std::string* topic_name = nullptr; // of the record before: most calls are for one topic
    std::optional<TopicId> topic;
    std::size_t appended = 0;
    sim::History& history = context_.world().history();
    const std::uint64_t transaction = transactions_ ? transactions_->name() : 0;
    metadata_->refresh_if_old();
    const std::uint64_t before = accumulator_.sequence();
    const bool is_first_in_line = short_of_memory_.empty() || short_of_memory_.front() == call;
    for (; next < limit; ++next) {
        ProducerRecord& record = records[next];
        if (topic_name == nullptr || *topic_name != record.topic) {
            topic = context_.cluster().find_topic(record.topic);
            topic_name = &record.topic;
        }
        const std::optional<PartitionId> partition =
            topic ? place(*topic, record) : std::optional<PartitionId>();
        if (!partition) {
            call->homeless.push_back(static_cast<std::uint32_t>(next));
            continue;
        }
        const std::size_t size = wire_bytes(record);
        if (batch_overhead_bytes + size >
            std::min(options_.max_request_size, options_.buffer_memory)) {
            call->outcomes[next] =
                Failure{make_error_code(ErrorCode::message_too_large), Certainty::failed};
            continue;
        }
        if (!is_first_in_line || !accumulator_.has_room(*partition, size)) break;
        const bool is_sticky = !record.partition && !record.key;
        const std::string_view id = find_header(record.headers, id_header);
        const std::uint64_t message = id.empty() ? 0 : history.text(id);
        Record sent{std::move(record.key),
                    std::move(record.value),
                    std::move(record.headers),
                    record.timestamp ? record.timestamp->time_since_epoch().count() : timestamp,
                    record.is_tombstone,
                    message};
        const std::uint64_t number =
            accumulator_.append(*partition, std::move(sent), size, now, call,
                                static_cast<std::uint32_t>(next), limit - next - 1);
        context_.record(events::sent, context_.cluster().info(*partition).name_text, message,
                        send_number(number), transaction);
        ++appended;
        if (is_sticky) sticky_.note_bytes(*topic, size, accumulator_.is_full(*partition));
    }
    call->open += appended;
    incomplete_ += accumulator_.sequence() - before;
    if (call->open > 0) arm_expiry(now);
    return next;
}

void ProducerSender::append_homeless(std::vector<ProducerRecord>& records,
                                     const std::shared_ptr<SendCall>& call) {
    for (const std::uint32_t at : std::exchange(call->homeless, {})) {
        const bool has_waited_for_memory = append(records, at, call, at + std::size_t{1}) == at;
        if (has_waited_for_memory) call->homeless.push_back(at);
    }
}

void ProducerSender::await_memory(const std::shared_ptr<SendCall>& call) {
    const auto place = std::find(short_of_memory_.begin(), short_of_memory_.end(), call);
    if (place == short_of_memory_.end()) short_of_memory_.push_back(call);
}

void ProducerSender::leave_memory_queue(const std::shared_ptr<SendCall>& call) {
    if (std::erase(short_of_memory_, call) == 0 || short_of_memory_.empty()) return;
    finished_.push_back(short_of_memory_.front()); // it is the next one's turn
}

std::optional<PartitionId> ProducerSender::place(TopicId topic, const ProducerRecord& record) {
    const Cluster& cluster = context_.cluster();
    const std::int32_t count = metadata_->partition_count(topic);
    if (count == 0) return std::nullopt;
    if (record.partition) {
        if (*record.partition < 0 || *record.partition >= count) return std::nullopt;
        return cluster.partition(topic, *record.partition);
    }
    if (record.key) return cluster.partition(topic, partition_for_key(*record.key, count));
    if (sticky_.wants_choice(topic) || sticky_.index(topic) >= count) choose_sticky(topic);
    return cluster.partition(topic, sticky_.index(topic));
}

// Among the partitions that have a leader, or among all when none has.
void ProducerSender::choose_sticky(TopicId topic) {
    const Cluster& cluster = context_.cluster();
    const std::int32_t count = metadata_->partition_count(topic);
    loads_.clear();
    for (const bool any : {false, true}) {
        for (std::int32_t index = 0; index < count; ++index) {
            const PartitionId partition = cluster.partition(topic, index);
            if (!any && metadata_->leader(partition) == 0) continue;
            PartitionLoad load;
            load.index = index;
            load.queued = static_cast<std::uint32_t>(accumulator_.queued(partition));
            loads_.push_back(load);
        }
        if (!loads_.empty()) break;
    }
    sticky_.choose(topic, loads_);
}

void ProducerSender::flush(const std::shared_ptr<SendCall>& call) {
    accumulator_.flush();
    call->open = incomplete_;
    if (incomplete_ > 0) flushes_.push_back({accumulator_.sequence(), call});
    send_ready();
}

void ProducerSender::send_ready() {
    drain();
    if (finished_.empty()) return;
    context_.kernel().post(context_.process(),
                           [self = shared_from_this()] { self->tell_finished(); });
}

// Source: Kafka RecordAccumulator.abortUndrainedBatches.
void ProducerSender::drop_unsent(ErrorCode error) {
    for (const std::unique_ptr<ProducerBatch>& batch : accumulator_.take_unsent()) {
        const Failure dropped{make_error_code(error), Certainty::failed};
        tell_failed(*batch, dropped);
        complete(*batch, [&dropped](std::size_t) { return dropped; });
    }
    send_ready();
}

// A transaction that failed takes along what was not sent, each with the error that it failed of.
// Source: Kafka Sender.maybeSendAndPollTransactionalRequest, maybeAbortBatches.
void ProducerSender::heed_failure() {
    const bool has_failed = transactions_->phase() == crier::kafka::TransactionPhase::abortable ||
                            transactions_->phase() == crier::kafka::TransactionPhase::fatal;
    if (has_failed && !closed_) drop_unsent(transactions_->error());
}

void ProducerSender::close() {
    closed_ = true;
    metadata_->close();
    if (transactions_) transactions_->close();
    ready_timer_.disarm(context_.process());
    expiry_timer_.disarm(context_.process());
}

// Any broker can give an id; another is asked after each failure.
void ProducerSender::request_id() {
    if (std::exchange(requesting_id_, true)) return;
    context_.ask(context_.any_broker(id_refusals_), options_.request_timeout, 64,
                 InitProducerIdRequest{},
                 [self = shared_from_this()](const Outcome<InitProducerIdAnswer>& outcome) {
                     self->requesting_id_ = false;
                     if (self->closed_) return;
                     if (outcome.has_value() && outcome->error == ErrorCode::none) {
                         self->id_refusals_ = 0;
                         self->sequences_.take_id(outcome->id, outcome->epoch);
                         self->drain();
                         return self->tell_finished();
                     }
                     const ClientContext& context = self->context_;
                     const Duration wait = context.backoff(
                         self->options_.retry_backoff, self->options_.retry_backoff_max,
                         static_cast<int>(std::min<std::uint64_t>(++self->id_refusals_, 10)), 0);
                     context.kernel().at(context.process(), context.now() + wait, [self] {
                         if (!self->closed_) self->request_id();
                     });
                 });
}

void ProducerSender::drain() {
    if (closed_) return;
    sequences_.renew();
    while (gather()) {
        for (BrokerId broker = 1; broker < connections_.size(); ++broker) {
            if (!connections_[broker].building.empty()) depart(broker);
        }
    }
}

// One round: at most one batch of each partition, at most one request for each broker.
bool ProducerSender::gather() {
    const Instant now = context_.now();
    Instant next = Instant::max();
    bool any = false;
    for (const PartitionId partition : accumulator_.active()) {
        if (accumulator_.queued(partition) == 0 || is_muted_[partition] != 0) continue;
        Instant ready = accumulator_.ready_at(partition);
        const BrokerId leader = metadata_->leader(partition);
        if (leader == 0) {
            if (ready <= now) metadata_->refresh();
            continue;
        }
        Connection& connection = connections_[leader];
        ready = std::max(ready, connection.not_before);
        if (ready > now) {
            next = std::min(next, ready);
            continue;
        }
        if (connection.in_flight >= options_.max_in_flight) continue;
        if (transactions_ && !transactions_->may_send(partition)) continue;
        if (is_idempotent_) {
            if (!sequences_.has_id() && !transactions_) request_id();
            ProducerBatch& head = accumulator_.head(partition);
            if (!sequences_.may_send(head)) continue;
            if (!head.stamp.is_set()) {
                sequences_.stamp(head);
                if (transactions_) head.stamp.transaction = transactions_->name();
            }
        }
        const std::size_t bytes = accumulator_.head(partition).records->bytes;
        const bool is_full = !connection.building.empty() &&
                             connection.building_bytes + bytes > options_.max_request_size;
        if (is_full) continue; // it goes with the next request
        connection.building_bytes += bytes;
        connection.building.push_back(accumulator_.take(partition));
        any = true;
    }
    if (next != Instant::max()) {
        ready_timer_.arm(context_.process(), next, [self = shared_from_this()] {
            self->drain();
            self->tell_finished();
        });
    }
    return any;
}

void ProducerSender::depart(BrokerId broker) {
    Connection& connection = connections_[broker];
    connection.building_bytes = 0;
    ProduceRequest request;
    request.acks = options_.acks;
    request.client = client_;
    request.timeout = options_.request_timeout;
    request.transactional_id = options_.transactional_id;
    request.partitions.reserve(connection.building.size());
    std::size_t bytes = 64;
    for (const std::unique_ptr<ProducerBatch>& batch : connection.building) {
        ++batch->attempts;
        bytes += batch->records->bytes;
        request.partitions.push_back({batch->partition, batch->records, batch->stamp,
                                      metadata_->topic_id(batch->partition)});
    }
    if (options_.acks == Acks::none) {
        // Nobody answers: what is written to the socket counts as sent, and the way is free again.
        for (const std::unique_ptr<ProducerBatch>& batch : connection.building)
            succeed(*batch, -1);
        connection.building.clear();
        context_.ask(broker, options_.request_timeout, bytes, std::move(request),
                     [self = shared_from_this(), broker](const Outcome<ProduceAnswer>& outcome) {
                         self->note_connection(broker, outcome);
                         if (outcome.has_value() && has_error(*outcome)) {
                             self->lose_connection(broker);
                         }
                     });
        return;
    }
    if (free_flights_.empty()) {
        free_flights_.push_back(static_cast<std::uint32_t>(flights_.size()));
        flights_.emplace_back();
    }
    const std::uint32_t index = free_flights_.back();
    free_flights_.pop_back();
    Flight& flight = flights_[index];
    flight.broker = broker;
    std::swap(flight.batches, connection.building);
    if (options_.max_in_flight == 1) {
        for (const std::unique_ptr<ProducerBatch>& batch : flight.batches) {
            is_muted_[batch->partition] = 1;
        }
    }
    ++connection.in_flight;
    context_.ask(broker, options_.request_timeout, bytes, std::move(request),
                 [self = shared_from_this(), index](const Outcome<ProduceAnswer>& outcome) {
                     self->arrive(index, outcome);
                 });
}

// A broker that cannot tell an error closes the connection instead, and what was sent behind is
// lost. Here all connections of this process to that broker break. Source: Kafka
// KafkaApis.handleProduceRequest.sendResponseCallback.
void ProducerSender::lose_connection(BrokerId broker) {
    if (closed_) return;
    const sim::Node& node = context_.cluster().broker(broker);
    context_.world().network().reset(context_.home().id(), node.id());
    Connection& connection = connections_[broker];
    connection.not_before =
        context_.now() +
        context_.backoff(reconnect_backoff, reconnect_backoff_max, ++connection.refusals, broker);
    metadata_->refresh();
}

// Learns from an answer, or from none, how the way to the broker is.
void ProducerSender::note_connection(BrokerId broker, const Outcome<ProduceAnswer>& outcome) {
    if (closed_) return;
    Connection& connection = connections_[broker];
    if (outcome.has_value()) {
        connection.refusals = 0;
        if (outcome->throttle > Duration{}) {
            connection.not_before = context_.now() + outcome->throttle;
        }
        return;
    }
    metadata_->refresh();
    if (outcome.error().certainty != Certainty::failed) return;
    const Duration wait =
        context_.backoff(reconnect_backoff, reconnect_backoff_max, ++connection.refusals, broker);
    connection.not_before = context_.now() + wait;
}

void ProducerSender::arrive(std::uint32_t index, const Outcome<ProduceAnswer>& outcome) {
    const BrokerId broker = flights_[index].broker;
    std::vector<std::unique_ptr<ProducerBatch>> batches = std::move(flights_[index].batches);
    flights_[index].batches.clear();
    free_flights_.push_back(index);
    if (closed_) return;
    --connections_[broker].in_flight;
    note_connection(broker, outcome);
    for (std::size_t at = 0; at < batches.size(); ++at) {
        is_muted_[batches[at]->partition] = 0;
        if (batches[at]->is_done) continue;
        if (outcome.has_error() || at >= outcome->partitions.size()) {
            const bool refused =
                outcome.has_error() && outcome.error().certainty == Certainty::failed;
            ProducePartitionAnswer nothing;
            nothing.error = ErrorCode::network_exception;
            settle(std::move(batches[at]), nothing, refused);
            continue;
        }
        const ProducePartitionAnswer& answer = outcome->partitions[at];
        settle(std::move(batches[at]), answer, !may_be_stored(answer.error));
    }
    drain();
    tell_finished();
}

void ProducerSender::settle(std::unique_ptr<ProducerBatch> batch,
                            const ProducePartitionAnswer& answer, bool surely_not_stored) {
    const ErrorCode error = answer.error;
    if (error == ErrorCode::none) return succeed(*batch, answer.base_offset);
    // A broker of before 4.0 says so of what it stored too long ago to know where.
    if (error == ErrorCode::duplicate_sequence_number) return succeed(*batch, -1);
    if (!surely_not_stored) batch->maybe_stored = true;
    if (tells_stale_metadata(error)) metadata_->refresh();
    if (error == ErrorCode::message_too_large && batch->places.size() > 1) {
        return split_and_retry(std::move(batch));
    }
    if (!answer.bad_records.empty()) return refuse(*batch, answer);
    const bool in_time = context_.now() < batch->created + options_.delivery_timeout;
    const bool may_retry = crier::kafka::is_retriable(error) || sequences_.may_retry(*batch, error);
    if (!may_retry || batch->attempts > options_.retries) {
        return fail(*batch, error);
    }
    if (!in_time) return fail(*batch, ErrorCode::request_timed_out, true);
    const auto identity = static_cast<std::uint64_t>(batch->created.time_since_epoch().count());
    batch->retry_at =
        context_.now() + context_.backoff(options_.retry_backoff, options_.retry_backoff_max,
                                          batch->attempts, sim::mix(identity, batch->partition));
    accumulator_.put_back(std::move(batch));
}

void ProducerSender::succeed(ProducerBatch& batch, Offset base_offset) {
    sequences_.succeeded(batch);
    const PartitionInfo& info = context_.cluster().info(batch.partition);
    context_.record(events::acknowledged, info.name_text, base_offset, batch.places.size(),
                    send_number(batch.first_send));
    complete(batch, [partition = info.index, base_offset](std::size_t at) {
        RecordMetadata metadata;
        metadata.partition = partition;
        if (base_offset >= 0) metadata.offset = base_offset + static_cast<Offset>(at);
        return metadata;
    });
}

void ProducerSender::fail(ProducerBatch& batch, ErrorCode error, bool expired) {
    sequences_.failed(batch, expired);
    if (transactions_) {
        transactions_->note_failure(error);
        context_.kernel().post(context_.process(),
                               [self = shared_from_this()] { self->heed_failure(); });
    }
    const Failure failure{make_error_code(error),
                          batch.maybe_stored ? Certainty::unknown : Certainty::failed};
    tell_failed(batch, failure);
    complete(batch, [&failure](std::size_t) { return failure; });
}

void ProducerSender::tell_failed(const ProducerBatch& batch, const Failure& failure) const {
    const bool is_unknown = failure.certainty == Certainty::unknown;
    context_.record(is_unknown ? events::send_unknown : events::send_failed,
                    context_.cluster().info(batch.partition).name_text, batch.places.size(),
                    send_number(batch.first_send),
                    context_.world().history().name(failure.code.message()));
}

// No attempt is counted. Source: Kafka Sender.completeBatch, RecordAccumulator.splitAndReenqueue.
void ProducerSender::split_and_retry(std::unique_ptr<ProducerBatch> batch) {
    std::size_t size = options_.batch_size;
    if (batch->is_split) {
        std::size_t largest = 0;
        for (const Record& record : batch->records->records)
            largest = std::max(largest, batch_overhead_bytes + wire_bytes(record));
        size = std::max(largest, batch->records->bytes / 2);
    }
    std::vector<std::unique_ptr<ProducerBatch>> parts = split(*batch, size);
    parts.front()->memory = batch->memory; // until its own records are done
    sequences_.replace(*batch, parts);
    incomplete_ += parts.size() - 1;
    for (const FlushWait& flush : flushes_) {
        if (batch->sequence <= flush.up_to) flush.call->open += parts.size() - 1;
    }
    for (; !parts.empty(); parts.pop_back())
        accumulator_.put_back(std::move(parts.back()));
}

// A single bad record is told by the answer's error, of several each is INVALID_RECORD; the others
// fail without a code of their own. Source: Kafka Sender.failBatch.
void ProducerSender::refuse(ProducerBatch& batch, const ProducePartitionAnswer& answer) {
    sequences_.failed(batch, false);
    const Certainty certainty = batch.maybe_stored ? Certainty::unknown : Certainty::failed;
    tell_failed(batch, Failure{make_error_code(answer.error), certainty});
    const std::vector<std::int32_t>& bad = answer.bad_records;
    complete(batch, [&](std::size_t at) {
        ErrorCode error = ErrorCode::unknown_server_error;
        if (std::binary_search(bad.begin(), bad.end(), static_cast<std::int32_t>(at))) {
            error = bad.size() == 1 ? answer.error : ErrorCode::invalid_record;
        }
        return Failure{make_error_code(error), certainty};
    });
}

template <class OutcomeOf>
void ProducerSender::complete(ProducerBatch& batch, OutcomeOf outcome_of) {
    batch.is_done = true;
    accumulator_.release(batch);
    if (!short_of_memory_.empty()) finished_.push_back(short_of_memory_.front());
    std::size_t at = 0;
    for (ProducerBatch::Share& share : batch.shares) {
        for (std::uint32_t left = share.count; left > 0; --left, ++at) {
            share.call->outcomes[batch.places[at]] = outcome_of(at);
        }
        share.call->open -= share.count;
        if (share.call->open == 0) finished_.push_back(std::move(share.call));
    }
    --incomplete_;
    std::erase_if(flushes_, [this, &batch](FlushWait& flush) {
        if (batch.sequence > flush.up_to || --flush.call->open > 0) return false;
        finished_.push_back(std::move(flush.call));
        return true;
    });
}

// What is too old gets its outcome, also when a request that holds it is under way.
// Source: KIP-91; Kafka Sender.getExpiredInflightBatches.
void ProducerSender::expire() {
    const Instant limit = context_.now() - options_.delivery_timeout;
    for (const std::unique_ptr<ProducerBatch>& batch : accumulator_.take_expired(limit)) {
        fail(*batch, ErrorCode::request_timed_out, true);
    }
    Instant oldest = Instant::max();
    for (const Flight& flight : flights_) {
        for (const std::unique_ptr<ProducerBatch>& batch : flight.batches) {
            if (batch->is_done) continue;
            if (batch->created > limit) {
                oldest = std::min(oldest, batch->created);
                continue;
            }
            batch->maybe_stored = true;
            fail(*batch, ErrorCode::request_timed_out, true);
        }
    }
    for (const PartitionId partition : accumulator_.active()) {
        oldest = std::min(oldest, accumulator_.oldest(partition));
    }
    if (oldest != Instant::max()) arm_expiry(oldest);
    tell_finished();
}

void ProducerSender::arm_expiry(Instant created) {
    expiry_timer_.arm(context_.process(), created + options_.delivery_timeout,
                      [self = shared_from_this()] { self->expire(); });
}

// Whoever is told goes on at once and may send again, so the list is taken first.
void ProducerSender::tell_finished() {
    if (finished_.empty()) return;
    std::vector<std::shared_ptr<SendCall>> finished = std::move(finished_);
    finished_.clear();
    for (const std::shared_ptr<SendCall>& call : finished)
        call->finished.tell();
}

void ProducerSender::on_metadata() {
    const std::shared_ptr<ProducerSender> self =
        shared_from_this(); // told callers may drop the producer
    const PartitionId partitions = context_.cluster().partition_count();
    if (partitions > is_muted_.size()) {
        accumulator_.grow(partitions);
        sequences_.grow(partitions);
        is_muted_.resize(partitions);
    }
    drain();
    std::vector<std::shared_ptr<SendCall>> informed = std::move(uninformed_);
    uninformed_.clear();
    for (const std::shared_ptr<SendCall>& call : informed)
        call->finished.tell();
    tell_finished();
}

} // namespace crier::broker::kafka
