#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/error_condition.hpp>

// What a publisher's error means, whatever the broker. The broker's own category says which of its
// codes are what: `if (outcome.error().code == PublishError::refused)`.

namespace crier {

enum class PublishError {
    /// This message, as it is, will never be taken: too large, malformed, against a policy. Others
    /// may be.
    refused = 1,
};

/// Returns the category of `PublishError`.
[[nodiscard]] const boost::system::error_category& publish_category() noexcept;

[[nodiscard]] inline boost::system::error_condition make_error_condition(PublishError error) {
    return {static_cast<int>(error), publish_category()};
}

} // namespace crier

template <>
struct boost::system::is_error_condition_enum<crier::PublishError> : std::true_type {};
