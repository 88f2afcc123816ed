#pragma once

#include "messaging/inbox.hpp"
#include "messaging/ports/message.hpp"
#include "messaging/ports/subscription.hpp"

#include <string>
#include <string_view>

// What a dead letter looks like: the message itself, untouched, and headers that tell why it is
// here. A reader who takes it back strips these headers and has the original. Publishing it is the
// processor's business.

namespace crier::messaging {

inline constexpr std::string_view dead_letter_id_header = "dead-letter-id";
inline constexpr std::string_view dead_letter_attempts_header = "dead-letter-attempts";
inline constexpr std::string_view dead_letter_reason_header = "dead-letter-reason";
inline constexpr std::string_view dead_letter_origin_header = "dead-letter-origin";
inline constexpr std::string_view dead_letter_service_header = "dead-letter-service";

/// Returns the dead letter of `delivery`: same id, key, body and headers, then the five of above,
/// in that order. Headers of an earlier dead-lettering are kept before them.
[[nodiscard]] Message dead_letter(const Delivery& delivery, const Parking& parking,
                                  std::string_view service);

} // namespace crier::messaging
