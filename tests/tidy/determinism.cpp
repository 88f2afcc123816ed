#include "tests/tidy/rules.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <regex>
#include <set>

namespace crier::tidy {
namespace {

constexpr std::array<std::string_view, 7> modules{
    "messaging/", "sim/", "broker-model/", "properties/", "scenarios/", "reports/", "cli/"};

/// Where the real world is allowed altogether: adapters and the program.
constexpr std::array<std::string_view, 5> real_world{
    "messaging/asio_", "messaging/kafka/", "messaging/postgres/", "messaging/sqlite/", "cli/"};
/// Where threads and the real time that guards them are allowed besides: the workers run whole
/// worlds and hand nothing of either to them.
constexpr std::array<std::string_view, 1> workers{"scenarios/workers."};
/// Where nothing may be decided by floating point. (The store's port carries it as an SQL value.)
constexpr std::array<std::string_view, 4> integers_only{"messaging/", "sim/", "broker-model/kafka/",
                                                        "properties/"};
constexpr std::array<std::string_view, 1> float_values{"messaging/ports/store.hpp"};

/// The one exception to "no globals, no addresses": SQLite takes its file system once per program
/// and hands it only texts, so a database's image travels as one. Neither reaches a decision or the
/// digest.
constexpr std::array<std::string_view, 3> sqlite_glue{"broker-model/store/vfs_parts.",
                                                      "broker-model/store/image_vfs.",
                                                      "broker-model/store/embedded/disk_vfs."};

constexpr std::string_view in_workers =
    "thread; concurrency is coroutines, threads are scenarios/workers.cpp";

enum class Where { everywhere, simulated, simulated_or_workers, world_state, integers };

struct Ban {
    Where where;
    std::vector<std::string_view> words; ///< Any of these identifiers …
    std::string_view pattern;            ///< … in a line that matches this; empty: any line.
    std::string_view what;               ///< What it is and what to use instead.
};

const std::vector<Ban>& bans() {
    using enum Where;
    static const std::vector<Ban> table{
        {simulated,
         {"system_clock", "steady_clock", "high_resolution_clock", "utc_clock", "gettimeofday",
          "clock_gettime"},
         "",
         "real time; use crier::Clock"},
        {simulated,
         {"time", "localtime", "gmtime", "mktime", "strftime"},
         R"(\bstd\s*::\s*(time|localtime|gmtime|mktime|strftime)\s*\()",
         "real time; use crier::Clock"},
        {simulated,
         {"sleep_for", "sleep_until", "usleep", "nanosleep"},
         "",
         "real sleep; use Clock::sleep"},
        {simulated_or_workers,
         {"steady_timer", "system_timer", "high_resolution_timer", "deadline_timer",
          "basic_waitable_timer"},
         "",
         "an Asio timer on virtual time starts a real thread and never fires; use Clock::sleep"},
        {simulated_or_workers,
         {"random_device", "mt19937", "mt19937_64", "minstd_rand", "minstd_rand0", "ranlux24",
          "ranlux48", "knuth_b", "default_random_engine", "linear_congruential_engine",
          "mersenne_twister_engine", "subtract_with_carry_engine"},
         "",
         "standard random engine; draw from sim::Random or Ids::draw"},
        {simulated_or_workers,
         {"uniform_int_distribution", "uniform_real_distribution", "normal_distribution",
          "lognormal_distribution", "bernoulli_distribution", "binomial_distribution",
          "exponential_distribution", "poisson_distribution", "geometric_distribution",
          "gamma_distribution", "weibull_distribution", "discrete_distribution",
          "piecewise_constant_distribution", "piecewise_linear_distribution"},
         "",
         "standard distribution, which differs between libraries; draw from sim::Random"},
        {simulated_or_workers,
         {"rand", "srand", "rand_r", "drand48", "lrand48", "random_shuffle", "shuffle", "sample"},
         R"(\b(s?rand|rand_r|[dl]rand48|random_shuffle)\s*\(|\b(std|ranges)\s*::\s*(shuffle|sample)\b)",
         "library randomness; draw from sim::Random"},
        {simulated, {"jthread", "thread_pool", "pthread_create"}, "", in_workers},
        {simulated, {"thread", "async"}, R"(\bstd\s*::\s*(thread|async)\b)", in_workers},
        {everywhere, {"thread_local"}, "", "thread-local state; keep it in the world"},
        {simulated_or_workers,
         {"getenv", "secure_getenv", "setlocale", "current_path", "directory_iterator",
          "recursive_directory_iterator"},
         "",
         "environment, locale or directory; cli reads it and passes a value"},
        {simulated_or_workers,
         {"hash"},
         R"(\bstd\s*::\s*hash\s*<)",
         "std::hash differs between libraries; use the hash of sim/hash.hpp"},
        {simulated_or_workers,
         {"map", "set", "multimap", "multiset", "unordered_map", "unordered_set"},
         R"(\b(unordered_)?(multi)?(map|set)\s*<\s*(const\s+)?[\w:]+(\s*<[^<>]*>)?(\s+const)?\s*\*)",
         "key by address; use an id that is handed out in creation order"},
        {world_state,
         {"uintptr_t", "intptr_t"},
         "",
         "address as a number; use an id that is handed out in creation order"},
        {integers,
         {"float", "double"},
         "",
         "floating point where decisions are made; use integers or sim::Probability"},
        {everywhere, {"detached"}, "", "plain detached loses exceptions; use Background::spawn"},
    };
    return table;
}

/// Returns the identifiers (and numbers) of a line.
std::set<std::string_view> words_of(std::string_view line) {
    constexpr std::string_view letters =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    std::set<std::string_view> words;
    for (auto at = line.find_first_of(letters); at != std::string_view::npos;) {
        const auto end = std::min(line.find_first_not_of(letters, at), line.size());
        words.insert(line.substr(at, end - at));
        at = line.find_first_of(letters, end);
    }
    return words;
}

bool hit(const std::string_view line, const std::regex& pattern) {
    return std::regex_search(line.begin(), line.end(), pattern);
}

bool broken_by(const Ban& ban, std::string_view line, const std::set<std::string_view>& words) {
    const bool named = std::any_of(ban.words.begin(), ban.words.end(),
                                   [&words](auto word) { return words.contains(word); });
    return named && (ban.pattern.empty() || hit(line, std::regex(std::string(ban.pattern))));
}

/// Mutable state outside of objects: statics, inline variables, and what stands at column 0.
const std::regex& mutable_static() {
    static const std::regex pattern(
        R"(\b(static|inline)\s+(?!constexpr\b|const\b|consteval\b|constinit const\b|inline\b|namespace\b|static\b|using\b)[^();={}]*[\s&*>]\w+\s*(=[^=]|;|\{))",
        std::regex::optimize);
    return pattern;
}

const std::regex& mutable_global() {
    static const std::regex pattern(
        R"(^(?!using\b|typedef\b|constexpr\b|const\b|inline\b|static\b|struct\b|class\b|enum\b|union\b|template\b|namespace\b|return\b|extern\b|friend\b|concept\b|requires\b|public\b|private\b|co_)(std::)?[\w:]+(<[^;(){}]*>)?[\s&*]+\w+\s*(=[^=].*|;|\{[^{}]*\};))",
        std::regex::optimize);
    return pattern;
}

bool is_mutable_state(std::string_view line, const std::set<std::string_view>& words) {
    const bool keyword = words.contains("static") || words.contains("inline");
    if (keyword) return hit(line, mutable_static());
    const bool begins_name =
        !line.empty() && std::isalpha(static_cast<unsigned char>(line[0])) != 0;
    return begins_name && hit(line, mutable_global());
}

bool applies(Where where, std::string_view path) {
    if (!begins_with_any(path, modules)) return false;
    switch (where) {
    case Where::everywhere: return true;
    case Where::simulated_or_workers: return !begins_with_any(path, real_world);
    case Where::world_state:
        return !begins_with_any(path, real_world) && !begins_with_any(path, sqlite_glue);
    case Where::simulated:
        return !begins_with_any(path, real_world) && !begins_with_any(path, workers);
    case Where::integers:
        return begins_with_any(path, integers_only) && !begins_with_any(path, real_world) &&
               !begins_with_any(path, float_values);
    }
    return true;
}

/// Flags loops over, and iterators of, variables that this file declares as unordered containers.
void check_unordered(const Source& source, Findings& findings) {
    if (source.code.find("unordered_") == std::string::npos) return;
    const std::regex declared(
        R"(\bunordered_(?:multi)?(?:map|set)\s*<[^;(){}]*>\s*&?\s*(\w+)\s*[;={),])");
    std::set<std::string> names;
    for (std::sregex_iterator it(source.code.begin(), source.code.end(), declared), end; it != end;
         ++it) {
        names.insert((*it)[1].str());
    }
    for (const auto& name : names) {
        const std::regex walked("for\\s*\\([^;()]*:\\s*(?:this->)?" + name + "\\s*\\)|\\b" + name +
                                "\\s*\\.\\s*c?begin\\s*\\(");
        for (std::sregex_iterator it(source.code.begin(), source.code.end(), walked), end;
             it != end; ++it) {
            findings.push_back({source.path,
                                line_of(source.code, static_cast<std::size_t>(it->position())),
                                "`" + name +
                                    "` is unordered and iterated; use std::map, a sorted vector or "
                                    "insertion order"});
        }
    }
}

/// Compilers evaluate arguments in different orders, so two draws in one statement may swap.
void check_draws(const Source& source, Findings& findings) {
    if (source.code.find("draw") == std::string::npos) return;
    const std::regex draw(R"(\bdraw\w*\s*\()");
    std::size_t begin = 0;
    while (begin < source.code.size()) {
        const auto found = source.code.find_first_of(";{}", begin);
        const auto end = found == std::string::npos ? source.code.size() : found;
        const auto first = source.code.begin() + static_cast<std::ptrdiff_t>(begin);
        const auto last = source.code.begin() + static_cast<std::ptrdiff_t>(end);
        const std::sregex_iterator draws(first, last, draw);
        if (std::distance(draws, std::sregex_iterator()) > 1) {
            const auto at = begin + static_cast<std::size_t>(draws->position());
            findings.push_back({source.path, line_of(source.code, at),
                                "two random draws in one expression; name each result first"});
        }
        begin = end + 1;
    }
}

} // namespace

void check_determinism(const Source& source, Findings& findings) {
    if (!is_cpp(source.path) || !begins_with_any(source.path, modules)) return;
    const bool in_world = applies(Where::simulated_or_workers, source.path);
    const auto lines = lines_of(source.code);
    for (std::size_t index = 0; index < lines.size(); ++index) {
        const auto line = lines[index];
        if (line.starts_with('#')) continue; // Includes are another rule's.
        const auto words = words_of(line);
        for (const auto& ban : bans()) {
            if (applies(ban.where, source.path) && broken_by(ban, line, words)) {
                findings.push_back({source.path, index + 1, std::string(ban.what)});
            }
        }
        if (applies(Where::world_state, source.path) && is_mutable_state(line, words)) {
            findings.push_back(
                {source.path, index + 1,
                 "mutable state outside of objects; keep it in the world, or make it "
                 "constexpr"});
        }
    }
    if (!in_world) return;
    check_unordered(source, findings);
    check_draws(source, findings);
}

} // namespace crier::tidy
