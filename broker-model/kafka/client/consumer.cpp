#include "broker-model/kafka/client/consumer.hpp"

#include "broker-model/events.hpp"
#include "broker-model/kafka/client/consumer_membership.hpp"
#include "broker-model/kafka/client/group_membership.hpp"

#include <algorithm>
#include <iterator>
#include <stdexcept>

namespace crier::broker::kafka {

using crier::kafka::ConsumerRecord;
using crier::kafka::RebalanceListener;
using crier::kafka::TopicPartition;
using crier::kafka::TopicPartitionOffset;

namespace {

/// The time that the application spends outside of `poll` is what max.poll.interval.ms limits.
class PollScope {
public:
    explicit PollScope(std::shared_ptr<Membership> member) : member_(std::move(member)) {
        member_->enter_poll();
    }
    PollScope(const PollScope&) = delete;
    PollScope& operator=(const PollScope&) = delete;
    ~PollScope() { member_->leave_poll(); }

private:
    std::shared_ptr<Membership> member_; // at a crash the consumer may go first
};

/// Returns what is in `from` and not in `taken`; all sorted.
std::vector<PartitionId> without(const std::vector<PartitionId>& from,
                                 const std::vector<PartitionId>& taken) {
    std::vector<PartitionId> left;
    std::set_difference(from.begin(), from.end(), taken.begin(), taken.end(),
                        std::back_inserter(left));
    return left;
}

} // namespace

SimConsumer::SimConsumer(const ClientContext& context, crier::kafka::ConsumerOptions options)
    : context_(context), options_(std::move(options)),
      group_text_(context.world().history().name(options_.group_id)),
      wake_(std::make_shared<ConsumerWake>(context.process())),
      fetcher_(std::make_shared<ConsumerFetcher>(context, options_, wake_)),
      coordinator_(std::make_shared<CoordinatorLookup>(context, options_.group_id,
                                                       options_.request_timeout)) {
    ensure(options_.max_poll_records >= 1, "max_poll_records is at least 1");
    const bool is_careful = options_.isolation == crier::kafka::Isolation::read_committed;
    context_.record(
        events::consumer_opened, group_text_,
        context.world().history().name(is_careful ? "read-committed" : "read-uncommitted"));
    using crier::kafka::Assignor;
    const auto names_it = [this](Assignor assignor) {
        return std::count(options_.assignors.begin(), options_.assignors.end(), assignor) > 0;
    };
    ensure(!names_it(Assignor::sticky) || !names_it(Assignor::cooperative_sticky),
           "a consumer names one of the sticky assignors");
    if (options_.group_id.empty()) options_.enable_auto_commit = false; // as in Java, silently
    if (options_.group_protocol == crier::kafka::GroupProtocol::consumer) {
        become(std::make_shared<ConsumerMembership>(context, options_, wake_, coordinator_));
    } else {
        become(std::make_shared<GroupMembership>(context, options_, wake_, coordinator_,
                                                 fetcher_->metadata()));
    }
}

void SimConsumer::become(std::shared_ptr<Membership> member) {
    member_ = std::move(member);
    offsets_ = std::make_shared<GroupOffsets>(context_, options_, wake_, coordinator_, member_,
                                              fetcher_->metadata());
}

SimConsumer::~SimConsumer() {
    member_->close();
    offsets_->close();
    fetcher_->close();
}

// A topic that does not exist has no partitions, until the leader of the group sees it made.
void SimConsumer::subscribe(std::vector<std::string> topics, RebalanceListener* listener) {
    ensure(!options_.group_id.empty(), "a consumer that subscribes names its group");
    ensure(!is_assigned_, "a consumer subscribes or is assigned, not both");
    listener_ = listener;
    std::vector<TopicId> found;
    for (const std::string& topic : topics) {
        found.push_back(context_.cluster().name_topic(topic));
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    if (found == topics_) return;
    const bool is_first = topics_.empty();
    topics_ = std::move(found);
    if (!is_first) member_->change_subscription(topics_);
}

// What it had and has again goes on where it is.
void SimConsumer::assign(std::vector<TopicPartition> partitions) {
    ensure(topics_.empty(), "a consumer subscribes or is assigned, not both");
    if (!is_assigned_) become(std::make_shared<NoMembership>());
    is_assigned_ = true;
    Partitions ids;
    for (const TopicPartition& partition : partitions)
        ids.push_back(find(partition));
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    fetcher_->assign(ids);
}

asio::awaitable<Outcome<std::vector<ConsumerRecord>>> SimConsumer::poll(Duration timeout) {
    if (closed_) throw std::logic_error("this consumer has already been closed");
    const Instant deadline = context_.now() + timeout;
    const auto limit = static_cast<std::size_t>(options_.max_poll_records);
    const PollScope scope(member_);
    for (;;) {
        if (has_group_news()) co_await take_part();
        if (member_->fatal() != ErrorCode::none) {
            co_return Failure{make_error_code(member_->fatal()), Certainty::failed};
        }
        if (offsets_->auto_commit_at(fetcher_->moves()) <= context_.now()) {
            offsets_->start_auto_commit(fetcher_->positions(), fetcher_->moves());
        }
        offsets_->start_lookup(fetcher_);
        if (fetcher_->lacks_offset()) {
            co_return Failure{make_error_code(ErrorCode::offset_out_of_range), Certainty::failed};
        }
        std::vector<ConsumerRecord> records = fetcher_->take(limit);
        fetcher_->send();
        if (!records.empty() || context_.now() >= deadline) co_return std::move(records);
        const Instant due = next_wake(deadline);
        co_await wake_->point.wait_until(due);
    }
}

Instant SimConsumer::next_wake(Instant deadline) const {
    Instant due = std::min(deadline, fetcher_->retry_at());
    due = std::min(due, offsets_->auto_commit_at(fetcher_->moves()));
    if (!topics_.empty()) due = std::min(due, member_->join_at());
    if (offsets_->lookup_at() > context_.now()) due = std::min(due, offsets_->lookup_at());
    return due;
}

bool SimConsumer::has_group_news() const {
    return !topics_.empty() &&
           (member_->is_lost() || member_->has_assignment() || member_->wants_join());
}

asio::awaitable<void> SimConsumer::take_part() {
    if (member_->is_lost()) co_await lose();
    std::optional<std::vector<PartitionId>> given = member_->take_assignment();
    if (given) co_await accept(std::move(*given));
    if (member_->is_lost()) co_await lose();
    if (!member_->wants_join()) co_return;
    co_await prepare_join();
    if (member_->is_lost()) co_await lose();
    if (member_->wants_join()) member_->join(topics_, fetcher_->held());
}

// An eager member has nothing left to give back here. Others then let the group know that they
// have, so that the new owners get their share.
asio::awaitable<void> SimConsumer::accept(Partitions given) {
    Partitions leaving = without(fetcher_->held(), given);
    const bool gives_back = !leaving.empty();
    if (member_->commits_before_giving_back() && given == fetcher_->held()) {
        member_->accepted(given, false); // nothing to tell the application
        co_return;
    }
    if (member_->commits_before_giving_back()) {
        fetcher_->stop(leaving);
        co_await commit_positions();
    }
    if (!member_->is_lost()) co_await give_back(std::move(leaving));
    if (member_->is_lost()) co_return; // by a commit
    generation_ = member_->identity().generation;
    // Not as it may be later: who has lost its membership must not look like nobody's consumer.
    group_metadata_ = {options_.group_id, member_->identity().member_id, generation_,
                       options_.group_instance_id};
    Partitions added = without(given, fetcher_->held());
    fetcher_->assign(given);
    member_->accepted(given, gives_back);
    const std::uint64_t self = context_.world().history().text(group_metadata_.member_id);
    record(events::assigned, added, self);
    co_await tell(&RebalanceListener::partitions_assigned, std::move(added));
}

// The last commit may show that the partitions are lost already; then they are not given back.
asio::awaitable<void> SimConsumer::prepare_join() {
    if (!fetcher_->holds_any()) co_return;
    co_await commit_positions();
    if (member_->is_lost()) co_return;
    Partitions leaving = member_->keeps_partitions() ? unsubscribed() : fetcher_->held();
    co_await give_back(std::move(leaving));
}

asio::awaitable<void> SimConsumer::give_back(Partitions partitions) {
    if (partitions.empty()) co_return;
    co_await tell(&RebalanceListener::partitions_revoked, partitions);
    record(events::revoked, partitions);
    fetcher_->assign(without(fetcher_->held(), partitions));
}

SimConsumer::Partitions SimConsumer::unsubscribed() const {
    Partitions partitions = fetcher_->held();
    std::erase_if(partitions, [this](PartitionId partition) {
        const TopicId topic = context_.cluster().info(partition).topic;
        return std::binary_search(topics_.begin(), topics_.end(), topic);
    });
    return partitions;
}

asio::awaitable<void> SimConsumer::lose() {
    member_->note_loss();
    if (!fetcher_->holds_any()) co_return;
    Partitions partitions = fetcher_->held();
    record(events::lost, partitions);
    co_await tell(&RebalanceListener::partitions_lost, std::move(partitions));
    fetcher_->drop_all();
}

asio::awaitable<void> SimConsumer::commit_positions() {
    std::vector<PartitionOffset> positions = fetcher_->positions();
    if (!options_.enable_auto_commit || positions.empty()) co_return;
    const Duration limit = std::min(options_.default_api_timeout, options_.max_poll_interval);
    // A failure only means that records are delivered again.
    const Outcome<void> outcome = co_await offsets_->commit(std::move(positions), limit, true);
    (void)outcome;
}

asio::awaitable<void> SimConsumer::tell(Callback callback, Partitions partitions) {
    if (listener_ == nullptr) co_return;
    std::vector<TopicPartition> told = names(partitions);
    co_await (listener_->*callback)(std::move(told));
}

void SimConsumer::record(const sim::EventKind& kind, const Partitions& partitions,
                         std::uint64_t member) {
    for (const PartitionId partition : partitions) {
        context_.world().record_as(&context_.process(), kind,
                                   context_.cluster().info(partition).name_text, group_text_,
                                   generation_, member);
    }
}

asio::awaitable<Outcome<void>> SimConsumer::commit(std::vector<TopicPartitionOffset> offsets) {
    ensure(!options_.group_id.empty(), "a consumer that commits names its group");
    std::vector<PartitionOffset> sent;
    for (TopicPartitionOffset& offset : offsets) {
        const std::optional<PartitionId> id =
            context_.cluster().find_partition(offset.topic, offset.partition);
        if (!id) {
            co_return Failure{make_error_code(ErrorCode::unknown_topic_or_partition),
                              Certainty::failed};
        }
        PartitionOffset& added = sent.emplace_back();
        added.partition = *id;
        added.offset = offset.offset;
        added.leader_epoch = fetcher_->epoch_before(*id, offset.offset);
        added.metadata = std::move(offset.metadata);
    }
    if (sent.empty()) co_return boost::system::in_place_value;
    const Outcome<void> outcome =
        co_await offsets_->commit(std::move(sent), options_.default_api_timeout);
    co_return outcome;
}

asio::awaitable<Outcome<std::vector<TopicPartitionOffset>>>
SimConsumer::committed(std::vector<TopicPartition> partitions) {
    ensure(!options_.group_id.empty(), "a consumer that asks for commits names its group");
    Partitions ids;
    for (const TopicPartition& partition : partitions)
        ids.push_back(find(partition));
    Outcome<std::vector<PartitionOffset>> found =
        co_await offsets_->committed(std::move(ids), options_.default_api_timeout);
    if (!found) co_return found.error();
    std::vector<TopicPartitionOffset> offsets;
    for (std::size_t at = 0; at < partitions.size(); ++at) {
        PartitionOffset& one = found.value()[at];
        if (one.offset < 0) continue;
        offsets.push_back({std::move(partitions[at].topic), partitions[at].partition, one.offset,
                           std::move(one.metadata)});
    }
    co_return offsets;
}

PartitionId SimConsumer::find(const TopicPartition& partition) const {
    const std::optional<PartitionId> id =
        context_.cluster().find_partition(partition.topic, partition.partition);
    if (id) return *id;
    throw std::logic_error("no such partition: " + partition.topic + "/" +
                           std::to_string(partition.partition));
}

void SimConsumer::pause(const TopicPartition& partition) {
    fetcher_->set_paused(find(partition), true);
}

void SimConsumer::resume(const TopicPartition& partition) {
    fetcher_->set_paused(find(partition), false);
    wake_->point.tell_soon();
}

void SimConsumer::seek(const TopicPartition& partition, Offset offset) {
    fetcher_->seek(find(partition), offset);
    wake_->point.tell_soon();
}

std::vector<TopicPartition> SimConsumer::names(const Partitions& ids) const {
    std::vector<TopicPartition> partitions;
    for (const PartitionId id : ids) {
        const PartitionInfo& info = context_.cluster().info(id);
        partitions.push_back({context_.cluster().topic(info.topic).name, info.index});
    }
    std::sort(partitions.begin(), partitions.end());
    return partitions;
}

std::vector<TopicPartition> SimConsumer::assignment() const {
    return names(fetcher_->held());
}

crier::kafka::GroupMetadata SimConsumer::group_metadata() const {
    return group_metadata_; // Source: ConsumerCoordinator.onJoinComplete
}

// Who closes while the group rebalances cannot say any more that what it holds is its own.
asio::awaitable<void> SimConsumer::close() {
    if (closed_) co_return;
    closed_ = true;
    if (!member_->is_lost() && !member_->is_joining()) {
        co_await commit_positions();
        if (!member_->is_lost() && !is_assigned_) co_await give_back(fetcher_->held());
    }
    if (!is_assigned_) co_await lose();
    co_await member_->leave();
    member_->close();
    offsets_->close();
    fetcher_->close();
}

} // namespace crier::broker::kafka
