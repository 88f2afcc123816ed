#include "messaging/ports/publish_errors.hpp"

#include <string>

namespace crier {

namespace {

// Boost's base class has no virtual destructor; categories are never deleted through it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class PublishCategory final : public boost::system::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "publish"; }
    [[nodiscard]] std::string message(int) const override { return "refused for good"; }
};
#pragma GCC diagnostic pop

} // namespace

const boost::system::error_category& publish_category() noexcept {
    static const PublishCategory category;
    return category;
}

} // namespace crier
