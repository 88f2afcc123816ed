#pragma once

#include "properties/index.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

// The order of messages per key, expected against happened. Both orders are built as the run goes,
// either side may come first, and either may be taken back by a power loss. Constant work per call,
// except that taking back the latest of a key walks to the one before it.

namespace crier::properties {

class KeyOrder {
public:
    /// When something happened: the event's sequence and time.
    struct When {
        std::uint64_t sequence = 0; ///< 0: not.
        std::int64_t time = 0;
    };

    /// Two messages of one key: `first` is expected before `second`, and happened after it.
    struct Inversion {
        std::uint32_t first = 0;
        std::uint32_t second = 0;
    };

    /// `message` is the last of `key` so far. **Requires** that it is not expected yet.
    std::optional<Inversion> expect(std::uint32_t message, std::uint64_t key);

    /// It is not expected after all.
    void withdraw(std::uint32_t message);

    /// It has happened; only the first time counts.
    std::optional<Inversion> happen(std::uint32_t message, When when);

    /// It has not happened after all.
    void undo(std::uint32_t message);

    /// Its order is of no interest any more.
    void excuse(std::uint32_t message) { places_.at(message).excused = true; }

    [[nodiscard]] bool is_excused(std::uint32_t message) const {
        return places_.get(message).excused;
    }
    [[nodiscard]] bool is_expected(std::uint32_t message) const {
        return places_.get(message).rank != 0;
    }
    [[nodiscard]] When happened(std::uint32_t message) const { return places_.get(message).when; }
    /// Returns the key, or 0 while the message is not expected.
    [[nodiscard]] std::uint64_t key(std::uint32_t message) const;
    /// Returns the message that is expected just before, if there is one.
    [[nodiscard]] std::optional<std::uint32_t> previous(std::uint32_t message) const;

private:
    static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

    struct Place {
        std::uint64_t rank = 0; // over all keys, from 1; 0: not expected
        When when;
        std::uint32_t key = none;
        std::uint32_t previous = none;
        std::uint32_t next = none;
        bool excused = false;
    };
    struct Key {
        std::uint32_t last = none; // expected
        std::uint32_t best = none; // of those that happened, the one expected last
    };

    [[nodiscard]] std::uint32_t best_from(std::uint32_t message) const;

    Index index_;
    ByNumber<Key> keys_;
    ByNumber<Place> places_;
    std::uint64_t ranks_ = 0;
};

} // namespace crier::properties
