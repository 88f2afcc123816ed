#include "tests/conformance/client_program_check.hpp"

#include "tests/conformance/client_program_log.hpp"
#include "tests/conformance/client_program_run.hpp"
#include "tests/conformance/client_program_share_check.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace crier::conformance {

using kafka::Offset;
using kafka::TopicPartition;
using kafka::TopicPartitionOffset;

namespace {

/// What a member has of a partition between getting and giving it up.
struct Tenure {
    std::optional<Offset> first; ///< The first record that it was given.
    std::optional<Offset> next;  ///< Where it goes on; nothing: where the group stands.
    bool is_paused = false;
};

struct MemberState {
    MemberOptions options;
    std::map<TopicPartition, Tenure> tenures;
    std::map<TopicPartition, Offset> end_at_open; ///< For the policy `latest`.
    bool is_stalled = false;
};

/// What a group has committed; a range where the client commits by itself.
struct Committed {
    Offset lowest = -1;
    Offset highest = -1;
};

class Checker {
public:
    explicit Checker(const Program& program, Owners owners = Owners::are_facts,
                     SendErrors errors = SendErrors::are_facts)
        : program_(program), owners_(owners), errors_(errors), log_(program) {}

    void operator()(const History& history) {
        for (at_ = 0; at_ < program_.steps.size(); ++at_) {
            if (at_ >= history.size()) {
                complain("has no answer");
                return;
            }
            step(program_.steps[at_], history[at_]);
        }
    }

    std::vector<std::string> violations;
    std::vector<std::string> facts;

private:
    void complain(const std::string& what) {
        violations.push_back("step " + std::to_string(at_) + " (" +
                             name_of(program_.steps[at_].action) + "): " + what);
    }
    void state(const std::string& fact) { facts.push_back(std::to_string(at_) + " " + fact); }

