#include "broker-model/kafka/cluster.hpp"

#include <gtest/gtest.h>

#include "tests/broker-model/kafka_fixture.hpp"

namespace crier::broker::kafka {
namespace {

// Source: Kafka's UtilsTest and librdkafka's murmur2 unit test; the others by the published
// algorithm.
TEST(KafkaHash, Murmur2AgreesWithKafka) {
    const std::vector<std::pair<std::string, std::int32_t>> vectors = {
        {"", 275646681},
        {"21", -973932308},
        {"foobar", -790332482},
        {"a-little-bit-long-string", -985981536},
        {"a-little-bit-longer-string", -1486304829},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
        {"abc", 479470107},
        {"kafka", -798503068},
        {"1234", static_cast<std::int32_t>(0x9fc97b14)},
        {"4", 0x5a4b5ca1},
        {"key", -1079937367},
        {"a", -1563381124},
        {"b", -1853091852},
        {"order-1", 1221710326},
        {"order-2", -1055499005},
        {"customer-42", -542987495}};
    for (const auto& [key, hash] : vectors)
        EXPECT_EQ(murmur2(key), hash) << key;
}

TEST(KafkaHash, GroupsLieWhereJavaPutsThem) {
    const KafkaFixture kafka({make_topic("orders", 1, 1, 1)});
    const std::vector<std::pair<std::string, std::pair<std::int32_t, std::int32_t>>> vectors = {
        {"a", {97, 47}},
        {"my-group", {-1906497762, 12}},
        {"orders", {-1008770331, 31}},
        {"group-1", {293427299, 49}},
        {"payments-tx", {-1539523292, 42}},
        {"relay-0", {1090496500, 0}}};
    for (const auto& [group, expected] : vectors) {
        EXPECT_EQ(java_string_hash(group), expected.first) << group;
        const PartitionId partition = kafka.cluster.offsets_partition(group);
        EXPECT_EQ(kafka.cluster.info(partition).index, expected.second) << group;
    }
}

} // namespace
} // namespace crier::broker::kafka
