#pragma once

#include <source_location>
#include <stdexcept>
#include <string>

// Broken invariants and callers' mistakes, stopped at once in every build.

namespace crier {

/// A broken invariant or a caller's mistake. Nothing in product code catches it.
class ContractViolation : public std::logic_error {
public:
    ContractViolation(const std::string& what, std::source_location where)
        : std::logic_error(std::string(where.file_name()) + ":" + std::to_string(where.line()) +
                           ": " + what) {}
};

/// Throws `ContractViolation` with the caller's place unless `condition` holds.
inline void ensure(bool condition, const char* message,
                   std::source_location where = std::source_location::current()) {
    if (!condition) throw ContractViolation(message, where);
}

} // namespace crier
