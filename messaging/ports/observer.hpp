#pragma once

#include <string_view>

namespace crier {

/// What became of one message in one consumer.
enum class Fate {
    done,      ///< Its effect is committed by this delivery.
    duplicate, ///< It was finished by an earlier delivery.
    parked,    ///< It stands in the dead-letter queue, confirmed.
    discarded, ///< It was dropped on purpose, with a reason.
};

/// What the reason of a parking begins with when the handler said that no attempt would help.
inline constexpr std::string_view not_retryable = "not retryable";

/// Where product code tells what it is doing: logs and metrics in production, the history of a run
/// in the simulator. Calls return at once and change nothing for the caller.
class Observer {
public:
    virtual ~Observer() = default;

    /// Execution reached a named point, e.g. `relay.published-not-marked`.
    virtual void reached(std::string_view point) = 0;

    /// A handler is about to run for `message_id`; the first attempt is 1.
    virtual void attempting(std::string_view message_id, int attempt) = 0;

    /// A handler has failed for `message_id`.
    virtual void attempt_failed(std::string_view message_id, int attempt,
                                std::string_view reason) = 0;

    /// A handler has called somebody outside its database for `message_id`: a payment, a mail. Whom
    /// it called knows repetitions by `key`; empty: it does not.
    virtual void called_out(std::string_view message_id, std::string_view key) = 0;

    /// A message reached its fate in this process. `reason` is empty unless parked or discarded.
    virtual void settled(std::string_view message_id, Fate fate, std::string_view reason) = 0;
};

} // namespace crier
