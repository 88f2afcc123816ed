#pragma once

#include <cstdint>
#include <string>
#include <vector>

// The record of a run on real systems, in the words of the simulator's ledger, derived afterwards
// from the tables and the dead-letter channel; and its judgement. The order in each list is the
// order in which the database or the channel kept it.

namespace crier::conformance {

/// A business transaction with its event, durable at the producer.
struct Accepted {
    std::string id;
    std::string key;
};

/// A durable effect at the subscriber.
struct Effect {
    std::string id;
    std::string key;
};

/// A dead letter in its channel.
struct Parked {
    std::string id;
    std::string dead_letter_id;
    int attempts = 0;
};

/// A message that the subscriber dropped on purpose.
struct Discarded {
    std::string id;
    std::string reason;
};

struct RealLedger {
    std::vector<Accepted> accepted; ///< In the order of commits.
    std::vector<Effect> effects;    ///< In the order of commits.
    std::vector<Parked> parked;     ///< In the order of the channel, copies included.
    std::vector<Discarded> discarded;
    std::int64_t outbox_rows = 0; ///< Left at the end.
};

/// Returns a sentence for everything that is wrong: an event without a fate or with two, an effect
/// that happened twice or out of its key's order, a fate of something never accepted, a second
/// parking, a dead letter after another number of attempts than `attempts`, an outbox that was not
/// emptied.
[[nodiscard]] std::vector<std::string> judge(const RealLedger& ledger, int attempts);

} // namespace crier::conformance
