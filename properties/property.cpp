#include "properties/property.hpp"

#include "properties/aborted_read.hpp"
#include "properties/acked_durable.hpp"
#include "properties/assigned_all.hpp"
#include "properties/assignment_exclusive.hpp"
#include "properties/assignment_fair.hpp"
#include "properties/attempts_exact.hpp"
#include "properties/auto_commit_window.hpp"
#include "properties/commit_monotone.hpp"
#include "properties/commit_not_ahead.hpp"
#include "properties/commit_not_behind.hpp"
#include "properties/compaction_safe.hpp"
#include "properties/dedup_concurrent.hpp"
#include "properties/dedup_key_scope.hpp"
#include "properties/dedup_window_bound.hpp"
#include "properties/duplicate_record.hpp"
#include "properties/effect_at_least_once.hpp"
#include "properties/effect_at_most_once.hpp"
#include "properties/effect_idempotent_value.hpp"
#include "properties/epoch_single_leader.hpp"
#include "properties/external_call_safe.hpp"
#include "properties/hanging_txn.hpp"
#include "properties/heal_progress.hpp"
#include "properties/idempotent_producer.hpp"
#include "properties/inbox_atomic.hpp"
#include "properties/inconsistent_offsets.hpp"
#include "properties/key_affinity.hpp"
#include "properties/ledger.hpp"
#include "properties/lost_write.hpp"
#include "properties/mark_monotone.hpp"
#include "properties/marker_identity.hpp"
#include "properties/no_false_fail.hpp"
#include "properties/nonmonotonic_poll.hpp"
#include "properties/offset_stability.hpp"
#include "properties/outbox_drain.hpp"
#include "properties/outbox_dup_bound.hpp"
#include "properties/outbox_gap_skip.hpp"
#include "properties/outbox_lag.hpp"
#include "properties/outbox_mark_after_publish.hpp"
#include "properties/outbox_no_missing.hpp"
#include "properties/outbox_no_phantom.hpp"
#include "properties/outbox_order_per_key.hpp"
#include "properties/outbox_purge_safe.hpp"
#include "properties/outbox_single_relay.hpp"
#include "properties/park_exactly_once.hpp"
#include "properties/per_key_effect_order.hpp"
#include "properties/phantom_read.hpp"
#include "properties/poll_inside.hpp"
#include "properties/poll_skip.hpp"
#include "properties/position_contiguous.hpp"
#include "properties/producer_fencing.hpp"
#include "properties/read_above_watermark.hpp"
#include "properties/read_metrics.hpp"
#include "properties/rebalance_storm.hpp"
#include "properties/rejoin_dup_bound.hpp"
#include "properties/reset_policy.hpp"
#include "properties/retention_visible_loss.hpp"
#include "properties/revoke_before_assign.hpp"
#include "properties/send_order.hpp"
#include "properties/stuck_in_progress.hpp"
#include "properties/txn_atomic.hpp"
#include "properties/txn_cycles.hpp"
#include "properties/txn_torn_read.hpp"
#include "properties/unseen.hpp"
#include "properties/zombie_commit.hpp"
#include "properties/zombie_effect.hpp"
#include "properties/zombie_record.hpp"

