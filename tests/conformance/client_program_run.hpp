#pragma once

#include "messaging/ports/clock.hpp"
#include "messaging/ports/kafka_share.hpp"
#include "tests/conformance/client_program.hpp"

#include <map>
#include <memory>
#include <set>

namespace crier::conformance {

/// Takes the steps of a program with the clients of one cluster.
/// **Lifetime**: what the constructor is given outlives the runner; the runner outlives `run`.
class ProgramRunner {
public:
    /// Without `shares` there are no steps of share groups.
    ProgramRunner(kafka::Client& client, Clock& clock, std::string prefix,
                  kafka::ShareClient* shares = nullptr);
    ~ProgramRunner();

    /// Completes after the last step, all clients closed. The topics exist. A step that does not
    /// come to its end in time says so and the next one is taken.
    [[nodiscard]] asio::awaitable<void> run(const Program& program, History& history);

private:
    struct Member;

    /// A transactional producer.
    struct Writer {
        std::unique_ptr<kafka::TransactionalProducer> producer;
        std::string id;
        std::set<kafka::TopicPartition> touched; ///< By what it has begun.
    };

    /// A member of a share group.
    struct Worker {
        std::unique_ptr<kafka::ShareConsumer> consumer;
        std::string group;
        bool is_explicit = false;
        std::vector<kafka::ShareRecord> held;
    };
    /// Topic, partition and value of records.
    using Named = std::set<std::tuple<std::string, std::int32_t, std::string>>;

    [[nodiscard]] asio::awaitable<void> take(const Step& step, StepAnswer& answer);
    [[nodiscard]] asio::awaitable<void> open_producer(const Step& step, StepAnswer& answer);
    void drop_producer(const std::string& client);
    [[nodiscard]] asio::awaitable<void> send(const Step& step, StepAnswer& answer);
    [[nodiscard]] asio::awaitable<void> move_transaction(const Step& step, StepAnswer& answer);
    [[nodiscard]] asio::awaitable<void> send_offsets(const Step& step, StepAnswer& answer);
    [[nodiscard]] asio::awaitable<void> await_markers(const std::string& client,
                                                      StepAnswer& answer);
    void open_consumer(const Step& step);
    [[nodiscard]] asio::awaitable<void> close_consumer(const std::string& client,
                                                       StepAnswer& answer);
    [[nodiscard]] asio::awaitable<void> settle(const Step& step, StepAnswer& answer);
    [[nodiscard]] asio::awaitable<void> read(const Step& step, StepAnswer& answer);
    [[nodiscard]] asio::awaitable<void> idle(const Step& step, StepAnswer& answer);
    [[nodiscard]] asio::awaitable<void> commit(const Step& step, StepAnswer& answer);
    [[nodiscard]] asio::awaitable<void> commit_of(Member& member, int back, StepAnswer& answer);
    [[nodiscard]] asio::awaitable<void> poll(Member& member, StepAnswer& answer);
    void open_share(const Step& step);
    [[nodiscard]] asio::awaitable<void> work(const Step& step, StepAnswer& answer);
    [[nodiscard]] asio::awaitable<void> hold(const Step& step, StepAnswer& answer);
    [[nodiscard]] asio::awaitable<void> accept_held(const Step& step, StepAnswer& answer);
    [[nodiscard]] asio::awaitable<std::vector<kafka::ShareRecord>>
    receive(const std::string& client, StepAnswer& answer);
    [[nodiscard]] asio::awaitable<void> tell_verdicts(const std::string& client,
                                                      StepAnswer& answer);
    void on_owner(const Step& step, StepAnswer& answer);
    [[nodiscard]] std::vector<Member*> polling_members(const std::string& group);
    [[nodiscard]] bool is_settled(const std::vector<Member*>& members) const;
    void await_news(const std::string& group);

    kafka::Client& client_;
    Clock& clock_;
    std::string prefix_; // of topics and groups
    std::map<std::string, int> partitions_;
    std::map<std::string, std::unique_ptr<kafka::Producer>> producers_;
    std::map<std::string, Writer> writers_;
    std::map<std::string, std::unique_ptr<Member>> members_;
    kafka::ShareClient* shares_;
    std::map<std::string, Worker> workers_;
    Named done_; // what share groups have done, of all groups
    std::map<kafka::TopicPartition, kafka::Offset> ends_; // by what the producers were told
    std::unique_ptr<kafka::Consumer> observer_;           // asks where partitions end
};

/// How long a record of a share group is a member's, and how often it is delivered.
inline constexpr Duration share_lock = std::chrono::milliseconds(3000);
inline constexpr int share_deliveries = 5;
/// A fetch that waits at the broker when its member polls no more, or closes, is still given what
/// comes then; so nothing is sent before it has ended.
inline constexpr Duration share_fetch_end = std::chrono::milliseconds(100);

/// Only a failing program reaches it.
inline constexpr Duration program_step_limit = std::chrono::seconds(25);

/// The times of all members in programs: short, so that what waits for them is quick.
inline constexpr Duration member_session_timeout = std::chrono::milliseconds(4000);
inline constexpr Duration member_heartbeat_interval = std::chrono::milliseconds(150);

} // namespace crier::conformance
