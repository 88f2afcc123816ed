#pragma once

#include "messaging/ports/ensure.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// How coordinators write numbers and texts into the records of their internal topics. The bytes are
// this model's own.

namespace crier::broker::kafka {

/// Appends to a key or value.
class RecordWriter {
public:
    explicit RecordWriter(std::string& to) : to_(to) {}

    void number(std::uint64_t value) {
        for (int byte = 0; byte < 8; ++byte)
            to_.push_back(static_cast<char>(value >> (8 * byte)));
    }
    void text(std::string_view value) {
        number(value.size());
        to_.append(value);
    }
    void numbers(const std::vector<std::uint32_t>& values) {
        number(values.size());
        for (const std::uint32_t value : values)
            number(value);
    }

private:
    std::string& to_;
};

/// Reads what a `RecordWriter` wrote. **Errors**: a cut-off text breaks an invariant.
class RecordReader {
public:
    explicit RecordReader(std::string_view from) : from_(from) {}

    std::uint64_t number() {
        ensure(from_.size() >= 8, "a record is cut off");
        std::uint64_t value = 0;
        for (std::size_t byte = 0; byte < 8; ++byte) {
            value |= std::uint64_t{static_cast<unsigned char>(from_[byte])} << (8 * byte);
        }
        from_.remove_prefix(8);
        return value;
    }
    std::string text() {
        const std::uint64_t size = number();
        ensure(from_.size() >= size, "a record is cut off");
        std::string value(from_.substr(0, size));
        from_.remove_prefix(size);
        return value;
    }
    std::vector<std::uint32_t> numbers() {
        std::vector<std::uint32_t> values(number());
        for (std::uint32_t& value : values)
            value = static_cast<std::uint32_t>(number());
        return values;
    }
    [[nodiscard]] std::string_view rest() const { return from_; }

private:
    std::string_view from_;
};

inline std::uint64_t bits_of(std::int64_t value) {
    return static_cast<std::uint64_t>(value);
}

} // namespace crier::broker::kafka
