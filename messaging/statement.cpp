#include "messaging/statement.hpp"

#include "messaging/ports/ensure.hpp"

#include <algorithm>
#include <utility>

namespace crier::messaging {

std::string add_list(Statement& statement, const std::vector<std::int64_t>& values) {
    ensure(!values.empty(), "a list has values");
    const std::size_t before = statement.parameters.size();
    std::size_t places = 1;
    while (places < values.size())
        places *= 2;
    std::string list;
    for (std::size_t place = 0; place < places; ++place) {
        if (place > 0) list += ", ";
        list += '$';
        list += std::to_string(before + std::min(place, values.size() - 1) + 1);
    }
    for (const std::int64_t value : values)
        statement.parameters.emplace_back(value);
    return list;
}

asio::awaitable<Outcome<Rows>> execute(Store& store, Statement statement) {
    co_return co_await store.execute(std::move(statement.sql), std::move(statement.parameters));
}

std::int64_t milliseconds(WallTime time) {
    return milliseconds(time.time_since_epoch());
}

std::int64_t milliseconds(Duration duration) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

} // namespace crier::messaging
