#include "broker-model/store/embedded/file_queue.hpp"

#include <algorithm>
#include <boost/asio/use_awaitable.hpp>

namespace crier::broker {

namespace {

Failure certainly(StoreError error) {
    return {error, Certainty::failed};
}

} // namespace

FileQueue::FileQueue(EmbeddedDatabase& database, sim::Node& node, sim::ProcessPorts& ports)
    : database_(database), node_(node), process_(node.process()), ports_(ports),
      ledger_(database.ledger(node)) {
    ledger_.recovered(process_, node.disk());
}

asio::awaitable<void> FileQueue::wait_for_disk() {
    const Duration time = node_.disk().take_time();
    co_await ports_.sleep(time);
}

asio::awaitable<Outcome<void>> FileQueue::begin(TransactionId id) {
    if (closed_) co_return certainly(StoreError::unavailable);
    if (open_) {
        const auto turn = std::make_shared<Turn>(process_.executor(), 1);
        const Waiting waiting{id, turn};
        waiting_.push_back(waiting);
        co_await turn->async_receive(asio::use_awaitable);
        if (closed_) co_return certainly(StoreError::unavailable);
    } else {
        open_ = id;
    }
    aborted_ = false;
    const Outcome<void> started = start();
    co_await wait_for_disk();
    if (!started) end(id);
    co_return started;
}

Outcome<void> FileQueue::start() {
    if (engine_ == nullptr) {
        if (std::exchange(doubtful_, false)) ledger_.recovered(process_, node_.disk());
        Outcome<std::unique_ptr<FileEngine>> opened = FileEngine::open(node_, database_.options());
        if (!opened) return opened.error();
        engine_ = std::move(*opened);
    }
    Outcome<void> begun = engine_->begin();
    drop_if_broken();
    return begun;
}

asio::awaitable<Outcome<Rows>> FileQueue::execute(TransactionId id, std::string sql,
                                                  std::vector<Value> values) {
    if (open_ != id || aborted_) co_return certainly(StoreError::aborted);
    Outcome<Rows> rows = engine_->run(sql, values);
    if (!rows) {
        aborted_ = true;
        drop_if_broken();
    }
    co_await wait_for_disk();
    co_return rows;
}

// Told before it is waited for: it is in the file now, whoever dies while the disk is busy.
asio::awaitable<Outcome<void>> FileQueue::commit(TransactionId id) {
    if (open_ != id) co_return certainly(StoreError::aborted);
    Outcome<void> committed = certainly(StoreError::aborted);
    if (!aborted_) {
        const bool wrote = engine_->wrote();
        ledger_.committing(engine_->changes());
        committed = engine_->commit();
        if (committed) {
            ledger_.committed(process_, wrote);
        } else if (process_.is_alive() && !is_unknown(committed.error())) {
            ledger_.not_committed();
        }
        drop_if_broken();
    }
    co_await wait_for_disk();
    end(id);
    co_return committed;
}

asio::awaitable<void> FileQueue::rollback(TransactionId id) {
    if (open_ == id && engine_ != nullptr) {
        engine_->rollback();
        co_await wait_for_disk();
    }
    end(id);
}

void FileQueue::abandon(TransactionId id) {
    if (process_.is_alive()) end(id);
}

void FileQueue::end(TransactionId id) {
    if (open_ != id) {
        std::erase_if(waiting_, [id](const Waiting& waiting) { return waiting.id == id; });
        return;
    }
    if (engine_ != nullptr) engine_->rollback();
    open_.reset();
    if (waiting_.empty()) return;
    const Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    open_ = next.id;
    next.turn->try_send(error_code{});
}

void FileQueue::close() {
    closed_ = true;
    if (!process_.is_alive()) return;
    std::deque<Waiting> refused;
    refused.swap(waiting_);
    for (const Waiting& waiting : refused)
        waiting.turn->try_send(error_code{});
    open_.reset();
    engine_.reset();
}

// A connection that the disk failed under is not trusted again; a new one reads the file anew.
void FileQueue::drop_if_broken() {
    if (engine_ == nullptr || !engine_->is_broken()) return;
    engine_.reset();
    doubtful_ = true;
}

} // namespace crier::broker
