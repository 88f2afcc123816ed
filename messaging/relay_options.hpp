#pragma once

#include "messaging/outbox.hpp"
#include "messaging/ports/clock.hpp"

#include <string>
#include <vector>

// What can be chosen about a relay. The first enumerator of each choice is the right one and the
// default, or one of several right ones where the comment says so; the others are what people
// really build, so that their price can be shown.

namespace crier::messaging {

/// How a relay gets at rows. All three are right.
enum class RelayBy {
    claim,         ///< Each takes free rows under a lease; any number of relays work side by side.
    cursor,        ///< One, under a lease, goes up the positions; the others stand by.
    change_stream, ///< One reads what the database tells of its commits; the others stand by. What
                   ///< was committed before the slot was made is not told.
};

/// What makes a relay look. Both are right.
enum class RelayWake {
    poll,         ///< The clock.
    notification, ///< The writer's notification, and a slow poll in case one is missed.
};

/// How a relay that is woken comes to listen.
enum class RelayListen {
    before_reading, ///< What commits after the read is told.
    after_reading,  ///< And without the slow poll: what commits between the two waits for others.
};

/// What a cursor makes of a position that is not there: it may be rolled back, or yet to commit.
enum class CursorGaps {
    transactions, ///< Waits until every transaction has ended that can have it.
    ignored,      ///< Goes on: a row that commits late is never seen.
    fixed_wait,   ///< Waits `gap_wait`: a transaction that takes longer loses its rows.
};

/// What a reader of the change stream confirms to the database.
enum class StreamConfirm {
    prefix, ///< What is finished, and everything before it.
    each,   ///< Whatever was acknowledged last: a crash loses what is open before it.
};

/// When a row counts as published.
enum class RelayMark {
    confirmed, ///< When the broker has confirmed it.
    sent,      ///< When it was handed to the client: what the broker does not take is lost.
};

/// What happens to a key when one of its rows could not be published.
enum class AfterFailure {
    key_waits, ///< Its later rows wait with it, for a backoff; other keys go on.
    goes_on,   ///< Its later rows overtake it.
};

/// What a failure costs that is not the row's fault.
enum class OutageCost {
    nothing,
    attempts, ///< And a row without attempts is looked at no more: an outage buries it.
};

/// What becomes of a key with a dead row. Both are right: order, or progress.
enum class DeadKey {
    stops, ///< Its later rows wait until the dead one is redriven or discarded.
    goes_on,
};

/// What the purge removes.
enum class PurgeRows {
    delivered, ///< Rows that were published so long ago.
    by_age,    ///< Rows that were written so long ago, whatever became of them.
};

/// Whether one relay leaves a key alone while another has an earlier row of it.
enum class RelayOrder {
    key,
    none, ///< Each takes what is free: the faster one overtakes.
};

struct RelayOptions {
    std::string channel;
    OutboxOptions outbox;
    RelayBy by = RelayBy::claim;
    std::size_t batch = 100;
    RelayOrder order = RelayOrder::key;
    Duration poll_interval = std::chrono::milliseconds(100);
    Duration lease = std::chrono::seconds(30);  ///< How long rows, or the cursor, are out of reach
                                                ///< of others; then whoever looks adopts them.
    Duration backoff = std::chrono::seconds(1); ///< Pause of a key after a failure, and of the
                                                ///< relay after one of the store or of all rows.

    RelayWake wake = RelayWake::poll;
    RelayListen listen = RelayListen::before_reading;
    Duration fallback_poll = std::chrono::seconds(5); ///< Of a relay that is woken.

    CursorGaps gaps = CursorGaps::transactions;
    Duration gap_wait = std::chrono::seconds(1); ///< Of `CursorGaps::fixed_wait`.

    std::string slot = "outbox"; ///< Of the change stream.
    StreamConfirm confirm = StreamConfirm::prefix;
    /// Of a change stream: whether what stands in the outbox is published first when the slot is
    /// opened. Without, a row that was committed before the slot was made is never published.
    bool catch_up = true;
    std::size_t open_max = 1000; ///< Changes read and not finished at which no more are read.

    RelayMark mark = RelayMark::confirmed;
    AfterFailure after_failure = AfterFailure::key_waits;
    int attempts = 5; ///< Refusals by the broker after which a row is dead.
    OutageCost outage = OutageCost::nothing;
    DeadKey dead_key =
        DeadKey::stops; ///< A change stream, which is not read again, can only go on.

    Duration keep{}; ///< How long published rows stay; 0: they are deleted at once.
    Duration purge_interval = std::chrono::seconds(10);
    PurgeRows purge = PurgeRows::delivered;

    /// Returns everything that is wrong with the options; empty: nothing.
    [[nodiscard]] std::vector<std::string> validate() const;
};

} // namespace crier::messaging