namespace crier::properties {

std::string_view name_of(VerdictKind kind) {
    switch (kind) {
    case VerdictKind::holds: return "holds";
    case VerdictKind::violated: return "violated";
    case VerdictKind::inconclusive: return "inconclusive";
    case VerdictKind::vacuous: return "vacuous";
    }
    return "unknown";
}

Verdict finish(Checker& checker, const PropertyOptions& options, const RunEnd& end) {
    Verdict verdict = checker.finish(end);
    if (!options.must_observe || end.cut || verdict.kind != VerdictKind::vacuous) return verdict;
    verdict.kind = VerdictKind::violated;
    verdict.violations = 1;
    verdict.violated_at = end.time;
    verdict.witness = "There was nothing to judge, and the scenario says that there must be.";
    return verdict;
}

const std::vector<PropertyInfo>& catalogue() {
    static const std::vector<PropertyInfo> all{
        {"aborted-read", "A reader of committed records was handed one of an aborted transaction.",
         make_aborted_read},
        {"acked-durable",
         "A record was acknowledged by all replicas, and is not in the log for good.",
         make_acked_durable},
        {"assigned-all", "At the end a partition had no owner in a group that reads it.",
         make_assigned_all},
        {"assignment-exclusive", "Two members held one partition in the same generation.",
         make_assignment_exclusive},
        {"assignment-fair", "A member held at least two partitions more than another at the end.",
         make_assignment_fair},
        {"attempts-exact", "A message was parked after too few or too many failed attempts.",
         make_attempts_exact},
        {"auto-commit-window", "The client committed by itself what was still in work.",
         make_auto_commit_window},
        {"commit-monotone", "A group's committed offset went back.", make_commit_monotone},
        {"commit-not-ahead", "An offset was committed past a message that was not finished.",
         make_commit_not_ahead},
        {"commit-not-behind", "Everything was finished, but not everything committed.",
         make_commit_not_behind},
        {"compaction-safe",
         "Compaction removed the latest record of a key, or a tombstone before its time.",
         make_compaction_safe},
        {"dedup-concurrent", "Copies of one message that were in work at once took effect both.",
         make_dedup_concurrent, Follows::inboxes},
        {"dedup-key-scope", "A message was dropped as a copy of another one.", make_dedup_key_scope,
         Follows::inboxes},
        {"dedup-window-bound", "A copy took effect, or came later than an inbox remembers.",
         make_dedup_window_bound, Follows::inboxes},
        {"duplicate-record", "A message was stored twice without an occasion to send it anew.",
         make_duplicate_record},
        {"effect-at-least-once",
         "An accepted event has no effect, although it was neither parked nor discarded.",
         make_effect_at_least_once},
        {"effect-at-most-once", "One event took effect more than once.", make_effect_at_most_once},
        {"effect-idempotent-value", "What was handed out twice has another effect than once.",
         make_effect_idempotent_value},
        {"epoch-single-leader", "A leader epoch of a partition had two leaders.",
         make_epoch_single_leader},
        {"external-call-safe",
         "A call outside the database was repeated, and whom it reached cannot know.",
         make_external_call_safe},
        {"g0", "Information: transactions are in a cycle by the order of their writes.", make_g0},
        {"g1c", "A committed transaction read what depends on it.", make_g1c},
        {"hanging-txn", "A transaction was open for longer than its timeout allows.",
         make_hanging_txn},
        {"heal-progress", "After all faults were over, work was pending and nothing moved.",
         make_heal_progress},
        {"hw-monotone", "A leader's high watermark went back.", make_hw_monotone},
        {"idempotent-producer",
         "A batch of an idempotent producer is in a log twice, or one is missing.",
         make_idempotent_producer},
        {"inbox-atomic", "An effect was committed apart from the record that its message is done.",
         make_inbox_atomic, Follows::inboxes},
        {"inconsistent-offsets",
         "Two clients, or a client and the log, know different records at one offset.",
         make_inconsistent_offsets},
        {"int-nonmonotonic-poll", "One poll handed out a record after a later one.",
         make_int_nonmonotonic_poll},
        {"int-nonmonotonic-send",
         "Records of one transaction were stored in another order than they were sent.",
         make_int_nonmonotonic_send},
        {"int-poll-skip", "One poll handed out records around one that it left out.",
         make_int_poll_skip},
        {"int-send-skip", "Information: something else lies between two records of a transaction.",
         make_int_send_skip},
        {"key-affinity", "Events of one aggregate were stored with different record keys.",
         make_key_affinity},
        {"ledger", "An accepted event is unaccounted for, or has two fates.", make_ledger_checker},
        {"lost-write", "An acknowledged record was never handed to a group that has later ones.",
         make_lost_write},
        {"lso-monotone", "A leader's last stable offset went back.", make_lso_monotone},
        {"marker-identity", "A request to end one transaction ended the next.",
         make_marker_identity},
        {"no-false-fail", "A producer reported a record as not stored that is in the log.",
         make_no_false_fail},
        {"nonmonotonic-poll", "A member was handed records that it had been handed before.",
         make_nonmonotonic_poll},
        {"nonmonotonic-send",
         "Records of one producer were stored in another order than they were sent.",
         make_nonmonotonic_send},
        {"offset-stability", "Records that were stored for good are gone.", make_offset_stability},
        {"outbox-drain", "After all faults were over, a row was not published in time.",
         make_outbox_drain, Follows::outboxes},
        {"outbox-dup-bound",
         "A relay sent a row again, and nothing had happened to the first sending.",
         make_outbox_dup_bound, Follows::outboxes},
        {"outbox-gap-skip", "A row appeared where the cursor of its relays had passed.",
         make_outbox_gap_skip, Follows::outboxes},
        {"outbox-lag", "An event was published too long after it was accepted.", make_outbox_lag},
        {"outbox-mark-after-publish",
         "A row counted as published before the broker had its message.",
         make_outbox_mark_after_publish, Follows::outboxes},
        {"outbox-no-missing", "An accepted event was never published.", make_outbox_no_missing},
        {"outbox-no-phantom", "An event was published without, or before, its transaction.",
         make_outbox_no_phantom},
        {"outbox-order-per-key",
         "Events of one aggregate were published in another order than they were accepted.",
         make_outbox_order_per_key},
        {"outbox-purge-safe", "A row was purged that was not published.", make_outbox_purge_safe,
         Follows::outboxes},
        {"outbox-single-relay", "Two relays held one row or one lead at once.",
         make_outbox_single_relay, Follows::outboxes},
        {"park-exactly-once", "A message was dead-lettered more than once.",
         make_park_exactly_once},
        {"per-key-effect-order",
         "Events of one aggregate took effect in another order than they were accepted.",
         make_per_key_effect_order},
        {"phantom-read", "A reader was handed a record that nobody sent, or from where nothing is.",
         make_phantom_read},
        {"poll-skip", "A member was handed later records without those before.", make_poll_skip},
        {"position-contiguous", "A member did not read on from where it stood.",
         make_position_contiguous},
        {"precommitted-read",
         "A reader of committed records was handed one of an open transaction.",
         make_precommitted_read},
        {"producer-fencing", "A producer that had been fenced wrote all the same.",
         make_producer_fencing},
        {"read-above-watermark", "A reader was handed records that were not stored for good.",
         make_read_above_watermark},
        {"read-metrics", "Information: how late and how often records were handed out.",
         make_read_metrics},
        {"rebalance-storm", "A group rebalanced again and again although no member came or went.",
         make_rebalance_storm},
        {"rejoin-dup-bound", "A new owner was handed more again than was left uncommitted.",
         make_rejoin_dup_bound},
        {"reset-policy", "A member began by its reset policy although its group had committed.",
         make_reset_policy},
        {"retention-visible-loss", "Unread records expired, and their reader was not told.",
         make_retention_visible_loss},
        {"revoke-before-assign", "A member was given a partition that another had not given back.",
         make_revoke_before_assign},
        {"stuck-in-progress", "A message stayed in work although nobody worked on it.",
         make_stuck_in_progress, Follows::both},
        {"txn-atomic", "Of one transaction some became visible and some did not.", make_txn_atomic},
        {"txn-torn-read", "A reader of committed records was handed only a part of a transaction.",
         make_txn_torn_read},
        {"unseen", "A stored record was never handed to a group that reads it.", make_unseen},
        {"zombie-commit", "A commit of a former generation was accepted.", make_zombie_commit},
        {"zombie-effect", "A member that had lost a partition took effect while another held it.",
         make_zombie_effect},
        {"zombie-record", "A message was dead-lettered that its service had recorded as done.",
         make_zombie_record, Follows::inboxes},
    };
    return all;
}

} // namespace crier::properties
