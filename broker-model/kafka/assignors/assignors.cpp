#include "broker-model/kafka/assignors/assignors.hpp"

#include "messaging/ports/ensure.hpp"

#include <array>

namespace crier::broker::kafka {

using crier::kafka::Assignor;

AssignorInfo assignor_info(Assignor assignor) {
    switch (assignor) {
    case Assignor::range: return {"range", assign_range};
    case Assignor::round_robin: return {"roundrobin", assign_round_robin};
    case Assignor::sticky: return {"sticky", assign_sticky};
    case Assignor::cooperative_sticky: return {"cooperative-sticky", assign_cooperative_sticky};
    }
    return {};
}

AssignorInfo find_assignor(std::string_view protocol) {
    for (const Assignor assignor :
         {Assignor::range, Assignor::round_robin, Assignor::sticky, Assignor::cooperative_sticky}) {
        const AssignorInfo info = assignor_info(assignor);
        if (info.protocol == protocol) return info;
    }
    ensure(false, "a group chooses among the protocols that its members named");
    return {};
}

} // namespace crier::broker::kafka
