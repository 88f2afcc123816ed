#pragma once

#include "broker-model/store/transactions.hpp"

#include <algorithm>

// What the files of `Transactions` share: its connections, and questions about lists of rows.

namespace crier::broker {

/// A connection with the image of one transaction.
struct OpenTransaction::Slot {
    Slot(Connections& from, const PageImage& image, SqlSources& sources,
         const std::vector<RowWatch>& watches, sim::World& world)
        : connection(from.take_engine(image, sources)), engine(*connection),
          capture(engine.connection(), watches, &world) {}

    std::unique_ptr<SqlEngine> connection;
    SqlEngine& engine;
    ChangeCapture capture;
};

[[nodiscard]] inline SqlAnswer failed(StoreError error) {
    SqlAnswer answer;
    answer.error = error;
    return answer;
}

/// Returns where the row is in the list, or the size of the list.
[[nodiscard]] std::size_t index_of(const std::vector<ChangedRow>& rows, const RowPlace& place);

/// The statement is to see this row as it is now. **Returns** whether it does not yet.
bool show_newer(RunningStatement& statement, const RowPlace& row, bool is_gone);

} // namespace crier::broker
