#include "scenarios/service.hpp"
#include "scenarios/stock/consumer.hpp"
#include "scenarios/stock/copier.hpp"
#include "scenarios/stock/outbox_producer.hpp"
#include "scenarios/stock/outbox_relay.hpp"
#include "scenarios/stock/outbox_service.hpp"

namespace crier::scenario {

ServiceTable stock_services() {
    ServiceTable table;
    table.add(outbox_producer())
        .add(outbox_relay())
        .add(outbox_service())
        .add(consumer())
        .add(copier());
    return table;
}

} // namespace crier::scenario