    void step(const Step& step, const StepAnswer& answer);
    void on_owner(const Step& step);
    void sent(const Step& step, const StepAnswer& answer);
    void seen(const Step& step, const Seen& seen);
    void assigned(MemberState& member, const Seen& seen);
    void given(MemberState& member, const Seen& seen);
    void begun(MemberState& member, const Tenure& tenure, const TopicPartition& place,
               Offset offset);
    void committed(MemberState& member, const Seen& seen);
    void move(const Step& step, const Seen& seen);
    void offered(const Step& step, MemberState& member, const Seen& seen);
    void commit_transaction(const std::string& client);
    void settled(const std::string& client, const MemberState& member);
    void read(const MemberState& member);
    void check_balance(const std::string& group);
    void conclude(const Step& step, const StepAnswer& answer);
    void auto_committed(MemberState& member, const TopicPartition& place, bool for_sure);
    const Program& program_;
    Owners owners_;
    SendErrors errors_;
    std::size_t at_ = 0;
    ProgramLog log_;
    std::map<std::string, MemberState> members_;
    std::map<std::string, std::map<TopicPartition, Committed>> committed_;
    std::multiset<std::string> found_; // facts of this step, in no order of their own
};

bool is_loose(const std::string& topic) {
    return topic.starts_with(loose_prefix);
}

std::string name(const TopicPartition& place) {
    return place.topic + "/" + std::to_string(place.partition);
}

bool is_sticky(const MemberOptions& options) {
    return options.assignor == kafka::Assignor::sticky ||
           options.assignor == kafka::Assignor::cooperative_sticky;
}

/// Whether who holds what is open: by the new protocol ids are random.
bool has_free_owners(const MemberOptions& options) {
    return is_sticky(options) || options.protocol == kafka::GroupProtocol::consumer;
}

/// The client's two words for a commit of somebody who is no member any more.
std::string commit_error(const std::string& error) {
    const bool is_over = error == "ILLEGAL_GENERATION" || error == "UNKNOWN_MEMBER_ID";
    return is_over ? "COMMIT_FAILED" : error;
}

void Checker::step(const Step& step, const StepAnswer& answer) {
    if (step.action == Action::open_consumer) {
        MemberState& opened = members_[step.client];
        opened = {};
        opened.options = step.member;
        for (const TopicPartition& place : log_.places())
            opened.end_at_open[place] = log_.end_of(place);
    }
    if (step.action == Action::send) sent(step, answer);
    for (const Seen& one : answer.seen)
        seen(step, one);
    if (step.action == Action::await_timeout) log_.end(step.client, false);
    if (step.action == Action::stall) members_[step.client].is_stalled = true;
    if (step.action == Action::wake) members_[step.client].is_stalled = false;
    on_owner(step);
    conclude(step, answer);
    if (step.action == Action::kill_consumer) {
        for (const auto& [held, tenure] : members_[step.client].tenures)
            auto_committed(members_[step.client], held, false);
    }
    if (step.action == Action::kill_consumer || step.action == Action::close_consumer)
        members_.erase(step.client);
}

void Checker::on_owner(const Step& step) {
    const TopicPartition place{step.place.topic, step.place.partition};
    for (auto& [client, member] : members_) {
        if (member.options.group != step.group || member.is_stalled) continue;
        const auto held = member.tenures.find(place);
        if (held == member.tenures.end()) continue;
        if (step.action == Action::pause) held->second.is_paused = true;
        if (step.action == Action::resume) held->second.is_paused = false;
        if (step.action != Action::seek) continue;
        held->second.next = step.place.offset;
        held->second.first = std::nullopt;
    }
}

void Checker::sent(const Step& step, const StepAnswer& answer) {
    if (answer.sent.size() != step.records.size()) return complain("has not one outcome a record");
    std::string places;
    for (std::size_t at = 0; at < step.records.size(); ++at) {
        const kafka::ProducerRecord& record = step.records[at];
        const SentRecord& outcome = answer.sent[at];
        const TopicPartition place{record.topic, outcome.place.partition};
        const bool is_known = outcome.error.empty() && outcome.place.offset >= 0;
        if (!is_loose(record.topic)) {
            std::string failure = (outcome.unknown ? "unknown " : "failed ") + outcome.error;
            if (log_.is_writer(step.client) && errors_ == SendErrors::are_free) failure = "failed";
            places += " " + (is_known ? to_text(outcome.place) : failure);
        }
        if (record.partition && outcome.error.empty() &&
            *record.partition != outcome.place.partition)
            complain(record.value + " was put into partition " +
                     std::to_string(outcome.place.partition));
        if (!is_known) continue;
        if (!log_.has(place)) {
            complain(record.value + " was put into a partition that is not there");
            continue;
        }
        const Offset end = log_.end_of(place);
        if (outcome.place.offset != end)
            complain(record.value + " is at " + to_text(outcome.place) + ", not at the end, " +
                     std::to_string(end));
        log_.store(step.client, place, outcome.place.offset, {record.key, record.value});
    }
    state("sent" + places);
}

void Checker::seen(const Step& step, const Seen& seen) {
    if (seen.kind == "given" || seen.kind == "acknowledged") return; // see check_shares
    if (seen.kind == "done") return move(step, seen);
    const auto found = members_.find(seen.client);
    if (found == members_.end()) return complain(to_text(seen) + ": there is no such member");
    MemberState& member = found->second;
    if (seen.kind == "assigned") assigned(member, seen);
    if (seen.kind == "record") given(member, seen);
    if (seen.kind == "committed") committed(member, seen);
    if (seen.kind == "offered") offered(step, member, seen);
    if (seen.kind == "failed") found_.insert("a poll failed: " + seen.error);
    if (seen.kind != "revoked" && seen.kind != "lost") return;
    for (const TopicPartitionOffset& given_up : seen.places) {
        const TopicPartition place{given_up.topic, given_up.partition};
        auto_committed(member, place, seen.kind == "revoked");
        if (member.tenures.erase(place) == 0)
            complain(seen.client + " gives up " + name(place) + ", which it does not hold");
    }
}

void Checker::assigned(MemberState& member, const Seen& seen) {
    for (const TopicPartitionOffset& got : seen.places) {
        const TopicPartition place{got.topic, got.partition};
        for (const auto& [name_of_other, other] : members_) {
            if (other.options.group != member.options.group || other.is_stalled) continue;
            if (!other.tenures.contains(place)) continue;
            complain(name(place) + " is given to " + seen.client + " while " + name_of_other +
                     " holds it");
        }
        member.tenures[place];
    }
}

void Checker::begun(MemberState& member, const Tenure& tenure, const TopicPartition& place,
                    Offset offset) {
    const Committed& at = committed_[member.options.group][place];
    Offset lowest = at.lowest;
    Offset highest = at.highest;
    if (tenure.next) {
        lowest = highest = *tenure.next;
    } else if (member.options.isolation == kafka::Isolation::read_committed &&
               log_.is_offered(member.options.group, place)) {
        complain("reading " + name(place) + " begins while its offset is undecided");
    } else if (at.highest < 0) {
        const bool is_earliest = member.options.reset == kafka::OffsetReset::earliest;
        lowest = is_earliest ? 0 : member.end_at_open[place];
        highest = is_earliest ? 0 : log_.end_of(place);
    } else if (at.lowest < 0) {
        lowest = 0; // The client may not have committed yet.
    }
    const Offset first = log_.visible_from(place, lowest, member.options.isolation);
    const Offset last = log_.visible_from(place, highest, member.options.isolation);
    const bool is_behind = first >= 0 && offset < first;
    const bool is_ahead = last >= 0 && offset > last;
    if (first < 0 || is_behind || is_ahead)
        complain("reading " + name(place) + " begins at " + std::to_string(offset) + ", not from " +
                 std::to_string(lowest) + " to " + std::to_string(highest));
}

void Checker::given(MemberState& member, const Seen& seen) {
    const TopicPartition place{seen.places.at(0).topic, seen.places[0].partition};
    const Offset offset = seen.places[0].offset;
    const auto held = member.tenures.find(place);
    if (held == member.tenures.end()) return complain(to_text(seen) + ": not held");
    Tenure& tenure = held->second;
    if (tenure.is_paused) complain(to_text(seen) + ": paused");
    if (!tenure.first) {
        begun(member, tenure, place, offset);
        tenure.first = offset;
    } else {
        const Offset expected = log_.visible_from(place, *tenure.next, member.options.isolation);
        if (expected != offset) complain(to_text(seen) + ": expected " + std::to_string(expected));
    }
    tenure.next = offset + 1;
    const ProgramLog::Stored* const stored = log_.find(place, offset);
    if (stored == nullptr) return complain(to_text(seen) + ": never sent");
    const bool is_same = stored->value == seen.value && stored->key == seen.key;
    if (!is_same) complain(to_text(seen) + ": " + stored->value + " was sent there");
}

/// With automatic commits all that was returned is committed by whoever gives back; by who loses or
/// dies it may be, or not yet.
void Checker::auto_committed(MemberState& member, const TopicPartition& place, bool for_sure) {
    const auto held = member.tenures.find(place);
    if (!member.options.auto_commit || held == member.tenures.end() || !held->second.first) return;
    Committed& at = committed_[member.options.group][place];
    at.highest = *held->second.next;
    if (for_sure) at.lowest = at.highest;
}

void Checker::committed(MemberState& member, const Seen& seen) {
    for (const TopicPartitionOffset& committed : seen.places) {
        const std::string answer = seen.error.empty() ? "ok" : commit_error(seen.error);
        if (!is_loose(committed.topic))
            found_.insert("commit of " + to_text(committed) + ": " + answer);
        if (!seen.error.empty()) continue;
        const TopicPartition place{committed.topic, committed.partition};
        log_.commit(member.options.group, committed);
        committed_[member.options.group][place] = {committed.offset, committed.offset};
    }
}

/// What a transactional producer was told to do.
void Checker::move(const Step& step, const Seen& seen) {
    const bool is_fenced = seen.error == "INVALID_PRODUCER_EPOCH";
    const std::string error =
        is_fenced && errors_ == SendErrors::are_free ? "PRODUCER_FENCED" : seen.error;
    found_.insert(seen.client + " " + name_of(step.action) + ": " + (error.empty() ? "ok" : error));
    if (!seen.error.empty()) return;
    if (step.action == Action::open_producer)
        log_.open(step.client, step.producer.transactional_id);
    if (step.action == Action::begin) log_.begin(step.client);
    if (step.action == Action::commit_transaction) commit_transaction(step.client);
    if (step.action == Action::abort_transaction) log_.end(step.client, false);
}

void Checker::offered(const Step& step, MemberState& member, const Seen& seen) {
    for (const TopicPartitionOffset& place : seen.places) {
        found_.insert("offer of " + to_text(place) + ": " +
                      (seen.error.empty() ? "ok" : commit_error(seen.error)));
        committed_[member.options.group][{place.topic, place.partition}];
    }
    if (seen.error.empty()) log_.offer(step.client, member.options.group, seen.places);
}

/// Then its offsets count, too.
void Checker::commit_transaction(const std::string& client) {
    log_.end(client, true);
    for (auto& [group, commits] : committed_) {
        for (auto& [place, committed] : commits) {
            const Offset offset = log_.committed(group, place);
            if (offset >= 0) committed = {offset, offset};
        }
    }
}

void Checker::conclude(const Step& step, const StepAnswer& answer) {
    if (!answer.error.empty()) complain(answer.error);
    if (step.action == Action::commit && !step.client.empty() &&
        (owners_ == Owners::are_free || has_free_owners(members_[step.client].options))) {
        found_.clear(); // Of which partitions depends on what it held.
    }
    for (const auto& [client, member] : members_) {
        if (member.options.group != step.group || member.is_stalled) continue;
        if (step.action == Action::settle) settled(client, member);
        if (step.action == Action::read) read(member);
    }
    if (step.action == Action::settle) check_balance(step.group);
    for (const std::string& fact : found_)
        state(fact);
    found_.clear();
}

void Checker::settled(const std::string& client, const MemberState& member) {
    if (owners_ == Owners::are_free || has_free_owners(member.options)) return;
    std::string line = client + " holds";
    for (const auto& [place, tenure] : member.tenures)
        line += " " + name(place);
    found_.insert(line);
}

void Checker::read(const MemberState& member) {
    for (const auto& [place, tenure] : member.tenures) {
        if (is_loose(place.topic) || !tenure.first) continue;
        // A careful reader may have come to where it stops, or not yet.
        const bool is_careful = member.options.isolation == kafka::Isolation::read_committed;
        if (is_careful && log_.is_held_back(place)) continue;
        // How much was read, and by itself committed, before a rebalance is nobody's business; and
        // a cooperative rebalance begins nothing anew where nothing moves.
        const bool is_open = member.options.auto_commit ||
                             member.options.protocol == kafka::GroupProtocol::consumer ||
                             member.options.assignor == kafka::Assignor::cooperative_sticky;
        const std::string from = is_open ? "" : " from " + std::to_string(*tenure.first);
        found_.insert(name(place) + " was read" + from + " to " + std::to_string(*tenure.next));
    }
}

/// Where all subscribe to the same, nobody holds two more than another, except by range.
void Checker::check_balance(const std::string& group) {
    std::set<std::vector<std::string>> subscriptions;
    std::set<std::size_t> sizes;
    for (const auto& [client, member] : members_) {
        if (member.options.group != group || member.is_stalled) continue;
        if (member.options.assignor == kafka::Assignor::range) return;
        subscriptions.insert(member.options.topics);
        sizes.insert(member.tenures.size());
    }
    const bool is_even = sizes.empty() || *sizes.rbegin() - *sizes.begin() <= 1;
    if (subscriptions.size() == 1 && !is_even) complain("the shares of " + group + " are uneven");
}

} // namespace

