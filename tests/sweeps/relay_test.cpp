// Relays of every kind, struck wherever they wait and wherever their database touches its disk.
#include "tests/support/sweeps.hpp"

#include <gmock/gmock.h>
#include <iostream>

namespace crier {
namespace {

struct Kind {
    std::string name;
    std::string relay;
};

void PrintTo(const Kind& kind, std::ostream* out) {
    *out << kind.name;
}

struct Strike {
    std::string kind;
    std::vector<std::string> nodes;
};

class EveryRelay : public testing::TestWithParam<Kind> {};

// What is left out: points behind the end of the load, when a run lets no more faults begin.
TEST_P(EveryRelay, SurvivesACrashAtEveryAwaitAndEveryAccessToTheDisk) {
    const std::string text = test::small_outbox(GetParam().relay);
    std::uint64_t points = 0;
    std::uint64_t accesses = 0;
    for (const Strike& strike :
         {Strike{"crash", {"relay", "shop", "shop-db"}}, Strike{"power-loss", {"shop-db"}}}) {
        const scenario::Sweep found = test::swept(text, strike.nodes, strike.kind);
        EXPECT_EQ(found.runs.verdict, properties::VerdictKind::holds) << strike.kind;
        EXPECT_THAT(found.violated_at, testing::IsEmpty());
        points += found.runs.runs;
        for (const std::string& node : strike.nodes)
            EXPECT_GT(test::count_of(found, node, "await"), 50u) << node;
        accesses += test::count_of(found, "shop-db", "disk.write");
        accesses += test::count_of(found, "shop-db", "disk.sync");
    }
    EXPECT_GT(accesses, 100u);
    std::cout << "relay by " << GetParam().name << ": " << points << " points, of which "
              << accesses << " accesses to the disk; each struck in a run of its own\n";
}

INSTANTIATE_TEST_SUITE_P(
    Relays, EveryRelay,
    testing::Values(Kind{"claim", "relay-by: claim"}, Kind{"cursor", "relay-by: cursor"},
                    Kind{"notification", "wake: notification"},
                    Kind{"stream", "relay-by: change-stream, dead-key: goes-on"}),
    [](const auto& given) { return given.param.name; });

} // namespace
} // namespace crier
