#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace crier {

/// Identities and random numbers of one process.
class Ids {
public:
    virtual ~Ids() = default;

    /// Returns a new identity, unique over all processes and incarnations.
    [[nodiscard]] virtual std::string next() = 0;

    /// Returns 64 uniform bits for one decision. The same (purpose, subject, attempt) in one
    /// process gives the same bits, so name what is being decided: `draw("retry.jitter",
    /// message.id, 3)`.
    [[nodiscard]] virtual std::uint64_t draw(std::string_view purpose, std::string_view subject,
                                             std::uint64_t attempt) = 0;
};

} // namespace crier
