#include "messaging/asio_process.hpp"

#include <boost/asio/co_spawn.hpp>
#include <cstdio>
#include <exception>
#include <random>
#include <utility>

namespace crier::messaging {

namespace {

/// Spreads every bit of `value` over all 64. Source: the finaliser of SplitMix64 (Steele et al.,
/// 2014).
std::uint64_t mix(std::uint64_t value) {
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
    return value ^ (value >> 31);
}

/// Returns a hash of `text` that starts from `state`; the length keeps neighbouring texts apart.
std::uint64_t absorb(std::uint64_t state, std::string_view text) {
    for (const char c : text) {
        state = mix(state ^ static_cast<unsigned char>(c));
    }
    return mix(state + text.size());
}

std::uint64_t entropy(std::random_device& device) {
    const std::uint64_t high = device();
    const std::uint64_t low = device();
    return high << 32 | low;
}

void append_hex(std::string& text, std::uint64_t bits, int digits) {
    for (int i = digits - 1; i >= 0; --i) {
        text += "0123456789abcdef"[(bits >> (4 * i)) & 0xf];
    }
}

[[noreturn]] void end_process(const std::string& name, const std::exception_ptr& escaped) noexcept {
    try {
        std::rethrow_exception(escaped);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "background work '%s' failed: %s\n", name.c_str(), error.what());
    } catch (...) {
        std::fprintf(stderr, "background work '%s' failed\n", name.c_str());
    }
    std::terminate();
}

} // namespace

SecretIds::SecretIds() : secret_{} {
    std::random_device device;
    for (std::uint64_t& word : secret_) {
        word = entropy(device);
    }
}

std::string SecretIds::next() {
    // Both words are bijections of the counter, so one object never repeats itself.
    ++handed_out_;
    const std::uint64_t high = mix(secret_[0] + handed_out_);
    const std::uint64_t low = mix(secret_[1] + handed_out_);
    std::string id;
    id.reserve(36);
    append_hex(id, high >> 32, 8);
    id += '-';
    append_hex(id, high >> 16, 4);
    id += '-';
    append_hex(id, (high & 0x0fff) | 0x4000, 4);
    id += '-';
    append_hex(id, ((low >> 48) & 0x3fff) | 0x8000, 4);
    id += '-';
    append_hex(id, low, 12);
    return id;
}

std::uint64_t SecretIds::draw(std::string_view purpose, std::string_view subject,
                              std::uint64_t attempt) {
    const std::uint64_t named = absorb(absorb(secret_[0] ^ secret_[1], purpose), subject);
    return mix(named ^ mix(attempt + 0x9e3779b97f4a7c15ULL));
}

AsioBackground::AsioBackground(asio::any_io_executor executor) : executor_(std::move(executor)) {}

void AsioBackground::spawn(std::string_view name, asio::awaitable<void> work) {
    asio::co_spawn(executor_, std::move(work),
                   [name = std::string(name)](const std::exception_ptr& escaped) {
                       if (escaped) end_process(name, escaped);
                   });
}

AsioProcess::AsioProcess(asio::any_io_executor executor, Observer& observer)
    : clock_(executor), observer_(observer), background_(executor) {}

} // namespace crier::messaging
