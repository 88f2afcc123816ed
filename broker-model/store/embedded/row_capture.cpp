#define SQLITE_ENABLE_PREUPDATE_HOOK
#include "broker-model/store/embedded/row_capture.hpp"

#include "broker-model/store/sql_parts.hpp"
#include "sim/world.hpp"

#include <sqlite3.h>
#include <string_view>

namespace crier::broker {

struct RowCapture::Glue {
    using Get = int (*)(sqlite3*, int, sqlite3_value**);

    // SQLite writes an integer as text in decimal.
    static std::uint64_t operand(const RowCapture& capture, Get get, int column) {
        sqlite3_value* value = nullptr;
        if (column < 0 || get(capture.connection_, column, &value) != SQLITE_OK) return 0;
        const unsigned char* const text = sqlite3_value_text(value);
        if (text == nullptr) return 0;
        const auto length = static_cast<std::size_t>(sqlite3_value_bytes(value));
        return capture.world_.history().text(
            std::string_view(reinterpret_cast<const char*>(text), length));
    }

    static WatchedRow row(const RowCapture& capture, Get get, std::uint32_t watch) {
        WatchedRow row;
        row.watch = watch;
        row.identity = operand(capture, get, capture.columns_[watch].identity);
        row.key = operand(capture, get, capture.columns_[watch].key);
        return row;
    }

    static void hook(void* self, sqlite3*, int operation, const char*, const char* table,
                     sqlite3_int64, sqlite3_int64) {
        auto& capture = *static_cast<RowCapture*>(self);
        for (std::uint32_t at = 0; at < capture.watches_.size(); ++at) {
            if (capture.columns_[at].identity < 0) continue;
            if (sqlite3_stricmp(capture.watches_[at].table.c_str(), table) != 0) continue;
            WatchedChange change;
            if (operation != SQLITE_INSERT) change.from = row(capture, sqlite3_preupdate_old, at);
            if (operation != SQLITE_DELETE) change.to = row(capture, sqlite3_preupdate_new, at);
            capture.changes_.push_back(change);
        }
    }
};

RowCapture::RowCapture(sqlite3* connection, const std::vector<RowWatch>& watches, sim::World& world)
    : connection_(connection), watches_(watches), world_(world), columns_(watches.size()) {
    sqlite3_preupdate_hook(connection_, &Glue::hook, this);
}

RowCapture::~RowCapture() {
    sqlite3_preupdate_hook(connection_, nullptr, nullptr);
}

void RowCapture::schema_changed() {
    std::string problem;
    const SqlStatement statement =
        compile(connection_, "select cid, name from pragma_table_xinfo(?1)", problem);
    if (statement == nullptr) return; // only a file that cannot be read has no schema
    for (std::size_t at = 0; at < watches_.size(); ++at) {
        const RowWatch& watch = watches_[at];
        Columns columns;
        sqlite3_bind_text(statement.get(), 1, watch.table.c_str(), -1, SQLITE_STATIC);
        while (sqlite3_step(statement.get()) == SQLITE_ROW) {
            const auto* const name =
                reinterpret_cast<const char*>(sqlite3_column_text(statement.get(), 1));
            const int column = sqlite3_column_int(statement.get(), 0);
            if (sqlite3_stricmp(name, watch.identity.c_str()) == 0) columns.identity = column;
            if (!watch.key.empty() && sqlite3_stricmp(name, watch.key.c_str()) == 0)
                columns.key = column;
        }
        sqlite3_reset(statement.get());
        columns_[at] = columns;
    }
}

} // namespace crier::broker
