#pragma once

#include <atomic>
#include <cstdint>
#include <span>

namespace crier::cli {

/// The most workers that a campaign may have; one cell of `seeds_running` each.
inline constexpr unsigned workers_max = 256;

/// Set by Ctrl-C: work ends cleanly with what is known so far. A second Ctrl-C ends the program.
[[nodiscard]] std::atomic<bool>& interrupted();

/// The seeds that run right now, 0 where none does; a fatal signal prints them.
[[nodiscard]] std::span<std::atomic<std::uint64_t>> seeds_running();

/// Installs the handlers. `file` names the scenario in what a fatal signal prints; it must outlive
/// them.
void install_signal_handlers(const char* file);

} // namespace crier::cli
