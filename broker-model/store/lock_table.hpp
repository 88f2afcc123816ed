#pragma once

#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

// Who holds which rows and unique keys of a database server. A plain value without time: waiting,
// deadlocks and their order are the server's.

namespace crier::broker {

/// Modes of row locks, weakest first. **Source**: PostgreSQL manual, 13.3.2.
enum class LockMode : std::uint8_t {
    key_share,     ///< A row that refers to this one was written.
    share,         ///< `for share`
    no_key_update, ///< An update that leaves all unique keys.
    update,        ///< A deletion, an update of a unique key, or the key of a new row.
};

[[nodiscard]] constexpr bool conflict(LockMode a, LockMode b) {
    switch (a) {
    case LockMode::key_share: return b == LockMode::update;
    case LockMode::share: return b >= LockMode::no_key_update;
    case LockMode::no_key_update: return b >= LockMode::share;
    case LockMode::update: return true;
    }
    return true;
}

/// What can be locked: a row by its table and row id, or the value of a unique key by its hash.
struct LockKey {
    std::uint64_t high = 0;
    std::uint64_t low = 0;

    friend bool operator==(const LockKey&, const LockKey&) = default;
};

/// Keys are spread already.
struct LockKeyHash {
    std::size_t operator()(const LockKey& key) const {
        return key.low ^ key.high * 0x9E3779B97F4A7C15;
    }
};

[[nodiscard]] LockKey row_key(std::uint32_t table, std::int64_t row_id);

/// Returns the key of `values`, encoded, of the `index`-th unique key of a table.
[[nodiscard]] LockKey unique_key(std::uint32_t table, std::size_t index, const void* values,
                                 std::size_t length);

/// Names an open transaction.
using SessionId = std::uint64_t;

/// The locks that are held.
class LockTable {
public:
    using Sessions = std::vector<SessionId>;

    /// Returns who holds the key in a way that keeps `session` from it, in the order in which they
    /// got it.
    [[nodiscard]] Sessions holders_against(SessionId session, LockKey key, LockMode mode) const;

    /// Returns how the session holds the key, if it does.
    [[nodiscard]] std::optional<LockMode> mode_of(SessionId session, LockKey key) const;

    /// **Requires**: nobody is against it. What is held already grows stronger, or stays.
    void acquire(SessionId session, LockKey key, LockMode mode, std::vector<LockKey>& held);

    /// Gives up all of `held`, which are the session's.
    void release(SessionId session, const std::vector<LockKey>& held);

private:
    struct Holder {
        SessionId session;
        LockMode mode;
    };
    using Holders = boost::container::small_vector<Holder, 1>;
    boost::unordered_flat_map<LockKey, Holders, LockKeyHash> locks_; // looked up only
};

} // namespace crier::broker
