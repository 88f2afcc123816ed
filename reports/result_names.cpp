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

std::string replay_command(const std::string& file, std::uint64_t seed) {
    constexpr std::string_view plain_letters =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/+=:,@%";
    const bool plain = !file.empty() && file.find_first_not_of(plain_letters) == std::string::npos;
    std::string quoted = file;
    if (!plain) {
        quoted = "'";
        for (const char c : file)
            quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
        quoted += "'";
    }
    return "./dev replay " + quoted + " --seed " + std::to_string(seed);
}

} // namespace crier::report
