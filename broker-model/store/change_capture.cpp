#define SQLITE_ENABLE_PREUPDATE_HOOK
#include "broker-model/store/change_capture.hpp"

#include "sim/hash.hpp"
#include "sim/world.hpp"

#include <algorithm>
#include <sqlite3.h>
#include <string_view>

namespace crier::broker {

namespace {

Value number_of(double real) {
    constexpr double written_out = 1e15; // from there on with an exponent
    if (real > -written_out && real < written_out) {
        const auto whole = static_cast<std::int64_t>(real);
        if (static_cast<double>(whole) == real) return whole;
    }
    return real;
}

} // namespace

void Changes::clear() {
    locks.clear();
    rows.clear();
    referring.clear();
    watched.clear();
    inserted.clear();
    notified.clear();
}

struct ChangeCapture::Glue {
    static void hook(void* self, sqlite3*, int operation, const char*, const char* table,
                     sqlite3_int64 from, sqlite3_int64 to) {
        auto& capture = *static_cast<ChangeCapture*>(self);
        if (capture.changes_ == nullptr || capture.shapes_ == nullptr) return;
        const std::uint32_t index = capture.shapes_->find(table);
        if (index == capture.shapes_->tables.size()) return;
        switch (operation) {
        case SQLITE_INSERT: capture.inserted({index, to}); return;
        case SQLITE_DELETE: capture.removed({index, from}); return;
        default: capture.updated({index, from}, {index, to}); return;
        }
    }
};

ChangeCapture::ChangeCapture(sqlite3* connection, const std::vector<RowWatch>& watches,
                             sim::World* world)
    : connection_(connection), watches_(watches), world_(world) {
    sqlite3_preupdate_hook(connection_, &Glue::hook, this);
}

ChangeCapture::~ChangeCapture() {
    sqlite3_preupdate_hook(connection_, nullptr, nullptr);
}

void ChangeCapture::set_shapes(std::shared_ptr<const TableShapes> shapes) {
    if (shapes == shapes_) return;
    shapes_ = std::move(shapes);
    watches_of_.assign(shapes_->tables.size(), {});
    if (world_ == nullptr) return;
    for (std::uint32_t at = 0; at < watches_.size(); ++at) {
        const std::uint32_t table = shapes_->find(watches_[at].table);
        if (table == shapes_->tables.size()) continue;
        const std::vector<std::string>& columns = shapes_->tables[table].all_columns;
        const auto column = [&columns](const std::string& name) {
            const auto found = std::find_if(columns.begin(), columns.end(), [&](const auto& each) {
                return sqlite3_stricmp(each.c_str(), name.c_str()) == 0;
            });
            return found == columns.end() ? -1 : static_cast<int>(found - columns.begin());
        };
        Watch watch;
        watch.index = at;
        watch.identity = column(watches_[at].identity);
        if (!watches_[at].key.empty()) watch.key = column(watches_[at].key);
        if (!watches_[at].only_column.empty()) watch.only = column(watches_[at].only_column);
        for (const FollowedColumn& followed : watches_[at].followed)
            watch.followed.push_back(column(followed.column));
        const bool chooses = watches_[at].only_column.empty() || watch.only >= 0;
        if (watch.identity >= 0 && chooses) watches_of_[table].push_back(std::move(watch));
    }
}

/// Puts the values of a key into `encoded_`. **Returns** false if one is null: then it is no key.
bool ChangeCapture::encode(const std::vector<int>& columns, Get get) {
    encoded_.clear();
    for (const int column : columns) {
        sqlite3_value* value = nullptr;
        if (get(connection_, column, &value) != SQLITE_OK) return false;
        const int type = sqlite3_value_type(value);
        if (type == SQLITE_NULL) return false;
        const void* const bytes = sqlite3_value_blob(value); // a number is written out
        const auto length = static_cast<std::size_t>(sqlite3_value_bytes(value));
        encoded_.push_back(static_cast<char>(type));
        encoded_.append(reinterpret_cast<const char*>(&length), sizeof length);
        if (length > 0) encoded_.append(static_cast<const char*>(bytes), length);
    }
    return true;
}

void ChangeCapture::lock_row(const RowPlace& row, LockMode mode) {
    changes_->locks.push_back({row_key(row.table, row.row_id), mode, true, row, 0, false, row});
}

void ChangeCapture::lock_key(std::size_t index, const RowPlace& by, bool takes) {
    const LockKey key = unique_key(by.table, index, encoded_.data(), encoded_.size());
    changes_->locks.push_back({key, LockMode::update, false, {}, index, takes, by});
}

void ChangeCapture::note_references(const RowPlace& row, bool changed_only) {
    const std::vector<TableShape::Reference>& references = shapes_->tables[row.table].references;
    for (std::size_t at = 0; at < references.size(); ++at) {
        if (changed_only) {
            const bool had = encode(references[at].columns, sqlite3_preupdate_old);
            other_ = had ? encoded_ : std::string();
        }
        if (!encode(references[at].columns, sqlite3_preupdate_new)) continue;
        if (!changed_only || encoded_ != other_) changes_->referring.push_back({row, at});
    }
}

void note(std::vector<ChangedRow>& rows, const ChangedRow& row) {
    const auto known = std::find_if(rows.rbegin(), rows.rend(), [&row](const ChangedRow& each) {
        return each.place == row.place;
    });
    if (known == rows.rend()) {
        rows.push_back(row);
        return;
    }
    known->is_removed = row.is_removed;
    known->is_replaced = known->is_replaced || row.is_replaced || (row.is_new && !known->is_new);
}

void ChangeCapture::inserted(const RowPlace& row) {
    const TableShape& shape = shapes_->tables[row.table];
    for (std::size_t at = 0; at < shape.unique_keys.size(); ++at) {
        if (encode(shape.unique_keys[at].columns, sqlite3_preupdate_new)) lock_key(at, row, true);
    }
    note_references(row, false);
    note(changes_->rows, {row, true, false});
    for (const Watch& watch : watches_of_[row.table]) {
        const auto added = watched_row(watch, sqlite3_preupdate_new);
        if (added) changes_->watched.push_back({{}, added});
    }
    if (keeps_inserted_) changes_->inserted.push_back({shapes_, row.table, values_of(shape)});
}

/// Returns the new row, its numbers as PostgreSQL writes them out: whole ones without a point.
Row ChangeCapture::values_of(const TableShape& shape) const {
    Row row;
    row.reserve(shape.all_columns.size());
    for (int column = 0; column < static_cast<int>(shape.all_columns.size()); ++column) {
        sqlite3_value* value = nullptr;
        Value& told = row.emplace_back();
        if (sqlite3_preupdate_new(connection_, column, &value) != SQLITE_OK) continue;
        switch (sqlite3_value_type(value)) {
        case SQLITE_NULL: break;
        case SQLITE_INTEGER: told = static_cast<std::int64_t>(sqlite3_value_int64(value)); break;
        case SQLITE_FLOAT: told = number_of(sqlite3_value_double(value)); break;
        default: {
            const auto* const bytes = static_cast<const char*>(sqlite3_value_blob(value));
            const auto length = static_cast<std::size_t>(sqlite3_value_bytes(value));
            told = bytes == nullptr ? std::string() : std::string(bytes, length);
        }
        }
    }
    return row;
}

void ChangeCapture::removed(const RowPlace& row) {
    const TableShape& shape = shapes_->tables[row.table];
    lock_row(row, LockMode::update);
    for (std::size_t at = 0; at < shape.unique_keys.size(); ++at) {
        if (encode(shape.unique_keys[at].columns, sqlite3_preupdate_old)) lock_key(at, row, false);
    }
    note(changes_->rows, {row, false, true});
    for (const Watch& watch : watches_of_[row.table]) {
        const auto gone = watched_row(watch, sqlite3_preupdate_old);
        if (gone) changes_->watched.push_back({gone, {}});
    }
}

// **Source**: PostgreSQL heap_update: the stronger lock if a column of a unique key changes.
void ChangeCapture::updated(const RowPlace& from, const RowPlace& to) {
    const TableShape& shape = shapes_->tables[from.table];
    const std::size_t row_at = changes_->locks.size();
    lock_row(from, LockMode::no_key_update);
    for (std::size_t at = 0; at < shape.unique_keys.size(); ++at) {
        const bool had = encode(shape.unique_keys[at].columns, sqlite3_preupdate_old);
        other_ = had ? encoded_ : std::string();
        const bool has = encode(shape.unique_keys[at].columns, sqlite3_preupdate_new);
        if (had == has && (!has || encoded_ == other_)) continue;
        changes_->locks[row_at].mode = LockMode::update;
        if (has) lock_key(at, to, true);
        encoded_.swap(other_);
        if (had) lock_key(at, from, false);
    }
    note_references(to, true);
    note(changes_->rows, {from, false, to != from});
    if (to != from) note(changes_->rows, {to, true, false});
    for (const Watch& watch : watches_of_[from.table]) {
        const auto before = watched_row(watch, sqlite3_preupdate_old);
        const auto after = watched_row(watch, sqlite3_preupdate_new);
        if (before != after) changes_->watched.push_back({before, after});
    }
}

/// Returns what the column holds.
FollowedValue ChangeCapture::operand(int column, Get get) {
    using Type = FollowedValue::Type;
    sqlite3_value* value = nullptr;
    if (column < 0 || get(connection_, column, &value) != SQLITE_OK) return {};
    if (sqlite3_value_type(value) == SQLITE_INTEGER)
        return {Type::number, static_cast<std::uint64_t>(sqlite3_value_int64(value))};
    const unsigned char* const text = sqlite3_value_text(value);
    if (text == nullptr) return {};
    const auto length = static_cast<std::size_t>(sqlite3_value_bytes(value));
    const std::string_view words(reinterpret_cast<const char*>(text), length);
    return {Type::text, world_->history().text(words)};
}

/// Returns the row, or nothing if the watch is not for it.
std::optional<WatchedRow> ChangeCapture::watched_row(const Watch& watch, Get get) {
    // Identities and keys are texts; SQLite writes an integer as text in decimal.
    const auto text = [this, get](int column) -> std::uint64_t {
        const FollowedValue found = operand(column, get);
        if (found.type != FollowedValue::Type::number) return found.value;
        return world_->history().text(std::to_string(static_cast<std::int64_t>(found.value)));
    };
    if (watch.only >= 0) {
        const FollowedValue only = operand(watch.only, get);
        if (only.value != sim::hash_text(watches_[watch.index].only_value)) return std::nullopt;
    }
    WatchedRow row;
    row.watch = watch.index;
    row.identity = text(watch.identity);
    row.key = text(watch.key);
    for (std::size_t at = 0; at < watch.followed.size(); ++at)
        row.followed[at] = operand(watch.followed[at], get);
    return row;
}

} // namespace crier::broker
