#include "tests/zoo/bugs.hpp"

namespace crier::zoo {

namespace {

/// Orders of a shop by a relay to a consumer under test, `billing`.
std::string consumed_by(const std::string& billing, const std::string& property,
                        const std::string& faults, const std::string& topic = "min-in-sync: 2",
                        int partitions = 2) {
    return R"(brokers:
  events: {kafka: {replica-lag-time-max: 2s}}
channels:
  orders: {replication: 3, )" +
           topic + ", partitions: " + std::to_string(partitions) + R"(}
databases: [shop-db, billing-db]
services:
  shop: {is: outbox-producer, database: shop-db}
  relay: {is: outbox-relay, database: shop-db, to: orders}
  billing: {from: orders, database: billing-db, )" +
           billing + R"(}
load:
  - {to: shop, rate: 40/s, for: 15s, keys: 50, arrival: bursts, burst: 20}
expect: [)" +
           property + "]\nfaults:\n" + faults;
}

/// Orders of a shop under test, which publishes them itself.
std::string published_by(const std::string& shop, const std::string& property,
                         const std::string& faults) {
    return R"(brokers:
  events: {kafka: {}}
channels:
  orders: {partitions: 2, replication: 3, min-in-sync: 2}
databases: [shop-db]
services:
  shop: {is: direct-producer, database: shop-db, to: orders, )" +
           shop + R"(}
load:
  - {to: shop, rate: 60/s, for: 15s, keys: 10}
expect: [)" +
           property + "]\nfaults:\n" + faults;
}

/// Orders that a copier under test brings from one channel to another in transactions.
std::string copied_by(const std::string& kafka, const std::string& copier,
                      const std::string& property, const std::string& load,
                      const std::string& faults) {
    return R"(brokers:
  events: {kafka: {)" +
           kafka + R"(}}
channels:
  orders: {partitions: 2, replication: 3, min-in-sync: 2}
  billable: {partitions: 2, replication: 3, min-in-sync: 2}
databases: [shop-db, billing-db]
services:
  shop: {is: outbox-producer, database: shop-db}
  relay: {is: outbox-relay, database: shop-db, to: orders}
  copier: {is: copier, from: orders, to: billable, offset-reset: earliest, )" +
           copier + R"(}
  billing: {is: consumer, from: billable, database: billing-db, isolation: read-committed,
            deduplicate: none, offset-reset: earliest}
load:
  - {to: shop, )" +
           load + R"(}
expect: [)" +
           property + "]\nfaults:\n" + faults;
}

/// A group that nobody writes to for a while, and whose member then restarts.
std::string idle_group(const std::string& kafka) {
    return R"(brokers:
  events: {kafka: {offsets-retention: 10s, offsets-retention-check-interval: 1s, )" +
           kafka + R"(}}
channels:
  orders: {partitions: 2, replication: 3, min-in-sync: 2}
databases: [shop-db, billing-db]
services:
  shop: {is: outbox-producer, database: shop-db}
  relay: {is: outbox-relay, database: shop-db, to: orders}
  billing: {is: consumer, from: orders, database: billing-db, deduplicate: none,
            offset-reset: earliest}
load:
  - {to: shop, rate: 20/s, for: 5s}
  - {to: shop, rate: 20/s, for: 5s, start: 30s}
faults:
  - stop: {of: billing, at: 25s, for: 1s..3s}
expect: [effect-at-most-once]
)";
}

/// Old orders are imported while their consumer is away.
std::string imported_by(const std::string& shop) {
    return R"(brokers:
  events: {kafka: {log-retention-check-interval: 2s}}
channels:
  orders: {partitions: 2, replication: 3, min-in-sync: 2, retention-time: 24h, segment-bytes: 1KiB}
databases: [shop-db, billing-db]
services:
  shop: {is: direct-producer, database: shop-db, to: orders, )" +
           shop + R"(}
  billing: {is: consumer, from: orders, database: billing-db, offset-reset: earliest}
load:
  - {to: shop, rate: 60/s, for: 15s}
faults:
  - stop: {of: billing, at: 5s, for: 6s}
expect: [ledger]
)";
}

/// Orders of a shop that numbers its messages, to a consumer that goes by the numbers.
std::string numbered_by(const std::string& shop) {
    return R"(brokers:
  events: {kafka: {}}
channels:
  orders: {partitions: 2, replication: 3, min-in-sync: 2}
databases: [shop-db, billing-db]
services:
  shop: {is: direct-producer, database: shop-db, to: orders, idempotence: off,
         delivery-timeout: 4s, )" +
           shop + R"(}
  billing: {is: position-keeper, from: orders, database: billing-db, by-number: on}
load:
  - {to: shop, rate: 40/s, for: 15s}
faults:
  - stop: {of: shop, every: 5s, for: 1s}
  - lose-answer: {call: produce, topic: orders, chance: 2%}
expect: [dedup-key-scope]
)";
}

/// Orders of a shop under test, and a relay for those that it leaves in an outbox.
std::string committed_by(const std::string& shop) {
    return R"(brokers:
  events: {kafka: {}}
channels:
  orders: {partitions: 2, replication: 3, min-in-sync: 2}
databases: [shop-db]
services:
  shop: {is: outbox-producer, database: shop-db, to: orders, )" +
           shop + R"(}
  relay: {is: outbox-relay, database: shop-db, to: orders}
load:
  - {to: shop, rate: 60/s, for: 15s}
faults:
  - crash: {of: shop, every: 2s, for: 1s}
expect: [outbox-no-missing]
)";
}

