#include "broker-model/store/sequences.hpp"

#include <array>

namespace crier::broker {

namespace {

constexpr std::int64_t reserve_ahead = 32;

using Encoded = std::array<std::byte, 8>; // little-endian

Encoded encode(std::int64_t number) {
    Encoded bytes;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        bytes[at] = static_cast<std::byte>(static_cast<std::uint64_t>(number) >> (8 * at));
    }
    return bytes;
}

std::int64_t decode(const Encoded& bytes) {
    std::uint64_t number = 0;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        number |= std::to_integer<std::uint64_t>(bytes[at]) << (8 * at);
    }
    return static_cast<std::int64_t>(number);
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
    const Encoded bytes = encode(sequence.last + reserve_ahead);
    sim::File& file = access_.disk().open(file_of(sequence.name));
    const IoResult written = access_.write(file, 0, bytes.data(), bytes.size());
    if (written != IoResult::done) return result_of(written);
    const IoResult synced = access_.sync(file);
    if (synced != IoResult::done) return result_of(synced);
    sequence.reserved = sequence.last + reserve_ahead;
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
