#pragma once

#include "messaging/ports/change_stream.hpp"
#include "messaging/ports/notifications.hpp"
#include "messaging/relay.hpp"
#include "tests/messaging/fakes.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

// A relay over the fakes. Database and broker outlive a crash; the process and the relay do not.

namespace crier::messaging::fakes {

/// Notifications that a test sends.
class FakeNotifications final : public Notifications {
public:
    explicit FakeNotifications(Clock& clock) : clock_(clock) {}

    asio::awaitable<Outcome<std::unique_ptr<Listener>>> listen(std::string) override {
        ++listens;
        if (before_listening) before_listening();
        if (refuse) co_return Failure{StoreError::unavailable, Certainty::failed};
        told = false;
        std::unique_ptr<Listener> listener = std::make_unique<FakeListener>(*this);
        co_return listener;
    }

    bool told = false;
    bool broken = false; ///< The connection: the next wait says so.
    bool refuse = false;
    int listens = 0;
    std::function<void()> before_listening;

private:
    class FakeListener final : public Listener {
    public:
        explicit FakeListener(FakeNotifications& of) : of_(of) {}
        asio::awaitable<Outcome<bool>> wait(Duration limit) override {
            const Instant end = of_.clock_.now() + limit;
            while (!of_.told && !of_.broken && of_.clock_.now() < end)
                co_await of_.clock_.sleep(std::chrono::milliseconds(1));
            if (std::exchange(of_.broken, false)) {
                co_return Failure{StoreError::connection_lost, Certainty::failed};
            }
            co_return std::exchange(of_.told, false);
        }

    private:
        FakeNotifications& of_;
    };

    Clock& clock_;
};

/// The changes of an outbox, as a test writes them.
class FakeChanges final : public ChangeStreams {
public:
    void add(const std::string& table, Row row) {
        Change change;
        change.position = 10 * (changes.size() + 1);
        change.table = table;
        // In another order than the relay's, and with more than it needs.
        change.columns = {"headers", "body", "key", "id", "position", "attempts"};
        change.row = std::move(row);
        changes.push_back(std::move(change));
    }

    /// Names the clock of the process that reads next.
    void read_by(Clock& clock) { clock_ = &clock; }

    asio::awaitable<Outcome<std::unique_ptr<ChangeStream>>> open(std::string) override {
        if (is_open) co_return Failure{StoreError::unavailable, Certainty::failed};
        is_open = true;
        ++opens;
        std::unique_ptr<ChangeStream> stream = std::make_unique<FakeStream>(*this);
        co_return stream;
    }

    std::vector<Change> changes;
    std::uint64_t confirmed = 0;
    bool broken = false;
    bool is_open = false;
    int opens = 0;

private:
    class FakeStream final : public ChangeStream {
    public:
        explicit FakeStream(FakeChanges& of) : of_(of), read_(of.confirmed) {}
        ~FakeStream() override { of_.is_open = false; }
        asio::awaitable<Outcome<std::vector<Change>>> next(std::size_t max,
                                                           Duration limit) override {
            std::vector<Change> list;
            const Instant end = of_.clock_->now() + limit;
            while (true) {
                if (std::exchange(of_.broken, false)) {
                    co_return Failure{StoreError::connection_lost, Certainty::failed};
                }
                for (const Change& change : of_.changes) {
                    if (change.position <= read_ || list.size() == max) continue;
                    list.push_back(change);
                    read_ = change.position;
                }
                if (!list.empty() || of_.clock_->now() >= end) co_return list;
                co_await of_.clock_->sleep(std::chrono::milliseconds(1));
            }
        }
        asio::awaitable<Outcome<void>> confirm(std::uint64_t position) override {
            of_.confirmed = std::max(of_.confirmed, position);
            co_return Outcome<void>();
        }

    private:
        FakeChanges& of_;
        std::uint64_t read_;
    };

    Clock* clock_ = nullptr;
};

class RelayFixture {
public:
    using Names = std::vector<std::string>;

