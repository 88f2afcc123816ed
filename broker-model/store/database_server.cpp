#include "broker-model/store/database_server.hpp"

#include "broker-model/store/sqlite_vfs.hpp"
#include "sim/world.hpp"

#include <algorithm>

namespace crier::broker {

namespace {

// A connection is watched for longer than any run lasts.
constexpr Duration forever = std::chrono::hours(24 * 3650);

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
                               std::shared_ptr<CommitLedger> ledger)
    : node_(node), process_(node.process()), options_(std::move(options)),
      ledger_(std::move(ledger)), access_(node, ledger_->mark()), sources_(access_, &node) {
    // What a crash left in the page cache is brought to the platter before it counts, so that a
    // loss of power now takes nothing back that was recovered. **Source**: PostgreSQL
    // SyncDataDirectory.
    const std::string log = log_name(database_file);
    if (node_.disk().exists(log)) {
        if (access_.sync(node_.disk().open(log)) != IoResult::done) return;
        ledger_->mark().synced = ledger_->mark().written;
    }
    ledger_->recovered(process_);
    engine_.emplace(access_, database_file,
                    options_->synchronous == Synchronous::full ? SyncMode::commits
                                                               : SyncMode::checkpoints,
                    &sources_);
    engine_->watch(options_->watches, *ledger_);
    const Duration time = node_.disk().take_time();
    if (time == Duration{}) return;
    busy_until_ = kernel().now() + time;
    kernel().at(process_, busy_until_, [this] { serve_next(); });
}

void DatabaseServer::statement(SqlRequest request, Reply reply) {
    attend(*request.client);
    if (owner_ && owner_->session == request.session) {
        last_request_ = kernel().now();
        run_in_transaction(request, kernel().now(), std::move(reply));
    } else if (request.session != 0 && !request.opens) {
        reply(failed(
            StoreError::connection_lost)); // rolled back already: it idled, or the server died
    } else if (is_busy() || !waiting_.empty()) {
        enqueue(std::move(request), std::move(reply));
    } else {
        Job job;
        job.request = std::move(request);
        job.reply = std::move(reply);
        job.arrived = kernel().now();
        start(std::move(job));
        serve_next();
    }
}

void DatabaseServer::enqueue(SqlRequest request, Reply reply) {
    Job& job = waiting_.emplace_back();
    job.ticket = ++tickets_;
    job.request = std::move(request);
    job.reply = std::move(reply);
    job.arrived = kernel().now();
    job.timeout = kernel().at(process_, kernel().now() + options_->lock_timeout,
                              [this, ticket = job.ticket] { lock_timed_out(ticket); });
}

void DatabaseServer::lock_timed_out(std::uint64_t ticket) {
    const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                    [ticket](const Job& job) { return job.ticket == ticket; });
    Reply reply = std::move(found->reply);
    waiting_.erase(found);
    reply(failed(StoreError::lock_timeout));
}

void DatabaseServer::serve_next() {
    while (!waiting_.empty() && !is_busy()) {
        Job job = std::move(waiting_.front());
        waiting_.pop_front();
        kernel().discard(job.timeout);
        start(std::move(job));
    }
}

void DatabaseServer::start(Job job) {
    if (job.request.session == 0) {
        run_alone(std::move(job));
        return;
    }
    owner_ = Owner{job.request.session, job.request.client};
    last_request_ = kernel().now();
    watch_idleness();
    engine_->begin();
    run_in_transaction(job.request, job.arrived, std::move(job.reply));
}

void DatabaseServer::run_alone(Job job) {
    sources_.set_subject(job.request.client->node(), job.arrived);
    SqlAnswer result = engine_->run(job.request.sql, job.request.parameters);
    if (result.is_ok()) {
        committed(*job.request.client);
    } else if (process_
                   .is_alive()) { // what a ghost had in hand may be in the log: the next life looks
        ledger_->rolled_back();
    }
    answer(std::move(job.reply), std::move(result), true);
}

// An error undoes the transaction at once, and its locks are free: the client has yet to say
// rollback, but can do nothing else. **Source**: PostgreSQL AbortTransaction.
void DatabaseServer::run_in_transaction(SqlRequest& request, Instant arrived, Reply reply) {
    sources_.set_subject(request.client->node(), arrived);
    SqlAnswer result = engine_->run(request.sql, request.parameters);
    const bool ends = !result.is_ok();
    answer(std::move(reply), std::move(result), false);
    if (ends) end_transaction();
}

