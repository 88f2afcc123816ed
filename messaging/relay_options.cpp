#include "messaging/relay_options.hpp"

namespace crier::messaging {

std::vector<std::string> RelayOptions::validate() const {
    std::vector<std::string> problems = outbox.validate();
    const auto refuse = [&problems](bool wrong, const char* problem) {
        if (wrong) problems.emplace_back(problem);
    };
    refuse(channel.empty(), "channel must not be empty");
    refuse(batch == 0, "batch must be at least 1");
    refuse(poll_interval <= Duration::zero(), "poll-interval must be positive");
    refuse(lease < std::chrono::milliseconds(1), "lease must be at least 1ms");
    refuse(backoff <= Duration::zero(), "backoff must be positive");
    refuse(fallback_poll <= Duration::zero(), "fallback-poll must be positive");
    refuse(gap_wait < Duration::zero(), "gap-wait must not be negative");
    refuse(slot.empty(), "slot must not be empty");
    refuse(open_max == 0, "open-max must be at least 1");
    refuse(attempts < 1, "attempts must be at least 1");
    refuse(keep < Duration::zero(), "keep must not be negative");
    refuse(purge_interval <= Duration::zero(), "purge-interval must be positive");
    refuse(by == RelayBy::change_stream && wake == RelayWake::notification,
           "wake: notification is without use for a change stream, which tells of commits itself");
    refuse(by == RelayBy::change_stream && dead_key == DeadKey::stops,
           "dead-key: stops is impossible with a change stream, which is not read again");
    refuse(order == RelayOrder::none && by != RelayBy::claim, "order: none needs relay-by: claim");
    refuse(purge == PurgeRows::by_age && keep == Duration::zero(), "purge: by-age needs keep");
    refuse(outage == OutageCost::attempts && by == RelayBy::change_stream,
           "outage: attempts needs a relay that looks for rows, not a change stream");
    return problems;
}

} // namespace crier::messaging
