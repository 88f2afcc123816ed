#include "messaging/header_codec.hpp"

#include <charconv>
#include <utility>

namespace crier::messaging {

namespace {

void append(std::string& text, const std::string& part) {
    text += std::to_string(part.size());
    text += ':';
    text += part;
}

std::optional<std::string> take(std::string_view& text) {
    std::size_t length = 0;
    const char* const end = text.data() + text.size();
    const auto [next, error] = std::from_chars(text.data(), end, length);
    if (error != std::errc{} || next == end || *next != ':') return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(next + 1 - text.data()));
    if (length > text.size()) return std::nullopt;
    std::string part(text.substr(0, length));
    text.remove_prefix(length);
    return part;
}

} // namespace

std::string encode_headers(const std::vector<Header>& headers) {
    std::string text;
    for (const Header& header : headers) {
        append(text, header.name);
        append(text, header.value);
    }
    return text;
}

std::optional<std::vector<Header>> decode_headers(std::string_view text) {
    std::vector<Header> headers;
    while (!text.empty()) {
        std::optional<std::string> name = take(text);
        if (!name) return std::nullopt;
        std::optional<std::string> value = take(text);
        if (!value) return std::nullopt;
        headers.push_back({std::move(*name), std::move(*value)});
    }
    return headers;
}

} // namespace crier::messaging
