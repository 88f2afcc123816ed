#include "tests/tidy/rules.hpp"

#include <algorithm>
#include <optional>
#include <regex>

namespace crier::tidy {
namespace {

struct Layer {
    std::string name;
    std::vector<std::string_view> prefixes; ///< Of the paths that belong to it.
    std::vector<std::string_view> may;      ///< Names of the layers it may include, besides itself.
};

/// The picture of the modules, most special path first. What is not here (tests, examples) may
/// include everything.
const std::vector<Layer>& layers() {
    static const std::vector<Layer> table{
        {"ports", {"messaging/ports/"}, {}},
        {"asio adapter", {"messaging/asio_"}, {"ports", "messaging"}},
        {"kafka adapter", {"messaging/kafka/"}, {"ports", "messaging", "asio adapter"}},
        {"sqlite adapter", {"messaging/sqlite/"}, {"ports", "messaging", "asio adapter"}},
        {"postgres adapter", {"messaging/postgres/"}, {"ports", "messaging", "asio adapter"}},
        {"messaging", {"messaging/"}, {"ports"}},
        {"sim", {"sim/"}, {"ports"}},
        {"kafka's client",
         {"broker-model/kafka/client/"},
         {"ports", "messaging", "sim", "broker-model"}},
        {"kafka's servers",
         {"broker-model/kafka/broker/", "broker-model/kafka/controller/",
          "broker-model/kafka/groups/", "broker-model/kafka/transactions/"},
         {"ports", "messaging", "sim", "broker-model"}},
        {"broker-model", {"broker-model/"}, {"ports", "messaging", "sim", "kafka's servers"}},
        {"properties", {"properties/"}, {"ports", "sim", "broker-model"}},
        {"scenarios",
         {"scenarios/"},
         {"ports", "messaging", "sim", "broker-model", "kafka's client", "properties"}},
        {"reports",
         {"reports/"},
         {"ports", "messaging", "sim", "broker-model", "properties", "scenarios"}},
        {"cli",
         {"cli/"},
         {"ports", "messaging", "asio adapter", "kafka adapter", "sqlite adapter",
          "postgres adapter", "sim", "broker-model", "properties", "scenarios", "reports"}},
    };
    return table;
}

struct ThirdParty {
    std::string_view what;
    std::vector<std::string_view> includes; ///< Whole names, or beginnings that end with `/`.
    std::vector<std::string_view> only_in;  ///< Beginnings of paths.
};

const std::vector<ThirdParty>& third_parties() {
    static const std::vector<ThirdParty> table{
        {"CLI11", {"CLI/"}, {"cli/"}},
        {"yaml-cpp", {"yaml-cpp/"}, {"scenarios/"}},
        {"nlohmann-json", {"nlohmann/"}, {"reports/", "cli/", "scenarios/schema."}},
        {"SQLite", {"sqlite3.h"}, {"broker-model/store/", "messaging/sqlite/"}},
        {"libpq", {"libpq-fe.h", "libpq/"}, {"messaging/postgres/"}},
        {"librdkafka", {"librdkafka/", "rdkafka.h", "rdkafka_mock.h"}, {"messaging/kafka/"}},
        {"spdlog",
         {"spdlog/", "fmt/"},
         {"cli/", "messaging/asio_", "messaging/kafka/", "messaging/sqlite/",
          "messaging/postgres/"}},
        {"test frameworks",
         {"gtest/", "gmock/", "rapidcheck.h", "rapidcheck/", "benchmark/"},
         {"scenarios/gtest.", "scenarios/rapidcheck."}},
        {"threads",
         {"thread", "mutex", "shared_mutex", "condition_variable", "future", "semaphore", "latch",
          "barrier", "stop_token", "pthread.h", "boost/asio/thread_pool.hpp",
          "boost/asio/detail/thread.hpp"},
         {"scenarios/workers.", "cli/", "messaging/asio_", "messaging/kafka/", "messaging/sqlite/",
          "messaging/postgres/"}},
    };
    return table;
}

const Layer* layer_of(std::string_view path) {
    for (const auto& layer : layers()) {
        if (begins_with_any(path, layer.prefixes)) return &layer;
    }
    return nullptr;
}

const ThirdParty* third_party_of(std::string_view include) {
    for (const auto& library : third_parties()) {
        for (const auto name : library.includes) {
            const bool hit = name.ends_with('/') ? include.starts_with(name) : include == name;
            if (hit) return &library;
        }
    }
    return nullptr;
}

/// Returns why `from` may not include the project's file `include`, if so.
std::optional<std::string> wrong_way(const Layer& from, std::string_view include) {
    const auto* to = layer_of(include);
    if (to == nullptr) {
        return "\"" + std::string(include) +
               "\" is in no module; write the path from the repository root";
    }
    const bool allowed =
        to == &from || std::find(from.may.begin(), from.may.end(), to->name) != from.may.end();
    if (allowed) return std::nullopt;
    return from.name + " must not include " + to->name + " (" + std::string(include) +
           "): includes go down only; depend on a port, or move the code";
}

} // namespace

void check_includes(const Source& source, Findings& findings) {
    const auto* from = layer_of(source.path);
    if (from == nullptr) return;
    const std::regex include(R"(^\s*#\s*include\s*(["<])([^">]+)[">])");
    std::size_t number = 0;
    for (const auto line : lines_of(source.text)) {
        ++number;
        if (line.find("include") == std::string_view::npos) continue;
        std::match_results<std::string_view::const_iterator> match;
        if (!std::regex_search(line.begin(), line.end(), match, include)) continue;
        const std::string name = match[2].str();
        if (const auto* library = third_party_of(name)) {
            if (begins_with_any(source.path, library->only_in)) continue;
            std::string message(library->what);
            message += " (" + name + ") may be included only in";
            for (const auto place : library->only_in)
                message += " " + std::string(place) + "*";
            findings.push_back({source.path, number, message});
        } else if (match[1].str() == "\"") {
            if (auto why = wrong_way(*from, name)) {
                findings.push_back({source.path, number, std::move(*why)});
            }
        }
    }
}

} // namespace crier::tidy
