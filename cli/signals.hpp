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

/// Gives this thread a stack for fatal signals: endless recursion in the code under test is one of
/// them, and leaves no other. `thread` counts from 0, the main thread.
void use_signal_stack(unsigned thread);

/// Installs the handlers, for all threads, and a signal stack for this one. `replay` is the command
/// that a fatal signal prints, but for the seed; it must outlive them.
void install_signal_handlers(const char* replay);

} // namespace crier::cli
