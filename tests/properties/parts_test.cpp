#include "broker-model/events.hpp"
#include "properties/index.hpp"
#include "properties/key_order.hpp"
#include "properties/reading.hpp"
#include "sim/events.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <set>

namespace crier::properties {
namespace {

TEST(Index, NumbersKeysInTheOrderOfInsertion) {
    Index index;
    EXPECT_FALSE(index.find(7));
    for (std::uint64_t i = 0; i < 1000; ++i)
        EXPECT_EQ(index.insert(i << 40), i);
    for (std::uint64_t i = 0; i < 1000; ++i) {
        EXPECT_EQ(index.insert(i << 40), i);
        EXPECT_EQ(index.find(i << 40), i);
    }
    EXPECT_EQ(index.size(), 1000u);
    EXPECT_FALSE(index.find(1));
}

TEST(KeyOrder, CanExpectAMessageAgainAfterItWasWithdrawn) {
    KeyOrder order;
    order.expect(0, 9);
    order.expect(1, 9);
    order.expect(2, 9);
    order.withdraw(1);
    EXPECT_EQ(order.previous(2), 0u);
    order.expect(1, 9);
    EXPECT_EQ(order.previous(1), 2u);
    EXPECT_EQ(order.previous(2), 0u);
    EXPECT_FALSE(order.previous(0));
    EXPECT_FALSE(order.happen(0, {1, 1}));
    EXPECT_FALSE(order.happen(1, {2, 2}));
    const auto inversion = order.happen(2, {3, 3});
    ASSERT_TRUE(inversion);
    EXPECT_EQ(inversion->first, 2u);
    EXPECT_EQ(inversion->second, 1u);
}

TEST(Catalogue, IsSortedByNameWithoutRepetition) {
    const auto less = [](const PropertyInfo& a, const PropertyInfo& b) { return a.name >= b.name; };
    EXPECT_EQ(catalogue().size(), 72u);
    EXPECT_EQ(std::adjacent_find(catalogue().begin(), catalogue().end(), less), catalogue().end());
}

TEST(Events, HaveNumbersAndNamesOfTheirOwn) {
    std::set<std::uint32_t> numbers;
    std::set<std::string_view> names;
    const auto enter = [&](const sim::EventKind& kind) {
        EXPECT_TRUE(numbers.insert(kind.id).second) << kind.name;
        EXPECT_TRUE(names.insert(kind.name).second) << kind.name;
    };
    for (const sim::EventKind& kind : sim::events::all)
        enter(kind);
    for (const sim::EventKind& kind : broker::events::all)
        enter(kind);
}

/// A checker under its own name: reports and stories find their rules by it.
TEST(Catalogue, MakesCheckersThatAnswerUnderTheirName) {
    const Topology topology;
    for (const PropertyInfo& info : catalogue()) {
        Reading reading(topology);
        const std::unique_ptr<Checker> checker = info.make(reading, {});
        const Verdict verdict = finish(*checker, {}, {});
        EXPECT_EQ(verdict.property, info.name);
        EXPECT_EQ(verdict.kind, VerdictKind::vacuous);
        PropertyOptions options;
        options.must_observe = true;
        EXPECT_EQ(finish(*checker, options, {}).kind, VerdictKind::violated);
    }
}

} // namespace
} // namespace crier::properties
