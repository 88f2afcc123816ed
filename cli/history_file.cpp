#include "cli/history_file.hpp"

#include <cstring>
#include <fstream>
#include <iterator>

namespace crier::cli {

namespace {
constexpr std::string_view heading = "crier history 1\n";
}

std::string history_bytes(const scenario::RunResult& run) {
    std::string bytes(heading);
    const std::size_t begin = bytes.size();
    bytes.resize(begin + run.history.size() * sizeof(sim::Event));
    if (!run.history.empty()) {
        std::memcpy(bytes.data() + begin, run.history.data(),
                    run.history.size() * sizeof(sim::Event));
    }
    return bytes;
}

std::optional<std::vector<sim::Event>> read_history(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (!bytes.starts_with(heading) || (bytes.size() - heading.size()) % sizeof(sim::Event) != 0)
        return {};
    std::vector<sim::Event> events((bytes.size() - heading.size()) / sizeof(sim::Event));
    if (!events.empty())
        std::memcpy(events.data(), bytes.data() + heading.size(), bytes.size() - heading.size());
    return events;
}

} // namespace crier::cli
