#include "broker-model/store/table_shapes.hpp"

#include <algorithm>
#include <sqlite3.h>

namespace crier::broker {

namespace {

/// A query of the schema, with one text to be bound.
class Query {
public:
    Query(sqlite3* connection, std::string_view sql) {
        sqlite3_prepare_v2(connection, sql.data(), static_cast<int>(sql.size()), &statement_,
                           nullptr);
    }
    ~Query() { sqlite3_finalize(statement_); }
    Query(const Query&) = delete;
    Query& operator=(const Query&) = delete;

    void ask(const std::string& about) {
        sqlite3_reset(statement_);
        sqlite3_bind_text(statement_, 1, about.c_str(), -1, SQLITE_TRANSIENT);
    }

    [[nodiscard]] bool next() { return sqlite3_step(statement_) == SQLITE_ROW; }
    [[nodiscard]] int number(int column) { return sqlite3_column_int(statement_, column); }
    [[nodiscard]] std::string text(int column) {
        const auto* const found =
            reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
        return found == nullptr ? std::string() : found;
    }

private:
    sqlite3_stmt* statement_ = nullptr;
};

bool same_name(const std::string& a, std::string_view b) {
    return a.size() == b.size() &&
           sqlite3_strnicmp(a.data(), b.data(), static_cast<int>(b.size())) == 0;
}

class Reader {
public:
    explicit Reader(sqlite3* connection)
        : columns_(connection, "select name, pk, hidden, type from pragma_table_xinfo(?1)"),
          indexes_(connection,
                   "select name from pragma_index_list(?1) where \"unique\" order by seq desc"),
          index_columns_(connection, "select cid from pragma_index_info(?1) order by seqno"),
          references_(connection, "select id, \"table\", \"from\", \"to\" from "
                                  "pragma_foreign_key_list(?1) order by id, seq") {
        Query tables(connection, "select name, wr from pragma_table_list where schema = 'main' and "
                                 "type = 'table' and name not like 'sqlite\\_%' escape '\\'");
        Query deferred(connection, "select name from sqlite_schema where sql like '%initially%"
                                   "deferred%'");
        while (deferred.next())
            fail(deferred.text(0), "a deferred constraint, which would be checked at once");
        Query order(connection, "select name from sqlite_schema where type = 'table' and name not "
                                "like 'sqlite\\_%' escape '\\' order by rowid");
        while (order.next())
            shapes_.tables.emplace_back().name = order.text(0);
        while (tables.next()) {
            if (tables.number(1) != 0)
                fail(tables.text(0), "without rowid: PostgreSQL does not know it");
        }
        for (TableShape& table : shapes_.tables)
            read_keys(table);
        for (TableShape& table : shapes_.tables)
            read_references(table);
    }

    TableShapes take() { return std::move(shapes_); }

private:
    void fail(const std::string& table, std::string_view problem) {
        if (shapes_.problem.empty()) shapes_.problem = table + ": " + std::string(problem);
    }

    void read_keys(TableShape& table) {
        std::vector<std::string>& names = table.all_columns;
        std::vector<int>& primary = table.primary_key;
        std::string primary_type;
        columns_.ask(table.name);
        while (columns_.next()) {
            if (const auto place = static_cast<std::size_t>(columns_.number(1)); place > 0) {
                primary.resize(std::max(primary.size(), place));
                primary[place - 1] = static_cast<int>(names.size());
                primary_type = columns_.text(3);
            }
            if (columns_.number(2) == 0) table.stored_columns.push_back(columns_.text(0));
            names.push_back(columns_.text(0));
        }
        // **Source**: SQLite, "ROWIDs and the INTEGER PRIMARY KEY".
        if (primary.size() == 1 && same_name(primary_type, "integer")) {
            table.row_id_column = primary.front();
            table.unique_keys.push_back({primary, {}});
        }
        std::vector<std::string> indexes;
        indexes_.ask(table.name);
        while (indexes_.next())
            indexes.push_back(indexes_.text(0));
        for (const std::string& index : indexes) {
            std::vector<int> key;
            index_columns_.ask(index);
            while (index_columns_.next())
                key.push_back(index_columns_.number(0));
            if (std::any_of(key.begin(), key.end(), [](int column) { return column < 0; })) {
                fail(table.name, "a unique index on an expression");
                continue;
            }
            table.unique_keys.push_back({std::move(key), {}});
        }
        for (TableShape::UniqueKey& key : table.unique_keys)
            key.find_same = find_row("main", table, key.columns, "latest", table, key.columns);
    }

    [[nodiscard]] int column(std::uint32_t table, const std::string& name) const {
        const std::vector<std::string>& names = shapes_.tables[table].all_columns;
        const auto found = std::find_if(names.begin(), names.end(), [&](const std::string& each) {
            return same_name(each, name);
        });
        return static_cast<int>(found - names.begin());
    }

    // A reference without columns means the primary key.
    void read_references(TableShape& table) {
        const std::uint32_t self = shapes_.find(table.name);
        std::vector<std::vector<int>> targets;
        references_.ask(table.name);
        int last = -1;
        while (references_.next()) {
            const std::uint32_t parent = shapes_.find(references_.text(1));
            if (parent == shapes_.tables.size()) continue; // it refuses all rows
            if (references_.number(0) != last) {
                table.references.emplace_back().table = parent;
                targets.emplace_back();
            }
            last = references_.number(0);
            table.references.back().columns.push_back(column(self, references_.text(2)));
            const std::string target = references_.text(3);
            if (!target.empty()) targets.back().push_back(column(parent, target));
        }
        for (std::size_t at = 0; at < targets.size(); ++at) {
            TableShape::Reference& reference = table.references[at];
            const TableShape& parent = shapes_.tables[reference.table];
            if (targets[at].empty()) targets[at] = parent.primary_key;
            for (const char* const schema : {"main", "latest"}) {
                std::string& query = schema == std::string_view("main")
                                         ? reference.find_parent
                                         : reference.find_latest_parent;
                query = find_row(schema, parent, targets[at], schema, table, reference.columns);
            }
        }
    }

    /// Returns the query of the row id of `sought` whose columns equal those of the row `$1` of
    /// `known`.
    [[nodiscard]] static std::string
    find_row(const std::string& sought_schema, const TableShape& sought,
             const std::vector<int>& sought_columns, const std::string& known_schema,
             const TableShape& known, const std::vector<int>& known_columns) {
        const auto quoted = [](const TableShape& table, int column) {
            return '"' + table.all_columns[static_cast<std::size_t>(column)] + '"';
        };
        std::string sql = "select s.rowid from " + sought_schema + ".\"" + sought.name + "\" s, " +
                          known_schema + ".\"" + known.name + "\" k where k.rowid = $1";
        for (std::size_t at = 0; at < sought_columns.size(); ++at) {
            sql += " and s." + quoted(sought, sought_columns[at]) + " = k." +
                   quoted(known, known_columns[at]);
        }
        return sql;
    }

    Query columns_;
    Query indexes_;
    Query index_columns_;
    Query references_;
    TableShapes shapes_;
};

} // namespace

std::uint32_t TableShapes::find(std::string_view name) const {
    const auto found = std::find_if(tables.begin(), tables.end(), [name](const TableShape& table) {
        return same_name(table.name, name);
    });
    return static_cast<std::uint32_t>(found - tables.begin());
}

std::shared_ptr<const TableShapes> read_table_shapes(sqlite3* connection) {
    return std::make_shared<const TableShapes>(Reader(connection).take());
}

} // namespace crier::broker
