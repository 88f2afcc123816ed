#pragma once

#include "broker-model/store/database.hpp"
#include "broker-model/store/standing_connection.hpp"
#include "broker-model/store/store_calls.hpp"
#include "sim/world.hpp"

#include <utility>

// A client's connection to a simulated database server that stands while nothing is asked: what
// listeners and readers of changes have in common.

namespace crier::broker {

/// Destroyed, it ends.
class SimConnection {
public:
    SimConnection(Database& database, sim::Process& process)
        : database_(&database), process_(process), id_(database.next_session()),
          end_(std::make_shared<ClientEnd>(process)) {}

    [[nodiscard]] SessionId id() const { return id_; }
    [[nodiscard]] ClientEnd& end() const { return *end_; }
    [[nodiscard]] sim::Process& process() const { return process_; }
    [[nodiscard]] ConnectionRequest request() const { return {id_, &process_, end_}; }

    /// Asks the server something. What has no answer ends the connection.
    template <class Answer, class Serve>
    asio::awaitable<Outcome<Answer>> ask(const sim::CallKind& kind, sim::CallOptions options,
                                         Serve serve) {
        Outcome<Answer> answer = co_await database_->world().network().call<Answer>(
            process_, database_->node(), kind, options, std::move(serve));
        if (!answer) end_->is_lost = true;
        co_return answer;
    }

    /// The server knows of the connection: from here on its end is heard of.
    void stand();

private:
    static void watch(Database& database, sim::Process& process, SessionId id,
                      const std::weak_ptr<ClientEnd>& end);

    Database* database_;
    sim::Process& process_;
    SessionId id_;
    std::shared_ptr<ClientEnd> end_; // the only owner
};

[[nodiscard]] inline Failure surely(StoreError error) {
    return {make_error_code(error), Certainty::failed};
}

/// Answers with an error if a fault wants it. **Returns** whether it does.
template <class Answer>
bool answers_falsely(sim::Reply<Answer>& reply) {
    const sim::Forgery forgery = reply.forgery();
    if (forgery.kind != sim::Forgery::Kind::fail) return false;
    Answer answer;
    answer.error = static_cast<StoreError>(forgery.error);
    reply.note_forged(make_error_code(answer.error).message());
    reply(std::move(answer));
    return true;
}

} // namespace crier::broker
