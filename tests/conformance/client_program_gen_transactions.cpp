// Programs of transactions: two transactional ids, each with a producer at a time and those that it
// fenced, records in two topics, a group that reads committed records of the first and whose
// offsets go into the transactions, and in the end two that read everything, one carefully, one
// not.

#include "tests/conformance/client_program_maker.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace crier::conformance {
namespace {

using kafka::TopicPartition;

constexpr auto short_timeout = std::chrono::milliseconds(1500);

/// A transactional id.
struct Writing {
    std::string producer; // who has it; empty: nobody yet
    bool is_open = false;
    bool is_killed = false;
    std::set<TopicPartition> touched; // by what is open
    bool has_offsets = false;         // in what is open
    bool blocks = false;              // the member that came since: it waits for its offsets
};

class TransactionMaker : private ProgramMaker {
public:
    explicit TransactionMaker(const ProgramLimits& limits) : ProgramMaker(limits) {}

    Program operator()(const std::vector<Choice>& choices) {
        begin(choices.empty() ? Choice{} : choices.front());
        for (const Choice& choice : choices)
            act(choice);
        end(choices.empty() ? Choice{} : choices.back());
        return std::move(program_);
    }

private:
    void begin(const Choice& choice) {
        const int replicas = limits_.nodes;
        program_.topics.push_back({"t0", 1 + choice.who % 3, replicas, replicas > 1 ? 2 : 1});
        program_.topics.push_back({"t1", 1 + choice.what % 2, replicas, 1});
        open_marker();
        if (limits_.has_new_protocol && choice.who % 2 == 1)
            protocol_ = kafka::GroupProtocol::consumer;
        if (choice.kind % 2 == 0) join();
    }

    void act(const Choice& choice) {
        const std::string id = choice.who % 3 == 0 ? "y" : "x";
        if (choice.kind < 24) return send(id, choice);
        if (choice.kind < 34) return send_plain(choice);
        if (choice.kind < 46) return finish(id, Action::commit_transaction);
        if (choice.kind < 56) return finish(id, Action::abort_transaction);
        if (choice.kind < 68) return send_offsets(id);
        if (choice.kind < 76) return read();
        if (choice.kind < 82) return join();
        if (choice.kind < 90) return fence(id, choice);
        if (choice.kind < 95) return kill(id, choice);
        time_out(id, choice);
    }

    void open(const std::string& id, Duration timeout) {
        Writing& writing = writings_[id];
        writing = {};
        writing.producer = id + std::to_string(names_++);
        kafka::ProducerOptions& options = add(Action::open_producer, writing.producer).producer;
        options.transactional_id = id;
        options.transaction_timeout = timeout;
        options.linger = Duration::zero();
        // librdkafka wants a request to fit into a transaction.
        options.request_timeout = std::min<Duration>(timeout, options.request_timeout);
    }

    void need_open(const std::string& id) {
        Writing& writing = writings_[id];
        if (writing.producer.empty() || writing.is_killed) open(id, std::chrono::minutes(1));
        if (writing.is_open) return;
        add(Action::begin, writing.producer);
        writing.is_open = true;
    }

    std::vector<kafka::ProducerRecord> some_records(const Choice& choice) {
        const ProgramTopic& topic = program_.topics[static_cast<std::size_t>(choice.what % 3 == 0)];
        std::vector<kafka::ProducerRecord> records;
        for (int at = 0; at <= choice.who % 4; ++at) {
            kafka::ProducerRecord& record = records.emplace_back();
            record.topic = topic.name;
            record.partition = (choice.what + at) % topic.partitions;
            record.value = next_value("v");
            if (choice.what % 5 == 0) record.key = "key-" + std::to_string(choice.what % 7);
        }
        return records;
    }

    void send(const std::string& id, const Choice& choice) {
        need_open(id);
        Step& step = add(Action::send, writings_[id].producer);
        step.records = some_records(choice);
        for (const kafka::ProducerRecord& record : step.records)
            writings_[id].touched.insert({record.topic, *record.partition});
    }

    void send_plain(const Choice& choice) {
        std::vector<kafka::ProducerRecord> records = some_records(choice);
        add(Action::send, "marker").records = std::move(records);
    }

    void finish(const std::string& id, Action how) {
        Writing& writing = writings_[id];
        if (!writing.is_open || writing.is_killed) return;
        add(how, writing.producer);
        writing = {};
        writing.producer = program_.steps.back().client;
    }

    void join() {
        for (const std::string& name : members_)
            add(Action::close_consumer, name);
        members_ = {"c" + std::to_string(names_++)};
        for (auto& [id, writing] : writings_)
            writing.blocks = writing.has_offsets;
        open_member(members_.front(), "g", {"t0"}, kafka::Isolation::read_committed);
        read();
    }

