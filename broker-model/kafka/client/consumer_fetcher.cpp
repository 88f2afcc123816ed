#include "broker-model/kafka/client/consumer_fetcher.hpp"

#include "broker-model/events.hpp"

#include <algorithm>
#include <stdexcept>

namespace crier::broker::kafka {

using crier::kafka::ConsumerRecord;
using crier::kafka::OffsetReset;

namespace {

std::string_view name_of(OffsetReset policy) {
    switch (policy) {
    case OffsetReset::earliest: return "earliest";
    case OffsetReset::by_duration: return "by_duration";
    case OffsetReset::none: return "none";
    case OffsetReset::latest: break;
    }
    return "latest";
}

} // namespace

ConsumerFetcher::ConsumerFetcher(const ClientContext& context,
                                 const crier::kafka::ConsumerOptions& options,
                                 std::shared_ptr<ConsumerWake> wake)
    : context_(context), options_(options),
      group_text_(context.world().history().name(options.group_id)),
      client_(context.quota_name(options.client_id)), wake_(std::move(wake)),
      metadata_(std::make_shared<MetadataCache>(context, options.request_timeout,
                                                options.retry_backoff,
                                                [this] {
                                                    if (wake_->point.is_waiting()) send();
                                                })),
      leaders_(context.cluster().broker_count() + std::size_t{1}) {}

void ConsumerFetcher::close() {
    closed_ = true;
    metadata_->close();
    held_.clear();
    arrived_.clear();
}

void ConsumerFetcher::assign(const std::vector<PartitionId>& partitions) {
    std::vector<Held> now;
    for (const PartitionId partition : partitions) {
        if (Held* const before = find(partition)) {
            now.push_back(std::move(*before));
            continue;
        }
        Held& held = now.emplace_back();
        held.partition = partition;
        held.version = ++versions_;
    }
    std::sort(now.begin(), now.end(),
              [](const Held& left, const Held& right) { return left.partition < right.partition; });
    held_ = std::move(now);
    std::erase_if(arrived_, [this](PartitionId partition) { return find(partition) == nullptr; });
    lacks_offset_ = options_.auto_offset_reset == OffsetReset::none &&
                    std::any_of(held_.begin(), held_.end(),
                                [](const Held& held) { return held.seeking == Seeking::reset; });
}

std::vector<PartitionId> ConsumerFetcher::held() const {
    std::vector<PartitionId> partitions;
    for (const Held& held : held_)
        partitions.push_back(held.partition);
    return partitions;
}

const ConsumerFetcher::Held* ConsumerFetcher::find(PartitionId partition) const {
    const auto at = std::lower_bound(
        held_.begin(), held_.end(), partition,
        [](const Held& held, PartitionId wanted) { return held.partition < wanted; });
    return at == held_.end() || at->partition != partition ? nullptr : &*at;
}

ConsumerFetcher::Held* ConsumerFetcher::find(PartitionId partition) {
    return const_cast<Held*>(std::as_const(*this).find(partition));
}

// The Java client's IllegalStateException: a mistake of the code under test, which ends its
// process.
ConsumerFetcher::Held& ConsumerFetcher::need(PartitionId partition) {
    Held* const held = find(partition);
    if (held == nullptr) throw std::logic_error("no current assignment for the partition");
    return *held;
}

const ConsumerFetcher::Held& ConsumerFetcher::need(PartitionId partition) const {
    return const_cast<ConsumerFetcher*>(this)->need(partition);
}

void ConsumerFetcher::set_paused(PartitionId partition, bool paused) {
    need(partition).is_paused = paused;
}

void ConsumerFetcher::seek(PartitionId partition, Offset offset) {
    Held& held = need(partition);
    drop_buffer(held);
    lacks_offset_ = false;
    move(held, offset);
    context_.world().record_as(&context_.process(), events::position_sought,
                               context_.cluster().info(partition).name_text, group_text_, offset);
}

void ConsumerFetcher::stop(const std::vector<PartitionId>& partitions) {
    for (const PartitionId partition : partitions)
        need(partition).is_paused = true;
}

std::vector<PartitionId> ConsumerFetcher::without_position() const {
    std::vector<PartitionId> partitions;
    for (const Held& held : held_) {
        if (held.position < 0 && held.seeking == Seeking::nothing) {
            partitions.push_back(held.partition);
        }
    }
    return partitions;
}

void ConsumerFetcher::note_committed(const PartitionOffset& committed) {
    Held* const held = find(committed.partition);
    if (held == nullptr || held->position >= 0) return;
    if (committed.offset >= 0) {
        move(*held, committed.offset);
        held->offset_epoch = committed.leader_epoch;
        // The log may have been cut since. Source: Kafka ConsumerUtils.refreshCommittedOffsets.
        if (committed.leader_epoch >= 0) held->seeking = Seeking::validate;
        held->retry_at = {};
    } else if (held->seeking == Seeking::nothing) {
        begin_reset(*held);
    }
}

std::vector<PartitionOffset> ConsumerFetcher::positions() const {
    std::vector<PartitionOffset> positions;
    for (const Held& held : held_) {
        if (held.position < 0) continue;
        positions.push_back({held.partition, held.position, {}, held.offset_epoch});
    }
    return positions;
}

void ConsumerFetcher::move(Held& held, Offset position) {
    held.position = position;
    held.offset_epoch = -1;
    held.leader_epoch = -1;
    held.seeking = Seeking::nothing;
    held.version = ++versions_;
    ++moves_;
}

// Within the log of one leader.
void ConsumerFetcher::advance(Held& held, Offset position, std::int32_t offset_epoch) {
    const std::int32_t leader_epoch = held.leader_epoch;
    move(held, position);
    held.offset_epoch = offset_epoch;
    held.leader_epoch = leader_epoch;
}

void ConsumerFetcher::drop_buffer(Held& held) {
    if (held.batches.empty()) return;
    held.batches.clear();
    std::erase(arrived_, held.partition);
}

void ConsumerFetcher::begin_reset(Held& held) {
    drop_buffer(held);
    held.position = -1;
    held.version = ++versions_;
    held.seeking = Seeking::reset;
    held.retry_at = {};
    if (options_.auto_offset_reset == OffsetReset::none) lacks_offset_ = true;
}

void ConsumerFetcher::send() {
    if (closed_ || held_.empty()) return;
    metadata_->refresh_if_old();
    if (!metadata_->is_known()) return;
    const bool may_reset = options_.auto_offset_reset != OffsetReset::none;
    for (Held& held : held_) {
        if (may_reset && held.seeking == Seeking::reset && held.retry_at <= context_.now()) {
            ask_offset(held);
        }
        note_leader_epoch(held);
        if (held.seeking == Seeking::validate && held.retry_at <= context_.now()) {
            ask_epoch_end(held);
        }
    }
    for (BrokerId broker = 1; broker < leaders_.size(); ++broker)
        fetch(broker);
}

Instant ConsumerFetcher::retry_at() const {
    Instant earliest = Instant::max();
    for (const Leader& leader : leaders_) {
        if (leader.retry_at > context_.now()) earliest = std::min(earliest, leader.retry_at);
    }
    for (const Held& held : held_) {
        const bool waits = held.seeking == Seeking::reset || held.seeking == Seeking::validate;
        if (waits && held.retry_at > context_.now()) {
            earliest = std::min(earliest, held.retry_at);
        }
    }
    return earliest;
}

void ConsumerFetcher::ask_offset(Held& held) {
    const BrokerId leader = metadata_->leader(held.partition);
    if (leader == 0) return metadata_->refresh();
    held.seeking = Seeking::asked;
    ListOffsetsRequest request;
    request.partition = held.partition;
    request.timestamp = reset_timestamp();
    request.isolation = options_.isolation;
    context_.ask(leader, options_.request_timeout, 64, request,
                 [self = shared_from_this(), partition = held.partition,
                  version = held.version](const Outcome<ListOffsetsAnswer>& outcome) {
                     self->on_offset(partition, version, outcome);
                 });
}

std::int64_t ConsumerFetcher::reset_timestamp() const {
    switch (options_.auto_offset_reset) {
    case OffsetReset::earliest: return earliest_timestamp;
    case OffsetReset::by_duration:
        return (context_.ports().wall_now() - options_.auto_offset_reset_duration)
            .time_since_epoch()
            .count();
    default: return latest_timestamp;
    }
}

void ConsumerFetcher::on_offset(PartitionId partition, std::uint64_t version,
                                const Outcome<ListOffsetsAnswer>& outcome) {
    Held* const held = find(partition);
    if (held == nullptr || held->version != version) return;
    if (outcome.has_value() && outcome->error == ErrorCode::none && outcome->offset < 0) {
        // No record is that young: it is looked for again. Source: Kafka OffsetFetcher
        // .resetPositionsAsync allows the next try after request.timeout.ms.
        held->seeking = Seeking::reset;
        held->retry_at = context_.now() + options_.request_timeout;
        return wake_->point.tell();
    }
    if (outcome.has_value() && outcome->error == ErrorCode::none) {
        move(*held, outcome->offset);
        context_.world().record_as(
            &context_.process(), events::position_reset,
            context_.cluster().info(partition).name_text, group_text_, outcome->offset,
            context_.world().history().name(name_of(options_.auto_offset_reset)));
        if (wake_->point.is_waiting()) send();
        return;
    }
    held->seeking = Seeking::reset;
    held->retry_at = context_.now() + options_.retry_backoff;
    metadata_->refresh();
    wake_->point.tell(); // who polls waits for the retry
}

// One fetch under way per leader; partitions with something buffered are not asked for.
void ConsumerFetcher::fetch(BrokerId broker) {
    Leader& leader = leaders_[broker];
    if (leader.is_fetching || leader.retry_at > context_.now()) return;
    leader.asking.clear();
    for (const Held& held : held_) {
        if (held.position < 0 || held.is_paused || !held.batches.empty()) continue;
        if (held.seeking != Seeking::nothing) continue;
        const BrokerId leading = metadata_->leader(held.partition);
        if (leading == 0) metadata_->refresh();
        if (leading != broker) continue;
        FetchPartition& asked = leader.asking.emplace_back();
        asked.partition = held.partition;
        asked.topic_id = metadata_->topic_id(held.partition);
        asked.fetch_offset = held.position;
        asked.current_leader_epoch = metadata_->leader_epoch(held.partition);
        asked.max_bytes = options_.max_partition_fetch_bytes;
    }
    if (leader.asking.empty()) return;
    leader.is_fetching = true;
    FetchRequest request;
    request.max_wait = options_.fetch_max_wait;
    request.client = client_;
    request.min_bytes = options_.fetch_min_bytes;
    request.max_bytes = options_.fetch_max_bytes;
    request.isolation = options_.isolation;
    request.partitions = leader.asking;
    const std::size_t bytes = 64 + 24 * leader.asking.size();
    context_.ask(broker, options_.request_timeout, bytes, std::move(request),
                 [self = shared_from_this(), broker](Outcome<FetchAnswer> outcome) {
                     self->on_fetch(broker, std::move(outcome));
                 });
}

void ConsumerFetcher::on_fetch(BrokerId broker, Outcome<FetchAnswer> outcome) {
    Leader& leader = leaders_[broker];
    leader.is_fetching = false;
    if (closed_) return;
    bool has_failed = outcome.has_error();
    if (outcome.has_value()) {
        for (FetchPartitionAnswer& answer : outcome->partitions) {
            has_failed = has_failed || (answer.error != ErrorCode::none &&
                                        answer.error != ErrorCode::offset_out_of_range);
            on_partition(leader, answer);
        }
    }
    const bool is_throttled = outcome.has_value() && outcome->throttle > Duration{};
    if (is_throttled) leader.retry_at = context_.now() + outcome->throttle;
    if (has_failed) {
        metadata_->refresh();
        back_off(leader, broker);
    } else {
        leader.failures = 0;
    }
    if (!wake_->point.is_waiting()) return;
    // An idle consumer's next long poll needs no turn of the coroutine that waits for records.
    if (arrived_.empty() && !has_failed && !is_throttled && !lacks_offset_) return send();
    wake_->point.tell();
}

void ConsumerFetcher::back_off(Leader& leader, BrokerId broker) {
    const Duration wait = context_.backoff(options_.retry_backoff, std::chrono::seconds(1),
                                           ++leader.failures, broker);
    leader.retry_at = context_.now() + wait;
}

void ConsumerFetcher::on_partition(Leader& leader, FetchPartitionAnswer& answer) {
    Held* const held = find(answer.partition);
    const auto asked = std::find_if(
        leader.asking.begin(), leader.asking.end(),
        [&answer](const FetchPartition& it) { return it.partition == answer.partition; });
    if (held == nullptr || asked == leader.asking.end()) return;
    if (held->position != asked->fetch_offset || !held->batches.empty()) return;
    if (held->seeking != Seeking::nothing) return;
    if (answer.error == ErrorCode::offset_out_of_range) {
        begin_reset(*held);
    } else if (answer.error == ErrorCode::none && !answer.batches.empty()) {
        const Offset end = answer.batches.back().end_offset();
        held->fetched_epoch = answer.batches.back().leader_epoch;
        drop_hidden(answer.batches, std::move(answer.aborted));
        buffer(*held, std::move(answer.batches), end);
    }
}

// Markers are nobody's records; those of aborted transactions come with the list of these only to
// who reads committed records. Source: Kafka CompletedFetch.nextFetchedRecord.
void ConsumerFetcher::drop_hidden(std::vector<StoredBatch>& batches,
                                  std::vector<AbortedTransaction> aborted) {
    std::vector<std::int64_t> aborting; // producers, while their aborted records pass
    std::erase_if(batches, [&aborted, &aborting](const StoredBatch& batch) {
        std::erase_if(aborted, [&](const AbortedTransaction& transaction) {
            if (transaction.first >= batch.end_offset()) return false;
            aborting.push_back(transaction.producer);
            return true;
        });
        if (batch.marker != Marker::none) {
            const auto passed = std::find(aborting.begin(), aborting.end(), batch.producer.id);
            if (batch.marker == Marker::abort && passed != aborting.end()) aborting.erase(passed);
            return true;
        }
        return batch.producer.is_transactional &&
               std::find(aborting.begin(), aborting.end(), batch.producer.id) != aborting.end();
    });
}

// Batches come whole; what lies before the position is skipped.
void ConsumerFetcher::buffer(Held& held, std::vector<StoredBatch> batches, Offset end) {
    held.batches = std::move(batches);
    held.batch = 0;
    held.record = 0;
    held.fetched_end = end;
    skip_to(held, held.position);
    if (held.batch < held.batches.size()) return arrived_.push_back(held.partition);
    // Nothing of them is for the application, as of what a compaction took away, or an abort:
    // reading goes on behind.
    held.batches.clear();
    if (end > held.position) advance(held, end, held.fetched_epoch);
}

// Goes on to the first record at `offset` or later.
void ConsumerFetcher::skip_to(Held& held, Offset offset) {
    for (; held.batch < held.batches.size(); ++held.batch, held.record = 0) {
        const StoredBatch& stored = held.batches[held.batch];
        const std::size_t records = stored.batch->records.size();
        if (stored.end_offset() <= offset) continue;
        while (held.record < records && stored.offset_of(held.record) < offset)
            ++held.record;
        if (held.record < records) return;
    }
}

std::vector<ConsumerRecord> ConsumerFetcher::take(std::size_t limit) {
    std::vector<ConsumerRecord> records;
    std::size_t paused = 0;
    while (paused < arrived_.size() && records.size() < limit) {
        Held& held = *find(arrived_[paused]);
        if (held.is_paused) {
            ++paused;
            continue;
        }
        hand_out(held, limit - records.size(), records);
        if (!held.batches.empty()) break;
        arrived_.erase(arrived_.begin() + static_cast<std::ptrdiff_t>(paused));
    }
    return records;
}

void ConsumerFetcher::hand_out(Held& held, std::size_t limit,
                               std::vector<ConsumerRecord>& records) {
    const Cluster& cluster = context_.cluster();
    const PartitionInfo& info = cluster.info(held.partition);
    const std::string& topic = cluster.topic(info.topic).name;
    const Offset first = held.batches[held.batch].offset_of(held.record);
    Offset next = first;
    std::int32_t epoch = -1;
    while (limit > 0 && held.batch < held.batches.size()) {
        const StoredBatch& stored = held.batches[held.batch];
        const std::vector<Record>& source = stored.batch->records;
        const std::size_t count = std::min(limit, source.size() - held.record);
        if (records.capacity() < records.size() + count) {
            records.reserve(std::max(records.size() + count, 2 * records.capacity()));
        }
        for (std::size_t left = count; left > 0; --left, ++held.record) {
            const Record& record = source[held.record];
            const Offset offset = stored.offset_of(held.record);
            context_.record(events::received, info.name_text, offset, record.message, group_text_);
            records.push_back({topic, info.index, offset,
                               WallTime(Duration(stored.timestamp_of(record))), record.key,
                               record.value, record.headers, record.is_tombstone});
        }
        limit -= count;
        epoch = stored.leader_epoch;
        if (held.record < source.size()) {
            next = stored.offset_of(held.record);
            continue;
        }
        next = stored.end_offset();
        ++held.batch;
        held.record = 0;
        skip_to(held, next);
    }
    if (held.batch == held.batches.size()) {
        held.batches.clear();
        next = held.fetched_end;
        epoch = held.fetched_epoch;
    }
    advance(held, next, epoch);
    context_.world().record_as(&context_.process(), events::delivered, info.name_text, group_text_,
                               first, next);
}

} // namespace crier::broker::kafka
