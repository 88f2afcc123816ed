#include "sim/history.hpp"

#include "sim/hash.hpp"

#include <bit>
#include <cstdio>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace crier::sim {

static_assert(
    std::endian::native == std::endian::little,
    "the digest is over little-endian words; a big-endian port has to swap them in flush()");

struct History::Hasher {
    XXH3_state_t state;
};

std::string TextTable::find(std::uint64_t hash) const {
    const auto found = texts_.find(hash);
    if (found != texts_.end()) return found->second;
    std::array<char, 20> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "#%016llx", static_cast<unsigned long long>(hash));
    return buffer.data();
}

History::History(HistoryOptions options) : options_(options), hasher_(std::make_unique<Hasher>()) {
    XXH3_64bits_reset(&hasher_->state);
}

History::~History() = default;

std::uint64_t History::append(Event event) {
    event.sequence = ++count_;
    pending_[pending_count_++] = event;
    if (pending_count_ == pending_.size()) flush();
    if (options_.keep) events_.push_back(event);
    for (EventSink* sink : sinks_)
        sink->on_event(event);
    return event.sequence;
}

void History::flush() {
    XXH3_64bits_update(&hasher_->state, pending_.data(), pending_count_ * sizeof(Event));
    pending_count_ = 0;
}

std::uint64_t History::name(std::string_view text) {
    const std::uint64_t hash = hash_text(text);
    texts_.remember(hash, text);
    return hash;
}

std::uint64_t History::text(std::string_view text) {
    const std::uint64_t hash = hash_text(text);
    if (options_.keep) texts_.remember(hash, text);
    return hash;
}

std::uint64_t History::digest() {
    flush();
    return XXH3_64bits_digest(&hasher_->state);
}

} // namespace crier::sim
