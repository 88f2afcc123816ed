#pragma once

#include "messaging/ports/kafka.hpp"

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

// A client program is a list of steps that producers and members of groups take one after another
// on any Kafka: the model, librdkafka's mock, a real one. Its history is what each step answered.
// Both are plain values with one text form, JSON; the Java driver (kafka/Driver.java) speaks it
// too.
//
// Steps wait until nothing more will happen: `settle` until every partition has one owner, `read`
// until certain records came. What follows is then the same everywhere, whoever was faster.

namespace crier::conformance {

struct ProgramTopic {
    std::string name;
    int partitions = 1;
    int replication = 1;
    int min_insync = 1;
};

/// Who reads what, and how; the options that the programs vary.
struct MemberOptions {
    std::string group;
    std::vector<std::string> topics;
    kafka::OffsetReset reset = kafka::OffsetReset::earliest;
    kafka::Assignor assignor = kafka::Assignor::range;
    bool auto_commit = false;
    int max_poll_records = 500;
    Duration max_poll_interval = std::chrono::minutes(5);
    kafka::Isolation isolation = kafka::Isolation::read_uncommitted;
    /// By the new protocol the coordinator shares out: by `range`, or else by `uniform`.
    kafka::GroupProtocol protocol = kafka::GroupProtocol::classic;
    bool is_explicit = false; ///< Of a share group: acknowledges each record.
};

/// By value of a record: what becomes of its first delivery, its second, …; all later ones are
/// accepted. Letters: `a`ccept, `r`elease, re`j`ect.
using Verdicts = std::map<std::string, std::string>;

enum class Action {
    open_producer,  ///< With a transactional id: takes it from whoever had it.
    send,           ///< `records`, and waits for their outcomes.
    close_producer, ///< With nothing left to send.
    kill_producer,  ///< Without a word: what it began stays open.
    begin,
    send_offsets, ///< The positions of `group` in the partitions of `records`, in a transaction.
    commit_transaction,
    abort_transaction,
    await_timeout, ///< Until the transaction that `client` left open has been aborted.
    open_consumer,
    settle, ///< The members of `group` poll until each partition has one owner who knows it.
    read,   ///< The members of `group` poll until they were given all `records`.
    idle,   ///< The members of `group` poll for a while, and nobody waits for anything.
    commit, ///< Of all members of `group`, or of `client` alone: their positions less `back`.
    seek,   ///< Whoever owns `place` in `group` goes to its offset.
    pause,
    resume,
    stall, ///< `client` polls no more, until `wake`.
    wake,
    close_consumer,
    kill_consumer, ///< Without a word to anybody.
    open_share,
    work, ///< The members of share group `group` that hold nothing poll, and say of each record
          ///< what `verdicts` has for it, until all `records` are done.
    hold, ///< `client` polls until it is given something, of which it says nothing.
    await_locks, ///< Until the locks of what anybody holds have ended.
    accept_held, ///< `client` accepts what it holds.
};

struct Step {
    Action action{};
    std::string client;
    std::string group;
    kafka::ProducerOptions producer;
    MemberOptions member;
    std::vector<kafka::ProducerRecord> records;
    kafka::TopicPartitionOffset place;
    int back = 0;
    Verdicts verdicts;
};

struct Program {
    std::vector<ProgramTopic> topics;
    std::vector<Step> steps;
};

/// What a client saw. Kinds: `assigned`, `revoked`, `lost` with `places` (offsets 0); `record`;
/// `committed` with `places` and `error`; `offered`: the same in a transaction; `failed`: a poll,
/// with `error`; `done`: what a transactional producer was told to do, with `error`; `given`: a
/// record of a share group, with `deliveries` and the `verdict` on it, empty while it is held;
/// `acknowledged`: verdicts were told for `places`, with `error`.
struct Seen {
    std::string kind;
    std::string client;
    std::vector<kafka::TopicPartitionOffset> places;
    std::optional<std::string> key;
    std::string value;
    std::string error;
    int deliveries = 0;
    std::string verdict;
};

/// The outcome of one record that was sent.
struct SentRecord {
    kafka::TopicPartitionOffset place; ///< Offset -1: not known.
    std::string error;                 ///< Kafka's name; empty: none.
    bool unknown = false;              ///< Of an error: it may be stored all the same.
};

struct StepAnswer {
    std::string error; ///< Empty, or why the step did not come to its end.
    std::vector<SentRecord> sent;
    std::vector<Seen> seen;
    Duration end{}; ///< When the step had been taken, since the program began.
};

using History = std::vector<StepAnswer>;

[[nodiscard]] std::string name_of(Action action);

/// Whether the step opens a transactional producer, or tells one to do something but to send.
[[nodiscard]] bool is_transactional(const Step& step);

/// Returns the program in one line of JSON. All names of topics, groups and transactions begin with
/// `prefix`, so that programs that share a cluster do not meet.
[[nodiscard]] std::string to_json(const Program& program, const std::string& prefix);

/// Returns what the driver's line says. **Errors**: throws `std::runtime_error` on anything else.
[[nodiscard]] History history_of(const std::string& json, const std::string& prefix);

/// Returns the program as people read it, a step a line.
[[nodiscard]] std::string to_text(const Program& program);
[[nodiscard]] std::string to_text(const Step& step);
[[nodiscard]] std::string to_text(const Seen& seen);
[[nodiscard]] std::string to_text(const kafka::TopicPartitionOffset& place);

} // namespace crier::conformance
