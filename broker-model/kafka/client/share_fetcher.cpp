#include "broker-model/kafka/client/share_fetcher.hpp"

#include "broker-model/events.hpp"

#include <algorithm>

namespace crier::broker::kafka {

using crier::kafka::AcknowledgeType;

ShareFetcher::ShareFetcher(const ClientContext& context,
                           const crier::kafka::ShareConsumerOptions& options,
                           std::shared_ptr<ConsumerWake> wake, std::string member_id)
    : context_(context), options_(options),
      group_text_(context.world().history().name(options.group_id)), wake_(std::move(wake)),
      metadata_(std::make_shared<MetadataCache>(context, options.request_timeout,
                                                options.retry_backoff,
                                                [this] { wake_->point.tell(); })),
      member_id_(std::move(member_id)),
      leaders_(context.cluster().broker_count() + std::size_t{1}) {}

void ShareFetcher::close() {
    closed_ = true;
    metadata_->close();
    given_.clear();
}

void ShareFetcher::note(PartitionId partition, Offset offset, AcknowledgeType type) {
    std::vector<AcknowledgementBatch>& batches = verdicts_[partition];
    const bool continues =
        !batches.empty() && batches.back().last + 1 == offset && batches.back().type == type;
    if (continues) {
        batches.back().last = offset;
    } else {
        batches.push_back({offset, offset, type});
    }
}

/// Takes along the verdicts that concern the leader.
ShareFetchRequest ShareFetcher::request(BrokerId broker,
                                        const std::vector<PartitionId>& partitions) {
    ShareFetchRequest made;
    made.group = options_.group_id;
    made.member_id = member_id_;
    made.session_epoch = leaders_[broker].epoch++;
    made.max_wait = options_.fetch_max_wait;
    made.max_records = static_cast<std::size_t>(options_.max_poll_records);
    made.is_exact = options_.acquire_mode == crier::kafka::AcquireMode::record_limit;
    std::map<PartitionId, ShareFetchPartition> parts;
    for (const PartitionId partition : partitions) {
        if (metadata_->leader(partition) == broker) parts[partition].partition = partition;
    }
    for (auto& [partition, batches] : verdicts_) {
        if (metadata_->leader(partition) != broker) continue;
        ShareFetchPartition& part = parts[partition];
        part.partition = partition;
        part.acknowledgements = std::exchange(batches, {});
    }
    std::erase_if(verdicts_, [](const auto& entry) { return entry.second.empty(); });
    for (auto& [partition, part] : parts)
        made.partitions.push_back(std::move(part));
    return made;
}

void ShareFetcher::send(const std::vector<PartitionId>& partitions) {
    if (closed_) return;
    metadata_->refresh_if_old();
    if (!metadata_->is_known()) return;
    // Whoever has no leader soon gets one. Source: Kafka ShareConsumeRequestManager.poll.
    const bool lacks_leader =
        std::any_of(partitions.begin(), partitions.end(),
                    [this](PartitionId partition) { return metadata_->leader(partition) == 0; });
    if (lacks_leader) metadata_->refresh();
    for (BrokerId broker = 1; broker < leaders_.size(); ++broker) {
        Leader& leader = leaders_[broker];
        const bool is_concerned =
            std::any_of(partitions.begin(), partitions.end(), [&](PartitionId partition) {
                return metadata_->leader(partition) == broker;
            });
        if (!is_concerned || leader.is_asked || leader.retry_at > context_.now()) continue;
        leader.is_asked = true;
        context_.ports().spawn("kafka.share-fetch",
                               run_fetch(shared_from_this(), broker, request(broker, partitions)));
    }
}

Instant ShareFetcher::retry_at() const {
    Instant earliest = Instant::max();
    for (const Leader& leader : leaders_) {
        if (leader.retry_at > context_.now()) earliest = std::min(earliest, leader.retry_at);
    }
    return earliest;
}

asio::awaitable<void> ShareFetcher::run_fetch(std::shared_ptr<ShareFetcher> self, BrokerId broker,
                                              ShareFetchRequest request) {
    Outcome<ShareFetchAnswer> outcome = co_await self->context_.ask(
        broker, self->options_.request_timeout, 256, std::move(request));
    self->leaders_[broker].is_asked = false;
    if (self->closed_) co_return;
    const ErrorCode error = self->heed(broker, outcome);
    if (error == ErrorCode::none) self->take_in(outcome.value());
    self->wake_->point.tell_soon();
}

/// Looks whether the session goes on. What was acknowledged in a request that failed is lost: the
/// records come again.
ErrorCode ShareFetcher::heed(BrokerId broker, const Outcome<ShareFetchAnswer>& outcome) {
    Leader& leader = leaders_[broker];
    if (outcome.has_error() || outcome->error != ErrorCode::none) {
        leader.epoch = 0;
        back_off(broker);
        return outcome.has_error() ? ErrorCode::network_exception : outcome->error;
    }
    const bool has_failed =
        std::any_of(outcome->partitions.begin(), outcome->partitions.end(),
                    [](const auto& part) { return part.error != ErrorCode::none; });
    if (has_failed) {
        back_off(broker);
    } else {
        leader.failures = 0;
    }
    return ErrorCode::none;
}

void ShareFetcher::back_off(BrokerId broker) {
    metadata_->refresh();
    Leader& leader = leaders_[broker];
    const Duration wait = context_.backoff(options_.retry_backoff, std::chrono::seconds(1),
                                           ++leader.failures, broker);
    leader.retry_at = context_.now() + wait;
}

void ShareFetcher::take_in(ShareFetchAnswer& answer) {
    const Cluster& cluster = context_.cluster();
    for (const ShareFetchPartitionAnswer& part : answer.partitions) {
        const PartitionInfo& info = cluster.info(part.partition);
        for (const AcquiredRecords& range : part.acquired) {
            for (const StoredBatch& batch : part.batches) {
                for (std::size_t at = 0; at < batch.batch->records.size(); ++at) {
                    const Offset offset = batch.offset_of(at);
                    if (offset < range.first || offset > range.last) continue;
                    const Record& record = batch.batch->records[at];
                    GivenRecord& given = given_.emplace_back();
                    given.partition = part.partition;
                    given.record.delivery_count = range.delivery_count;
                    given.record.record = {cluster.topic(info.topic).name,
                                           info.index,
                                           offset,
                                           WallTime(Duration(batch.timestamp_of(record))),
                                           record.key,
                                           record.value,
                                           record.headers,
                                           record.is_tombstone};
                }
            }
        }
    }
    std::stable_sort(given_.begin(), given_.end(),
                     [](const GivenRecord& one, const GivenRecord& other) {
                         return std::pair(one.partition, one.record.record.offset) <
                                std::pair(other.partition, other.record.record.offset);
                     });
}

asio::awaitable<std::map<PartitionId, Outcome<void>>> ShareFetcher::tell_all(bool is_last) {
    std::map<PartitionId, Outcome<void>> outcomes;
    for (BrokerId broker = 1; broker < leaders_.size(); ++broker) {
        const bool ends = is_last && leaders_[broker].epoch > 0;
        const std::vector<PartitionId> none;
        const bool has_verdicts =
            std::any_of(verdicts_.begin(), verdicts_.end(), [&](const auto& entry) {
                return metadata_->leader(entry.first) == broker;
            });
        if (!has_verdicts && !ends) continue;
        ShareAcknowledgeRequest sent{request(broker, none)};
        if (ends) sent.request.session_epoch = -1;
        std::vector<PartitionId> concerned;
        for (const ShareFetchPartition& part : sent.request.partitions)
            concerned.push_back(part.partition);
        const Outcome<ShareFetchAnswer> outcome =
            co_await context_.ask(broker, options_.request_timeout, 128, std::move(sent));
        const ErrorCode error = heed(broker, outcome);
        for (const PartitionId partition : concerned) {
            if (outcome.has_error()) {
                outcomes.emplace(partition, outcome.error());
            } else if (error != ErrorCode::none) {
                outcomes.emplace(partition, Failure{make_error_code(error), Certainty::failed});
            }
        }
        if (error != ErrorCode::none) continue;
        for (const ShareFetchPartitionAnswer& part : outcome->partitions) {
            const ErrorCode told = part.acknowledge_error;
            outcomes.emplace(part.partition, told == ErrorCode::none
                                                 ? Outcome<void>()
                                                 : Outcome<void>(Failure{make_error_code(told),
                                                                         Certainty::failed}));
        }
    }
    co_return outcomes;
}

} // namespace crier::broker::kafka