    void open_member(const std::string& name, const std::string& group,
                     std::vector<std::string> topics, kafka::Isolation isolation) {
        MemberOptions& options = add(Action::open_consumer, name).member;
        options.group = group;
        options.topics = std::move(topics);
        options.isolation = isolation;
        if (group == "g") options.protocol = protocol_;
        add(Action::settle).group = group;
    }

    /// Returns the partitions of a topic in which no transaction is open.
    [[nodiscard]] std::vector<TopicPartition> free_places(const ProgramTopic& topic) const {
        std::set<TopicPartition> held;
        for (const auto& [id, writing] : writings_)
            held.insert(writing.touched.begin(), writing.touched.end());
        std::vector<TopicPartition> places;
        for (int index = 0; index < topic.partitions; ++index) {
            if (!held.contains({topic.name, index})) places.push_back({topic.name, index});
        }
        return places;
    }

    /// Whether the member does not know yet where to begin.
    [[nodiscard]] bool is_blocked() const {
        return std::any_of(writings_.begin(), writings_.end(),
                           [](const auto& entry) { return entry.second.blocks; });
    }

    /// Where a transaction is open, nobody waits for a record; none may come all the same.
    void read() {
        if (members_.empty()) return;
        if (is_blocked()) {
            add(Action::idle).group = "g";
            return;
        }
        const ProgramTopic topic = program_.topics.front();
        const std::vector<TopicPartition> places = free_places(topic);
        mark(places, "g");
        if (places.size() < static_cast<std::size_t>(topic.partitions))
            add(Action::idle).group = "g";
    }

    void send_offsets(const std::string& id) {
        if (members_.empty()) join();
        if (is_blocked()) return;
        read();
        const std::vector<TopicPartition> places = free_places(program_.topics.front());
        need_open(id);
        writings_[id].has_offsets = writings_[id].has_offsets || !places.empty();
        Step& step = add(Action::send_offsets, writings_[id].producer);
        step.group = "g";
        for (const TopicPartition& place : places) {
            kafka::ProducerRecord& named = step.records.emplace_back();
            named.topic = place.topic;
            named.partition = place.partition;
        }
    }

    /// A second producer takes the id; the first goes on, in vain.
    void fence(const std::string& id, const Choice& choice) {
        if (choice.what % 2 == 0) need_open(id);
        const Writing before = writings_[id];
        open(id, std::chrono::minutes(1));
        if (before.producer.empty() || before.is_killed) return;
        if (!before.is_open) add(Action::begin, before.producer);
        if (choice.who % 2 == 0 || !before.is_open) {
            Step& step = add(Action::send, before.producer);
            step.records = some_records(choice);
        }
        add(choice.what % 3 == 0 ? Action::commit_transaction : Action::abort_transaction,
            before.producer);
        add(Action::kill_producer, before.producer);
    }

    /// It dies; readers wait until the next one of its id comes.
    void kill(const std::string& id, const Choice& choice) {
        send(id, choice);
        add(Action::kill_producer, writings_[id].producer);
        writings_[id].is_killed = true;
        read();
    }

    /// It dies, or is slow; readers wait until the coordinator aborts what it began.
    void time_out(const std::string& id, const Choice& choice) {
        open(id, short_timeout);
        send(id, choice);
        const std::string producer = writings_[id].producer;
        const bool dies = choice.what % 2 == 0;
        if (dies) add(Action::kill_producer, producer);
        add(Action::await_timeout, producer);
        if (!dies) {
            add(choice.who % 2 == 0 ? Action::commit_transaction : Action::abort_transaction,
                producer);
            add(Action::kill_producer, producer);
        }
        writings_[id] = {};
        read();
    }

    void end(const Choice& choice) {
        for (const std::string id : {"x", "y"}) {
            if (writings_[id].is_killed) open(id, std::chrono::minutes(1));
            finish(id,
                   choice.what % 2 == 0 ? Action::commit_transaction : Action::abort_transaction);
        }
        join();
        for (const std::string& name : members_)
            add(Action::close_consumer, name);
        for (const bool is_careful : {true, false}) {
            const std::string name = is_careful ? "careful" : "careless";
            open_member(name, name, {"t0", "t1"},
                        is_careful ? kafka::Isolation::read_committed
                                   : kafka::Isolation::read_uncommitted);
            std::vector<TopicPartition> places = free_places(program_.topics[0]);
            const std::vector<TopicPartition> more = free_places(program_.topics[1]);
            places.insert(places.end(), more.begin(), more.end());
            mark(places, name);
            add(Action::close_consumer, name);
        }
    }

    std::map<std::string, Writing> writings_;
    std::vector<std::string> members_;                              // at most one
    kafka::GroupProtocol protocol_ = kafka::GroupProtocol::classic; // of that group
    int names_ = 0;
};

} // namespace

Program make_transaction_program(const std::vector<Choice>& choices, const ProgramLimits& limits) {
    TransactionMaker maker(limits);
    return maker(choices);
}

} // namespace crier::conformance
