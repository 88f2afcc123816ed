#include "broker-model/store/sim_change_streams.hpp"

#include "broker-model/store/database_server.hpp"
#include "broker-model/store/sim_connection.hpp"
#include "sim/timer.hpp"

#include <algorithm>
#include <deque>
#include <iterator>

namespace crier::broker {

namespace {

constexpr unsigned index_bits = 20;

std::uint64_t position_of(std::uint64_t commit, std::size_t index) {
    ensure(index >> index_bits == 0, "a commit inserts a million rows at most");
    return commit << index_bits | index;
}

class ServeOpen {
public:
    ServeOpen(Database& database, SlotRequest request)
        : database_(&database), request_(std::move(request)) {}

    void operator()(sim::Process&, DatabaseServer::Reply reply) {
        if (answers_falsely(reply)) return;
        DatabaseServer* const server = database_->server();
        if (server != nullptr) server->open_slot(std::move(request_), std::move(reply));
    }

private:
    Database* database_;
    SlotRequest request_;
};

class ServeRead {
public:
    ServeRead(Database& database, SessionId reader, std::uint64_t after, std::size_t max)
        : database_(&database), reader_(reader), after_(after), max_(max) {}

    void operator()(sim::Process&, SlotReply reply) const {
        if (answers_falsely(reply)) return;
        DatabaseServer* const server = database_->server();
        if (server != nullptr) server->read_slot(reader_, after_, max_, std::move(reply));
    }

private:
    Database* database_;
    SessionId reader_;
    std::uint64_t after_;
    std::size_t max_;
};

class ServeConfirm {
public:
    ServeConfirm(Database& database, SessionId reader, std::uint64_t commit)
        : database_(&database), reader_(reader), commit_(commit) {}

    void operator()(sim::Process&, DatabaseServer::Reply reply) const {
        if (answers_falsely(reply)) return;
        DatabaseServer* const server = database_->server();
        if (server != nullptr) server->confirm_slot(reader_, commit_, std::move(reply));
    }

private:
    Database* database_;
    SessionId reader_;
    std::uint64_t commit_;
};

class SimChangeStream final : public ChangeStream {
public:
    SimChangeStream(Database& database, sim::Process& process, StoreOptions options,
                    Duration poll_interval)
        : database_(database), connection_(database, process), options_(options),
          poll_interval_(poll_interval) {}

    [[nodiscard]] SimConnection& connection() { return connection_; }

    [[nodiscard]] asio::awaitable<Outcome<std::vector<Change>>> next(std::size_t max,
                                                                     Duration limit) override {
        sim::Process& process = connection_.process();
        const Instant begun = process.kernel().now();
        const Instant give_up = begun + std::min(limit, Instant::max() - begun);
        for (;;) {
            Outcome<std::vector<Change>> changes = co_await read(max);
            if (!changes || !changes->empty()) co_return changes;
            const Instant now = process.kernel().now();
            if (now >= give_up) co_return changes;
            co_await sim::async_sleep_until(process, std::min(give_up, now + poll_interval_),
                                            asio::use_awaitable);
        }
    }

    /// Transactions are confirmed as a whole.
    [[nodiscard]] asio::awaitable<Outcome<void>> confirm(std::uint64_t position) override {
        const auto end = std::find_if(told_.begin(), told_.end(), [position](const Told& told) {
            return told.position > position;
        });
        if (end == told_.begin()) co_return Outcome<void>();
        const std::uint64_t commit = std::prev(end)->commit;
        if (connection_.end().is_lost) co_return surely(StoreError::connection_lost);
        sim::CallOptions call;
        call.timeout = options_.request_timeout;
        ServeConfirm serve(database_, connection_.id(), commit);
        const Outcome<SqlAnswer> answer =
            co_await connection_.ask<SqlAnswer>(sql_stream_confirm, call, serve);
        if (!answer) co_return Failure{StoreError::connection_lost, answer.error().certainty};
        if (!answer->is_ok()) co_return refused(answer->error);
        while (!told_.empty() && told_.front().commit <= commit)
            told_.pop_front();
        co_return Outcome<void>();
    }

private:
    /// What was told of one transaction, and not confirmed.
    struct Told {
        std::uint64_t commit = 0;
        std::uint64_t position = 0; ///< Of its last row.
    };

    asio::awaitable<Outcome<std::vector<Change>>> read(std::size_t max) {
        if (connection_.end().is_lost) co_return surely(StoreError::connection_lost);
        sim::CallOptions call;
        call.timeout = options_.request_timeout;
        ServeRead serve(database_, connection_.id(), last_, max);
        const Outcome<SlotAnswer> answer =
            co_await connection_.ask<SlotAnswer>(sql_stream_read, call, serve);
        if (!answer) co_return surely(StoreError::connection_lost);
        if (answer->error != StoreError{}) co_return refused(answer->error);
        std::vector<Change> changes;
        for (const InsertedRows& commit : answer->commits)
            take(commit, changes);
        co_return changes;
    }

    void take(const InsertedRows& commit, std::vector<Change>& changes) {
        for (const InsertedRow& row : *commit.rows) {
            const TableShape& shape = row.shapes->tables[row.table];
            Change& change = changes.emplace_back();
            change.position =
                position_of(commit.commit, static_cast<std::size_t>(&row - commit.rows->data()));
            change.table = shape.name;
            change.columns = shape.all_columns;
            change.row = row.values;
        }
        last_ = commit.commit;
        Told& told = told_.emplace_back();
        told.commit = commit.commit;
        told.position = changes.back().position;
    }

    Failure refused(StoreError error) {
        if (error == StoreError::connection_lost) connection_.end().is_lost = true;
        return surely(error);
    }

    Database& database_;
    SimConnection connection_;
    StoreOptions options_;
    Duration poll_interval_;
    std::uint64_t last_ = 0; // the commit that was told last
    std::deque<Told> told_;
};

} // namespace

SimChangeStreams::SimChangeStreams(Database& database, sim::Node& home, StoreOptions options,
                                   Duration poll_interval)
    : database_(database), process_(home.process()), options_(options),
      poll_interval_(poll_interval) {}

asio::awaitable<Outcome<std::unique_ptr<ChangeStream>>> SimChangeStreams::open(std::string slot) {
    auto stream = std::make_unique<SimChangeStream>(database_, process_, options_, poll_interval_);
    SimConnection& connection = stream->connection();
    sim::CallOptions call;
    call.timeout = options_.request_timeout;
    SlotRequest request;
    request.connection = connection.request();
    request.slot = std::move(slot);
    ServeOpen serve(database_, std::move(request));
    const Outcome<SqlAnswer> answer =
        co_await connection.ask<SqlAnswer>(sql_stream_open, call, std::move(serve));
    if (!answer) {
        const bool unheard = answer.error().code == sim::CallError::refused;
        co_return surely(unheard ? StoreError::unavailable : StoreError::connection_lost);
    }
    if (!answer->is_ok()) co_return surely(answer->error);
    connection.stand();
    co_return std::unique_ptr<ChangeStream>(std::move(stream));
}

} // namespace crier::broker
