#include "messaging/dead_letters.hpp"

namespace crier::messaging {

Message dead_letter(const Delivery& delivery, const Parking& parking, std::string_view service) {
    Message letter = delivery.message;
    letter.headers.reserve(letter.headers.size() + 5);
    const auto add = [&letter](std::string_view name, std::string value) {
        letter.headers.push_back({std::string(name), std::move(value)});
    };
    add(dead_letter_id_header, parking.dead_letter_id);
    add(dead_letter_attempts_header, std::to_string(parking.attempts));
    add(dead_letter_reason_header, parking.reason);
    add(dead_letter_origin_header, delivery.origin);
    add(dead_letter_service_header, std::string(service));
    return letter;
}

} // namespace crier::messaging
