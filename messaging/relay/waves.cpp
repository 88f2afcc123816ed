#include "messaging/relay/waves.hpp"

#include "messaging/ports/ensure.hpp"
#include "messaging/ports/publish_errors.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

namespace crier::messaging {

namespace {

asio::awaitable<void> publish_unwatched(Publisher& publisher, std::string channel,
                                        std::vector<Message> messages) {
    co_await publisher.publish(std::move(channel), std::move(messages));
}

/// Shares rows out to waves, in order.
std::vector<std::vector<OutboxRow*>> waves_of(std::vector<OutboxRow>& rows, RelayOrder order) {
    std::vector<std::vector<OutboxRow*>> waves;
    std::map<std::string_view, std::size_t> wave_of;
    for (OutboxRow& row : rows) {
        const std::string_view key = row.key;
        const bool anywhere = key.empty() || order == RelayOrder::none;
        const std::size_t wave = anywhere ? 0 : wave_of[key]++;
        if (wave == waves.size()) waves.emplace_back();
        waves[wave].push_back(&row);
    }
    return waves;
}

} // namespace

Waves::Waves(ProcessPorts ports, Publisher& publisher, const RelayOptions& options)
    : ports_(ports), publisher_(publisher), options_(options) {}

asio::awaitable<WaveOutcome> Waves::publish(std::vector<OutboxRow> rows, Instant until) {
    WaveOutcome outcome;
    std::set<std::string_view> stopped;
    for (std::vector<OutboxRow*>& wave : waves_of(rows, options_.order)) {
        if (ports_.clock.now() >= until) {
            outcome.out_of_time = true;
            break;
        }
        std::erase_if(wave,
                      [&stopped](const OutboxRow* row) { return stopped.contains(row->key); });
        const std::vector<OutboxRow*> failed = co_await publish_wave(wave, outcome);
        if (options_.after_failure == AfterFailure::goes_on) continue;
        for (const OutboxRow* const row : failed) {
            if (!row->key.empty()) stopped.insert(row->key);
        }
    }
    co_return outcome;
}

/// Publishes one wave. **Returns** what of it failed.

asio::awaitable<std::vector<OutboxRow*>> Waves::publish_wave(std::vector<OutboxRow*> wave,
                                                             WaveOutcome& outcome) {
    std::vector<OutboxRow*> failed;
    std::vector<OutboxRow*> sent;
    std::vector<Message> messages;
    for (OutboxRow* const row : wave) {
        if (!row->readable) {
            RowFailure failure{row->position, true, "its headers cannot be read"};
            outcome.failed.push_back(std::move(failure));
            failed.push_back(row);
            continue;
        }
        sent.push_back(row);
        messages.push_back(std::move(row->message));
        messages.back().key = row->key;
    }
    if (sent.empty()) co_return failed;
    std::string channel = options_.channel;
    if (options_.mark == RelayMark::sent) {
        for (const OutboxRow* const row : sent)
            outcome.confirmed.push_back(row->position);
        ports_.background.spawn("relay.publish", publish_unwatched(publisher_, std::move(channel),
                                                                   std::move(messages)));
        co_return failed;
    }
    const std::vector<Outcome<void>> outcomes =
        co_await publisher_.publish(std::move(channel), std::move(messages));
    ensure(outcomes.size() == sent.size(), "a publisher gives one outcome per message");
    for (std::size_t index = 0; index < sent.size(); ++index) {
        if (outcomes[index]) {
            outcome.confirmed.push_back(sent[index]->position);
        } else {
            const error_code& code = outcomes[index].error().code;
            RowFailure failure{sent[index]->position, code == PublishError::refused,
                               code.message()};
            outcome.failed.push_back(std::move(failure));
            failed.push_back(sent[index]);
        }
    }
    co_return failed;
}

} // namespace crier::messaging
