#include "reports/result_names.hpp"

#include "broker-model/store/sqlite_setup.hpp"

#include <array>
#include <cstdio>
#include <string_view>

namespace crier::report {

std::string digest_text(std::uint64_t digest) {
    std::array<char, 20> text{};
    std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(digest));
    return text.data();
}

Provenance provenance() {
    return {CRIER_VERSION, "1", broker::sqlite_version()};
}

namespace {

std::string quoted_for_shell(const std::string& word) {
    constexpr std::string_view plain_letters =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/+=:,@%";
    if (!word.empty() && word.find_first_not_of(plain_letters) == std::string::npos) return word;
    std::string quoted = "'";
    for (const char c : word)
        quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
}

} // namespace

std::string replay_command(const Invocation& from) {
    std::string command = quoted_for_shell(from.program) + " replay " + quoted_for_shell(from.file);
    for (const std::string& fault : from.faults)
        command += " --fault " + quoted_for_shell(fault);
    return command + " --seed ";
}

std::string replay_command(const Invocation& from, std::uint64_t seed) {
    return replay_command(from) + std::to_string(seed);
}

} // namespace crier::report
