#include "messaging/processor.hpp"

#include "messaging/dead_letters.hpp"

#include <utility>

namespace crier::messaging {

namespace {

/// Whether the same transaction may succeed when it is run again.
bool passes_by_itself(const Failure& failure) {
    if (failure.code.category() != store_category()) return false;
    switch (static_cast<StoreError>(failure.code.value())) {
    case StoreError::serialization_failure:
    case StoreError::deadlock:
    case StoreError::lock_timeout:
    case StoreError::connection_lost:
    case StoreError::unavailable:
    case StoreError::disk_full:
    case StoreError::query_canceled:
    case StoreError::idle_transaction_timeout:
    case StoreError::too_many_connections:
    case StoreError::shutdown:
    case StoreError::read_only: return true;
    case StoreError::unique_violation:
    case StoreError::foreign_key_violation:
    case StoreError::check_violation:
    case StoreError::aborted:
    case StoreError::statement_error: return false;
    }
    return false;
}

asio::awaitable<void> publish_unwatched(Publisher& publisher, std::string channel,
                                        std::vector<Message> messages) {
    co_await publisher.publish(std::move(channel), std::move(messages));
}

} // namespace

Processor::Processor(ProcessPorts ports, Subscription& subscription, Store& store,
                     Publisher& dead_letters, Handler handler, const ConsumerOptions& options)
    : ports_(ports), subscription_(subscription), store_(store), dead_letters_(dead_letters),
      handler_(std::move(handler)), options_(options), inbox_(options.inbox_table, options.name) {}

asio::awaitable<std::optional<Duration>> Processor::step(Work& work) {
    switch (work.stage) {
    case Work::Stage::attempting: return work.recorded ? attempt(work) : record(work);
    case Work::Stage::completing: return complete(work);
    case Work::Stage::deciding: return decide(work);
    case Work::Stage::publishing: return publish(work);
    case Work::Stage::marking: return mark(work);
    }
    return attempt(work);
}

asio::awaitable<Processor::Next> Processor::attempt(Work& work) {
    const std::string& id = work.delivery.message.id;
    if (options_.deduplicate == Deduplicate::memory && seen_.contains(id)) {
        co_return co_await settle(work, Fate::duplicate);
    }
    if (options_.deduplicate == Deduplicate::inbox &&
        options_.inbox_transaction != InboxTransaction::same && !work.entered) {
        Entry entry = co_await enter_alone(work);
        if (entry.kind != Entry::Kind::entered) co_return co_await refused(work, std::move(entry));
    }
    if (is_marked() && exhausted(work)) {
        co_await unmark(work);
        propose(work, "attempts exhausted by an earlier delivery");
        co_return co_await decide(work);
    }

    Outcome<std::unique_ptr<Transaction>> begun = co_await store_.begin();
    if (!begun) co_return after_store_failure(work);
    const std::unique_ptr<Transaction> transaction = std::move(*begun);
    if (options_.deduplicate == Deduplicate::inbox &&
        options_.inbox_transaction == InboxTransaction::same) {
        Statement enter = inbox_.enter(id, ports_.clock.wall_now());
        const Outcome<Rows> entered =
            co_await transaction->execute(std::move(enter.sql), std::move(enter.parameters));
        if (!entered) {
            co_await transaction->rollback();
            co_return after_store_failure(work);
        }
        if (entered->empty()) co_return co_await known(work, *transaction);
        work.attempts = std::max(work.attempts, Inbox::attempts_of(entered->front()));
        if (exhausted(work)) {
            // Only after the limit was lowered: the last failure and the decision to park are one
            // step.
            co_await transaction->rollback();
            propose(work, "attempts exhausted by an earlier delivery");
            co_return co_await decide(work);
        }
    }

    if (!is_durable() && options_.retry_by == RetryBy::broker) {
        // Nobody else has counted: a delivery that ended without an attempt counts as one.
        work.attempts = std::max(work.attempts, work.delivery.delivery_count - 1);
    }
    ports_.observer.attempting(id, work.attempts + 1);
    HandlerOutcome outcome = co_await handler_(work.delivery.message, *transaction);
    if (outcome.kind() != HandlerOutcome::Kind::ok) {
        co_return co_await judge(work, *transaction, std::move(outcome));
    }
    if (work.forgotten) {
        co_await transaction->rollback();
        co_return std::nullopt;
    }
    const Outcome<void> committed = co_await transaction->commit();
    if (!committed) {
        // After an unknown outcome the inbox tells at the next step what became of it.
        HandlerOutcome failed(committed.error());
        co_return co_await judge(work, *transaction, std::move(failed));
    }
    if (options_.deduplicate == Deduplicate::memory) seen_.insert(id);
    if (options_.inbox_transaction == InboxTransaction::marker ||
        options_.inbox_transaction == InboxTransaction::after) {
        work.stage = Work::Stage::completing;
        ports_.observer.reached("consumer.effect-committed-not-recorded");
        co_return co_await complete(work);
    }
    co_return co_await settle(work, Fate::done);
}

/// Asks the inbox in a transaction of its own, and enters the message as the options say.
asio::awaitable<Processor::Entry> Processor::enter_alone(Work& work) {
    if (options_.inbox_transaction == InboxTransaction::marker) {
        co_return co_await mark_working(work);
    }
    const std::string& id = work.delivery.message.id;
    const bool looks_only = options_.inbox_transaction == InboxTransaction::after;
    Statement statement = looks_only ? inbox_.find(id) : inbox_.enter(id, ports_.clock.wall_now());
    const Outcome<Rows> rows = co_await execute(store_, std::move(statement));
    Entry entry;
    if (!rows) co_return entry;
    entry.kind = rows->empty() == looks_only ? Entry::Kind::entered : Entry::Kind::duplicate;
    work.entered = entry.kind == Entry::Kind::entered;
    co_return entry;
}

asio::awaitable<Processor::Entry> Processor::mark_working(Work& work) {
    const std::string& id = work.delivery.message.id;
    const WallTime now = ports_.clock.wall_now();
    std::optional<std::int64_t> expires_at;
    if (options_.marker_hit != MarkerHit::never_expires) {
        expires_at = milliseconds(now + options_.marker_expiry);
    }
    Statement mark = inbox_.mark(id, now, expires_at, work.marker);
    const Outcome<Rows> marked = co_await execute(store_, std::move(mark));
    Entry entry;
    if (!marked) co_return entry;
    if (!marked->empty()) {
        entry.kind = Entry::Kind::entered;
        work.marker = expires_at.value_or(0);
        work.entered = !is_marked(); // a marker is looked after at every attempt
        if (is_marked())
            work.attempts = std::max(work.attempts, Inbox::attempts_of(marked->front()));
        co_return entry;
    }
    work.marker = 0;
    if (!is_marked()) {
        entry.kind = Entry::Kind::duplicate;
        co_return entry;
    }
    Statement find = inbox_.find(id);
    const Outcome<Rows> found = co_await execute(store_, std::move(find));
    // No row: it was removed between the two statements.
    if (!found || found->empty()) co_return entry;
    entry.row = Inbox::parse(found->front());
    entry.kind = entry.row.status == InboxStatus::working   ? Entry::Kind::elsewhere
                 : entry.row.status == InboxStatus::parking ? Entry::Kind::parking
                                                            : Entry::Kind::duplicate;
    co_return entry;
}

/// The inbox did not let the message in.
asio::awaitable<Processor::Next> Processor::refused(Work& work, Entry entry) {
    switch (entry.kind) {
    case Entry::Kind::duplicate: co_return co_await settle(work, Fate::duplicate);
    case Entry::Kind::parking:
        work.parking = std::move(entry.row.parking);
        work.stage = Work::Stage::publishing;
        co_return co_await publish(work);
    case Entry::Kind::elsewhere: {
        // Not settled, for whoever works on it may fail: looked at again now and then.
        const std::int64_t left =
            entry.row.expires_at.value_or(0) - milliseconds(ports_.clock.wall_now());
        const Duration until_expiry =
            std::chrono::milliseconds(std::max<std::int64_t>(left, 0) + 1);
        co_return std::min(until_expiry, options_.retry.backoff_max);
    }
    case Entry::Kind::entered:
    case Entry::Kind::failed: break;
    }
    co_return after_store_failure(work);
}

/// Gives the message free for others, as far as possible: a marker expires by itself.
asio::awaitable<void> Processor::unmark(Work& work) {
    if (!is_marked() || work.marker == 0) co_return;
    Statement unmark = inbox_.unmark(work.delivery.message.id, std::exchange(work.marker, 0));
    co_await execute(store_, std::move(unmark));
}

/// Remembers an effect that was not committed with its inbox row.
asio::awaitable<Processor::Next> Processor::complete(Work& work) {
    Statement done = inbox_.complete(work.delivery.message.id, ports_.clock.wall_now());
    const Outcome<Rows> completed = co_await execute(store_, std::move(done));
    if (!completed) co_return after_store_failure(work);
    co_return co_await settle(work, Fate::done);
}

/// The message has a fate already, or one that is on its way.
asio::awaitable<Processor::Next> Processor::known(Work& work, Transaction& transaction) {
    Statement find = inbox_.find(work.delivery.message.id);
    const Outcome<Rows> found =
        co_await transaction.execute(std::move(find.sql), std::move(find.parameters));
    co_await transaction.rollback();
    // No row: it was pruned between the two statements.
    if (!found || found->empty()) co_return after_store_failure(work);
    InboxRow row = Inbox::parse(found->front());
    if (row.status != InboxStatus::parking) co_return co_await settle(work, Fate::duplicate);
    work.parking = std::move(row.parking);
    work.stage = Work::Stage::publishing;
    co_return co_await publish(work);
}

/// Decides what an attempt without success means.
asio::awaitable<Processor::Next> Processor::judge(Work& work, Transaction& transaction,
                                                  HandlerOutcome outcome) {
    switch (outcome.kind()) {
    case HandlerOutcome::Kind::discard:
        co_return co_await discard(work, transaction, outcome.reason());
    case HandlerOutcome::Kind::park:
        co_return co_await attempt_failed(
            work, transaction, std::string(not_retryable) + ": " + outcome.reason(), true);
    case HandlerOutcome::Kind::failure:
        if (is_unknown(outcome.failure()) || passes_by_itself(outcome.failure())) {
            co_await transaction.rollback();
            co_return after_store_failure(work);
        }
        co_return co_await attempt_failed(work, transaction, outcome.failure().code.message(),
                                          false);
    case HandlerOutcome::Kind::ok:
    case HandlerOutcome::Kind::retry: break;
    }
    co_return co_await attempt_failed(work, transaction, outcome.reason(), false);
}

asio::awaitable<Processor::Next> Processor::attempt_failed(Work& work, Transaction& transaction,
                                                           std::string reason, bool for_good) {
    co_await transaction.rollback();
    co_await unmark(work);
    ++work.attempts;
    work.store_failures = 0;
    ports_.observer.attempt_failed(work.delivery.message.id, work.attempts, reason);
    ports_.observer.reached("consumer.attempt-failed");
    if (exhausted(work) || (for_good && can_park())) {
        propose(work, std::move(reason));
        co_return co_await decide(work);
    }
    if (is_durable()) {
        Statement record =
            inbox_.record(work.delivery.message.id, work.attempts, ports_.clock.wall_now());
        const Outcome<Rows> recorded =
            co_await store_.execute(std::move(record.sql), std::move(record.parameters));
        work.recorded = recorded.has_value();
    }
    if (work.recorded && goes_back(work)) co_return co_await release(work);
    co_return retry_delay(options_.retry, ports_.ids, "consumer.retry", work.delivery.message.id,
                          work.attempts);
}

/// Makes a failed attempt durable that could not be recorded at once, then goes on.
asio::awaitable<Processor::Next> Processor::record(Work& work) {
    Statement record =
        inbox_.record(work.delivery.message.id, work.attempts, ports_.clock.wall_now());
    const Outcome<Rows> recorded =
        co_await store_.execute(std::move(record.sql), std::move(record.parameters));
    if (!recorded) co_return after_store_failure(work);
    work.recorded = true;
    co_return co_await attempt(work);
}

asio::awaitable<Processor::Next> Processor::discard(Work& work, Transaction& transaction,
                                                    std::string reason) {
    co_await transaction.rollback();
    co_await unmark(work);
    if (is_durable()) {
        Statement discard =
            inbox_.discard(work.delivery.message.id, reason, ports_.clock.wall_now());
        const Outcome<Rows> discarded =
            co_await store_.execute(std::move(discard.sql), std::move(discard.parameters));
        if (!discarded) co_return after_store_failure(work);
        if (discarded->empty()) co_return Duration::zero();
    }
    if (options_.deduplicate == Deduplicate::memory) seen_.insert(work.delivery.message.id);
    work.parking.reason = std::move(reason);
    co_return co_await settle(work, Fate::discarded);
}

asio::awaitable<Processor::Next> Processor::decide(Work& work) {
    if (work.forgotten) co_return std::nullopt;
    if (is_durable()) {
        Statement park =
            inbox_.park(work.delivery.message.id, work.parking, ports_.clock.wall_now());
        const Outcome<Rows> parked =
            co_await store_.execute(std::move(park.sql), std::move(park.parameters));
        if (!parked) co_return after_store_failure(work);
        if (parked->empty()) {
            // Another owner was faster, or this is our own decision whose answer was lost.
            work.stage = Work::Stage::attempting;
            work.recorded = true;
            co_return Duration::zero();
        }
    }
    work.stage = Work::Stage::publishing;
    ports_.observer.reached("consumer.parking-decided");
    co_return co_await publish(work);
}

asio::awaitable<Processor::Next> Processor::publish(Work& work) {
    std::vector<Message> letters;
    letters.push_back(dead_letter(work.delivery, work.parking, options_.name));
    std::string channel = options_.dead_letter_channel;
    if (options_.dead_letter_publish == DeadLetterPublish::forgotten) {
        ports_.background.spawn(
            "consumer.dead-letter",
            publish_unwatched(dead_letters_, std::move(channel), std::move(letters)));
    } else {
        const std::vector<Outcome<void>> outcomes =
            co_await dead_letters_.publish(std::move(channel), std::move(letters));
        if (outcomes.empty() || !outcomes.front()) {
            ++work.publish_failures;
            co_return retry_delay(options_.retry, ports_.ids, "consumer.dead-letter",
                                  work.delivery.message.id, work.publish_failures);
        }
    }
    work.stage = Work::Stage::marking;
    co_return co_await mark(work);
}

asio::awaitable<Processor::Next> Processor::mark(Work& work) {
    if (is_durable()) {
        Statement parked = inbox_.parked(work.delivery.message.id, ports_.clock.wall_now());
        const Outcome<Rows> marked =
            co_await store_.execute(std::move(parked.sql), std::move(parked.parameters));
        if (!marked) co_return after_store_failure(work);
    }
    if (options_.deduplicate == Deduplicate::memory) seen_.insert(work.delivery.message.id);
    co_return co_await settle(work, Fate::parked);
}

asio::awaitable<Processor::Next> Processor::settle(Work& work, Fate fate) {
    ports_.observer.settled(work.delivery.message.id, fate, work.parking.reason);
    if (fate == Fate::done) ports_.observer.reached("consumer.effect-committed-not-settled");
    if (fate == Fate::parked) ports_.observer.reached("consumer.parked-not-settled");
    if (options_.acknowledge == Acknowledge::after_effect) {
        const Settlement settlement =
            fate == Fate::parked ? Settlement::reject : Settlement::accept;
        const Outcome<void> settled = co_await subscription_.settle(work.delivery, settlement);
        // A refusal means that the lane is gone: the next owner finds a duplicate.
        if (settled) ports_.observer.reached("consumer.settled");
    }
    co_return std::nullopt;
}

/// Gives the message back after a failed attempt: whoever gets it next makes the next one.
asio::awaitable<Processor::Next> Processor::release(Work& work) {
    const Outcome<void> released =
        co_await subscription_.settle(work.delivery, Settlement::release);
    if (released) ports_.observer.reached("consumer.released");
    co_return std::nullopt;
}

/// Whether a failed attempt ends this delivery. What was settled on receipt cannot go back.
bool Processor::goes_back(const Work& work) const {
    const int count = work.delivery.delivery_count;
    return options_.retry_by == RetryBy::broker &&
           options_.acknowledge == Acknowledge::after_effect && count > 0 &&
           count < options_.delivery_limit;
}

bool Processor::exhausted(const Work& work) const {
    return can_park() && work.attempts >= options_.retry.attempts;
}

void Processor::propose(Work& work, std::string reason) {
    work.parking.dead_letter_id = ports_.ids.next();
    work.parking.attempts = work.attempts;
    work.parking.reason = std::move(reason);
    work.stage = Work::Stage::deciding;
}

Duration Processor::after_store_failure(Work& work) {
    ++work.store_failures;
    return retry_delay(options_.retry, ports_.ids, "consumer.store", work.delivery.message.id,
                       work.store_failures);
}

/// Whether fates and attempts are kept in the database, and nothing is done that contradicts them.
bool Processor::is_durable() const {
    return is_marked() || (options_.deduplicate == Deduplicate::inbox &&
                           options_.inbox_transaction == InboxTransaction::same);
}

/// Whether a marker says who works on the message, and is honoured.
bool Processor::is_marked() const {
    return options_.inbox_transaction == InboxTransaction::marker &&
           options_.marker_hit == MarkerHit::waits;
}

} // namespace crier::messaging
