#pragma once

#include <boost/assert/source_location.hpp>
#include <stdexcept>
#include <string>

// Broken invariants and callers' mistakes, stopped at once in every build. Boost's source location,
// since clang 14 has no std::source_location on libstdc++ 12; one converts to the other.

namespace crier {

/// A broken invariant or a caller's mistake. Nothing in product code catches it.
class ContractViolation : public std::logic_error {
public:
    ContractViolation(const std::string& what, boost::source_location where)
        : std::logic_error(std::string(where.file_name()) + ":" + std::to_string(where.line()) +
                           ": " + what) {}
};

/// Throws `ContractViolation` with the caller's place unless `condition` holds.
inline void ensure(bool condition, const char* message,
                   boost::source_location where = BOOST_CURRENT_LOCATION) {
    if (!condition) throw ContractViolation(message, where);
}

} // namespace crier
