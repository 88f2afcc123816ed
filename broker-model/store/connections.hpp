#pragma once

#include "broker-model/store/row_mover.hpp"
#include "broker-model/store/sql_engine.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

// Connections that are open and idle, with all that they have compiled: to open one costs more than
// a database's first transactions. One that has shown one database shows any other, of another
// world too: it reads the schema anew where that is not the one that it knows (`seal_schema`).

namespace crier::broker {

/// A stock of idle connections. Belongs to one thread, as the images do that they show.
class Connections {
public:
    /// Returns a connection that shows `image`, of a server that answers by `sources`.
    [[nodiscard]] std::unique_ptr<SqlEngine> take_engine(const PageImage& image,
                                                         SqlSources& sources);
    [[nodiscard]] std::unique_ptr<RowMover> take_mover();

    // Nobody needs it any more.
    void give_back(std::unique_ptr<SqlEngine> engine);
    void give_back(std::unique_ptr<RowMover> mover);

    /// Returns the schema of what `engine` shows; the same object for the same schema.
    [[nodiscard]] std::shared_ptr<const TableShapes> shapes(SqlEngine& engine);

private:
    std::vector<std::unique_ptr<SqlEngine>> engines_;
    std::vector<std::unique_ptr<RowMover>> movers_;
    std::map<std::uint32_t, std::shared_ptr<const TableShapes>> shapes_; // by schema
};

} // namespace crier::broker
