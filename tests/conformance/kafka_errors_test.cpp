#include "messaging/ports/kafka_errors.hpp"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <map>
#include <string>

// The table of Kafka's errors beside librdkafka's: one number, one name.

namespace crier::conformance {
namespace {

TEST(KafkaErrors, HaveTheNumbersAndNamesThatLibrdkafkaKnows) {
    // librdkafka kept names that Kafka has given up.
    const std::map<std::string, std::string> older{
        {"UNKNOWN", "UNKNOWN_SERVER_ERROR"},
        {"INVALID_MSG", "CORRUPT_MESSAGE"},
        {"UNKNOWN_TOPIC_OR_PART", "UNKNOWN_TOPIC_OR_PARTITION"},
        {"NOT_LEADER_FOR_PARTITION", "NOT_LEADER_OR_FOLLOWER"},
        {"MSG_SIZE_TOO_LARGE", "MESSAGE_TOO_LARGE"},
        {"TOPIC_EXCEPTION", "INVALID_TOPIC_EXCEPTION"},
    };
    int known = 0;
    for (const kafka::ErrorCode code : kafka::error_codes()) {
        const auto number = static_cast<int>(code);
        std::string theirs = rd_kafka_err2name(static_cast<rd_kafka_resp_err_t>(number));
        if (theirs.starts_with("ERR_")) continue; // newer than the library
        ++known;
        if (const auto found = older.find(theirs); found != older.end()) theirs = found->second;
        EXPECT_EQ(make_error_code(code).message(), theirs) << number;
    }
    EXPECT_GE(known, 55);
}

} // namespace
} // namespace crier::conformance
