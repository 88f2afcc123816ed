#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace crier {

struct Header {
    std::string name;
    std::string value;

    friend bool operator==(const Header&, const Header&) = default;
};

/// A business event on its way, whatever the broker.
struct Message {
    std::string id;  ///< Stable identity of the event, the same for every copy of it.
    std::string key; ///< Ordering key (the aggregate); empty: no order is asked for.
    std::string body;
    std::vector<Header> headers; ///< Without the identity, which travels as header `id`.

    friend bool operator==(const Message&, const Message&) = default;
};

/// Name of the header (property, attribute) that carries `Message::id` on every broker.
/// Source: the Debezium outbox event router puts the event id into header `id`.
inline constexpr std::string_view id_header = "id";

/// Returns the value of the first header called `name`, or an empty view.
[[nodiscard]] inline std::string_view find_header(const std::vector<Header>& headers,
                                                  std::string_view name) {
    for (const Header& header : headers) {
        if (header.name == name) return header.value;
    }
    return {};
}

} // namespace crier