const char* const coming_and_going = "  - stop: {of: billing, every: 4s, for: 1s..2s}\n";

} // namespace

/// Orders by a relay under test to a consumer.
std::string relayed_by(const std::string& relay, const std::string& property,
                       const std::string& faults, const std::string& shop = "replicas: 1") {
    return R"(brokers:
  events: {kafka: {}}
channels:
  orders: {partitions: 2, replication: 3, min-in-sync: 2}
databases: [shop-db, billing-db]
services:
  shop: {is: outbox-producer, database: shop-db, )" +
           shop + R"(}
  relay: {is: outbox-relay, database: shop-db, to: orders, )" +
           relay + R"(}
  billing: {is: consumer, from: orders, database: billing-db, offset-reset: earliest}
load:
  - {to: shop, rate: 40/s, for: 20s, keys: 10}
expect: [)" +
           property + "]\nfaults:\n" + faults;
}

const std::string refusals =
    "  - fail-call: {call: produce, of: relay, chance: 5%, error: INVALID_RECORD}\n";
const std::string relay_cut_off = "  - partition: {between: [relay, events], at: 3s, for: 12s}\n";

const std::string slow_commits =
    "  - delay-call: {of: shop, call: sql-commit, chance: 3%, for: 500ms..3s}\n";

std::vector<Bug> bugs() {
    return {
        {"B01", "Concurrent workers commit the highest finished offset", "wrong service",
         "commit-not-ahead",
         consumed_by("is: pool-consumer, position: @", "commit-not-ahead",
                     "  - crash: {of: billing, every: 6s, for: 1s}\n"),
         "highest-finished", "finished-prefix"},
        {"B04", "A late acknowledgement after revocation re-creates the offset", "wrong service",
         "commit-monotone",
         consumed_by("is: pool-consumer, replicas: 2, late-acks: @", "commit-monotone",
                     coming_and_going),
         "count", "dropped"},
        {"B06", "The commit position comes from the highest polled record", "wrong service",
         "commit-not-ahead",
         consumed_by("is: pool-consumer, replicas: 2, dropped-work: @", "commit-not-ahead",
                     coming_and_going),
         "forgotten", "unfinished"},
        {"B07", "The error handler's commit throws, so the seek back is skipped", "wrong service",
         "commit-not-ahead",
         consumed_by("is: batch-listener, on-failure: @", "commit-not-ahead",
                     "  - fail-call: {call: offset-commit, group: billing, chance: 20%, error: "
                     "UNKNOWN_SERVER_ERROR}\n"),
         "commit-then-seek", "seek-then-commit"},
        {"B09", "With two asynchronous failures on one partition the later seek wins",
         "wrong service", "commit-not-ahead",
         consumed_by("is: batch-listener, parallel: on, failures: @", "commit-not-ahead",
                     "  - slow-link: {between: [billing, billing-db], times: 20, every: 5s, for: "
                     "2s}\n"),
         "last-wins", "first-wins"},
        {"B10", "A stale revoked set deletes buffered records on every later rebalance",
         "wrong service", "commit-not-ahead",
         consumed_by("is: buffer-stage, replicas: 4, revoked-set: @", "commit-not-ahead",
                     "  - stop: {of: billing, every: 2s, for: 3s..6s}\n", "min-in-sync: 2", 6),
         "kept", "used-once"},
        {"B11", "A transient error of the position lookup begins anew", "wrong service",
         "effect-at-most-once",
         consumed_by("is: position-keeper, lookup-error: @", "effect-at-most-once",
                     "  - fail-call: {of: billing-db, call: sql-execute, chance: 30%, error: "
                     "lock-timeout}\n"
                     "  - crash: {of: billing, every: 7s, for: 1s}\n"),
         "begin-anew", "try-again"},
        {"B12", "Deduplication by offset drops new records after a truncation", "wrong service",
         "commit-not-ahead",
         consumed_by(
             "is: pool-consumer, duplicates: @", "commit-not-ahead",
             "  - partition: {between: [{leader-of: orders/0}, events], at: 4s, for: 7s..12s}\n"
             "  - crash: {leader-of: orders/0, every: 9s, for: 3s}\n"
             "budget: {brokers-down: 3}\n",
             "min-in-sync: 1, unclean-leader-election: on"),
         "by-offset", "by-id"},
        {"B14", "Concurrent offset commits arrive out of order and rewind the group",
         "wrong service", "commit-monotone",
         consumed_by(
             "is: pool-consumer, commits: @", "commit-monotone",
             "  - slow-link: {between: [billing, events], times: 20, every: 5s, for: 2s}\n"),
         "overlapping", "one-by-one"},
        {"B34", "A check-then-act race on the dedup store", "wrong configuration",
         "effect-at-most-once",
         consumed_by(
             "is: consumer, replicas: 2, offset-reset: earliest, work: 50ms, session-timeout: "
             "6s, inbox-transaction: @",
             "effect-at-most-once", "  - pause: {of: billing, every: 4s, for: 7s..9s}\n"),
         "after", "same"},
        {"B36", "A message is marked as seen before its processing commits", "wrong configuration",
         "ledger",
         consumed_by("is: consumer, offset-reset: earliest, work: 20ms, inbox-transaction: @",
                     "ledger", "  - crash: {of: billing, every: 6s, for: 1s}\n"),
         "own", "same"},
        {"B40", "A sequence counter restarts under the same producer identity", "wrong service",
         "dedup-key-scope", numbered_by("numbering: @"), "name", "epoch"},
        {"B41",
         "An inbox row in a state that recovery cannot see, and a redelivery that is dropped",
         "wrong configuration", "ledger",
         consumed_by("is: consumer, offset-reset: earliest, work: 20ms, inbox-transaction: marker, "
                     "marker-expiry: 5s, marker-hit: @",
                     "ledger", "  - crash: {of: billing, every: 6s, for: 1s}\n"),
         "never-expires", "waits"},
        {"B42", "The effect and its completion record commit separately", "wrong configuration",
         "effect-at-most-once",
         consumed_by("is: consumer, offset-reset: earliest, inbox-transaction: @",
                     "effect-at-most-once",
                     "  - crash: {of: billing, call: sql-execute, nth: 50..500, for: 1s}\n"),
         "after", "same"},
        {"B43", "Polling by increasing id misses rows that commit late", "wrong configuration",
         "outbox-no-missing",
         relayed_by("relay-by: cursor, gaps: @", "outbox-no-missing", slow_commits), "ignored",
         "transactions"},
        {"B45", "The gap wait is shorter than a long transaction", "wrong configuration",
         "outbox-no-missing",
         relayed_by("relay-by: cursor, gap-wait: 300ms, gaps: @", "outbox-no-missing",
                    slow_commits),
         "fixed-wait", "transactions"},
        {"B46", "A row is marked as sent when the asynchronous send call returns",
         "wrong configuration", "outbox-no-missing",
         relayed_by("mark: @", "outbox-no-missing", refusals), "sent", "confirmed"},
        {"B47", "Parallel relays reorder a key", "wrong configuration", "outbox-order-per-key",
         relayed_by(
             "replicas: 3, batch: 5, order: @", "outbox-order-per-key",
             "  - slow-link: {between: [relay, events], times: 20..100, every: 3s, for: 2s}\n"),
         "none", "key"},
        {"B49", "After a failed row the relay continues with later rows of the same key",
         "wrong configuration", "outbox-order-per-key",
         relayed_by("after-failure: @", "outbox-order-per-key", refusals), "goes-on", "key-waits"},
        {"B50", "Dual write: state commits and the event is never published", "wrong configuration",
         "outbox-no-missing", committed_by("publish: @"), "dual-write", "outbox"},
        {"B53", "Clean-up by age deletes rows that were never sent", "wrong configuration",
         "outbox-no-missing",
         relayed_by("keep: 5s, purge-interval: 1s, purge: @", "outbox-no-missing", relay_cut_off),
         "by-age", "delivered"},
        {"B54", "Rows whose attempts are used up become invisible after an outage",
         "wrong configuration", "outbox-no-missing",
         relayed_by("attempts: 3, backoff: 200ms, outage: @", "outbox-no-missing",
                    "  - fail-call: {call: produce, of: relay, at: 3s, lasts: 10s, error: "
                    "TOPIC_AUTHORIZATION_FAILED}\n"),
         "attempts", "nothing"},
        {"B56", "A wake-up is lost between the catch-up read and the subscription",
         "wrong configuration", "outbox-no-missing",
         relayed_by("wake: notification, fallback-poll: 2s, listen: @", "outbox-no-missing",
                    "  - slow-link: {between: [relay, shop-db], times: 20..100, every: 4s, for: "
                    "2s}\n  - reset: {of: relay, every: 1s}\n",
                    "notify: on"),
         "after-reading", "before-reading"},
        {"B58", "A position of a change stream is confirmed by acknowledgements out of order",
         "wrong configuration", "outbox-no-missing",
         relayed_by("relay-by: change-stream, dead-key: goes-on, catch-up: off, confirm: @",
                    "outbox-no-missing",
                    "  - fail-call: {call: produce, of: relay, partition: orders/0, chance: 10%, "
                    "error: INVALID_RECORD}\n  - crash: {of: relay, every: 5s, for: 1s}\n"),
         "each", "prefix"},
        {"B60", "A retry with several requests in flight changes the order", "wrong configuration",
         "outbox-order-per-key",
         published_by("idempotence: @", "outbox-order-per-key",
                      "  - fail-call: {call: produce, topic: orders, chance: 2%, error: "
                      "NOT_ENOUGH_REPLICAS}\n"),
         "off", "on"},
        {"B62", "A resend after an unclear time-out creates a new event", "wrong service",
         "outbox-no-phantom",
         published_by("delivery-timeout: 2s, resend: @", "outbox-no-phantom",
                      "  - lose-answer: {call: produce, topic: orders, chance: 2%}\n"),
         "new-id", "same-id"},
        {"B63", "Shutdown without a flush loses buffered sends", "wrong service",
         "outbox-no-missing",
         published_by("linger: 100ms, on-stop: @", "outbox-no-missing",
                      "  - stop: {of: shop, every: 5s, for: 3s}\n"),
         "leave", "flush"},
        {"B64", "A random transactional id leaves the zombie unfenced", "wrong configuration",
         "effect-at-most-once",
         copied_by("", "replicas: 2, session-timeout: 6s, transaction-timeout: 30s, @",
                   "effect-at-most-once", "rate: 20/s, for: 30s",
                   "  - pause: {of: copier, every: 6s, for: 8s..15s}\n"),
         "transactional-id: random, fence: none", "transactional-id: per-replica, fence: member"},
        {"B65", "Live instances share a static identity and fence each other for ever",
         "wrong configuration", "assignment-exclusive",
         consumed_by("is: consumer, replicas: 2, offset-reset: earliest, instance-id: @",
                     "assignment-exclusive", "  - crash: {of: billing, at: 5s, for: 1s}\n"),
         "shared", "per-replica"},
        {"B92", "A replica that lags is promoted, and confirmed records vanish",
         "wrong configuration (Kafka's counterpart of the unsynchronised mirror)", "ledger",
         consumed_by(
             "is: consumer, offset-reset: earliest", "ledger",
             "  - partition: {between: [{leader-of: orders/0}, events], at: 4s, for: 7s..12s}\n"
             "  - crash: {leader-of: orders/0, every: 9s, for: 3s}\n"
             "  - partition: {between: [billing, events], at: 6s, for: 8s}\n"
             "budget: {brokers-down: 3}\n",
             "@"),
         "min-in-sync: 1, unclean-leader-election: on", "min-in-sync: 2"},
        {"B93", "Committed offsets expire while the group is idle", "wrong broker rule",
         "effect-at-most-once", idle_group("offsets-expiry: @"), "commit-age", "empty-group"},
        {"B95", "The leader alone acknowledges", "wrong configuration", "outbox-no-missing",
         published_by("acks: @", "outbox-no-missing",
                      "  - crash: {leader-of: orders/0, every: 5s, for: 2s}\n"),
         "leader", "all"},
        {"B96", "A delayed end of a transaction hits the next one", "wrong broker rule",
         "marker-identity",
         copied_by("transaction-version: @", "transaction-timeout: 120s", "marker-identity",
                   "rate: 20/s, for: 60s",
                   "  - delay-call: {of: copier, call: end-txn, nth: 1..20, for: 30s..32s}\n"),
         "1", "2"},
        {"B100", "Business time as the record's makes retention delete unread records",
         "wrong service", "ledger", imported_by("timestamps: @"), "business", "of-sending"},
        {"B106", "The dedup record outlives the lease, and the redelivery is dropped",
         "wrong configuration", "ledger",
         consumed_by("is: consumer, offset-reset: earliest, work: 20ms, session-timeout: 6s, "
                     "inbox-transaction: marker, marker-hit: @",
                     "ledger", "  - crash: {of: billing, every: 8s, for: 1s}\n"),
         "taken-for-done", "waits"},
    };
}

} // namespace crier::zoo
