// Whether the log that a position points into is still the same after the leader changed. Source:
// Kafka SubscriptionState.maybeValidatePositionForCurrentLeader, maybeCompleteValidation; KIP-320.

#include "broker-model/events.hpp"
#include "broker-model/kafka/client/consumer_fetcher.hpp"

namespace crier::broker::kafka {

using crier::kafka::OffsetReset;

// What was fetched and not handed out may be of the old log.
void ConsumerFetcher::note_leader_epoch(Held& held) {
    const std::int32_t epoch = metadata_->leader_epoch(held.partition);
    if (held.position < 0 || epoch < 0 || epoch == held.leader_epoch) return;
    const bool was_known = std::exchange(held.leader_epoch, epoch) >= 0;
    if (!was_known || held.offset_epoch < 0) return;
    drop_buffer(held);
    held.seeking = Seeking::validate;
    held.version = ++versions_;
    held.retry_at = {};
}

void ConsumerFetcher::ask_epoch_end(Held& held) {
    const BrokerId leader = metadata_->leader(held.partition);
    if (leader == 0) return metadata_->refresh();
    held.seeking = Seeking::validating;
    OffsetsForLeaderEpochRequest request;
    request.partition = held.partition;
    request.current_leader_epoch = held.leader_epoch;
    request.leader_epoch = held.offset_epoch;
    context_.ask(leader, options_.request_timeout, 64, request,
                 [self = shared_from_this(), partition = held.partition,
                  version = held.version](const Outcome<OffsetsForLeaderEpochAnswer>& outcome) {
                     self->on_epoch_end(partition, version, outcome);
                 });
}

void ConsumerFetcher::on_epoch_end(PartitionId partition, std::uint64_t version,
                                   const Outcome<OffsetsForLeaderEpochAnswer>& outcome) {
    Held* const held = find(partition);
    if (closed_ || held == nullptr || held->version != version) return;
    if (outcome.has_error() || outcome->error != ErrorCode::none) {
        held->seeking = Seeking::validate;
        held->retry_at = context_.now() + options_.retry_backoff;
        metadata_->refresh();
        return wake_->point.tell();
    }
    held->seeking = Seeking::nothing;
    if (outcome->end_offset < 0) {
        begin_reset(*held); // the broker knows no epoch so old
    } else if (outcome->end_offset < held->position) {
        if (options_.auto_offset_reset == OffsetReset::none) {
            lacks_offset_ = true; // Kafka's LogTruncationException
            held->seeking = Seeking::validate;
            return wake_->point.tell();
        }
        advance(*held, outcome->end_offset, outcome->leader_epoch);
        sim::World& world = context_.world();
        world.record_as(&context_.process(), events::position_reset,
                        context_.cluster().info(partition).name_text, group_text_,
                        outcome->end_offset, world.history().name("the log was truncated"));
    }
    if (wake_->point.is_waiting()) send();
}

} // namespace crier::broker::kafka