std::vector<std::string> violations(const Program& program, const History& history) {
    Checker checker(program);
    checker(history);
    const ShareFindings shares = check_shares(program, history);
    checker.violations.insert(checker.violations.end(), shares.violations.begin(),
                              shares.violations.end());
    return checker.violations;
}

std::vector<std::string> facts(const Program& program, const History& history, Owners owners,
                               SendErrors errors) {
    Checker checker(program, owners, errors);
    checker(history);
    const ShareFindings shares = check_shares(program, history);
    checker.facts.insert(checker.facts.end(), shares.facts.begin(), shares.facts.end());
    return checker.facts;
}

std::string first_difference(const std::vector<std::string>& expected,
                             const std::vector<std::string>& found) {
    const auto [left, right] =
        std::mismatch(expected.begin(), expected.end(), found.begin(), found.end());
    if (left == expected.end() && right == found.end()) return "";
    return "expected: " + (left == expected.end() ? "nothing more" : *left) +
           "\n   found: " + (right == found.end() ? "nothing more" : *right);
}

namespace {

/// Whether a transaction that is to time out did so while steps were still being taken.
bool times_out_early(const Program& program, const History& history) {
    struct Writer {
        Duration timeout{};
        Duration begun{};
    };
    std::map<std::string, Writer> writers;
    Duration before{};
    for (std::size_t at = 0; at < std::min(history.size(), program.steps.size()); ++at) {
        const Step& step = program.steps[at];
        if (step.action == Action::open_producer)
            writers[step.client].timeout = step.producer.transaction_timeout;
        Writer& writer = writers[step.client];
        if (step.action == Action::begin) writer.begun = before;
        const bool waits = step.action == Action::await_timeout;
        if (waits && before - writer.begun >= writer.timeout) return true;
        before = history[at].end;
    }
    return false;
}

/// Whether members of a group closed one after the other for so long that the last may have lost
/// its session, as was seen of librdkafka, which waits then to be told that partitions are given
/// back.
bool closes_slowly(const Program& program, const History& history) {
    std::map<std::string, std::string> groups; // by client
    std::map<std::string, Duration> changed;   // when the group last polled before somebody closed
    Duration before{};
    for (std::size_t at = 0; at < std::min(history.size(), program.steps.size()); ++at) {
        const Step& step = program.steps[at];
        if (step.action == Action::open_consumer) groups[step.client] = step.member.group;
        if (!step.group.empty()) changed.erase(step.group);
        if (step.action == Action::close_consumer && groups.contains(step.client)) {
            const Duration since = changed.try_emplace(groups[step.client], before).first->second;
            if (history[at].end - since >= member_session_timeout) return true;
        }
        before = history[at].end;
    }
    return false;
}

} // namespace

bool is_disturbed(const Program& program, const History& history) {
    if (check_shares(program, history).is_disturbed) return true;
    if (times_out_early(program, history) || closes_slowly(program, history)) return true;
    std::set<std::string> stalled;
    for (std::size_t at = 0; at < std::min(history.size(), program.steps.size()); ++at) {
        const Step& step = program.steps[at];
        if (step.action == Action::stall) stalled.insert(step.client);
        // Java cannot be silent, so it says something to who is killed.
        if (step.action == Action::kill_consumer) continue;
        const bool may_move =
            step.action == Action::settle || step.action == Action::close_consumer;
        for (const Seen& one : history[at].seen) {
            // The coordinator did not answer for a whole session.
            if (one.kind == "failed" && one.error == "REQUEST_TIMED_OUT") return true;
            if (one.kind == "record" || one.kind == "committed") continue;
            if (one.kind == "offered" || one.kind == "done") continue;
            if (one.kind == "given" || one.kind == "acknowledged") continue;
            if (one.kind == "lost" && !stalled.contains(one.client)) return true;
            // That nothing changed may be told late.
            if (!may_move && !one.places.empty()) return true;
        }
    }
    return false;
}

} // namespace crier::conformance
