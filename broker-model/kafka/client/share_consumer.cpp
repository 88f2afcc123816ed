#include "broker-model/kafka/client/share_consumer.hpp"

#include "broker-model/events.hpp"

#include <algorithm>
#include <stdexcept>

namespace crier::broker::kafka {

using crier::kafka::AcknowledgementMode;
using crier::kafka::AcknowledgementOutcome;
using crier::kafka::AcknowledgeType;
using crier::kafka::ShareRecord;

SimShareConsumer::SimShareConsumer(const ClientContext& context,
                                   crier::kafka::ShareConsumerOptions options)
    : context_(context), options_(std::move(options)),
      wake_(std::make_shared<ConsumerWake>(context.process())),
      member_(std::make_shared<ShareMembership>(context, options_, wake_)),
      fetcher_(std::make_shared<ShareFetcher>(context, options_, wake_, member_->member_id())) {
    ensure(!options_.group_id.empty(), "a share consumer names its group");
    ensure(options_.max_poll_records >= 1, "max_poll_records is at least 1");
}

SimShareConsumer::~SimShareConsumer() {
    member_->close();
    fetcher_->close();
}

void SimShareConsumer::subscribe(std::vector<std::string> topics) {
    topics_.clear();
    for (const std::string& topic : topics) {
        topics_.push_back(context_.cluster().name_topic(topic));
    }
    std::sort(topics_.begin(), topics_.end());
    topics_.erase(std::unique(topics_.begin(), topics_.end()), topics_.end());
}

asio::awaitable<Outcome<std::vector<ShareRecord>>> SimShareConsumer::poll(Duration timeout) {
    if (closed_) throw std::logic_error("this consumer has already been closed");
    const Instant deadline = context_.now() + timeout;
    pass_verdicts(true);
    if (!topics_.empty()) member_->take_part(topics_);
    for (;;) {
        if (member_->fatal() != ErrorCode::none) {
            co_return Failure{make_error_code(member_->fatal()), Certainty::failed};
        }
        std::vector<GivenRecord> given = fetcher_->take();
        if (!given.empty()) co_return hand_out(std::move(given));
        fetcher_->send(member_->assignment());
        if (context_.now() >= deadline) co_return std::vector<ShareRecord>();
        const Instant due = std::min(deadline, fetcher_->retry_at());
        co_await wake_->point.wait_until(due);
    }
}

std::vector<ShareRecord> SimShareConsumer::hand_out(std::vector<GivenRecord> given) {
    std::vector<ShareRecord> records;
    records.reserve(given.size());
    const std::uint64_t group = context_.world().history().name(options_.group_id);
    for (GivenRecord& one : given) {
        open_[{one.partition, one.record.record.offset}] = Open();
        context_.world().record_as(&context_.process(), events::share_delivered,
                                   context_.cluster().info(one.partition).name_text, group,
                                   one.record.record.offset, one.record.delivery_count);
        records.push_back(std::move(one.record));
    }
    return records;
}

/// Passes on what the application has said, or has not had to say, of the records that it has.
void SimShareConsumer::pass_verdicts(bool polls) {
    const bool is_implicit = options_.acknowledgement_mode == AcknowledgementMode::implicit_all;
    for (auto& [place, record] : open_) {
        if (is_implicit) record.verdict = AcknowledgeType::accept;
        if (polls && !record.verdict && !record.is_renewed) {
            throw std::logic_error("a record of the last poll has not been acknowledged");
        }
    }
    for (auto& [place, record] : open_) {
        if (!record.verdict) continue;
        fetcher_->note(place.first, place.second, *record.verdict);
        record.is_renewed = record.verdict == AcknowledgeType::renew;
        record.is_done = !record.is_renewed; // what is renewed stays with the application
        record.verdict.reset();
    }
    std::erase_if(open_, [](const auto& entry) { return entry.second.is_done; });
}

void SimShareConsumer::acknowledge(const ShareRecord& record, AcknowledgeType type) {
    if (options_.acknowledgement_mode != AcknowledgementMode::explicit_each) {
        throw std::logic_error("records are acknowledged implicitly");
    }
    const std::optional<TopicId> topic = context_.cluster().find_topic(record.record.topic);
    ensure(topic.has_value(), "a record is of a topic");
    const PartitionId partition = context_.cluster().partition(*topic, record.record.partition);
    const auto open = open_.find({partition, record.record.offset});
    if (open == open_.end()) throw std::logic_error("this record is not to be acknowledged");
    open->second.verdict = type;
}

asio::awaitable<std::vector<AcknowledgementOutcome>> SimShareConsumer::commit() {
    pass_verdicts(false);
    const std::map<PartitionId, Outcome<void>> told = co_await fetcher_->tell_all(false);
    std::vector<AcknowledgementOutcome> outcomes;
    for (const auto& [partition, outcome] : told) {
        const PartitionInfo& info = context_.cluster().info(partition);
        outcomes.push_back({{context_.cluster().topic(info.topic).name, info.index}, outcome});
    }
    co_return outcomes;
}

// What nobody has acknowledged goes to others at once.
asio::awaitable<void> SimShareConsumer::close() {
    if (closed_) co_return;
    closed_ = true;
    if (options_.acknowledgement_mode == AcknowledgementMode::explicit_each) pass_verdicts(false);
    const std::map<PartitionId, Outcome<void>> told = co_await fetcher_->tell_all(true);
    (void)told;
    co_await member_->leave();
    member_->close();
    fetcher_->close();
}

} // namespace crier::broker::kafka
