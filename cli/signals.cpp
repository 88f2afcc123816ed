#include "cli/signals.hpp"

#include <array>
#include <csignal>
#include <cstring>
#include <unistd.h>

namespace crier::cli {

namespace {

// Signal handlers reach nothing else, so these are the program's only globals.
std::atomic<bool> interrupt_wanted{false};
std::array<std::atomic<std::uint64_t>, workers_max> running{};
std::atomic<const char*> replay_command{""};

void put(const char* text) {
    if (::write(STDERR_FILENO, text, std::strlen(text)) < 0)
        return; // nothing is left to do about it
}

void put(std::uint64_t number) {
    std::array<char, 24> digits{};
    std::size_t at = digits.size() - 1;
    do {
        digits[--at] = static_cast<char>('0' + number % 10);
        number /= 10;
    } while (number != 0);
    put(digits.data() + at);
}

void on_interrupt(int) {
    if (interrupt_wanted.exchange(true)) ::_exit(130);
}

void on_fatal(int signal) {
    put("\ncrier: fatal signal ");
    put(static_cast<std::uint64_t>(signal));
    for (const auto& seed : running) {
        const std::uint64_t number = seed.load();
        if (number == 0) continue;
        put(" in seed ");
        put(number);
        put("\nreplay: ");
        put(replay_command.load());
        put(number);
    }
    put("\n");
    ::_exit(4);
}

} // namespace

std::atomic<bool>& interrupted() {
    return interrupt_wanted;
}

std::span<std::atomic<std::uint64_t>> seeds_running() {
    return running;
}

void use_signal_stack(unsigned thread) {
    alignas(16) static std::array<std::array<std::byte, 65536>, workers_max + 1> stacks;
    stack_t alternative{};
    ::sigaltstack(nullptr, &alternative);
    if ((alternative.ss_flags & SS_DISABLE) == 0)
        return; // a sanitizer's, which it takes down itself
    alternative = {};
    alternative.ss_sp = stacks.at(thread).data();
    alternative.ss_size = stacks.at(thread).size();
    ::sigaltstack(&alternative, nullptr);
}

void install_signal_handlers(const char* replay) {
    replay_command.store(replay);
    std::signal(SIGINT, on_interrupt);
    std::signal(SIGTERM, on_interrupt);
    std::signal(SIGPIPE, SIG_IGN);
    struct sigaction action {};
    action.sa_handler = on_fatal;
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_ONSTACK);
    use_signal_stack(0);
    for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT})
        ::sigaction(signal, &action, nullptr);
}

} // namespace crier::cli
