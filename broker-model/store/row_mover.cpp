#include "broker-model/store/row_mover.hpp"

#include "messaging/ports/ensure.hpp"

#include <sqlite3.h>
#include <string>

namespace crier::broker {

void RowMover::Finalize::operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
}

RowMover::RowMover() {
    to_.show(empty_database());
    from_.show(empty_database());
    connection_ = open_images(to_, from_, "source");
    sqlite3_db_config(connection_, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
    functions_.emplace(connection_, nullptr);
    begin_ = compile("begin");
    commit_ = compile("commit");
}

RowMover::~RowMover() {
    tables_.clear();
    begin_.reset();
    commit_.reset();
    sqlite3_close_v2(connection_);
}

void RowMover::forget_images() {
    to_.show(PageImage());
    from_.show(PageImage());
}

RowMover::Statement RowMover::compile(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(connection_, sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT,
                                        &statement, nullptr);
    ensure(code == SQLITE_OK, sqlite3_errmsg(connection_));
    return Statement(statement);
}

int RowMover::run(const Statement& statement, std::int64_t row_id) {
    sqlite3_bind_int64(statement.get(), 1, row_id);
    const int code = sqlite3_step(statement.get());
    sqlite3_reset(statement.get());
    ensure(code == SQLITE_DONE || code == SQLITE_ROW, sqlite3_errmsg(connection_));
    return code;
}

void RowMover::prepare(const TableShapes& shapes) {
    tables_.clear();
    for (const TableShape& shape : shapes.tables) {
        std::string columns;
        for (const std::string& column : shape.stored_columns)
            columns += (columns.empty() ? "\"" : ", \"") + column + "\"";
        const std::string name = '"' + shape.name + '"';
        const std::string source = " from source." + name + " where rowid = ?1";
        Table& table = tables_.emplace_back();
        table.find = compile("select 1 from main." + name + " where rowid = ?1");
        table.remove = compile("delete from main." + name + " where rowid = ?1");
        table.clear = compile("delete from main." + name);
        const bool is_column = shape.row_id_column >= 0; // then a row has its id among its values
        const std::string all = (is_column ? "" : "rowid, ") + columns;
        const std::string place = "into main." + name + " (" + all + ") select " + all + source;
        table.copy = compile("insert " + place);
        table.replace = compile("insert or replace " + place);
        if (is_column) continue;
        table.copy_new =
            compile("insert into main." + name + " (" + columns + ") select " + columns + source);
    }
}

void RowMover::begin(const std::shared_ptr<const TableShapes>& shapes, const PageImage& from,
                     const PageImage& to) {
    to_.show(to);
    from_.show(from);
    if (shapes != shapes_) {
        prepare(*shapes);
        shapes_ = shapes;
    }
    sqlite3_step(begin_.get());
    sqlite3_reset(begin_.get());
}

PageImage RowMover::commit() {
    const int code = sqlite3_step(commit_.get());
    sqlite3_reset(commit_.get());
    ensure(code == SQLITE_DONE, sqlite3_errmsg(connection_));
    return to_.image();
}

// Rows that were there go first, so that values which change hands meet nothing.
void RowMover::move(const std::shared_ptr<const TableShapes>& shapes, const PageImage& from,
                    PageImage& to, std::span<ChangedRow> rows) {
    if (rows.empty()) return;
    begin(shapes, from, to);
    for (const ChangedRow& row : rows) {
        if (!row.is_new) run(tables_[row.place.table].remove, row.place.row_id);
    }
    for (const ChangedRow& row : rows) { // each to its place, before new ones look for theirs
        if (!row.is_new) run(tables_[row.place.table].copy, row.place.row_id);
    }
    for (ChangedRow& row : rows) {
        if (!row.is_new || row.is_removed) continue;
        const Table& table = tables_[row.place.table];
        const bool taken = run(table.find, row.place.row_id) == SQLITE_ROW;
        if (!taken || table.copy_new == nullptr) {
            run(table.copy, row.place.row_id);
            continue;
        }
        run(table.copy_new, row.place.row_id);
        if (sqlite3_changes(connection_) > 0)
            row.place.row_id = sqlite3_last_insert_rowid(connection_);
    }
    to = commit();
}

void RowMover::show(const std::shared_ptr<const TableShapes>& shapes, const PageImage& from,
                    PageImage& to, std::span<const ChangedRow> rows) {
    if (rows.empty()) return;
    begin(shapes, from, to);
    for (const ChangedRow& row : rows)
        run(tables_[row.place.table].remove, row.place.row_id);
    for (const ChangedRow& row : rows)
        run(tables_[row.place.table].replace, row.place.row_id);
    to = commit();
}

bool RowMover::has(const std::shared_ptr<const TableShapes>& shapes, const PageImage& image,
                   const RowPlace& row) {
    begin(shapes, image, image);
    const bool found = run(tables_[row.table].find, row.row_id) == SQLITE_ROW;
    (void)commit();
    return found;
}

void RowMover::remove(const std::shared_ptr<const TableShapes>& shapes, PageImage& image,
                      std::span<const ChangedRow> rows) {
    if (rows.empty()) return;
    begin(shapes, image, image);
    for (const ChangedRow& row : rows)
        run(tables_[row.place.table].remove, row.place.row_id);
    image = commit();
}

void RowMover::clear(const std::shared_ptr<const TableShapes>& shapes, PageImage& image,
                     std::uint32_t table) {
    begin(shapes, image, image);
    sqlite3_step(tables_[table].clear.get());
    sqlite3_reset(tables_[table].clear.get());
    image = commit();
}

} // namespace crier::broker
