#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct sqlite3;

// What a database server must know of its tables to lock rows and keys and to move rows from one
// image to another. Read from the schema, and the same for all images with the same schema.

namespace crier::broker {

/// One table.
struct TableShape {
    /// Columns that refer to a unique key of another table.
    struct Reference {
        std::vector<int> columns;
        std::uint32_t table = 0;
        /// Queries of the row id of the row that the row `$1` refers to, on the snapshot of a
        /// statement and on the latest image.
        std::string find_parent;
        std::string find_latest_parent;
    };

    /// The primary key is one.
    struct UniqueKey {
        std::vector<int> columns;
        /// The query of the row id of the row on the snapshot that has the same values as the row
        /// `$1` of the latest image.
        std::string find_same;
    };

    std::string name;
    std::vector<std::string> all_columns;
    std::vector<std::string> stored_columns; ///< Without generated ones.
    std::vector<int> primary_key;            ///< Its columns, in its order.
    int row_id_column = -1; ///< The `integer primary key`, which is the row id; -1: none.
    std::vector<UniqueKey> unique_keys; ///< In the order of their creation.
    std::vector<Reference> references;
};

/// All tables, in the order of their creation.
struct TableShapes {
    std::vector<TableShape> tables;
    std::string problem; ///< Not empty: what a table has that a server cannot keep.

    /// Returns the index of a table, or the number of tables if there is none of this name.
    [[nodiscard]] std::uint32_t find(std::string_view name) const;
};

/// Reads the schema of a connection. **Requires**: no statement is under way.
[[nodiscard]] std::shared_ptr<const TableShapes> read_table_shapes(sqlite3* connection);

} // namespace crier::broker
