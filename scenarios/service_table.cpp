#include "messaging/ports/ensure.hpp"
#include "scenarios/service.hpp"

#include <algorithm>

namespace crier::scenario {

ServiceTable& ServiceTable::add(ServiceType type) {
    ensure(!type.is.empty(), "a service type needs a name");
    ensure(find(type.is) == nullptr, "a service type of this name is there already");
    rows_.push_back(std::move(type));
    return *this;
}

const ServiceType* ServiceTable::find(std::string_view is) const {
    const auto row = std::find_if(rows_.begin(), rows_.end(),
                                  [is](const ServiceType& type) { return type.is == is; });
    return row == rows_.end() ? nullptr : &*row;
}

} // namespace crier::scenario
