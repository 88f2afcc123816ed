#include "tests/conformance/client_program_check.hpp"
#include "tests/conformance/client_program_maker.hpp"

#include <map>
#include <set>

namespace crier::conformance {
namespace {

using kafka::ProducerRecord;
using kafka::TopicPartition;

constexpr std::size_t members_max = 4; // of a group, at a time
constexpr int choices_max = 12;

struct Joined {
    std::string name;
    std::vector<std::string> topics;
    bool is_new = true; // has not polled yet, so that nobody knows it
};

struct GroupState {
    MemberOptions options; // what its members have in common
    std::vector<Joined> members;
    std::string stalled;
    std::set<TopicPartition> paused;
    bool is_dirty = false; // its membership changed since the last `settle`
};

class Maker : private ProgramMaker {
public:
    explicit Maker(const ProgramLimits& limits) : ProgramMaker(limits) {}

    Program operator()(const std::vector<Choice>& choices) {
        begin(choices.empty() ? Choice{} : choices.front());
        for (const Choice& choice : choices)
            act(choice);
        end();
        return std::move(program_);
    }

private:
    void begin(const Choice& choice);
    void act(const Choice& choice);
    void end();
    void send(const Choice& choice);
    void open_producer(const Choice& choice);
    void open_member(const std::string& name, const std::string& group, const Choice& choice);
    void join(const std::string& group, const Choice& choice);
    void leave(const std::string& group, const Choice& choice, Action how);
    void settle(const std::string& group);
    void read(const std::string& group);
    void commit(const std::string& group, const Choice& choice);
    void seek(const std::string& group, const Choice& choice);
    void pause(const std::string& group, const Choice& choice);
    void stall(const std::string& group, const Choice& choice);
    void wake(const std::string& group);
    [[nodiscard]] std::vector<TopicPartition> places_of(const std::string& group) const;
    [[nodiscard]] std::vector<std::string> all_topics() const;
    [[nodiscard]] TopicPartition place(const std::string& group, int choice) const;

