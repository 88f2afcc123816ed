#include "tests/conformance/client_program_share_check.hpp"

#include "tests/conformance/client_program_run.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

namespace crier::conformance {

using kafka::TopicPartitionOffset;

namespace {

struct Sent {
    std::optional<std::string> key;
    std::string value;
};

/// A record as one group sees it.
struct Delivered {
    int count = 0;
    bool is_done = false;
    bool is_open = false;        ///< It lay there when somebody took what to hold.
    bool was_given_back = false; ///< By a holder that closed in time.
    std::string holder;          ///< Who has it; empty: nobody.
    Duration held_since{};       ///< At the earliest.
    Duration given_at{};         ///< At the latest.
};

struct Sharer {
    std::string group;
    std::vector<std::string> topics;
};

class ShareChecker {
public:
    explicit ShareChecker(const Program& program) : program_(program) {}

    ShareFindings operator()(const History& history) {
        const std::size_t steps = std::min(history.size(), program_.steps.size());
        for (at_ = 0; at_ < steps; ++at_) {
            now_ = history[at_].end;
            step(program_.steps[at_], history[at_]);
            before_ = now_;
        }
        return std::move(found_);
    }

private:
    using Place = std::pair<std::string, TopicPartitionOffset>; // in a group

    void complain(const Seen& seen, const std::string& what) {
        found_.violations.push_back("step " + std::to_string(at_) + " (" +
                                    name_of(program_.steps[at_].action) + "): " + to_text(seen) +
                                    ": " + what);
    }

    void step(const Step& step, const StepAnswer& answer) {
        if (step.action == Action::open_share)
            sharers_[step.client] = {step.member.group, step.member.topics};
        for (std::size_t at = 0; at < answer.sent.size(); ++at) {
            if (answer.sent[at].error.empty())
                sent_[answer.sent[at].place] = {step.records[at].key, step.records[at].value};
        }
        for (const Seen& seen : answer.seen) {
            if (seen.kind == "given") given(step, seen);
            if (seen.kind == "acknowledged") acknowledged(step, seen);
        }
        if (step.action == Action::work) conclude();
        if (step.action == Action::close_consumer) let_go(step.client);
    }

    void given(const Step& step, const Seen& seen) {
        const auto sharer = sharers_.find(seen.client);
        if (sharer == sharers_.end()) return complain(seen, "there is no such member");
        const TopicPartitionOffset& place = seen.places.at(0);
        const std::vector<std::string>& topics = sharer->second.topics;
        if (std::find(topics.begin(), topics.end(), place.topic) == topics.end())
            complain(seen, "not subscribed to");
        const auto stored = sent_.find(place);
        if (stored == sent_.end()) return complain(seen, "never sent");
        if (stored->second.value != seen.value || stored->second.key != seen.key)
            complain(seen, stored->second.value + " was sent there");
        Delivered& record = records_[{sharer->second.group, place}];
        if (record.is_done) complain(seen, "it was done");
        if (seen.deliveries > share_deliveries) complain(seen, "too often");
        const bool is_next = seen.deliveries == record.count + 1;
        if (!is_next && !(record.is_open && seen.deliveries >= 1)) {
            complain(seen, "that is not the next");
            found_.is_disturbed = true; // or somebody was slow who had it and was never given it
        }
        const bool is_locked = !record.holder.empty() && now_ - record.held_since < share_lock;
        if (is_locked) complain(seen, record.holder + " holds it");
        record.count = seen.deliveries;
        record.holder.clear();
        if (step.action == Action::hold) {
            record.holder = seen.client;
            record.held_since = before_; // not acquired earlier: it has just come
            record.given_at = now_;
            expose(sharer->second.group);
            held_[seen.client].push_back({sharer->second.group, place});
            return;
        }
        if (std::exchange(record.was_given_back, false)) {
            given_back_.insert("what was given back comes for the " +
                               std::to_string(seen.deliveries) + ". time");
        }
        record.is_done = seen.verdict != "r" || seen.deliveries >= share_deliveries;
        if (!record.is_open) told_[place] += " " + std::to_string(seen.deliveries) + seen.verdict;
    }

    /// What of the records that lie there is taken, or fetched ahead, is nobody's choice.
    void expose(const std::string& group) {
        for (const auto& [place, sent] : sent_) {
            Delivered& record = records_[{group, place}];
            if (!record.is_done) record.is_open = true;
        }
    }

    void acknowledged(const Step& step, const Seen& seen) {
        if (step.action == Action::accept_held) return accepted(seen);
        if (seen.error.empty()) return;
        complain(seen, "nobody else may have it");
        found_.is_disturbed = true;
    }

    /// The holder's word counts for what it still has. What lies before the first record that is
    /// not done is passed over.
    void accepted(const Seen& seen) {
        bool is_late = false;
        bool may_be_late = false;
        for (const Place& held : held_[seen.client]) {
            const auto& [group, place] = held;
            if (place.topic != seen.places[0].topic || place.partition != seen.places[0].partition)
                continue;
            if (place.offset < start_of(group, place)) continue;
            Delivered& record = records_[held];
            const bool is_its = record.holder == seen.client;
            is_late = is_late || !is_its || before_ >= record.given_at + share_lock;
            may_be_late = may_be_late || now_ >= record.held_since + share_lock;
            if (!seen.error.empty()) continue;
            record.is_done = true;
            record.holder.clear();
        }
        const std::string wrong = "INVALID_RECORD_STATE";
        if (is_late && seen.error != wrong) complain(seen, "not refused with " + wrong);
        if (!is_late && !seen.error.empty()) {
            if (may_be_late) found_.is_disturbed = true;
            complain(seen, "refused");
        }
        found_.facts.push_back(std::to_string(at_) + " what " + seen.client +
                               " held: " + (seen.error.empty() ? "ok" : seen.error));
    }

    /// Returns the first offset there that the group has not done.
    [[nodiscard]] kafka::Offset start_of(const std::string& group,
                                         const TopicPartitionOffset& place) const {
        for (const auto& [one, sent] : sent_) {
            if (one.topic != place.topic || one.partition != place.partition) continue;
            const auto record = records_.find({group, one});
            if (record == records_.end() || !record->second.is_done) return one.offset;
        }
        return std::numeric_limits<kafka::Offset>::max();
    }

    void let_go(const std::string& client) {
        for (const Place& held : held_[client]) {
            Delivered& record = records_[held];
            if (record.holder != client) continue;
            record.holder.clear();
            record.was_given_back = now_ - record.held_since < share_lock;
        }
        held_.erase(client);
        sharers_.erase(client);
    }

    void conclude() {
        for (const auto& [place, how] : told_)
            found_.facts.push_back(std::to_string(at_) + " " + to_text(place) +
                                   " was delivered:" + how);
        told_.clear();
        for (const std::string& fact : given_back_)
            found_.facts.push_back(std::to_string(at_) + " " + fact);
        given_back_.clear();
    }

    const Program& program_;
    ShareFindings found_;
    std::size_t at_ = 0;
    Duration now_{};
    Duration before_{}; // the end of the step before
    std::map<TopicPartitionOffset, Sent> sent_;
    std::map<std::string, Sharer> sharers_;
    std::map<Place, Delivered> records_;
    std::map<std::string, std::vector<Place>> held_;
    std::map<TopicPartitionOffset, std::string> told_; // in this step
    std::set<std::string> given_back_;                 // facts of this step
};

} // namespace

ShareFindings check_shares(const Program& program, const History& history) {
    ShareChecker checker(program);
    return checker(history);
}

} // namespace crier::conformance
