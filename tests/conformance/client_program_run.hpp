#pragma once

#include "messaging/ports/clock.hpp"
#include "tests/conformance/client_program.hpp"

#include <map>
#include <memory>
#include <set>

namespace crier::conformance {

/// Takes the steps of a program with the clients of one cluster.
/// **Lifetime**: what the constructor is given outlives the runner; the runner outlives `run`.
class ProgramRunner {
public:
    ProgramRunner(kafka::Client& client, Clock& clock, std::string prefix);
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
    std::map<kafka::TopicPartition, kafka::Offset> ends_; // by what the producers were told
    std::unique_ptr<kafka::Consumer> observer_;           // asks where partitions end
};

/// Only a failing program reaches it.
inline constexpr Duration program_step_limit = std::chrono::seconds(25);

/// The times of all members in programs: short, so that what waits for them is quick.
inline constexpr Duration member_session_timeout = std::chrono::milliseconds(4000);
inline constexpr Duration member_heartbeat_interval = std::chrono::milliseconds(150);

} // namespace crier::conformance
