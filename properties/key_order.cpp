#include "properties/key_order.hpp"

namespace crier::properties {

std::optional<KeyOrder::Inversion> KeyOrder::expect(std::uint32_t message, std::uint64_t key) {
    const std::uint32_t number = index_.insert(key);
    Key& line = keys_.at(number);
    if (line.last != none) places_.at(line.last).next = message;
    Place& place = places_.at(message);
    place.rank = ++ranks_;
    place.key = number;
    place.previous = line.last;
    place.next = none;
    line.last = message;
    if (place.when.sequence == 0 || place.excused) return std::nullopt;

    // It happened before it was expected: what happened later and is expected earlier is out of
    // order.
    const std::uint32_t before = line.best;
    line.best = message;
    if (before == none || happened(before).sequence < place.when.sequence) return std::nullopt;
    return Inversion{before, message};
}

void KeyOrder::withdraw(std::uint32_t message) {
    Place& place = places_.at(message);
    if (place.rank == 0) return;
    Key& line = keys_.at(place.key);
    if (line.best == message) line.best = best_from(place.previous);
    if (line.last == message) line.last = place.previous;
    const std::uint32_t previous = place.previous;
    const std::uint32_t next = place.next;
    place.rank = 0;
    place.key = place.previous = place.next = none;
    if (previous != none) places_.at(previous).next = next;
    if (next != none) places_.at(next).previous = previous;
}

std::optional<KeyOrder::Inversion> KeyOrder::happen(std::uint32_t message, When when) {
    Place& place = places_.at(message);
    if (place.when.sequence != 0) return std::nullopt;
    place.when = when;
    if (place.rank == 0 || place.excused) return std::nullopt;
    Key& line = keys_.at(place.key);
    if (line.best != none && places_.get(line.best).rank > place.rank) {
        return Inversion{message, line.best};
    }
    line.best = message;
    return std::nullopt;
}

void KeyOrder::undo(std::uint32_t message) {
    Place& place = places_.at(message);
    place.when = {};
    if (place.rank == 0) return;
    Key& line = keys_.at(place.key);
    if (line.best == message) line.best = best_from(place.previous);
}

std::uint64_t KeyOrder::key(std::uint32_t message) const {
    const std::uint32_t number = places_.get(message).key;
    return number == none ? 0 : index_.key(number);
}

std::optional<std::uint32_t> KeyOrder::previous(std::uint32_t message) const {
    const std::uint32_t before = places_.get(message).previous;
    if (before == none) return std::nullopt;
    return before;
}

/// Returns the last that happened, going back from `message`.
std::uint32_t KeyOrder::best_from(std::uint32_t message) const {
    while (message != none) {
        const Place place = places_.get(message);
        if (place.when.sequence != 0 && !place.excused) return message;
        message = place.previous;
    }
    return none;
}

} // namespace crier::properties
