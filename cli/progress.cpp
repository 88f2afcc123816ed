#include "cli/progress.hpp"

#include "cli/output.hpp"

#include <algorithm>
#include <cstdio>
#include <fmt/format.h>

namespace crier::cli {

namespace {

constexpr std::chrono::milliseconds bar_every{100};
constexpr std::chrono::seconds line_every{10};
constexpr std::size_t bar_width = 30;

double seconds(std::chrono::nanoseconds duration) {
    return static_cast<double>(duration.count()) / 1e9;
}

} // namespace

Progress::Progress(std::optional<std::chrono::nanoseconds> time_limit)
    : time_limit_(time_limit), on_terminal_(is_terminal_error()) {}

void Progress::show(const scenario::ExploreProgress& now) {
    if (now.elapsed - shown_at_ < (on_terminal_ ? std::chrono::nanoseconds(bar_every) : line_every))
        return;
    shown_at_ = now.elapsed;
    double share = 0;
    double left = 0;
    if (now.total > 0) {
        share = static_cast<double>(now.done) / static_cast<double>(now.total);
        left = now.seeds_per_second > 0
                   ? static_cast<double>(now.total - now.done) / now.seeds_per_second
                   : 0;
    } else if (time_limit_) {
        share = seconds(now.elapsed) / seconds(*time_limit_);
        left = seconds(*time_limit_) - seconds(now.elapsed);
    }
    share = std::clamp(share, 0.0, 1.0);
    const std::string words =
        fmt::format("{} seeds, {:.0f}/s, {} violations, {:.0f} s left", now.done,
                    now.seeds_per_second, now.violations, std::max(0.0, left));
    if (on_terminal_) {
        const auto full = static_cast<std::size_t>(share * bar_width);
        fmt::print(stderr, "\r\033[K[{}{}] {}", std::string(full, '#'),
                   std::string(bar_width - full, '.'), words);
    } else {
        fmt::print(stderr, "{:3.0f} % {}\n", share * 100, words);
    }
    std::fflush(stderr);
    shown_ = true;
}

void Progress::clear() {
    if (shown_ && on_terminal_) fmt::print(stderr, "\r\033[K");
}

} // namespace crier::cli
