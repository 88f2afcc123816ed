#pragma once

#include "messaging/ports/message.hpp"
#include "messaging/ports/result.hpp"
#include "messaging/ports/store.hpp"

#include <functional>
#include <string>
#include <utility>

// The one thing that a user of the consumer writes.

namespace crier::messaging {

/// What a handler says of one attempt.
class HandlerOutcome {
public:
    enum class Kind {
        ok,      ///< Commit the transaction: the message is done.
        retry,   ///< This attempt failed; try again, up to the policy's attempts.
        park,    ///< It can never succeed: dead-letter it now.
        discard, ///< It is not wanted: drop it, with a reason.
        failure, ///< A port failed; see `HandlerOutcome(Failure)`.
    };

    [[nodiscard]] static HandlerOutcome ok() { return {Kind::ok, {}}; }
    [[nodiscard]] static HandlerOutcome retry(std::string reason) {
        return {Kind::retry, std::move(reason)};
    }
    [[nodiscard]] static HandlerOutcome park(std::string reason) {
        return {Kind::park, std::move(reason)};
    }
    [[nodiscard]] static HandlerOutcome discard(std::string reason) {
        return {Kind::discard, std::move(reason)};
    }

    /// A statement failed. What may pass by itself (lost connection, deadlock) starts the whole
    /// transaction again and counts as no attempt; what the data are to blame for counts as
    /// `retry`.
    HandlerOutcome(const Failure& failure) : kind_(Kind::failure), failure_(failure) {}

    [[nodiscard]] Kind kind() const { return kind_; }
    [[nodiscard]] const std::string& reason() const { return reason_; }
    [[nodiscard]] const Failure& failure() const { return failure_; }

private:
    HandlerOutcome(Kind kind, std::string reason) : kind_(kind), reason_(std::move(reason)) {}

    Kind kind_;
    std::string reason_;
    Failure failure_; // of Kind::failure
};

/// Does the effect of one message with `transaction`, which the consumer commits or rolls back. An
/// exception that escapes it ends the process.
using Handler = std::function<asio::awaitable<HandlerOutcome>(const Message& message,
                                                              Transaction& transaction)>;

} // namespace crier::messaging
