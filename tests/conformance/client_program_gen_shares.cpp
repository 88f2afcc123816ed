// Programs of share groups: one group whose members come and go, work off what was sent, release
// and reject some of it, and others that take records and then close, die, are slow, or accept in
// time.

#include "tests/conformance/client_program_maker.hpp"

#include <array>

namespace crier::conformance {
namespace {

constexpr std::size_t workers_max = 3;

class ShareMaker : private ProgramMaker {
public:
    explicit ShareMaker(const ProgramLimits& limits) : ProgramMaker(limits) {}

    Program operator()(const std::vector<Choice>& choices) {
        begin(choices.empty() ? Choice{} : choices.front());
        for (const Choice& choice : choices)
            act(choice);
        end();
        return std::move(program_);
    }

private:
    void begin(const Choice& choice) {
        const int replicas = limits_.nodes;
        // Of several partitions each member is assigned some; of one, all are.
        const bool is_one = choice.who % 3 != 0;
        program_.topics.push_back({"s0", is_one ? 1 : 2, replicas, replicas > 1 ? 2 : 1});
        if (!is_one) program_.topics.push_back({"s1", 1, replicas, 1});
        is_explicit_ = choice.what % 4 != 0;
        open_marker();
    }

    void act(const Choice& choice) {
        if (choice.kind < 38) return send(choice);
        if (choice.kind < 52) return join(choice);
        if (choice.kind < 74) return work(choice);
        if (choice.kind < 92) return hold(choice);
        leave(choice);
    }

    void send(const Choice& choice) {
        Step& step = add(Action::send, "marker");
        for (int at = 0; at <= choice.who % 6; ++at) {
            const bool is_second = program_.topics.size() > 1 && (choice.what + at) % 3 == 0;
            const ProgramTopic& topic = program_.topics[static_cast<std::size_t>(is_second)];
            kafka::ProducerRecord& record = step.records.emplace_back();
            record.topic = topic.name;
            record.partition = (choice.what + at) % topic.partitions;
            record.value = next_value("v");
            if (choice.what % 5 == 0) record.key = "key-" + std::to_string(at);
            pending_.push_back(record);
        }
    }

    std::string open(const Choice& choice) {
        const std::string name = "w" + std::to_string(names_++);
        MemberOptions& options = add(Action::open_share, name).member;
        options.group = "s";
        for (const ProgramTopic& topic : program_.topics)
            options.topics.push_back(topic.name);
        options.is_explicit = is_explicit_;
        if (choice.what % 3 == 0) options.max_poll_records = 1 + choice.what % 4;
        return name;
    }

    void join(const Choice& choice) {
        if (workers_.size() < workers_max) workers_.push_back(open(choice));
    }

    /// A member that does not poll may still be given what comes, so nobody goes before all is
    /// done.
    void leave(const Choice& choice) {
        if (workers_.empty()) return;
        work({0, 0, 0});
        const auto who =
            workers_.begin() + choice.who % static_cast<std::ptrdiff_t>(workers_.size());
        add(Action::close_consumer, *who);
        workers_.erase(who);
    }

    /// All that is pending is done in the end.
    void work(const Choice& choice) {
        if (pending_.empty()) return;
        if (workers_.empty()) join(choice);
        Step& step = add(Action::work);
        step.group = "s";
        for (std::size_t at = 0; at < pending_.size() && is_explicit_; ++at) {
            constexpr std::array<const char*, 8> kinds{"", "r", "", "rr", "j", "", "rrrrr", "rj"};
            const std::size_t kind = (static_cast<std::size_t>(choice.what) + at) % kinds.size();
            if (*kinds[kind] != 0) step.verdicts[pending_[at].value] = kinds[kind];
        }
        step.records = std::move(pending_);
        pending_.clear();
    }

    /// Somebody who is alone takes some of what is pending. Not of several partitions: nobody else
    /// would be assigned those of who holds.
    void hold(const Choice& choice) {
        if (program_.topics.size() > 1) return work(choice);
        work({0, 0, 0});
        for (const std::string& name : workers_)
            add(Action::close_consumer, name);
        workers_.clear();
        send(choice);
        const std::string name = open(choice);
        add(Action::hold, name);
        const Choice others{0, choice.who, 0};
        switch (choice.who % 4) {
        case 0: // gives it back
            add(Action::close_consumer, name);
            return work(others);
        case 1: // dies: it comes back when the locks end
            add(Action::kill_consumer, name);
            return work(others);
        case 2: // accepts in time
            add(Action::accept_held, name);
            add(Action::close_consumer, name);
            return work(others);
        default: // is slow, and accepts when it is too late
            if (choice.what % 2 == 0) {
                add(Action::await_locks);
            } else {
                work(others);
            }
            add(Action::accept_held, name);
            add(Action::close_consumer, name);
            return work(others);
        }
    }

    void end() {
        work({0, 0, 2});
        for (const std::string& name : workers_)
            add(Action::close_consumer, name);
        // Who comes last is given nothing that was done.
        workers_ = {open({0, 0, 1})};
        send({0, 3, 1});
        work({0, 0, 0});
        add(Action::close_consumer, workers_.front());
    }

    bool is_explicit_ = true;
    std::vector<std::string> workers_;
    std::vector<kafka::ProducerRecord> pending_;
    int names_ = 0;
};

} // namespace

Program make_share_program(const std::vector<Choice>& choices, const ProgramLimits& limits) {
    ShareMaker maker(limits);
    return maker(choices);
}

} // namespace crier::conformance
