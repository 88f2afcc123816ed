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

Progress::Progress(std::string what, std::optional<std::chrono::nanoseconds> time_limit)
    : what_(std::move(what)), time_limit_(time_limit), on_terminal_(is_terminal_error()) {}

void Progress::show(const scenario::ExploreProgress& now) {
    if (now.elapsed - shown_at_ < (on_terminal_ ? std::chrono::nanoseconds(bar_every) : line_every))
        return;
    shown_at_ = now.elapsed;
    std::optional<double> share; // of what there is to do
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
    std::string words = fmt::format("{} {}, {:.0f}/s, {} violations", now.done, what_,
                                    now.seeds_per_second, now.violations);
    if (share) words += fmt::format(", {:.0f} s left", std::max(0.0, left));
    const double done = std::clamp(share.value_or(0), 0.0, 1.0);
    if (on_terminal_ && share) {
        const auto full = static_cast<std::size_t>(done * bar_width);
        fmt::print(stderr, "\r\033[K[{}{}] {}", std::string(full, '#'),
                   std::string(bar_width - full, '.'), words);
    } else if (on_terminal_) {
        fmt::print(stderr, "\r\033[K{}", words);
    } else if (share) {
        fmt::print(stderr, "{:3.0f} % {}\n", done * 100, words);
    } else {
        fmt::print(stderr, "{}\n", words);
    }
    std::fflush(stderr);
    shown_ = true;
}

void Progress::clear() {
    if (shown_ && on_terminal_) fmt::print(stderr, "\r\033[K");
}

} // namespace crier::cli
