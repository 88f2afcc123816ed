#pragma once

#include "messaging/ports/change_stream.hpp"
#include "messaging/ports/process.hpp"
#include "messaging/relay/relay_kind.hpp"
#include "messaging/relay/row_states.hpp"

#include <deque>
#include <memory>
#include <set>
#include <vector>

// Reads what the database tells of the rows that commits inserted, so it never looks for them. The
// database keeps what is not confirmed. Only the finished beginning of what was read is confirmed:
// a crash repeats what came after it, and loses nothing. A row that failed stays in hand until its
// backoff is over, and later rows of its key with it; the others go on, up to `open_max`. The slot
// has one reader, so further relays stand by. What was committed before the slot was made, or went
// with it, is found by one look through the outbox when the slot is opened.

namespace crier::messaging {

class StreamRelay final : public RelayKind {
public:
    StreamRelay(ProcessPorts ports, Store& store, ChangeStreams& streams, Publisher& publisher,
                const RelayOptions& options);

    [[nodiscard]] asio::awaitable<Pass> pass() override;
    [[nodiscard]] asio::awaitable<void> leave() override;

private:
    /// A change that was read and is not confirmed.
    struct Open {
        std::uint64_t change = 0; ///< Its position; 0: it was found in the outbox.
        OutboxRow row;
        bool finished = false; ///< Published or dead, or no row of the outbox.
        Instant not_before{};
    };

    asio::awaitable<Outcome<void>> take_in();
    asio::awaitable<Outcome<void>> read_stream();
    asio::awaitable<Outcome<void>> read_outbox();
    [[nodiscard]] std::vector<OutboxRow> ready() const;
    void finish(const WaveOutcome& outcome);
    asio::awaitable<Outcome<void>> confirm();
    void close();

    ProcessPorts ports_;
    Store& store_;
    ChangeStreams& streams_;
    RelayOptions options_;
    Waves waves_;
    RowStates states_;
    std::unique_ptr<ChangeStream> stream_; ///< Null: not open.
    std::deque<Open> open_;                ///< In the order of the stream.
    std::uint64_t confirmed_ = 0;
    bool catching_up_ = false;
    std::int64_t looked_through_to_ = 0; ///< The last position that was read in the outbox.
    std::set<std::int64_t> from_outbox_; ///< What was found there; the stream may tell it again.
};

} // namespace crier::messaging
