#include "messaging/relay/outbox_rows.hpp"

#include "messaging/header_codec.hpp"
#include "messaging/ports/ensure.hpp"

#include <charconv>
#include <optional>
#include <utility>

namespace crier::messaging {

namespace {

std::string take_text(Value& value) {
    std::string* const held = std::get_if<std::string>(&value);
    ensure(held != nullptr, "outbox column is not a text");
    return std::move(*held);
}

} // namespace

std::int64_t read_number(const Value& value) {
    if (const auto* const held = std::get_if<std::int64_t>(&value)) return *held;
    const std::string* const text = std::get_if<std::string>(&value);
    ensure(text != nullptr, "outbox column is not a number");
    std::int64_t number = 0;
    const auto read = std::from_chars(text->data(), text->data() + text->size(), number);
    ensure(read.ec == std::errc() && read.ptr == text->data() + text->size(),
           "outbox column is not a number");
    return number;
}

OutboxRow read_outbox_row(Row& row) {
    ensure(row.size() >= 5, "not a row of the outbox");
    OutboxRow read;
    read.position = read_number(row[0]);
    read.message.id = take_text(row[1]);
    read.key = take_text(row[2]);
    read.message.body = take_text(row[3]);
    std::optional<std::vector<Header>> headers = decode_headers(take_text(row[4]));
    read.readable = headers.has_value();
    if (headers) read.message.headers = std::move(*headers);
    return read;
}

} // namespace crier::messaging
