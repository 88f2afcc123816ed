#pragma once

#include "broker-model/store/change_capture.hpp"
#include "broker-model/store/image_vfs.hpp"
#include "broker-model/store/sql_functions.hpp"

#include <memory>
#include <optional>
#include <span>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

// Carries rows from one image of a database to another, as they are: without constraints, foreign
// keys or triggers, which were obeyed when the rows came about. So a transaction's changes reach a
// newer image, and a statement sees what it waited for.

namespace crier::broker {

/// The connection that does it.
class RowMover {
public:
    RowMover();
    ~RowMover();
    RowMover(const RowMover&) = delete;
    RowMover& operator=(const RowMover&) = delete;

    /// Keeps no image from its last work.
    void forget_images();

    /// Makes `rows` of `to` what they are in `from`: changed, there, or gone. A new row whose row
    /// id is taken gets another one, which is put into `rows`, unless the row id is a column.
    /// **Requires**: both have tables of these shapes; what else is in `to` conflicts with none of
    /// the rows. **Errors**: throws `ContractViolation`.
    void move(const std::shared_ptr<const TableShapes>& shapes, const PageImage& from,
              PageImage& to, std::span<ChangedRow> rows);

    /// Makes `rows` of `to` what they are in `from`, without regard for what else is in `to`: what
    /// has one of their keys there goes.
    void show(const std::shared_ptr<const TableShapes>& shapes, const PageImage& from,
              PageImage& to, std::span<const ChangedRow> rows);

    /// Whether the row is there.
    [[nodiscard]] bool has(const std::shared_ptr<const TableShapes>& shapes, const PageImage& image,
                           const RowPlace& row);

    /// Takes `rows` out of `image`, those that are there.
    void remove(const std::shared_ptr<const TableShapes>& shapes, PageImage& image,
                std::span<const ChangedRow> rows);

    /// Takes all rows out of a table.
    void clear(const std::shared_ptr<const TableShapes>& shapes, PageImage& image,
               std::uint32_t table);

private:
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };
    using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;
    struct Table {
        Statement remove;   // what stands at a row id
        Statement copy;     // to the same row id
        Statement copy_new; // to a row id that is free
        Statement find;     // whether the row id is taken
        Statement replace;  // at the same row id, and with the same keys
        Statement clear;
    };

    void begin(const std::shared_ptr<const TableShapes>& shapes, const PageImage& from,
               const PageImage& to);
    [[nodiscard]] PageImage commit();
    void prepare(const TableShapes& shapes);
    [[nodiscard]] Statement compile(const std::string& sql);
    int run(const Statement& statement, std::int64_t row_id);

    ImageFile to_;
    ImageFile from_;
    sqlite3* connection_ = nullptr;
    std::optional<SqlFunctions> functions_; // that defaults name; none is called
    Statement begin_;
    Statement commit_;
    std::shared_ptr<const TableShapes> shapes_;
    std::vector<Table> tables_;
};

} // namespace crier::broker
