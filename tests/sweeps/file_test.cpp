// Services with databases in files, struck at every single I/O and wherever they wait.
#include "tests/support/sweeps.hpp"

#include <gmock/gmock.h>
#include <iostream>

namespace crier {
namespace {

struct Mode {
    std::string name;
    std::string file;
};

void PrintTo(const Mode& mode, std::ostream* out) {
    *out << mode.name;
}

std::string small_shop(const std::string& file) {
    return R"(
brokers:
  events: {kafka: {nodes: 1, group-initial-rebalance-delay: 0s}}
channels:
  orders: {partitions: 2}
databases:
  shop-db: {file: )" +
           file + R"(}
  billing-db: {file: )" +
           file + R"(}
services:
  shop: {is: outbox-service, database: shop-db, to: orders, lease: 2s}
  billing: {is: consumer, from: orders, database: billing-db, offset-reset: earliest,
            session-timeout: 6s}
load:
  - {to: shop, rate: 4/s, for: 1s, keys: 2}
  - {to: shop, rate: 1/s, for: 1s, start: 4s, keys: 2}
settle: 1m
expect:
  - ledger
  - outbox-no-missing
  - outbox-no-phantom
  - outbox-order-per-key
  - effect-at-most-once
)";
}

class EveryFile : public testing::TestWithParam<Mode> {};

TEST_P(EveryFile, SurvivesDeathsAtEveryAwaitAndEveryIo) {
    const std::string text = small_shop(GetParam().file);
    std::uint64_t points = 0;
    std::uint64_t accesses = 0;
    for (const char* const kind : {"crash", "power-loss"}) {
        const scenario::Sweep found = test::swept(text, {"shop", "billing"}, kind);
        EXPECT_EQ(found.runs.verdict, properties::VerdictKind::holds) << kind;
        EXPECT_THAT(found.violated_at, testing::IsEmpty());
        points += found.runs.runs;
        for (const char* const node : {"shop", "billing"}) {
            EXPECT_GT(test::count_of(found, node, "await"), 50u) << node;
            for (const char* const point :
                 {"disk.read", "disk.write", "disk.truncate", "disk.sync", "disk.delete"})
                accesses += test::count_of(found, node, point);
        }
    }
    EXPECT_GT(accesses, 500u);
    std::cout << "files in " << GetParam().name << ": " << points << " points, of which "
              << accesses << " accesses to the disk; each struck in a run of its own\n";
}

INSTANTIATE_TEST_SUITE_P(Files, EveryFile,
                         testing::Values(Mode{"wal_full", "{checkpoint-pages: 20}"},
                                         Mode{"delete_extra",
                                              "{journal-mode: delete, synchronous: extra}"}),
                         [](const auto& given) { return given.param.name; });

// The same sweep sees what a mode does not keep.
TEST(ForgetfulFile, LosesAnEffectThatWasAnswered) {
    const scenario::Sweep found =
        test::swept(small_shop("{synchronous: normal}"), {"billing"}, "power-loss", false);
    EXPECT_EQ(found.runs.verdict, properties::VerdictKind::violated);
}

} // namespace
} // namespace crier
