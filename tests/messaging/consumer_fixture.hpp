#pragma once

#include "messaging/consumer.hpp"
#include "messaging/inbox.hpp"
#include "tests/messaging/fakes.hpp"

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

// A consumer over the fakes. Store, dead-letter queue and script outlive a crash; the process, the
// subscription and the consumer do not.

namespace crier::messaging::fakes {

class ConsumerFixture {
public:
    ConsumerFixture() {
        store.create(inbox_schema());
        store.ask("create table effects (id text)");
        options.name = "billing";
        options.dead_letter_channel = "orders-dead";
        options.retry.jitter = 0;
    }
    ~ConsumerFixture() { crash(); }
    ConsumerFixture(const ConsumerFixture&) = delete;
    ConsumerFixture& operator=(const ConsumerFixture&) = delete;

    void start() {
        alive_ = std::make_unique<Alive>(*this, "p" + std::to_string(++incarnation_) + "-");
        alive_->process.start(alive_->consumer.run());
    }
    void crash() { alive_.reset(); }
    void run(Duration duration) { alive_->process.run(duration); }
    void stop(Duration grace) {
        stopped = false;
        alive_->process.start(note(alive_->consumer.stop(grace), &stopped));
    }
    void revoke(std::vector<std::uint64_t> lanes) {
        revoked = false;
        alive_->process.start(note(alive_->consumer.lanes_revoked(std::move(lanes)), &revoked));
    }
    void lose(std::vector<std::uint64_t> lanes) {
        alive_->process.start(alive_->consumer.lanes_lost(std::move(lanes)));
    }

    /// Lets the first call that begins with `call` fail.
    void fail_once(std::string call, Failure failure) {
        store.fault = [this, call = std::move(call), failure](const std::string& sql) {
            if (!sql.starts_with(call)) return std::optional<Failure>();
            const std::optional<Failure> result(failure);
            store.fault = nullptr;
            return result;
        };
    }

    [[nodiscard]] FakeSubscription& subscription() { return alive_->subscription; }
    [[nodiscard]] FakePublisher& publisher() { return alive_->publisher; }
    [[nodiscard]] Consumer& consumer() { return alive_->consumer; }
    [[nodiscard]] const std::vector<std::string>& log() { return alive_->process.observer.log; }
    [[nodiscard]] FakeObserver& observer() { return alive_->process.observer; }
    [[nodiscard]] int points(const std::string& name) {
        return alive_->process.observer.points[name];
    }
    [[nodiscard]] std::vector<std::string> effects() {
        std::vector<std::string> ids;
        for (const Row& row : store.ask("select id from effects order by rowid")) {
            ids.push_back(std::get<std::string>(row[0]));
        }
        return ids;
    }

    FakeStore store;
    ConsumerOptions options;
    /// What the handler does with a message, attempt by attempt: retry, park, discard, violation,
    /// slow (1 s), slow-retry, hang; nothing left: the effect.
    std::map<std::string, std::deque<std::string>> script;
    std::vector<Message> dead_letters; ///< Those that stand in the queue, over all incarnations.
    std::function<std::optional<Failure>(const Message&)> dead_letter_fault;
    bool stopped = false;
    bool revoked = false;

private:
    struct Alive {
        Alive(ConsumerFixture& fixture, std::string name)
            : process(std::move(name)), subscription(process.clock), publisher(process.clock),
              consumer(process.ports(), subscription, fixture.store, publisher,
                       handler(fixture, process.clock), fixture.options) {
            publisher.fault = [&fixture](const Message& letter) {
                std::optional<Failure> failure;
                if (fixture.dead_letter_fault) failure = fixture.dead_letter_fault(letter);
                if (!failure || is_unknown(*failure)) fixture.dead_letters.push_back(letter);
                return failure;
            };
        }
        Process process;
        FakeSubscription subscription;
        FakePublisher publisher;
        Consumer consumer;
    };

    static Handler handler(ConsumerFixture& fixture, Clock& clock) {
        return [&fixture, &clock](const Message& message, Transaction& transaction) {
            return handle(fixture, clock, message, transaction);
        };
    }

    static asio::awaitable<HandlerOutcome> handle(ConsumerFixture& fixture, Clock& clock,
                                                  const Message& message,
                                                  Transaction& transaction) {
        std::vector<Value> values = parameters(message.id);
        const Outcome<Rows> written =
            co_await transaction.execute("insert into effects values ($1)", std::move(values));
        if (!written) co_return HandlerOutcome(written.error());
        std::deque<std::string>& script = fixture.script[message.id];
        if (script.empty()) co_return HandlerOutcome::ok();
        const std::string what = script.front();
        script.pop_front();
        if (what == "retry") co_return HandlerOutcome::retry("not yet");
        if (what == "park") co_return HandlerOutcome::park("never");
        if (what == "discard") co_return HandlerOutcome::discard("unwanted");
        if (what == "violation") {
            const Failure failure{StoreError::check_violation, Certainty::failed};
            co_return HandlerOutcome(failure);
        }
        if (what.starts_with("slow")) co_await clock.sleep(std::chrono::seconds(1));
        if (what == "hang") co_await clock.sleep(std::chrono::hours(1000));
        if (what == "slow-retry") co_return HandlerOutcome::retry("not yet");
        co_return HandlerOutcome::ok();
    }

    static asio::awaitable<void> note(asio::awaitable<void> work, bool* done) {
        co_await std::move(work);
        *done = true;
    }

    int incarnation_ = 0;
    std::unique_ptr<Alive> alive_;
};

} // namespace crier::messaging::fakes
