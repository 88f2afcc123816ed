#include "messaging/ports/store.hpp"

// The words for store errors. They are ours and the same for every engine, since an engine's own
// text differs between versions and would make two runs look different.

namespace crier {

namespace {

const char* text_of(int code) {
    switch (static_cast<StoreError>(code)) {
    case StoreError::unique_violation: return "unique violation";
    case StoreError::foreign_key_violation: return "foreign key violation";
    case StoreError::check_violation: return "check violation";
    case StoreError::serialization_failure: return "serialization failure";
    case StoreError::deadlock: return "deadlock";
    case StoreError::lock_timeout: return "lock timeout";
    case StoreError::connection_lost: return "connection lost";
    case StoreError::unavailable: return "store unavailable";
    case StoreError::aborted: return "transaction aborted";
    case StoreError::statement_error: return "statement error";
    case StoreError::disk_full: return "disk full";
    case StoreError::query_canceled: return "query canceled";
    case StoreError::idle_transaction_timeout: return "idle transaction timeout";
    case StoreError::too_many_connections: return "too many connections";
    case StoreError::shutdown: return "shutdown";
    case StoreError::read_only: return "read only";
    }
    return nullptr;
}

// Boost's base class has no virtual destructor; categories are never deleted through it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class Category final : public boost::system::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "store"; }

    [[nodiscard]] std::string message(int code) const override {
        const char* known = text_of(code);
        return known != nullptr ? known : "store error " + std::to_string(code);
    }
};
#pragma GCC diagnostic pop

} // namespace

const boost::system::error_category& store_category() noexcept {
    static const Category instance;
    return instance;
}

} // namespace crier
