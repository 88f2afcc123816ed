#include "broker-model/store/sequences.hpp"

#include <algorithm>
#include <array>

namespace crier::broker {

namespace {

constexpr std::int64_t reserve_ahead = 32;

// A limit is written with its complement, in turn into one of two slots, so that a write which a
// loss of power tears leaves the limit before.
constexpr std::size_t width = 8;
constexpr std::size_t slot_size = 2 * width;
using Encoded = std::array<std::byte, 2 * slot_size>; // little-endian

void put(std::uint64_t number, std::byte* to) {
    for (std::size_t at = 0; at < width; ++at)
        to[at] = static_cast<std::byte>(number >> (8 * at));
}

std::uint64_t get(const std::byte* from) {
    std::uint64_t number = 0;
    for (std::size_t at = 0; at < width; ++at)
        number |= std::to_integer<std::uint64_t>(from[at]) << (8 * at);
    return number;
}

Encoded encode(std::int64_t limit) {
    Encoded bytes;
    for (std::size_t slot = 0; slot < bytes.size(); slot += slot_size) {
        put(static_cast<std::uint64_t>(limit), bytes.data() + slot);
        put(~static_cast<std::uint64_t>(limit), bytes.data() + slot + width);
    }
    return bytes;
}

std::int64_t decode(const Encoded& bytes) {
    std::uint64_t limit = 0;
    for (std::size_t slot = 0; slot < bytes.size(); slot += slot_size) {
        const std::uint64_t number = get(bytes.data() + slot);
        if (get(bytes.data() + slot + width) == ~number) limit = std::max(limit, number);
    }
    return static_cast<std::int64_t>(limit);
}

SequenceResult result_of(IoResult result) {
    return result == IoResult::full ? SequenceResult::disk_full : SequenceResult::dead;
}

} // namespace

std::string Sequences::file_of(std::string_view name) const {
    return prefix_ + ".sequence." + std::string(name);
}

Sequences::Sequence* Sequences::find(std::string_view name) {
    for (Sequence& sequence : known_) {
        if (sequence.name == name) return &sequence;
    }
    const std::string file = file_of(name);
    if (!access_.disk().exists(file)) return nullptr;
    Encoded bytes{}; // nothing was synced yet: then no number was handed out
    (void)access_.disk().open(file).read(0, bytes.data(), bytes.size());
    const std::int64_t reserved = decode(bytes);
    known_.push_back({std::string(name), reserved, reserved});
    return &known_.back();
}

SequenceResult Sequences::create(std::string_view name) {
    if (access_.is_dead()) return SequenceResult::dead;
    if (find(name) != nullptr) return SequenceResult::exists;
    (void)access_.disk().open(file_of(name));
    known_.push_back({std::string(name), 0, 0});
    return SequenceResult::done;
}

SequenceResult Sequences::reserve(Sequence& sequence) {
    const std::int64_t limit = sequence.last + reserve_ahead;
    const Encoded bytes = encode(limit);
    sim::File& file = access_.disk().open(file_of(sequence.name));
    const bool is_first = file.size() == 0;
    const std::size_t slot = static_cast<std::size_t>(limit / reserve_ahead % 2) * slot_size;
    const IoResult written =
        access_.write(file, is_first ? 0 : slot, bytes.data(), is_first ? bytes.size() : slot_size);
    if (written != IoResult::done) return result_of(written);
    const IoResult synced = access_.sync(file);
    if (synced != IoResult::done) return result_of(synced);
    sequence.reserved = limit;
    return SequenceResult::done;
}

SequenceResult Sequences::next(std::string_view name, std::int64_t& value) {
    if (access_.is_dead()) return SequenceResult::dead;
    Sequence* const sequence = find(name);
    if (sequence == nullptr) return SequenceResult::unknown_name;
    if (sequence->last == sequence->reserved) {
        const SequenceResult reserved = reserve(*sequence);
        if (reserved != SequenceResult::done) return reserved;
    }
    value = ++sequence->last;
    return SequenceResult::done;
}

std::vector<std::string> Sequences::files() const {
    std::vector<std::string> names;
    for (const Sequence& sequence : known_)
        names.push_back(file_of(sequence.name));
    return names;
}

} // namespace crier::broker
