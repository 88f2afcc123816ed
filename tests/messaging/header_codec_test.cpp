#include "messaging/header_codec.hpp"

#include <gtest/gtest.h>

namespace crier::messaging {
namespace {

TEST(HeaderCodec, GivesBackWhatItWasGiven) {
    const std::vector<Header> headers{{"a", "1"}, {"", ""}, {"x:y", "3:{}\n\"ü"}, {"a", "2"}};
    EXPECT_EQ(decode_headers(encode_headers(headers)), headers);
    EXPECT_EQ(encode_headers({}), "");
    EXPECT_EQ(decode_headers(""), std::vector<Header>());
}

TEST(HeaderCodec, RefusesWhatItCannotHaveWritten) {
    for (const char* const text : {"1", "1:", "x:y", "1:a", "1:a2:b", "-1:a", "1:a1:bc"}) {
        EXPECT_FALSE(decode_headers(text)) << text;
    }
}

} // namespace
} // namespace crier::messaging
