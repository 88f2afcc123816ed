#pragma once

#include "messaging/ports/clock.hpp"
#include "messaging/ports/ids.hpp"

#include <string>
#include <string_view>
#include <vector>

// When to try again. Integers only; the random part is drawn by what is being decided, so that the
// same attempt of the same message waits equally long in every replay.

namespace crier::messaging {

struct RetryPolicy {
    int attempts = 5; ///< Including the first.
    Duration backoff = std::chrono::milliseconds(100);
    int factor = 2;
    Duration backoff_max = std::chrono::seconds(30);
    int jitter = 20; ///< Percent by which a delay may be shorter or longer.

    /// Returns everything that is wrong with the policy; empty: nothing.
    [[nodiscard]] std::vector<std::string> validate() const;
};

/// Returns the delay after the `failures`-th failure (from 1): `backoff * factor^(failures - 1)`,
/// at most `backoff_max`, then give or take the jitter, drawn for (`purpose`, `subject`,
/// `failures`).
[[nodiscard]] Duration retry_delay(const RetryPolicy& policy, Ids& ids, std::string_view purpose,
                                   std::string_view subject, int failures);

} // namespace crier::messaging