    std::vector<std::string> producers_;
    std::map<std::string, GroupState> groups_;
    int names_ = 0;
};

void Maker::begin(const Choice& choice) {
    const int replicas = limits_.nodes;
    program_.topics.push_back({"t0", 1 + choice.who % 4, replicas, replicas > 1 ? 2 : 1});
    program_.topics.push_back({"t1", 1 + choice.what % 3, replicas, 1});
    program_.topics.push_back({std::string(loose_prefix), 2, replicas, 1});
    open_marker();
    GroupState& main = groups_["g0"];
    main.options.assignor =
        limits_.assignors[static_cast<std::size_t>(choice.kind) % limits_.assignors.size()];
    main.options.topics = {"t0", "t1"};
    main.options.max_poll_interval = std::chrono::seconds(6); // for those that stall
    GroupState& other = groups_["g1"];
    other.options.topics = {"t0", loose_prefix};
    other.options.auto_commit = limits_.has_auto_commit;
    other.options.assignor = kafka::Assignor::round_robin;
    for (auto& [name, group] : groups_) {
        group.options.group = name;
        group.options.protocol = limits_.protocol;
    }
}

void Maker::act(const Choice& choice) {
    const std::string group = choice.who % 4 == 3 ? "g1" : "g0";
    if (choice.kind < 30) return send(choice);
    if (choice.kind < 34) return open_producer(choice);
    if (choice.kind < 54) return join(group, choice);
    if (choice.kind < 64) return read(group);
    if (choice.kind < 74) return commit(group, choice);
    if (choice.kind < 80) return seek(group, choice);
    if (choice.kind < 86) return pause(group, choice);
    if (choice.kind < 94) return leave(group, choice, Action::close_consumer);
    if (choice.kind < 97) return leave("g0", choice, Action::kill_consumer);
    stall("g0", choice);
}

void Maker::open_producer(const Choice& choice) {
    const std::string name = "p" + std::to_string(producers_.size());
    kafka::ProducerOptions& options = add(Action::open_producer, name).producer;
    const bool is_plain = choice.who % 2 == 1;
    options.acks = is_plain && choice.who % 3 == 0 ? kafka::Acks::leader : kafka::Acks::all;
    options.enable_idempotence = !is_plain;
    // With more in flight a retry may change the order.
    if (!kafka::is_idempotent(options)) options.max_in_flight = 1;
    options.linger = std::chrono::milliseconds(choice.what % 3 * 5);
    options.batch_size = choice.what % 5 == 0 ? 1 : choice.what % 5 == 1 ? 300 : 16384;
    producers_.push_back(name);
}

void Maker::send(const Choice& choice) {
    if (producers_.empty()) open_producer(choice);
    Step& step =
        add(Action::send, producers_[static_cast<std::size_t>(choice.who) % producers_.size()]);
    const ProgramTopic& topic = program_.topics[static_cast<std::size_t>(choice.what) % 3];
    for (int at = 0; at <= choice.who % 6; ++at) {
        ProducerRecord& record = step.records.emplace_back();
        record.topic = topic.name;
        record.value = next_value("v");
        const int how = (choice.what / 3 + at) % 4;
        if (how < 2) record.key = "key-" + std::to_string((choice.what + at * 7) % 13);
        const bool is_loose = topic.name == loose_prefix;
        if (how == 1 || (how > 1 && !is_loose))
            record.partition = (choice.what + at) % topic.partitions;
    }
}

void Maker::open_member(const std::string& name, const std::string& group, const Choice& choice) {
    Step& step = add(Action::open_consumer, name);
    step.member = groups_.at(group).options;
    if (choice.what % 5 == 0) step.member.topics.resize(1);
    if (choice.what % 3 == 0) step.member.max_poll_records = 1 + choice.what % 4;
    groups_.at(group).members.push_back({name, step.member.topics, true});
    groups_.at(group).is_dirty = true;
}

void Maker::join(const std::string& group, const Choice& choice) {
    for (int more = 0; more <= choice.what % 2; ++more) {
        if (groups_.at(group).members.size() >= members_max) return;
        open_member("c" + std::to_string(names_++), group, choice);
    }
}

void Maker::leave(const std::string& group, const Choice& choice, Action how) {
    GroupState& state = groups_.at(group);
    if (state.members.empty()) return;
    wake(group);
    const auto who =
        state.members.begin() + choice.what % static_cast<std::ptrdiff_t>(state.members.size());
    // A session that ends in the middle of another change is a race.
    if (how == Action::kill_consumer || who->is_new) settle(group);
    add(how, who->name);
    state.members.erase(who);
    state.is_dirty = true;
    if (how == Action::kill_consumer) settle(group);
}

void Maker::settle(const std::string& group) {
    GroupState& state = groups_.at(group);
    if (!state.is_dirty || state.members.empty()) return;
    add(Action::settle).group = group;
    state.is_dirty = false;
    for (Joined& member : state.members)
        member.is_new = false;
    state.paused.clear(); // eager: everything is given back
}

void Maker::read(const std::string& group) {
    GroupState& state = groups_.at(group);
    if (state.members.empty()) return;
    settle(group);
    std::vector<TopicPartition> places;
    for (const TopicPartition& place : places_of(group)) {
        if (!state.paused.contains(place)) places.push_back(place);
    }
    mark(places, group);
}

void Maker::commit(const std::string& group, const Choice& choice) {
    GroupState& state = groups_.at(group);
    if (state.members.empty() || state.options.auto_commit) return;
    read(group);
    Step& step = add(Action::commit);
    step.group = group;
    step.back = choice.what % 3;
}

void Maker::seek(const std::string& group, const Choice& choice) {
    GroupState& state = groups_.at(group);
    if (state.members.empty() || state.options.auto_commit) return;
    read(group);
    Step& step = add(Action::seek);
    step.group = group;
    const TopicPartition where = place(group, choice.what);
    step.place = {where.topic, where.partition, choice.who % 2};
    if (state.paused.contains(where)) return;
    read(group);
}

void Maker::pause(const std::string& group, const Choice& choice) {
    GroupState& state = groups_.at(group);
    if (state.members.empty()) return;
    // Where a rebalance takes back only what moves, which pauses it ends is open.
    const bool is_new = state.options.protocol == kafka::GroupProtocol::consumer;
    if (is_new || state.options.assignor == kafka::Assignor::cooperative_sticky) return;
    read(group); // Else it is open how much of it was given before.
    const TopicPartition where = place(group, choice.what);
    const bool is_paused = state.paused.contains(where);
    Step& step = add(is_paused ? Action::resume : Action::pause);
    step.group = group;
    step.place = {where.topic, where.partition, 0};
    if (is_paused) {
        state.paused.erase(where);
    } else {
        state.paused.insert(where);
    }
    read(group);
}

/// One member stops polling until the others have its partitions; then it commits, in vain.
void Maker::stall(const std::string& group, const Choice& choice) {
    GroupState& state = groups_.at(group);
    if (state.members.size() < 2 || !state.stalled.empty()) return;
    read(group);
    state.stalled =
        state.members[static_cast<std::size_t>(choice.what) % state.members.size()].name;
    add(Action::stall, state.stalled);
    state.is_dirty = true;
    settle(group);
    add(Action::commit, state.stalled);
    if (choice.who % 2 == 0) wake(group);
}

void Maker::wake(const std::string& group) {
    GroupState& state = groups_.at(group);
    if (state.stalled.empty()) return;
    add(Action::wake, state.stalled);
    state.stalled.clear();
    state.is_dirty = true;
    settle(group);
}

void Maker::end() {
    for (auto& [group, state] : groups_) {
        wake(group);
        if (state.members.empty()) continue;
        read(group);
        while (!state.members.empty()) {
            add(Action::close_consumer, state.members.front().name);
            state.members.erase(state.members.begin());
        }
        const std::string name = "last-" + group;
        open_member(name, group, {0, 0, 1});
        read(group);
        add(Action::close_consumer, name);
        state.members.clear();
    }
    GroupState& audit = groups_["audit"];
    audit.options.group = "audit";
    audit.options.topics = all_topics();
    open_member("auditor", "audit", {0, 0, 1});
    read("audit");
    add(Action::close_consumer, "auditor");
}

/// Returns the partitions that somebody in the group polls, sorted.
std::vector<TopicPartition> Maker::places_of(const std::string& group) const {
    const GroupState& state = groups_.at(group);
    std::set<std::string> topics;
    for (const Joined& member : state.members) {
        if (member.name != state.stalled) topics.insert(member.topics.begin(), member.topics.end());
    }
    std::vector<TopicPartition> places;
    for (const ProgramTopic& topic : program_.topics) {
        if (!topics.contains(topic.name)) continue;
        for (int index = 0; index < topic.partitions; ++index)
            places.push_back({topic.name, index});
    }
    return places;
}

std::vector<std::string> Maker::all_topics() const {
    std::vector<std::string> names;
    for (const ProgramTopic& topic : program_.topics)
        names.push_back(topic.name);
    return names;
}

TopicPartition Maker::place(const std::string& group, int choice) const {
    const std::vector<TopicPartition> places = places_of(group);
    return places[static_cast<std::size_t>(choice) % places.size()];
}

} // namespace

Program make_program(const std::vector<Choice>& choices, const ProgramLimits& limits) {
    Maker maker(limits);
    return maker(choices);
}

namespace {

rc::Gen<int> among(int count) {
    return rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0, count));
}

} // namespace

rc::Gen<std::vector<Choice>> choices() {
    const auto choice = rc::gen::build<Choice>(rc::gen::set(&Choice::kind, among(100)),
                                               rc::gen::set(&Choice::who, among(60)),
                                               rc::gen::set(&Choice::what, among(60)));
    return rc::gen::resize(choices_max, rc::gen::container<std::vector<Choice>>(choice));
}

} // namespace crier::conformance
