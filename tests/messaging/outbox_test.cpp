#include "messaging/outbox.hpp"

#include "messaging/emitter.hpp"
#include "tests/messaging/fakes.hpp"

#include <gtest/gtest.h>

namespace crier::messaging {
namespace {

struct Fixture {
    Fixture() {
        store.create(outbox_schema());
        store.ask("create table orders (id text)");
    }

    /// Takes an order in a transaction and emits its event.
    static asio::awaitable<Outcome<void>> order(Fixture* fixture, Emitter* emitter) {
        Outcome<std::unique_ptr<Transaction>> begun = co_await fixture->store.begin();
        std::unique_ptr<Transaction> transaction = std::move(*begun);
        std::vector<Value> none;
        co_await transaction->execute("insert into orders values ('o1')", std::move(none));
        std::vector<Message> messages(1);
        messages[0].id = "m1";
        messages[0].key = "o1";
        co_return co_await emitter->commit(std::move(transaction), std::move(messages));
    }

    fakes::FakeStore store;
    fakes::Process process;
    fakes::FakePublisher publisher{process.clock};
};

asio::awaitable<Outcome<void>> write(Store* store, const Outbox* outbox,
                                     std::vector<Message> messages) {
    Outcome<std::unique_ptr<Transaction>> begun = co_await store->begin();
    const std::unique_ptr<Transaction> transaction = std::move(*begun);
    co_await outbox->write(*transaction, std::move(messages), WallTime());
    co_return co_await transaction->commit();
}

TEST(Outbox, KeepsTheOrderOfMessages) {
    Fixture fixture;
    std::vector<Message> messages(1500);
    for (std::size_t index = 0; index < messages.size(); ++index) {
        messages[index].id = "m" + std::to_string(index);
        messages[index].key = "k";
    }
    const Outbox outbox;
    ASSERT_TRUE(await(fixture.process, write(&fixture.store, &outbox, messages)));
    const Rows rows = fixture.store.ask("select id from outbox order by position");
    ASSERT_EQ(rows.size(), messages.size());
    for (std::size_t index = 0; index < rows.size(); ++index) {
        EXPECT_EQ(std::get<std::string>(rows[index][0]), messages[index].id);
    }
}

TEST(Outbox, SchemaCanBeCreatedTwice) {
    Fixture fixture;
    fixture.store.create(outbox_schema());
    EXPECT_EQ(fixture.store.count("select count(*) from outbox"), 0);
}

TEST(Emitter, WritesEventAndEffectTogether) {
    Fixture fixture;
    Emitter emitter(fixture.process.ports(), nullptr, {});
    ASSERT_TRUE(await(fixture.process, Fixture::order(&fixture, &emitter)));
    EXPECT_EQ(fixture.store.count("select count(*) from outbox"), 1);
    EXPECT_EQ(fixture.store.count("select count(*) from orders"), 1);
}

TEST(Emitter, WritesNeitherWhenTheCommitFails) {
    Fixture fixture;
    Emitter emitter(fixture.process.ports(), nullptr, {});
    fixture.store.fault = [](const std::string& call) -> std::optional<Failure> {
        if (call != "commit") return std::nullopt;
        return Failure{StoreError::serialization_failure, Certainty::failed};
    };
    const Outcome<void> outcome = await(fixture.process, Fixture::order(&fixture, &emitter));
    EXPECT_EQ(outcome.error().code, StoreError::serialization_failure);
    EXPECT_EQ(fixture.store.count("select count(*) from outbox"), 0);
    EXPECT_EQ(fixture.store.count("select count(*) from orders"), 0);
}

TEST(Emitter, DualWriteLosesTheEventThatTheBrokerRefuses) {
    Fixture fixture;
    EmitterOptions options;
    options.publish = PublishMode::dual_write;
    options.channel = "orders";
    Emitter emitter(fixture.process.ports(), &fixture.publisher, options);
    fixture.publisher.fault = [](const Message&) {
        return Failure{StoreError::unavailable, Certainty::failed};
    };
    EXPECT_TRUE(await(fixture.process, Fixture::order(&fixture, &emitter)));
    EXPECT_EQ(fixture.store.count("select count(*) from orders"), 1);
    EXPECT_EQ(fixture.store.count("select count(*) from outbox"), 0);
    EXPECT_TRUE(fixture.publisher.published.empty());
    EXPECT_EQ(fixture.process.observer.points["emitter.committed-not-published"], 1);
}

TEST(Emitter, DualWritePublishesNothingOfAFailedTransaction) {
    Fixture fixture;
    EmitterOptions options;
    options.publish = PublishMode::dual_write;
    options.channel = "orders";
    Emitter emitter(fixture.process.ports(), &fixture.publisher, options);
    fixture.store.fault = [](const std::string& call) -> std::optional<Failure> {
        if (call != "commit") return std::nullopt;
        return Failure{StoreError::serialization_failure, Certainty::failed};
    };
    EXPECT_FALSE(await(fixture.process, Fixture::order(&fixture, &emitter)));
    EXPECT_EQ(fixture.publisher.calls, 0);
}

} // namespace
} // namespace crier::messaging
