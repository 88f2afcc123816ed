#include "scenarios/load_units.hpp"

#include "sim/hash.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace crier::scenario {

namespace {

constexpr std::array<std::pair<std::string_view, std::int64_t>, 6> units{{
    {"ns", 1},
    {"us", 1'000},
    {"ms", 1'000'000},
    {"s", 1'000'000'000},
    {"m", 60'000'000'000},
    {"h", 3'600'000'000'000},
}};

constexpr std::array<std::pair<std::string_view, std::int64_t>, 4> byte_units{{
    {"B", 1},
    {"KiB", std::int64_t{1} << 10},
    {"MiB", std::int64_t{1} << 20},
    {"GiB", std::int64_t{1} << 30},
}};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// Reads `12` or `12.5` at the front of `text` as a multiple of 1/scale, and removes it.
/// Nothing when there is no number, it does not fit, or it needs a finer scale.
std::optional<std::int64_t> take_decimal(std::string_view& text, std::int64_t scale) {
    constexpr auto limit = static_cast<sim::SignedWide>(std::numeric_limits<std::int64_t>::max());
    sim::SignedWide value = 0;
    std::size_t at = 0;
    for (; at < text.size() && is_digit(text[at]); ++at) {
        value = value * 10 + (text[at] - '0');
        if (value > limit) return std::nullopt;
    }
    if (at == 0) return std::nullopt;
    value *= scale;
    if (at < text.size() && text[at] == '.') {
        const std::size_t point = at++;
        std::int64_t weight = scale;
        for (; at < text.size() && is_digit(text[at]); ++at) {
            const int digit = text[at] - '0';
            if (weight % 10 != 0 && digit != 0) return std::nullopt;
            weight /= 10;
            value += static_cast<sim::SignedWide>(weight) * digit;
        }
        if (at == point + 1) return std::nullopt;
    }
    if (value > limit) return std::nullopt;
    text.remove_prefix(at);
    return static_cast<std::int64_t>(value);
}

/// Returns `value` / `scale` without needless zeros.
std::string decimal_text(std::int64_t value, std::int64_t scale) {
    std::string text = std::to_string(value / scale);
    std::int64_t rest = value % scale;
    if (rest != 0) text += '.';
    while (rest != 0) {
        scale /= 10;
        text += static_cast<char>('0' + rest / scale);
        rest %= scale;
    }
    return text;
}

} // namespace

std::optional<std::int64_t> parse_count(std::string_view text) {
    std::int64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || stop != end || text.empty()) return std::nullopt;
    return value;
}

std::optional<Duration> parse_duration(std::string_view text) {
    const bool is_negative = text.starts_with('-');
    if (is_negative) text.remove_prefix(1);
    const std::size_t unit_at = text.find_first_not_of("0123456789.");
    if (unit_at == std::string_view::npos) return std::nullopt;
    for (const auto& [name, scale] : units) {
        if (text.substr(unit_at) != name) continue;
        // A minute has no decimal fractions of a nanosecond, but it has of a second.
        const std::int64_t factor = scale > 1'000'000'000 ? scale / 1'000'000'000 : 1;
        const auto value = take_decimal(text, scale / factor);
        if (!value || text != name) return std::nullopt;
        const auto wide = static_cast<sim::SignedWide>(*value) * factor;
        if (wide > std::numeric_limits<std::int64_t>::max()) return std::nullopt;
        const auto count = static_cast<std::int64_t>(wide);
        return Duration(is_negative ? -count : count);
    }
    return std::nullopt;
}

std::optional<std::int64_t> parse_bytes(std::string_view text) {
    const std::size_t unit_at = text.find_first_not_of("0123456789");
    if (unit_at == 0 || unit_at == std::string_view::npos) return std::nullopt;
    for (const auto& [name, scale] : byte_units) {
        if (text.substr(unit_at) != name) continue;
        const auto number = parse_count(text.substr(0, unit_at));
        if (!number || *number > std::numeric_limits<std::int64_t>::max() / scale) break;
        return *number * scale;
    }
    return std::nullopt;
}

std::string bytes_text(std::int64_t bytes) {
    std::size_t unit = byte_units.size() - 1;
    while (unit > 0 && (bytes == 0 || bytes % byte_units[unit].second != 0))
        --unit;
    return std::to_string(bytes / byte_units[unit].second) + std::string(byte_units[unit].first);
}

std::optional<std::int64_t> parse_rate(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos || !is_digit(text.front())) return std::nullopt;
    const auto number = parse_count(text.substr(0, slash));
    const std::string_view per = text.substr(slash + 1);
    if (!number || (per != "s" && per != "m")) return std::nullopt;
    if (per == "m") return number;
    if (*number > std::numeric_limits<std::int64_t>::max() / 60) return std::nullopt;
    return *number * 60;
}

std::optional<sim::Probability> parse_share(std::string_view text) {
    const auto value = take_decimal(text, 10'000);
    if (!value || *value > 1'000'000 || text != "%") return std::nullopt;
    return sim::Probability{static_cast<std::uint32_t>(*value)};
}

Ends split_range(std::string_view text) {
    const std::size_t dots = text.find("..");
    if (dots == std::string_view::npos) return {text, text};
    return {text.substr(0, dots), text.substr(dots + 2)};
}

std::string duration_text(Duration duration) {
    std::int64_t count = duration.count();
    if (count < 0) return "-" + duration_text(-duration);
    if (count == 0) return "0s";
    if (count % units[5].second == 0) return std::to_string(count / units[5].second) + "h";
    if (count % units[4].second == 0) return std::to_string(count / units[4].second) + "m";
    for (std::size_t unit = 3; unit > 0; --unit) {
        const std::int64_t scale = units[unit].second;
        if (count >= scale && count % (scale / 1'000) == 0) {
            return decimal_text(count, scale) + std::string(units[unit].first);
        }
    }
    return std::to_string(count) + "ns";
}

std::string share_text(sim::Probability share) {
    return decimal_text(share.per_million, 10'000) + "%";
}

} // namespace crier::scenario
