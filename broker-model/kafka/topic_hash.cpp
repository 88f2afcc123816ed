#include "broker-model/kafka/cluster.hpp"

// The two hashes by which Kafka places things: of record keys and of group names.

namespace crier::broker::kafka {

namespace {

std::uint32_t byte_at(std::string_view text, std::size_t at) {
    return static_cast<unsigned char>(text[at]);
}

} // namespace

std::int32_t murmur2(std::string_view key) {
    constexpr std::uint32_t seed = 0x9747b28c;
    constexpr std::uint32_t m = 0x5bd1e995;
    const std::size_t length = key.size();
    std::uint32_t hash = seed ^ static_cast<std::uint32_t>(length);
    const std::size_t words_end = length - length % 4;
    for (std::size_t at = 0; at < words_end; at += 4) {
        std::uint32_t word = byte_at(key, at) | byte_at(key, at + 1) << 8 |
                             byte_at(key, at + 2) << 16 | byte_at(key, at + 3) << 24;
        word *= m;
        word ^= word >> 24;
        word *= m;
        hash *= m;
        hash ^= word;
    }
    if (length % 4 == 3) hash ^= byte_at(key, words_end + 2) << 16;
    if (length % 4 >= 2) hash ^= byte_at(key, words_end + 1) << 8;
    if (length % 4 >= 1) {
        hash ^= byte_at(key, words_end);
        hash *= m;
    }
    hash ^= hash >> 13;
    hash *= m;
    hash ^= hash >> 15;
    return static_cast<std::int32_t>(hash);
}

std::int32_t java_string_hash(std::string_view text) {
    std::uint32_t hash = 0;
    for (std::size_t at = 0; at < text.size(); ++at)
        hash = hash * 31 + byte_at(text, at);
    return static_cast<std::int32_t>(hash);
}

} // namespace crier::broker::kafka
