#include "broker-model/kafka/client/producer_transactions.hpp"

#include "broker-model/events.hpp"

#include <algorithm>
#include <stdexcept>

namespace crier::broker::kafka {

using crier::kafka::GroupMetadata;

namespace {

ErrorCode error_of(const AddPartitionsAnswer& answer) {
    for (const ErrorCode error : answer.errors) {
        if (error != ErrorCode::none) return error;
    }
    return ErrorCode::none;
}

template <class Answer>
ErrorCode error_of(const Answer& answer) {
    return answer.error;
}

Failure failure_of(ErrorCode error, bool maybe_done) {
    return Failure{make_error_code(error), maybe_done ? Certainty::unknown : Certainty::failed};
}

} // namespace

// What every coordinator may answer. Source: TransactionManager.TxnRequestHandler.
ProducerTransactions::Effect ProducerTransactions::effect_of(ErrorCode error) {
    switch (error) {
    case ErrorCode::none: return Effect::none;
    case ErrorCode::not_coordinator:
    case ErrorCode::coordinator_not_available: return Effect::again_elsewhere;
    case ErrorCode::invalid_producer_epoch: // an old broker's word for the next
    case ErrorCode::producer_fenced:
    case ErrorCode::invalid_transaction_timeout:
    case ErrorCode::invalid_txn_state: return Effect::fatal;
    case ErrorCode::invalid_producer_id_mapping:
    case ErrorCode::illegal_generation:
    case ErrorCode::unknown_member_id:
    case ErrorCode::fenced_instance_id:
    case ErrorCode::transaction_abortable: return Effect::abortable;
    default: return crier::kafka::is_retriable(error) ? Effect::again : Effect::fatal;
    }
}

void ProducerTransactions::fail(ErrorCode error, TransactionPhase phase) {
    if (phase_ == TransactionPhase::fatal) return;
    phase_ = phase;
    error_ = error;
    to_add_.clear();
}

bool ProducerTransactions::tells_partitions() const {
    return context_.cluster().options().transaction_version < 2;
}

bool ProducerTransactions::may_send(PartitionId partition) {
    const auto place = std::lower_bound(added_.begin(), added_.end(), partition);
    if (place != added_.end() && *place == partition) return phase_ != TransactionPhase::fatal;
    if (phase_ != TransactionPhase::in_transaction) return false;
    if (!tells_partitions()) {
        added_.insert(place, partition);
        return true;
    }
    if (std::find(to_add_.begin(), to_add_.end(), partition) == to_add_.end()) {
        to_add_.push_back(partition);
    }
    if (!std::exchange(is_adding_, true)) {
        context_.ports().spawn("kafka.add-partitions", run_adding(shared_from_this()));
    }
    return false;
}

asio::awaitable<void> ProducerTransactions::run_adding(std::shared_ptr<ProducerTransactions> self) {
    while (!self->to_add_.empty() && self->on_progress_ != nullptr) {
        AddPartitionsRequest request;
        request.transactional_id = self->options_.transactional_id;
        request.producer = self->producer_;
        request.epoch = self->epoch_;
        request.partitions = self->to_add_;
        const std::vector<PartitionId> asked = self->to_add_;
        std::string id = self->options_.transactional_id;
        const Outcome<AddPartitionsAnswer> outcome =
            co_await self->ask(std::move(request), std::move(id), false, Instant::max());
        if (outcome.has_error() || self->on_progress_ == nullptr) break;
        for (const PartitionId partition : asked) {
            std::erase(self->to_add_, partition);
            self->added_.insert(
                std::lower_bound(self->added_.begin(), self->added_.end(), partition), partition);
        }
        self->on_progress_();
    }
    self->is_adding_ = false;
    // Nothing is sent any more; who waits for it has to be told.
    if (self->on_progress_ != nullptr) self->on_progress_();
}

// Source: TransactionManager.maybeTransitionToErrorState, canBumpEpoch.
void ProducerTransactions::note_failure(ErrorCode error) {
    const bool is_over =
        error == ErrorCode::producer_fenced || error == ErrorCode::invalid_producer_id_mapping;
    needs_renewal_ = true;
    fail(error, is_over ? TransactionPhase::fatal : TransactionPhase::abortable);
}

void ProducerTransactions::begin() {
    if (phase_ != TransactionPhase::ready) {
        throw std::logic_error("a transaction begins when the producer is ready");
    }
    phase_ = TransactionPhase::in_transaction;
    sim::History& history = context_.world().history();
    name_ = history.text(context_.unique_name() + "#" + std::to_string(++begun_));
    context_.record(events::transaction_begun, name_, history.name(options_.transactional_id));
}

void ProducerTransactions::tell_ended(bool committed) const {
    context_.record(events::transaction_ended, name_,
                    context_.world().history().name(committed ? "commit" : "abort"));
}

void ProducerTransactions::expect_transaction() const {
    const bool is_open = phase_ == TransactionPhase::in_transaction ||
                         phase_ == TransactionPhase::abortable || phase_ == TransactionPhase::fatal;
    if (!is_open) throw std::logic_error("there is no transaction");
}

void ProducerTransactions::expect_end(bool committed) const {
    if (phase_ != TransactionPhase::unsettled) return expect_transaction();
    if (ends_with_commit_ != committed) {
        throw std::logic_error("the transaction is being ended the other way");
    }
}

asio::awaitable<void> ProducerTransactions::find(std::string id, bool of_group, Instant deadline) {
    Coordinator& known = coordinator(of_group);
    FindCoordinatorRequest request;
    request.id = std::move(id);
    request.is_transaction = !of_group;
    const BrokerId broker = context_.any_broker(known.failures);
    const Duration limit = std::min(options_.request_timeout, deadline - context_.now());
    const Outcome<FindCoordinatorAnswer> outcome =
        co_await context_.ask(broker, limit, 64, std::move(request));
    if (outcome.has_error() || outcome->error != ErrorCode::none) {
        ++known.failures;
    } else {
        known.failures = 0;
        known.broker = outcome->coordinator;
    }
}

template <class Request>
asio::awaitable<Outcome<AnswerOf<Request>>>
ProducerTransactions::ask(Request request, std::string id, bool of_group, Instant deadline) {
    bool maybe_done = false;
    bool is_busy = false;
    for (int attempt = 1;; ++attempt) {
        Coordinator& known = coordinator(of_group);
        if (known.broker == 0) co_await find(id, of_group, deadline);
        if (on_progress_ == nullptr) co_return failure_of(ErrorCode::request_timed_out, maybe_done);
        if (known.broker != 0 && context_.now() < deadline) {
            const Duration limit = std::min(options_.request_timeout, deadline - context_.now());
            Request sent = request;
            Outcome<AnswerOf<Request>> outcome =
                co_await context_.ask(known.broker, limit, 128, std::move(sent));
            if (on_progress_ == nullptr) {
                co_return failure_of(ErrorCode::request_timed_out, true);
            }
            if (outcome.has_error()) {
                maybe_done = maybe_done || outcome.error().certainty == Certainty::unknown;
                known.broker = 0;
            } else {
                const ErrorCode error = error_of(*outcome);
                const Effect effect = effect_of(error);
                is_busy = std::is_same_v<Request, AddPartitionsRequest> &&
                          error == ErrorCode::concurrent_transactions;
                if (effect == Effect::none) co_return std::move(outcome);
                if (effect == Effect::again_elsewhere) known.broker = 0;
                // The coordinator answers so also when its log took the step in the end.
                if (error == ErrorCode::coordinator_not_available) maybe_done = true;
                if (effect == Effect::abortable) fail(error, TransactionPhase::abortable);
                if (effect == Effect::fatal) fail(error, TransactionPhase::fatal);
                if (effect == Effect::abortable || effect == Effect::fatal) {
                    co_return failure_of(error, maybe_done);
                }
            }
        }
        Duration wait = context_.backoff(options_.retry_backoff, options_.retry_backoff_max,
                                         std::min(attempt, 10), ++attempts_);
        // The transaction before is ending: its producer waits for nobody else. Source:
        // TransactionManager.ADD_PARTITIONS_RETRY_BACKOFF_MS.
        if (is_busy && added_.empty()) wait = std::chrono::milliseconds(20);
        if (context_.now() >= deadline - wait) {
            co_return failure_of(ErrorCode::request_timed_out, maybe_done);
        }
        co_await context_.ports().sleep(wait);
        if (on_progress_ == nullptr) co_return failure_of(ErrorCode::request_timed_out, maybe_done);
    }
}

asio::awaitable<Outcome<void>> ProducerTransactions::take_id() {
    if (phase_ != TransactionPhase::uninitialized) {
        throw std::logic_error("a transactional id is taken once");
    }
    const Outcome<void> outcome = co_await renew_epoch(context_.now() + options_.max_block);
    if (outcome) phase_ = TransactionPhase::ready;
    co_return outcome;
}

// The first time the id is taken from whoever had it; later the producer asks for an epoch of its
// own above the one it has. Source: KIP-360.
asio::awaitable<Outcome<void>> ProducerTransactions::renew_epoch(Instant deadline) {
    InitProducerIdRequest request;
    request.transactional_id = options_.transactional_id;
    request.transaction_timeout = options_.transaction_timeout;
    request.producer = producer_;
    request.epoch = epoch_;
    needs_renewal_ = true; // until it is answered
    std::string id = options_.transactional_id;
    const Outcome<InitProducerIdAnswer> outcome =
        co_await ask(std::move(request), std::move(id), false, deadline);
    if (outcome.has_error()) co_return outcome.error();
    producer_ = outcome->id;
    epoch_ = outcome->epoch;
    needs_renewal_ = false;
    co_return boost::system::in_place_value;
}

// Source: TransactionManager.sendOffsetsToTransaction, AddOffsetsToTxnHandler,
// TxnOffsetCommitHandler.
asio::awaitable<Outcome<void>>
ProducerTransactions::send_offsets(std::vector<PartitionOffset> offsets, GroupMetadata group) {
    const Instant deadline = context_.now() + options_.max_block;
    has_offsets_ = true;
    context_.record(events::offsets_sent, name_, context_.world().history().name(group.group_id));
    if (group_ != group.group_id) group_coordinator_ = {};
    group_ = group.group_id;
    if (tells_partitions()) {
        AddOffsetsRequest added;
        added.transactional_id = options_.transactional_id;
        added.producer = producer_;
        added.epoch = epoch_;
        added.group = group.group_id;
        std::string id = options_.transactional_id;
        const Outcome<AddPartitionsAnswer> outcome =
            co_await ask(std::move(added), std::move(id), false, deadline);
        if (outcome.has_error()) co_return outcome.error();
    }
    TxnOffsetCommitRequest request;
    request.transactional_id = options_.transactional_id;
    request.producer = producer_;
    request.epoch = epoch_;
    request.transaction = name_;
    request.commit.group = group.group_id;
    request.commit.member_id = group.member_id;
    request.commit.generation = group.generation;
    request.commit.instance_id = group.instance_id;
    request.commit.offsets = std::move(offsets);
    const Outcome<OffsetCommitAnswer> outcome =
        co_await ask(std::move(request), std::move(group.group_id), true, deadline);
    if (outcome.has_error()) co_return outcome.error();
    co_return boost::system::in_place_value;
}

// A transaction in which nothing was written ends here, unless something may have reached a leader.
asio::awaitable<Outcome<void>> ProducerTransactions::end(bool committed) {
    const Instant deadline = context_.now() + options_.max_block;
    const bool has_failed = phase_ == TransactionPhase::abortable;
    // A coordinator that does not know the id would refuse the end, too: only a new epoch helps.
    const bool is_forgotten = has_failed && error_ == ErrorCode::invalid_producer_id_mapping;
    const bool is_empty = (added_.empty() && !has_offsets_) || is_forgotten;
    phase_ = TransactionPhase::unsettled;
    ends_with_commit_ = committed;
    if (!is_empty) {
        EndTransactionRequest request;
        request.transactional_id = options_.transactional_id;
        request.producer = producer_;
        request.epoch = epoch_;
        request.committed = committed;
        request.transaction = name_;
        std::string id = options_.transactional_id;
        const Outcome<EndTransactionAnswer> outcome =
            co_await ask(std::move(request), std::move(id), false, deadline);
        if (outcome.has_error()) {
            const bool is_stuck = !committed && phase_ == TransactionPhase::abortable;
            if (is_stuck) fail(error_, TransactionPhase::fatal); // nothing is left to try
            co_return outcome.error();
        }
        if (!tells_partitions()) {
            producer_ = outcome->producer;
            epoch_ = outcome->epoch;
            needs_renewal_ = false;
        }
    }
    const bool renews = has_failed && needs_renewal_ && (is_empty || tells_partitions());
    if (renews) {
        const Outcome<void> outcome = co_await renew_epoch(deadline);
        if (outcome.has_error()) co_return outcome;
    }
    added_.clear();
    to_add_.clear();
    has_offsets_ = false;
    needs_renewal_ = false;
    error_ = ErrorCode::none;
    phase_ = TransactionPhase::ready;
    co_return boost::system::in_place_value;
}

} // namespace crier::broker::kafka
