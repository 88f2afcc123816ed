#include "broker-model/store/database_server.hpp"

#include "sim/world.hpp"

#include <algorithm>

namespace crier::broker {

namespace {

SqlAnswer failed(StoreError error) {
    SqlAnswer answer;
    answer.error = error;
    return answer;
}

std::size_t size_on_wire(const SqlAnswer& answer) {
    std::size_t size = 64;
    for (const Row& row : answer.rows) {
        for (const Value& value : row) {
            const auto* const text = std::get_if<std::string>(&value);
            size += text == nullptr ? 12 : 4 + text->size();
        }
    }
    return size;
}

} // namespace

DatabaseServer::DatabaseServer(sim::Node& node, std::shared_ptr<const DatabaseOptions> options,
                               std::shared_ptr<CommitLedger> ledger, std::uint64_t& sessions)
    : node_(node), process_(node.process()), options_(std::move(options)),
      ledger_(std::move(ledger)), session_count_(sessions), access_(node),
      connections_(node, [this](SessionId id) { connection_stands_no_more(id); }),
      listeners_(node) {
    // What a crash left in the page cache is brought to the platter before it counts, so that a
    // loss of power now takes nothing back that was recovered. **Source**: PostgreSQL
    // SyncDataDirectory.
    if (ledger_->log().sync(access_) != IoResult::done) return;
    ledger_->recovered(process_);
    transactions_.emplace(node_, access_, *options_, *ledger_);
    slots_.emplace(node_, access_, *options_, *ledger_, *transactions_);
    ready_at_ = kernel().now() + node_.disk().take_time();
}

DatabaseServer::Session* DatabaseServer::find(SessionId id) {
    const auto found = sessions_.find(id);
    return found == sessions_.end() ? nullptr : &found->second;
}

/// While it recovers it lets nobody in, and turns to the request afterwards. **Returns** whether it
/// does.
template <class Request, class Answer>
bool DatabaseServer::is_put_off(void (DatabaseServer::*serve)(Request, Answer), Request& request,
                                Answer& reply) {
    if (kernel().now() >= ready_at_) return false;
    kernel().at(process_, ready_at_,
                [this, serve, later = std::move(request), to = std::move(reply)]() mutable {
                    (this->*serve)(std::move(later), std::move(to));
                });
    return true;
}

void DatabaseServer::statement(SqlRequest request, Reply reply) {
    attend(*request.client);
    if (is_put_off(&DatabaseServer::statement, request, reply)) return;
    if (stopped_) return reply(failed(StoreError::connection_lost));
    const bool is_single = request.session == 0;
    const SessionId id = is_single ? ++session_count_ : request.session;
    Session* session = find(id);
    if (session == nullptr) {
        if (!is_single && !request.opens) // rolled back already
            return reply(failed(why_gone(*request.client, id)));
        if (!admit(*request.client)) return reply(failed(StoreError::too_many_connections));
        session = &sessions_[id];
        session->client = request.client;
        session->attendance = clients_[request.client->node()].attendance;
        session->transaction = &transactions_->open(id, request.client->node());
        session->transaction->is_single = is_single;
    }
    session->last_request = kernel().now();
    session->reply = std::move(reply);
    RunningStatement& statement = session->transaction->statement.emplace();
    statement.sql = std::move(request.sql);
    statement.parameters = std::move(request.parameters);
    statement.arrived = kernel().now();
    run(*session);
    run_ready();
    watch_idleness();
}

void DatabaseServer::run(Session& session) {
    OpenTransaction& transaction = *session.transaction;
    std::optional<SqlAnswer> answer = transactions_->run(transaction);
    if (!answer) return wait(session);
    stop_timers(session);
    settle(session, std::move(*answer));
}

void DatabaseServer::settle(Session& session, SqlAnswer answer) {
    OpenTransaction& transaction = *session.transaction;
    const SessionId id = transaction.id;
    Reply reply = std::move(*session.reply);
    session.reply.reset();
    session.last_request = kernel().now();
    if (answer.is_ok() && transaction.is_single) {
        answer.error = transactions_->commit(transaction);
        if (!answer.is_ok()) answer.rows.clear();
    }
    // An error undoes the transaction at once, and its locks are free: the client has yet to say
    // rollback, but can do nothing else. **Source**: PostgreSQL AbortTransaction.
    if (!answer.is_ok() || transaction.is_single)
        return end_with(id, std::move(reply), std::move(answer));
    transaction.statement.reset();
    const std::size_t bytes = size_on_wire(answer);
    reply(std::move(answer), bytes);
}

/// Ends the transaction, and tells its client, when the disk is done.
void DatabaseServer::end_with(SessionId id, Reply reply, SqlAnswer answer) {
    const Duration time = node_.disk().take_time();
    Session& session = *find(id);
    session.is_ending = true;
    stop_timers(session);
    if (time == Duration{}) return flushed(id, std::move(reply), std::move(answer));
    kernel().at(process_, kernel().now() + time,
                [this, id, to = std::move(reply), what = std::move(answer)]() mutable {
                    flushed(id, std::move(to), std::move(what));
                    run_ready();
                });
}

/// The disk is done; the replica may have to be. **Source**: PostgreSQL syncrep.c,
/// SyncRepWaitForLSN, which waits without limit.
void DatabaseServer::flushed(SessionId id, Reply reply, SqlAnswer answer) {
    const std::uint64_t commit = find(id)->transaction->unseen_as;
    answer_replica();
    if (commit != 0) {
        waiting_.push_back({commit, id, std::move(reply), std::move(answer)});
        return;
    }
    end(id);
    const std::size_t bytes = size_on_wire(answer);
    reply(std::move(answer), bytes);
}

void DatabaseServer::replicate(ReplicaRequest request, ReplicaReply reply) {
    if (is_put_off(&DatabaseServer::replicate, request, reply)) return;
    replica_has_ = request;
    replica_was_told_ = false;
    replica_ = std::move(reply);
    if (request.timeline == ledger_->log().synced().timeline) end_replicated();
    answer_replica();
    run_ready();
    if (stopped_ && !replica_was_told_) stopped_();
}

void DatabaseServer::end_replicated() {
    transactions_->show_up_to(replica_has_.commit);
    const auto later =
        std::stable_partition(waiting_.begin(), waiting_.end(), [this](const Waiting& each) {
            return each.commit <= replica_has_.commit;
        });
    std::vector<Waiting> done(std::make_move_iterator(waiting_.begin()),
                              std::make_move_iterator(later));
    waiting_.erase(waiting_.begin(), later);
    for (Waiting& each : done) {
        end(each.session);
        const std::size_t bytes = size_on_wire(each.answer);
        each.reply(std::move(each.answer), bytes);
    }
}

/// Tells the replica of what is on the platter, if it waits for that. **Source**: PostgreSQL
/// walsender.c, XLogSendPhysical: what is flushed here, and no more.
void DatabaseServer::answer_replica() {
    const Commit& last = ledger_->log().synced();
    const bool has_all =
        replica_has_.timeline == last.timeline && replica_has_.commit == last.number;
    if (!replica_ || has_all) return;
    constexpr std::size_t commit_bytes = 1024; // on the wire, with its share of pages
    constexpr std::uint64_t commits_max = 1024;
    const std::uint64_t behind =
        last.number > replica_has_.commit ? last.number - replica_has_.commit : 1;
    ReplicaState state;
    state.is_primary = true;
    state.commit = last;
    state.commit.changes.clear();
    state.sequences = sequences_on(node_.disk());
    replica_was_told_ = true;
    std::exchange(replica_, {})(std::move(state), commit_bytes * std::min(behind, commits_max));
}

void DatabaseServer::wait(Session& session) {
    const SessionId id = session.transaction->id;
    const Instant now = kernel().now();
    if (session.timeout == nullptr) {
        const Duration own = session.transaction->lock_timeout;
        session.timeout =
            kernel().at(process_, now + (own > Duration{} ? own : options_->lock_timeout),
                        [this, id] { fail(id, StoreError::lock_timeout); });
    }
    if (session.statement_timeout == nullptr &&
        session.transaction->statement_timeout > Duration{}) {
        session.statement_timeout =
            kernel().at(process_, now + session.transaction->statement_timeout,
                        [this, id] { fail(id, StoreError::query_canceled); });
    }
    // Of several that begin to wait together, any may look first.
    static constexpr sim::Purpose check{"store.deadlock-check"};
    const sim::Draw draw = node_.world().random().draw(
        check, node_.id(), id, static_cast<std::uint64_t>(now.time_since_epoch().count()));
    const Duration slack = draw.between(Duration{}, std::chrono::milliseconds(1));
    if (session.deadlock_check != nullptr) kernel().discard(session.deadlock_check);
    session.deadlock_check = kernel().at(process_, now + options_->deadlock_timeout + slack,
                                         [this, id] { check_deadlock(id); });
}

void DatabaseServer::stop_timers(Session& session) {
    for (sim::Operation** timer :
         {&session.timeout, &session.deadlock_check, &session.statement_timeout}) {
        if (*timer != nullptr) kernel().discard(std::exchange(*timer, nullptr));
    }
}

// Whoever looks first and sees it gives way. **Source**: PostgreSQL manual 20.12, deadlock_timeout.
void DatabaseServer::check_deadlock(SessionId id) {
    Session& session = *find(id);
    session.deadlock_check = nullptr;
    if (transactions_->is_deadlocked(*session.transaction)) fail(id, StoreError::deadlock);
}

/// The statement that waits is given up, and the transaction with it.
void DatabaseServer::fail(SessionId id, StoreError error) {
    Session& session = *find(id);
    if (error == StoreError::lock_timeout) session.timeout = nullptr;
    if (error == StoreError::query_canceled) session.statement_timeout = nullptr;
    stop_timers(session);
    settle(session, failed(error));
    run_ready();
}

void DatabaseServer::end(SessionId id) {
    const auto found = sessions_.find(id);
    stop_timers(found->second);
    const std::vector<Notified> notified = transactions_->take_notified(*found->second.transaction);
    transactions_->end(*found->second.transaction);
    note_end(found->second);
    sessions_.erase(found);
    plan_flush();
    listeners_.tell(notified);
    slots_->transaction_ended(id);
}

// One after the other in the order in which they came to wait; what one of them ends lets others go
// on behind those.
void DatabaseServer::run_ready() {
    if (std::exchange(running_ready_, true)) return;
    while (const OpenTransaction* const next = transactions_->take_ready())
        run(*find(next->id));
    running_ready_ = false;
}

void DatabaseServer::commit(const sim::Process& client, SessionId id, Reply reply) {
    Session* const session = find(id);
    if (session == nullptr) return reply(failed(why_gone(client, id)));
    if (session->reply || session->is_ending) return reply(failed(StoreError::connection_lost));
    const StoreError error =
        stopped_ ? StoreError::connection_lost : transactions_->commit(*session->transaction);
    end_with(id, std::move(reply), failed(error));
    run_ready();
}

void DatabaseServer::rollback(SessionId id) {
    Session* const session = find(id);
    if (session == nullptr || session->is_ending) return;
    end(id);
    run_ready();
}

void DatabaseServer::listen(ListenRequest request, Reply reply) {
    if (is_put_off(&DatabaseServer::listen, request, reply)) return;
    if (request.channel.empty()) return reply(failed(StoreError::statement_error));
    if (is_full()) return reply(failed(StoreError::too_many_connections));
    connections_.open(request.connection);
    listeners_.add(std::move(request));
    reply(SqlAnswer{});
}

void DatabaseServer::open_slot(SlotRequest request, Reply reply) {
    if (is_put_off(&DatabaseServer::open_slot, request, reply)) return;
    if (is_full()) return reply(failed(StoreError::too_many_connections));
    if (slots_->open(request, std::move(reply))) connections_.open(request.connection);
}

void DatabaseServer::read_slot(SessionId reader, std::uint64_t after, std::size_t max,
                               SlotReply reply) {
    slots_->read(reader, after, max, std::move(reply));
}

void DatabaseServer::confirm_slot(SessionId reader, std::uint64_t commit, Reply reply) {
    slots_->confirm(reader, commit, std::move(reply));
}

void DatabaseServer::watch_connection(SessionId id, sim::Reply<bool> reply) {
    connections_.watch(id, std::move(reply));
}

void DatabaseServer::connection_stands_no_more(SessionId id) {
    listeners_.remove(id);
    slots_->reader_ended(id);
}

void DatabaseServer::stop(Duration, std::function<void()> done) {
    if (slots_) slots_->save();
    if (replica_was_told_) {
        stopped_ = std::move(done);
        return;
    }
    done();
}

void DatabaseServer::plan_flush() {
    if (options_->synchronous == Synchronous::full || flush_planned_) return;
    if (ledger_->log().written().number == ledger_->log().synced().number) return;
    flush_planned_ = true;
    kernel().at(process_, kernel().now() + options_->flush_interval, [this] {
        flush_planned_ = false;
        (void)ledger_->log().sync(access_);
        (void)node_.disk().take_time(); // another process of the server does it, and nobody waits
        answer_replica();
    });
}

// A call to the client that is never answered: its connection breaks when the client's process
// dies, or when the network resets it, and not when a partition or a loss of power keeps the news
// away.
void DatabaseServer::attend(sim::Process& client) {
    const std::size_t at = client.node();
    if (at < clients_.size() && clients_[at].process == &client) return;
    if (at >= clients_.size()) clients_.resize(at + 1);
    connection_count_ -= clients_[at].connections;
    clients_[at] = Client();
    clients_[at].process = &client;
    clients_[at].attendance = ++attendances_;
    sim::World& world = node_.world();
    sim::CallOptions options;
    options.timeout = for_ever;
    world.network().async_call<ConnectionEnd>(
        process_, world.node(client.node()), sql_connection, options,
        [expected = &client](sim::Process& found, sim::Reply<ConnectionEnd> reply) {
            if (&found != expected)
                reply(ConnectionEnd{}); // another life: it knows no such connection
        },
        [this, ended = &client](const Outcome<ConnectionEnd>&) { connection_ended(*ended); });
}

/// A connection that was cut for idling has the word of it, which the client reads when it asks
/// next. **Source**: PostgreSQL ProcessInterrupts, IdleInTransactionSessionTimeout.
StoreError DatabaseServer::why_gone(const sim::Process& client, SessionId id) {
    if (client.node() >= clients_.size()) return StoreError::connection_lost;
    const std::size_t was_idle = std::erase(clients_[client.node()].idled, id);
    return was_idle > 0 ? StoreError::idle_transaction_timeout : StoreError::connection_lost;
}

bool DatabaseServer::is_full() const {
    return connection_count_ + connections_.count() >= options_->max_connections;
}

// **Source**: PostgreSQL manual, 20.3.1, max_connections; InitPostgres.
bool DatabaseServer::admit(const sim::Process& client) {
    Client& known = clients_[client.node()];
    if (known.in_use == known.connections) {
        if (is_full()) return false;
        ++known.connections;
        ++connection_count_;
    }
    ++known.in_use;
    return true;
}

/// The connection of a transaction that has ended is free, if its client is still there.
void DatabaseServer::note_end(const Session& session) {
    Client& known = clients_[session.client->node()];
    if (known.attendance == session.attendance) --known.in_use;
}

// A statement of its own runs to its end all the same: a server looks at its connection between
// statements only.
void DatabaseServer::connection_ended(sim::Process& client) {
    if (Client& known = clients_[client.node()]; known.process == &client) {
        connection_count_ -= known.connections;
        known = Client{};
    }
    std::vector<SessionId> ended;
    for (const auto& [id, session] : sessions_) {
        if (session.client == &client && !session.transaction->is_single) ended.push_back(id);
    }
    for (const SessionId id : ended)
        rollback(id);
}

// One timer for all transactions: it looks again when the next one could be due. Who waits is not
// idle.
void DatabaseServer::watch_idleness() {
    if (idleness_watched_) return;
    std::optional<Instant> first;
    for (const auto& [id, session] : sessions_) {
        if (!first || session.last_request < *first) first = session.last_request;
    }
    if (!first) return;
    idleness_watched_ = true;
    const Duration limit = options_->idle_transaction_timeout;
    kernel().at(process_, std::max(*first + limit, kernel().now() + limit / 10), [this, limit] {
        idleness_watched_ = false;
        std::vector<SessionId> idle;
        for (const auto& [id, session] : sessions_) {
            if (!session.reply && !session.is_ending &&
                kernel().now() >= session.last_request + limit)
                idle.push_back(id);
        }
        for (const SessionId id : idle) {
            clients_[find(id)->client->node()].idled.push_back(id);
            rollback(id);
        }
        watch_idleness();
    });
}

} // namespace crier::broker
