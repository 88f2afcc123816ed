#pragma once

#include "tests/support/child.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

// The program as its users meet it, and a scenario that takes it a moment.

namespace crier::cli {

using test::Child;
using test::Finished;
using test::ScratchFolder;
using Json = nlohmann::json;

inline const std::string catalogue = CRIER_SOURCE_DIR "/scenarios/catalogue/";

/// Correct, with one crash: holds for every seed.
inline const std::string sound_text = R"(about: A few orders and a crash.

brokers:
  events: {kafka: {}}
channels:
  orders: {partitions: 3, replication: 3, min-in-sync: 2}
databases: [shop-db, billing-db]
services:
  shop: {is: outbox-producer, database: shop-db}
  relay: {is: outbox-relay, database: shop-db, to: orders}
  billing: {is: consumer, from: orders, database: billing-db, offset-reset: earliest}
load:
  - {to: shop, rate: 10/s, for: 2s, keys: 3}
faults:
  - crash: {of: relay, at: 1s, for: 1s}
expect:
  - ledger
  - effect-at-most-once
)";

/// The same, and it is never true that there are no orders.
inline const std::string wrong_text =
    sound_text + "  - sql: {database: shop-db, empty: at-end, query: select id from orders}\n";

/// The same with something that fails only now and then: whether a seed holds is a matter of luck.
inline const std::string fickle_text =
    sound_text +
    "  - sql: {database: shop-db, empty: at-end, query: \"select 1 from orders where id = "
    "'o-000000' and customer = 'customer-1'\"}\n";

/// Runs the program with these arguments to its end.
[[nodiscard]] inline Finished crier(std::vector<std::string> words, const std::string& out = "") {
    words.insert(words.begin(), CRIER_PROGRAM);
    return Child(std::move(words), out).wait();
}

} // namespace crier::cli
