#include "broker-model/store/embedded/file_ledger.hpp"

#include "broker-model/events.hpp"
#include "broker-model/store/embedded/file_copy.hpp"
#include "sim/world.hpp"

#include <algorithm>
#include <utility>

namespace crier::broker {

namespace {

/// Returns a name in SQL, whatever is in it.
std::string quoted(const std::string& name) {
    std::string text = "\"";
    for (const char c : name)
        text += c == '"' ? "\"\"" : std::string(1, c);
    return text + "\"";
}

/// Returns the rows that a transaction brought.
std::vector<WatchedRow> rows_brought(const std::vector<WatchedChange>& changes) {
    std::vector<WatchedRow> rows;
    for (const WatchedChange& change : net_changes(changes)) {
        if (!change.from && change.to) rows.push_back(*change.to);
    }
    return rows;
}

} // namespace

FileLedger::FileLedger(sim::World& world, const FileOptions& options, std::uint64_t& commits)
    : world_(world), options_(options), commits_(commits),
      database_text_(world.history().name(options.name)) {
    for (const RowWatch& watch : options.watches)
        table_texts_.push_back(world.history().name(options.name + "." + watch.table));
}

FileLedger::Row FileLedger::row_of(const WatchedRow& row) {
    return {row.watch, row.identity, row.key};
}

void FileLedger::tell(const sim::Process& process, const Row& row) {
    world_.record_as(&process, events::row_durable, table_texts_[row.watch], row.identity, row.key,
                     commits_);
}

/// Changes are in the file. A row that only got other words is no new one.
void FileLedger::note(const std::vector<WatchedChange>& changes) {
    for (const WatchedChange& change : changes) {
        if (change.from) --rows_[row_of(*change.from)].present;
        if (!change.to) continue;
        Count& count = rows_[row_of(*change.to)];
        ++count.present;
        count.told = std::max(count.told, count.present);
    }
}

void FileLedger::committed(const sim::Process& process, bool wrote) {
    if (!process.is_alive()) return; // a ghost records nothing: the next life looks
    if (wrote) {
        ++commits_;
        world_.record_as(&process, events::committed, database_text_, commits_, process.node());
    }
    for (const WatchedRow& row : rows_brought(in_doubt_))
        tell(process, row_of(row));
    note(in_doubt_);
    in_doubt_.clear();
}

FileLedger::Rows FileLedger::read(const sim::Disk& disk) {
    Rows found;
    if (!disk.exists(options_.name)) return found;
    FileCopy copy(disk, options_.name);
    for (std::uint32_t at = 0; at < options_.watches.size(); ++at) {
        const RowWatch& watch = options_.watches[at];
        const std::string key =
            watch.key.empty() ? "null" : "cast(" + quoted(watch.key) + " as text)";
        crier::Rows rows; // what cannot be read is not there
        (void)copy.read("select cast(" + quoted(watch.identity) + " as text), " + key + " from " +
                            quoted(watch.table),
                        rows);
        for (const crier::Row& row : rows) {
            const auto operand = [this](const Value& value) -> std::uint64_t {
                const auto* const text = std::get_if<std::string>(&value);
                return text == nullptr ? 0 : world_.history().text(*text);
            };
            ++found[Row{at, operand(row[0]), operand(row[1])}];
        }
    }
    return found;
}

void FileLedger::recovered(const sim::Process& process, const sim::Disk& disk) {
    const Rows found = read(disk);
    const auto count_of = [&found](const Row& row) {
        const auto at = found.find(row);
        return at == found.end() ? std::int64_t{0} : at->second;
    };
    for (const WatchedChange& change : in_doubt_) { // an earlier row with other words is no new one
        if (!change.from || !change.to || rows_[row_of(*change.from)].present <= 0) continue;
        Count& count = rows_[row_of(*change.to)];
        count.told = std::max(count.told, count_of(row_of(*change.to)));
    }
    std::vector<Row> fresh; // in the order of their transaction, then by what they say
    for (const WatchedRow& row : rows_brought(in_doubt_))
        fresh.push_back(row_of(row));
    for (const auto& [row, count] : found)
        fresh.push_back(row);
    bool is_told = false;
    for (const Row& row : fresh) {
        Count& count = rows_[row];
        for (; count.told < count_of(row); ++count.told) {
            if (!std::exchange(is_told, true)) {
                ++commits_;
                constexpr std::uint32_t nobody = 0; // whoever asked for it is dead
                world_.record_as(&process, events::committed, database_text_, commits_, nobody);
            }
            tell(process, row);
        }
    }
    std::map<Row, std::int64_t> removed; // by the transaction in doubt
    for (const WatchedChange& change : in_doubt_) {
        if (change.from) ++removed[row_of(*change.from)];
    }
    for (auto& [row, count] : rows_) {
        const auto gone = removed.find(row);
        const std::int64_t least = count.present - (gone == removed.end() ? 0 : gone->second);
        for (std::int64_t at = count_of(row); at < least; ++at) {
            world_.record_as(&process, events::row_lost, table_texts_[row.watch], row.identity);
            --count.told;
        }
        count.present = count_of(row);
    }
    in_doubt_.clear();
}

} // namespace crier::broker
