#include "broker-model/kafka/client/metadata_cache.hpp"

#include <algorithm>

namespace crier::broker::kafka {

MetadataCache::MetadataCache(const ClientContext& context, Duration request_timeout,
                             Duration retry_backoff, std::function<void()> on_update)
    : context_(context), request_timeout_(request_timeout), retry_backoff_(retry_backoff),
      on_update_(std::move(on_update)) {}

void MetadataCache::refresh() {
    if (under_way_ || on_update_ == nullptr) return;
    under_way_ = true;
    if (not_before_ <= context_.now()) return ask();
    context_.kernel().at(context_.process(), not_before_, [self = shared_from_this()] {
        if (self->on_update_ != nullptr) self->ask();
    });
}

void MetadataCache::ask() {
    context_.ask(context_.any_broker(failures_), request_timeout_, 64, MetadataRequest{},
                 [self = shared_from_this()](Outcome<MetadataAnswer> outcome) {
                     self->on_answer(std::move(outcome));
                 });
}

// An answer that is older than what is known already tells nothing: the partitions' epochs in it
// have passed. It still counts as an answer; who finds the leader wrong asks again. Source: Kafka
// Metadata.updateLatestMetadata keeps the newer leader epoch.
void MetadataCache::on_answer(Outcome<MetadataAnswer> outcome) {
    under_way_ = false;
    not_before_ = context_.now() + retry_backoff_;
    if (on_update_ == nullptr) return;
    if (outcome.has_error() || outcome->metadata == nullptr) {
        ++failures_;
        not_before_ = context_.now() +
                      context_.backoff(retry_backoff_, std::chrono::seconds(1),
                                       static_cast<int>(std::min<std::uint64_t>(failures_, 10)), 0);
        return refresh();
    }
    failures_ = 0;
    updated_ = context_.now();
    if (metadata_ == nullptr || outcome->metadata->version > metadata_->version) {
        metadata_ = std::move(outcome->metadata);
    }
    on_update_();
}

} // namespace crier::broker::kafka