void DatabaseServer::end_transaction() {
    engine_->rollback();
    if (process_.is_alive()) ledger_->rolled_back();
    owner_.reset();
    // As a step of its own: whoever calls may be about to serve the next itself.
    if (!waiting_.empty()) kernel().post(process_, [this] { serve_next(); });
}

void DatabaseServer::commit(std::uint64_t session, Reply reply) {
    if (!owner_ || owner_->session != session) {
        reply(failed(StoreError::connection_lost));
        return;
    }
    const StoreError error = engine_->commit();
    const sim::Process& client = *owner_->client;
    owner_.reset();
    if (error == StoreError{}) {
        committed(client);
    } else if (process_.is_alive()) {
        ledger_->rolled_back();
    }
    answer(std::move(reply), failed(error), true);
    serve_next();
}

void DatabaseServer::rollback(std::uint64_t session) {
    if (owner_ && owner_->session == session) {
        end_transaction();
        return;
    }
    const auto found = std::find_if(waiting_.begin(), waiting_.end(), [session](const Job& job) {
        return job.request.session == session;
    });
    if (found == waiting_.end()) return;
    kernel().discard(found->timeout);
    waiting_.erase(found);
}

void DatabaseServer::committed(const sim::Process& client) {
    const bool wrote = ledger_->committed(process_, client.node());
    if (!wrote || options_->synchronous == Synchronous::full || flush_planned_) return;
    flush_planned_ = true;
    kernel().at(process_, kernel().now() + options_->flush_interval, [this] {
        flush_planned_ = false;
        CommitMark& mark = ledger_->mark();
        if (access_.sync(node_.disk().open(log_name(database_file))) != IoResult::done) return;
        mark.synced = mark.written;
        (void)node_.disk().take_time(); // another process of the server does it, and nobody waits
    });
}

void DatabaseServer::answer(Reply reply, SqlAnswer result, bool occupied) {
    const std::size_t bytes = size_on_wire(result);
    const Duration time = node_.disk().take_time();
    if (time == Duration{}) {
        reply(std::move(result), bytes);
        return;
    }
    const Instant done = kernel().now() + time;
    if (occupied) busy_until_ = done;
    kernel().at(process_, done,
                [this, bytes, occupied, to = std::move(reply), what = std::move(result)]() mutable {
                    to(std::move(what), bytes);
                    if (occupied) serve_next();
                });
}

// A call to the client that is never answered: its connection breaks when the client's process
// dies, or when the network resets it, and not when a partition or a loss of power keeps the news
// away.
void DatabaseServer::attend(sim::Process& client) {
    const std::size_t at = client.node();
    if (at < clients_.size() && clients_[at] == &client) return;
    if (at >= clients_.size()) clients_.resize(at + 1);
    clients_[at] = &client;
    sim::World& world = node_.world();
    sim::CallOptions options;
    options.timeout = forever;
    world.network().async_call<ConnectionEnd>(
        process_, world.node(client.node()), sql_connection, options,
        [expected = &client](sim::Process& found, sim::Reply<ConnectionEnd> reply) {
            if (&found != expected)
                reply(ConnectionEnd{}); // another life: it knows no such connection
        },
        [this, ended = &client](const Outcome<ConnectionEnd>&) { connection_ended(*ended); });
}

void DatabaseServer::connection_ended(sim::Process& client) {
    if (clients_[client.node()] == &client) clients_[client.node()] = nullptr;
    // A statement of its own runs in its turn all the same: a server looks at its connection
    // between statements only.
    for (auto job = waiting_.begin(); job != waiting_.end();) {
        if (job->request.client == &client && job->request.session != 0) {
            kernel().discard(job->timeout);
            job = waiting_.erase(job);
        } else {
            ++job;
        }
    }
    if (owner_ && owner_->client == &client) end_transaction();
}

// One timer for all transactions: it looks again when the present owner could be due.
void DatabaseServer::watch_idleness() {
    if (idleness_watched_) return;
    idleness_watched_ = true;
    kernel().at(process_, last_request_ + options_->idle_transaction_timeout, [this] {
        idleness_watched_ = false;
        if (!owner_) return;
        if (kernel().now() >= last_request_ + options_->idle_transaction_timeout) {
            end_transaction();
        } else {
            watch_idleness();
        }
    });
}

} // namespace crier::broker
