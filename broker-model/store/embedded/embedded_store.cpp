#include "broker-model/store/embedded/embedded_store.hpp"

#include "broker-model/store/embedded/file_queue.hpp"

namespace crier::broker {

namespace {

/// One turn at the file. It exists before its turn comes, so that a `begin` which nobody waits for
/// any more gives the turn back as well.
class FileTransaction final : public Transaction {
public:
    explicit FileTransaction(std::shared_ptr<FileQueue> queue)
        : queue_(std::move(queue)), id_(queue_->name_transaction()) {}
    ~FileTransaction() override { queue_->abandon(id_); }
    FileTransaction(const FileTransaction&) = delete;
    FileTransaction& operator=(const FileTransaction&) = delete;

    asio::awaitable<Outcome<void>> begin() { return queue_->begin(id_); }

    asio::awaitable<Outcome<Rows>> execute(std::string sql,
                                           std::vector<Value> parameters) override {
        return queue_->execute(id_, std::move(sql), std::move(parameters));
    }

    asio::awaitable<Outcome<void>> commit() override { return queue_->commit(id_); }

    asio::awaitable<void> rollback() override { return queue_->rollback(id_); }

private:
    std::shared_ptr<FileQueue> queue_;
    TransactionId id_;
};

} // namespace

EmbeddedStore::EmbeddedStore(EmbeddedDatabase& database, sim::Node& home, sim::ProcessPorts& ports)
    : queue_(std::make_shared<FileQueue>(database, home, ports)) {}

EmbeddedStore::~EmbeddedStore() {
    queue_->close();
}

asio::awaitable<Outcome<std::unique_ptr<Transaction>>> EmbeddedStore::begin() {
    auto transaction = std::make_unique<FileTransaction>(queue_);
    const Outcome<void> begun = co_await transaction->begin();
    if (!begun) co_return begun.error();
    co_return std::unique_ptr<Transaction>(std::move(transaction));
}

asio::awaitable<Outcome<Rows>> EmbeddedStore::execute(std::string sql,
                                                      std::vector<Value> parameters) {
    FileTransaction transaction(queue_);
    const Outcome<void> begun = co_await transaction.begin();
    if (!begun) co_return begun.error();
    Outcome<Rows> rows = co_await transaction.execute(std::move(sql), std::move(parameters));
    if (!rows) co_return rows;
    const Outcome<void> committed = co_await transaction.commit();
    if (!committed) co_return committed.error();
    co_return rows;
}

} // namespace crier::broker
