#pragma once

#include "sim/history.hpp"

// The kinds of events that brokers and stores record: 0x02xx for brokers, 0x03xx for stores.
// Identities are those of header `id`; a partition is named as people write it, `orders/3`.

namespace crier::broker::events {

using sim::EventKind;
using enum sim::OperandType;

/// A record is in the log for good: below the high watermark.
inline constexpr EventKind stored{
    0x0201,
    "stored",
    "{message} (key {key}) is stored at {partition} offset {offset}",
    {{{"partition", text}, {"offset", number}, {"message", text}, {"key", text}}}};
/// A stored record of a dead-letter channel, as its headers tell.
inline constexpr EventKind dead_lettered{
    0x0202,
    "dead-lettered",
    "{message} is parked for {service} after {attempts} attempts ({letter})",
    {{{"message", text}, {"service", text}, {"letter", text}, {"attempts", number}}}};
/// Records that were stored are gone: beyond the fault budget, or an unclean election.
inline constexpr EventKind records_lost{
    0x0203,
    "records-lost",
    "{partition} loses the records from {first} to {last}",
    {{{"partition", text}, {"first", number}, {"last", number}}}};
/// Records are deleted on purpose: by retention or on request.
inline constexpr EventKind log_start_moved{
    0x0230,
    "log-start-moved",
    "{partition} begins at {offset}: what came before is deleted ({why})",
    {{{"partition", text}, {"offset", number}, {"why", text}}}};
/// The leader's log was compacted: records with a later one of their key, and old tombstones.
inline constexpr EventKind log_compacted{0x0231,
                                         "log-compacted",
                                         "the compaction of {partition} removes {count} records",
                                         {{{"partition", text}, {"count", number}}}};
inline constexpr EventKind topic_created{0x0232,
                                         "topic-created",
                                         "topic {topic} is made, with {count} partitions",
                                         {{{"topic", text}, {"count", number}}}};
inline constexpr EventKind topic_deleted{
    0x0233, "topic-deleted", "topic {topic} is deleted", {{{"topic", text}}}};
/// A partition goes with its topic, and with it all that is stored there: nobody's loss. What is
/// stored under its name next begins anew.
inline constexpr EventKind partition_deleted{0x0236,
                                             "partition-deleted",
                                             "{partition} is deleted with the records before {end}",
                                             {{{"partition", text}, {"end", number}}}};
inline constexpr EventKind partitions_added{
    0x0234,
    "partitions-added",
    "topic {topic} has {count} partitions instead of {before}",
    {{{"topic", text}, {"before", number}, {"count", number}}}};
inline constexpr EventKind leader_changed{
    0x0204,
    "leader-changed",
    "{leader} leads {partition} in epoch {epoch}",
    {{{"partition", text}, {"leader", node}, {"epoch", number}}}};
inline constexpr EventKind leader_gone{0x020E,
                                       "leader-gone",
                                       "{partition} has no leader (epoch {epoch})",
                                       {{{"partition", text}, {"epoch", number}}}};
inline constexpr EventKind isr_changed{
    0x0205,
    "isr-changed",
    "{partition} has {count} replicas in sync (epoch {epoch})",
    {{{"partition", text}, {"count", number}, {"epoch", number}}}};
inline constexpr EventKind broker_fenced{
    0x0206, "broker-fenced", "the controller fences {broker}", {{{"broker", node}}}};
inline constexpr EventKind generation_started{
    0x0207,
    "generation-started",
    "{group} starts generation {generation} with {members} members",
    {{{"group", text}, {"generation", number}, {"members", number}}}};
inline constexpr EventKind assigned{
    0x0208,
    "assigned",
    "{node} is given {partition} for {group} (generation {generation})",
    {{{"partition", text}, {"group", text}, {"generation", number}, {"member", text}}}};
inline constexpr EventKind revoked{
    0x0209,
    "revoked",
    "{node} gives {partition} of {group} back (generation {generation})",
    {{{"partition", text}, {"group", text}, {"generation", number}}}};
inline constexpr EventKind lost{
    0x020A,
    "lost",
    "{node} learns that it lost {partition} of {group} (generation {generation})",
    {{{"partition", text}, {"group", text}, {"generation", number}}}};
/// The coordinator gave a member up: it left, its session ended, it did not come to a rebalance in
/// time, or another took its place under its instance id. The member need not know.
inline constexpr EventKind member_gone{0x0220,
                                       "member-gone",
                                       "{group} goes on without {member}: {why}",
                                       {{{"group", text}, {"member", text}, {"why", text}}}};
/// A consumer had no position, or one that is not in the log, and took one by its reset policy.
inline constexpr EventKind position_reset{
    0x020F,
    "position-reset",
    "{node} has no position in {partition} for {group} and begins at {offset}, {policy}",
    {{{"partition", text}, {"group", text}, {"offset", number}, {"policy", text}}}};
/// The application moved a consumer's position.
inline constexpr EventKind position_sought{
    0x0240,
    "position-sought",
    "{node} goes to {offset} of {partition} for {group}",
    {{{"partition", text}, {"group", text}, {"offset", number}}}};
/// A consumer was handed records [first, end) of a partition.
inline constexpr EventKind delivered{
    0x020B,
    "delivered",
    "{node} receives {partition} from {first} up to before {end} for {group}",
    {{{"partition", text}, {"group", text}, {"first", number}, {"end", number}}}};
/// The coordinator accepted a commit, and it is stored: the next record to read is `offset`.
inline constexpr EventKind offset_committed{
    0x020C,
    "offset-committed",
    "{group} commits {partition} up to before {offset} (generation {generation})",
    {{{"partition", text}, {"group", text}, {"offset", number}, {"generation", number}}}};
/// The coordinator forgot a commit: it was too old, or somebody deleted it.
inline constexpr EventKind offset_expired{0x0214,
                                          "offset-expired",
                                          "{group} has no commit for {partition} any more",
                                          {{{"partition", text}, {"group", text}}}};
/// A share group gave a record to a member, to have it for a while.
inline constexpr EventKind share_delivered{
    0x0215,
    "share-delivered",
    "{node} receives {partition} offset {offset} for {group}, delivery {count}",
    {{{"partition", text}, {"group", text}, {"offset", number}, {"count", number}}}};
inline constexpr EventKind commit_refused{
    0x020D,
    "commit-refused",
    "a commit of {group} for {partition} is refused: {error}",
    {{{"partition", text}, {"group", text}, {"error", text}}}};

/// A record of a transaction that has no verdict yet is in the log; `stored` or `aborted` follows.
inline constexpr EventKind written{
    0x0210,
    "written",
    "{message} (key {key}) is written at {partition} offset {offset}, in a transaction",
    {{{"partition", text}, {"offset", number}, {"message", text}, {"key", text}}}};
/// The transaction of a written record was aborted: nobody who reads committed records gets it.
inline constexpr EventKind aborted{
    0x0211,
    "aborted",
    "{message} (key {key}) at {partition} offset {offset} is aborted",
    {{{"partition", text}, {"offset", number}, {"message", text}, {"key", text}}}};
/// The verdict on a transaction is in the coordinator's log, and so cannot change any more. `asked`
/// is the transaction that the client's request meant; none: the coordinator aborts by itself.
inline constexpr EventKind transaction_decided{
    0x0212,
    "transaction-decided",
    "transaction {transaction} (epoch {epoch}) is to {verdict}",
    {{{"transaction", text}, {"epoch", number}, {"verdict", text}, {"asked", text}}}};
/// The coordinator gave a transactional id to a producer; whoever had it before is fenced.
inline constexpr EventKind transactional_id_taken{
    0x0213,
    "transactional-id-taken",
    "{transaction} belongs to a producer with epoch {epoch}",
    {{{"transaction", text}, {"epoch", number}, {"producer", number}, {"timeout", duration}}}};
/// The first records of a transaction are in a partition's log for good, without a verdict; again
/// when others follow under another epoch, or of another of the client's transactions.
inline constexpr EventKind transaction_written{
    0x0216,
    "transaction-written",
    "{partition} has records of {transaction} (producer {producer}, epoch {epoch})",
    {{{"partition", text}, {"producer", number}, {"epoch", number}, {"transaction", text}}}};
/// What a transaction wrote into a partition has its verdict there: a marker's, for good.
inline constexpr EventKind transaction_marked{
    0x0217,
    "transaction-marked",
    "{transaction} ends in {partition}: {verdict} (marker of epoch {epoch})",
    {{{"partition", text}, {"transaction", text}, {"verdict", text}, {"epoch", number}}}};
/// A partition takes an idempotent producer's batches from that sequence on: the first of an epoch,
/// or one that does not follow the batch before.
inline constexpr EventKind sequence_begun{
    0x0218,
    "sequence-begun",
    "{partition} has batches of producer {producer} (epoch {epoch}) from sequence {sequence} on",
    {{{"partition", text}, {"producer", number}, {"epoch", number}, {"sequence", number}}}};
/// What must not happen: within one leadership the high watermark went back.
inline constexpr EventKind watermark_fell{
    0x0219,
    "watermark-fell",
    "the high watermark of {partition} goes back from {from} to {to} (epoch {epoch})",
    {{{"partition", text}, {"epoch", number}, {"from", number}, {"to", number}}}};
/// The same of the last stable offset, as readers of committed records are served by it.
inline constexpr EventKind stable_offset_fell{
    0x021A,
    "stable-offset-fell",
    "the last stable offset of {partition} goes back from {from} to {to} (epoch {epoch})",
    {{{"partition", text}, {"epoch", number}, {"from", number}, {"to", number}}}};
/// The leader's compaction removed that record; `tombstone` is 1 for a deletion.
inline constexpr EventKind record_compacted{
    0x0235,
    "record-compacted",
    "the compaction of {partition} removes offset {offset}",
    {{{"partition", text}, {"offset", number}, {"tombstone", number}}}};

// What clients say of themselves, and what they were told: 0x025x.

/// A producer is made. `id` tells those of one process apart; `acks` is `all`, `leader` or `none`,
/// `order` is `idempotent`, `one-in-flight` (a retry may duplicate, but not overtake) or
/// `unordered`.
inline constexpr EventKind producer_opened{
    0x0250,
    "producer-opened",
    "{node} makes producer {id} (acks {acks}, {order}, transactional id {transactional-id})",
    {{{"id", number}, {"acks", text}, {"order", text}, {"transactional-id", text}}}};
/// A consumer is made; `isolation` is `read-committed` or `read-uncommitted`.
inline constexpr EventKind consumer_opened{0x0251,
                                           "consumer-opened",
                                           "{node} makes a consumer for {group} ({isolation})",
                                           {{{"group", text}, {"isolation", text}}}};
/// A producer took a record and will send it to that partition. `send` is its number: the
/// producer's id, shifted by `send_bits`, and how many it took for the partition before.
/// `transaction` is the one that it is part of, empty for none: this is where membership is told.
inline constexpr EventKind sent{
    0x0252,
    "sent",
    "{node} sends {message} to {partition} (transaction {transaction})",
    {{{"partition", text}, {"message", text}, {"send", number}, {"transaction", text}}}};
inline constexpr unsigned send_bits = 40;
/// A producer was told that `count` records, from that send on, are stored from that offset on. The
/// offset is -1 where the answer has none (acks 0).
inline constexpr EventKind acknowledged{
    0x0253,
    "acknowledged",
    "{node} learns that {count} records are stored in {partition} from {offset} on",
    {{{"partition", text}, {"offset", number}, {"count", number}, {"send", number}}}};
/// A producer told its application that `count` records, from that send on, are not stored and
/// never will be.
inline constexpr EventKind send_failed{
    0x0254,
    "send-failed",
    "{node} gives {count} records for {partition} up, which are not stored: {error}",
    {{{"partition", text}, {"count", number}, {"send", number}, {"error", text}}}};
/// As above, but whether they are stored is unknown.
inline constexpr EventKind send_unknown{
    0x0255,
    "send-unknown",
    "{node} does not learn whether {count} records are stored in {partition}: {error}",
    {{{"partition", text}, {"count", number}, {"send", number}, {"error", text}}}};
/// A client's transaction begins. Its name is one that no other has: `copier/1-2-1#12`.
inline constexpr EventKind transaction_begun{
    0x0256,
    "transaction-begun",
    "{node} begins transaction {transaction} (transactional id {transactional-id})",
    {{{"transaction", text}, {"transactional-id", text}}}};
/// The client was told how its transaction ended: `verdict` is `commit` or `abort`.
inline constexpr EventKind transaction_ended{
    0x0257,
    "transaction-ended",
    "{node} has ended transaction {transaction}: {verdict}",
    {{{"transaction", text}, {"verdict", text}}}};
/// A producer begins to send a group's offsets as a part of its transaction.
inline constexpr EventKind offsets_sent{0x0259,
                                        "offsets-sent",
                                        "{node} sends offsets of {group} in {transaction}",
                                        {{{"transaction", text}, {"group", text}}}};
/// A consumer was handed that record; `delivered` follows for all of one partition that it was
/// handed at once. `message` is empty where the record has no identity of its own.
inline constexpr EventKind received{
    0x0258,
    "received",
    "{node} is handed {message} from {partition} offset {offset} for {group}",
    {{{"partition", text}, {"offset", number}, {"message", text}, {"group", text}}}};

/// A row of a watched table is durable. `table` is `billing-db.charges`.
inline constexpr EventKind row_durable{
    0x0301,
    "row-durable",
    "{message} (key {key}) is in {table}, commit {commit}",
    {{{"table", text}, {"message", text}, {"key", text}, {"commit", number}}}};
/// A row that was counted as durable is gone: a power loss took it, or (`promotion` is 1) the
/// replica that was promoted never had it.
inline constexpr EventKind row_lost{0x0302,
                                    "row-lost",
                                    "{message} is gone from {table}",
                                    {{{"table", text}, {"message", text}, {"promotion", number}}}};
/// A transaction that wrote something was committed; its rows follow. `client` asked for it, and is
/// the database itself where a new life finds in its log what the one before committed; the world,
/// where the database is a file.
inline constexpr EventKind committed{0x0303,
                                     "committed",
                                     "{database} commits transaction {commit} of {client}",
                                     {{{"database", text}, {"commit", number}, {"client", node}}}};

// What becomes of the rows of tables whose columns are followed: outboxes, inboxes, leases. The
// columns that have other values since come first, called by their roles (`published`, `owner`);
// then what happened to the row.
inline constexpr EventKind column_number{
    0x0304,
    "column-number",
    "{message} in {table}: {column} is {value}",
    {{{"table", text}, {"message", text}, {"column", text}, {"value", number}}}};
inline constexpr EventKind column_text{
    0x0305,
    "column-text",
    "{message} in {table}: {column} is {value}",
    {{{"table", text}, {"message", text}, {"column", text}, {"value", text}}}};
inline constexpr EventKind column_cleared{0x0306,
                                          "column-cleared",
                                          "{message} in {table}: {column} is empty",
                                          {{{"table", text}, {"message", text}, {"column", text}}}};
inline constexpr EventKind row_added{
    0x0307,
    "row-added",
    "{message} (key {key}) is added to {table}, commit {commit}",
    {{{"table", text}, {"message", text}, {"key", text}, {"commit", number}}}};
inline constexpr EventKind row_changed{0x0308,
                                       "row-changed",
                                       "{message} in {table} is changed, commit {commit}",
                                       {{{"table", text}, {"message", text}, {"commit", number}}}};
inline constexpr EventKind row_removed{0x0309,
                                       "row-removed",
                                       "{message} is removed from {table}, commit {commit}",
                                       {{{"table", text}, {"message", text}, {"commit", number}}}};

/// A replica is the primary from now on: the database goes on from that commit. The next `lost`
/// numbers are those of commits that it never had.
inline constexpr EventKind promoted{
    0x030A,
    "promoted",
    "{node} is promoted: {database} goes on from commit {commit}, and {lost} later ones are gone",
    {{{"database", text}, {"commit", number}, {"lost", number}}}};

inline constexpr std::array all{stored,
                                dead_lettered,
                                records_lost,
                                log_start_moved,
                                log_compacted,
                                topic_created,
                                topic_deleted,
                                partition_deleted,
                                partitions_added,
                                leader_changed,
                                leader_gone,
                                isr_changed,
                                broker_fenced,
                                generation_started,
                                assigned,
                                revoked,
                                lost,
                                member_gone,
                                position_reset,
                                position_sought,
                                delivered,
                                offset_committed,
                                commit_refused,
                                offset_expired,
                                share_delivered,
                                written,
                                aborted,
                                transaction_decided,
                                transactional_id_taken,
                                producer_opened,
                                consumer_opened,
                                sent,
                                acknowledged,
                                send_failed,
                                send_unknown,
                                transaction_begun,
                                transaction_ended,
                                received,
                                transaction_written,
                                transaction_marked,
                                sequence_begun,
                                watermark_fell,
                                stable_offset_fell,
                                record_compacted,
                                offsets_sent,
                                row_durable,
                                row_lost,
                                committed,
                                column_number,
                                column_text,
                                column_cleared,
                                row_added,
                                row_changed,
                                row_removed,

                                promoted};

} // namespace crier::broker::events
