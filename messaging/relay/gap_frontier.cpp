#include "messaging/relay/gap_frontier.hpp"

#include <algorithm>

namespace crier::messaging {

void GapFrontier::numbered(std::int64_t number) {
    for (Seen& seen : seen_) {
        if (!seen.number) seen.number = number;
    }
}

void GapFrontier::snapshot(std::int64_t oldest_running, Instant now) {
    while (!seen_.empty() && is_over(seen_.front(), oldest_running, now)) {
        decided_ = std::max(decided_, seen_.front().highest);
        seen_.pop_front();
    }
}

bool GapFrontier::is_over(const Seen& seen, std::int64_t oldest_running, Instant now) const {
    if (gaps_ == CursorGaps::fixed_wait) return now - seen.at >= wait_;
    return seen.number && *seen.number <= oldest_running;
}

bool GapFrontier::reaches(std::int64_t position) {
    if (gaps_ != CursorGaps::ignored && position > decided_ + 1) return false;
    decided_ = std::max(decided_, position);
    return true;
}

void GapFrontier::saw(std::int64_t highest, Instant now) {
    if (seen_.empty() || seen_.back().highest < highest) seen_.push_back({highest, now, {}});
}

} // namespace crier::messaging