    RelayFixture() { options.channel = "orders"; }
    ~RelayFixture() { crash(); }
    RelayFixture(const RelayFixture&) = delete;
    RelayFixture& operator=(const RelayFixture&) = delete;

    void start() {
        store.create(relay_schema(options));
        alive_ = std::make_unique<Alive>(*this, "p" + std::to_string(++incarnation_) + "-");
        alive_->process.start(alive_->relay.run());
    }
    void crash() { alive_.reset(); }
    void run(Duration duration) {
        alive_->process.run(duration);
        now_ = alive_->process.clock.now();
    }
    /// Lets `duration` pass while nobody runs.
    void pass(Duration duration) { now_ += duration; }
    void stop() {
        stopped = false;
        alive_->process.start(note(alive_->relay.stop(), &stopped));
    }

    void add(const std::string& id, const std::string& key) {
        store.create(relay_schema(options));
        const std::string columns = "(id, key, body, headers, created_at)";
        const Rows rows =
            store.ask("insert into outbox " + columns + " values ('" + id + "', '" + key +
                      "', '', '', " + std::to_string(wall()) + ") returning position");
        changes.add("outbox",
                    {std::string(), std::string(), key, id,
                     std::to_string(std::get<std::int64_t>(rows[0][0])), std::string("0")});
    }
    /// A row that appears at a position that was taken before.
    void add_at(std::int64_t position, const std::string& id, const std::string& key) {
        store.ask("insert into outbox (position, id, key, body, headers) values (" +
                  std::to_string(position) + ", '" + id + "', '" + key + "', '', '')");
    }
    [[nodiscard]] std::int64_t wall() const {
        return std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch())
                   .count() +
               3'600'000;
    }
    [[nodiscard]] std::int64_t left() {
        return store.count("select count(*) from outbox where published_at is null");
    }
    [[nodiscard]] FakeObserver& observer() { return alive_->process.observer; }
    [[nodiscard]] int calls() const { return alive_->publisher.calls; }
    [[nodiscard]] FakeNotifications& notifications() { return alive_->notifications; }
    [[nodiscard]] OutboxCare care() { return OutboxCare(store, options); }
    template <class T>
    T await(asio::awaitable<T> work) {
        return fakes::await(alive_->process, std::move(work));
    }

    /// Lets the broker answer so for rows of this id, or of all.
    void fail(std::string id, error_code code, Certainty certainty = Certainty::failed) {
        fault = [id = std::move(id), code, certainty](const Message& message) {
            if (!id.empty() && message.id != id) return std::optional<Failure>();
            return std::optional(Failure{code, certainty});
        };
    }

    FakeStore store;
    FakeChanges changes;
    RelayOptions options;
    Names published; ///< Ids as they stand in the broker, over all incarnations.
    std::function<std::optional<Failure>(const Message&)> fault;
    Duration latency{};
    bool stopped = false;

private:
    struct Alive {
        Alive(RelayFixture& fixture, std::string name)
            : process(std::move(name)), publisher(process.clock), notifications(process.clock),
              relay((process.clock.move_to(fixture.now_), process.ports()), fixture.store,
                    publisher, fixture.options, RelayPorts{&notifications, &fixture.changes}) {
            fixture.changes.read_by(process.clock);
            fixture.store.on_notify = [this](const std::string&) { notifications.told = true; };
            publisher.latency = fixture.latency;
            publisher.fault = [&fixture](const Message& message) {
                std::optional<Failure> failure;
                if (fixture.fault) failure = fixture.fault(message);
                if (!failure || is_unknown(*failure)) fixture.published.push_back(message.id);
                return failure;
            };
        }
        Process process;
        FakePublisher publisher;
        FakeNotifications notifications;
        Relay relay;
    };

    static asio::awaitable<void> note(asio::awaitable<void> work, bool* done) {
        co_await std::move(work);
        *done = true;
    }

    int incarnation_ = 0;
    Instant now_{};
    std::unique_ptr<Alive> alive_;
};

} // namespace crier::messaging::fakes
