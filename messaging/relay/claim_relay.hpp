#pragma once

#include "messaging/ports/process.hpp"
#include "messaging/relay/relay_kind.hpp"
#include "messaging/relay/row_states.hpp"

#include <string>
#include <vector>

// Relays side by side: each takes free rows under a lease. A key is left alone while another relay
// holds an earlier row of it, so that a faster relay does not overtake. A lease that ends too early
// (a pause, a wrong clock) can repeat a message but never reorder first occurrences; one that ends
// because its owner died lets whoever looks next adopt the rows. It does not remember a position:
// positions are not handed out in the order of commits.
//
// Rows that another claim has locked are waited for, not skipped: with `skip locked` a relay would
// take the later rows of a key whose earlier ones are just being claimed, and the wait is that of
// one statement.

namespace crier::messaging {

class ClaimRelay final : public RelayKind {
public:
    ClaimRelay(ProcessPorts ports, Store& store, Publisher& publisher, const RelayOptions& options);

    [[nodiscard]] asio::awaitable<Pass> pass() override;
    [[nodiscard]] asio::awaitable<void> leave() override;

private:
    asio::awaitable<Outcome<std::vector<OutboxRow>>> claim();
    asio::awaitable<Outcome<void>> drop_overtaking(std::vector<OutboxRow>& rows);
    asio::awaitable<Outcome<void>> release();

    ProcessPorts ports_;
    Store& store_;
    RelayOptions options_;
    Waves waves_;
    RowStates states_;
    std::string owner_; ///< New for each incarnation, so that a restart inherits no claims.
    std::string claim_;
    std::string overtaking_;
};

} // namespace crier::messaging
