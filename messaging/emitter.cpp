#include "messaging/emitter.hpp"

#include "messaging/ports/ensure.hpp"

#include <utility>

namespace crier::messaging {

std::vector<std::string> EmitterOptions::validate() const {
    std::vector<std::string> problems;
    if (publish == PublishMode::outbox) {
        problems = outbox.validate();
    } else if (channel.empty()) {
        problems.emplace_back("channel must not be empty for dual-write");
    }
    return problems;
}

Emitter::Emitter(ProcessPorts ports, Publisher* publisher, EmitterOptions options)
    : ports_(ports), publisher_(publisher), options_(std::move(options)), outbox_(options_.outbox) {
    ensure(options_.validate().empty(), "invalid emitter options");
    ensure(publisher_ != nullptr || options_.publish == PublishMode::outbox,
           "dual-write needs a publisher");
}

asio::awaitable<Outcome<void>> Emitter::commit(std::unique_ptr<Transaction> transaction,
                                               std::vector<Message> messages) {
    if (options_.publish == PublishMode::outbox) {
        const Outcome<void> written =
            co_await outbox_.write(*transaction, std::move(messages), ports_.clock.wall_now());
        if (!written) {
            co_await transaction->rollback();
            co_return written.error();
        }
        co_return co_await transaction->commit();
    }
    const Outcome<void> committed = co_await transaction->commit();
    if (!committed) co_return committed.error();
    ports_.observer.reached("emitter.committed-not-published");
    std::string channel = options_.channel;
    co_await publisher_->publish(std::move(channel), std::move(messages));
    co_return Outcome<void>();
}

} // namespace crier::messaging
