#pragma once

#include "messaging/ports/clock.hpp"
#include "sim/random.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace crier::sim {

/// Something that lives on a disk in a form of its own (a log of records) rather than as bytes.
class DurableState {
public:
    virtual ~DurableState() = default;

    /// The machine lost power: drops what was not synced, or a drawn part of it if there is a draw.
    /// **Returns** how many writes were lost.
    virtual std::uint64_t lose_unsynced(std::optional<Draw> draw) = 0;
};

/// What a disk writes at once. **Source**: SQLite, "Atomic Commit In SQLite", 2.0.
inline constexpr std::size_t sector_size = 512;

/// One file: what processes read and write (the page cache), and what the platter has.
class File {
public:
    [[nodiscard]] std::size_t size() const { return cached_.size(); }

    /// Copies up to `length` bytes at `offset` to `to`. **Returns** how many there were.
    std::size_t read(std::size_t offset, std::byte* to, std::size_t length) const;
    void write(std::size_t offset, const std::byte* from, std::size_t length);
    void truncate(std::size_t size);

    /// Brings everything to the platter.
    void sync();

    /// Drops what was not synced, or a part of it if there is a draw: each truncation, and each
    /// sector of each write, is on the platter or not, whatever became of those before. A sector is
    /// not written atomically but linearly: its beginning or its end may be there alone; and a file
    /// that grew may have its size without its content, which is anything then.
    /// **Returns** how many writes were lost, in part or as a whole.
    /// **Source**: SQLite, "Atomic Commit In SQLite", 2.0 (linear sector writes), 2.3 (garbage in a
    /// file that grew), 2.2 (the order of writes between syncs is the system's).
    std::uint64_t lose_unsynced(std::optional<Draw> draw);

private:
    struct Change {
        std::size_t offset;  // of a truncation: the new size
        std::size_t length;  // of its bytes
        std::size_t content; // where in written_
        bool truncates;
    };

    using Bytes = std::vector<std::byte>;

    void apply(const Change& change, Bytes& to) const;
    bool write_in_part(const Change& change, Bytes& to, Draw draw, std::uint64_t odds) const;

    Bytes cached_;
    Bytes platter_;
    std::vector<Change> unsynced_; // in order
    Bytes written_;                // the bytes of unsynced writes
};

struct DiskOptions {
    Duration sync_time = std::chrono::microseconds(200); ///< One flush to the platter.
    Duration write_time = std::chrono::microseconds(2);  ///< One write to the page cache.
    Duration read_time = std::chrono::microseconds(1);   ///< One read from the page cache.
    std::uint64_t capacity = std::uint64_t{1} << 40;     ///< Bytes.
};

/// A machine's disk. It keeps files over crashes of the process, and only what was synced over a
/// power loss. I/O happens at once; its time is added up, and whoever did the I/O awaits it before
/// answering.
class Disk {
public:
    explicit Disk(DiskOptions options) : options_(options) {}

    [[nodiscard]] const DiskOptions& options() const { return options_; }

    /// Returns the file. One that was not there is made, empty, and its name is durable at once:
    /// for whoever does not mean to show what becomes of names. The reference lives until the file
    /// is removed, or a loss of power takes its name.
    [[nodiscard]] File& open(std::string_view name);
    [[nodiscard]] bool exists(std::string_view name) const { return find_file(name) != nullptr; }

    /// Returns the file, or null.
    [[nodiscard]] std::shared_ptr<File> find_file(std::string_view name) const;

    /// Returns the names that begin so, sorted.
    [[nodiscard]] std::vector<std::string> names(std::string_view prefix) const;

    // Names change in the page cache only: until the directory is synced, a loss of power may take
    // each name back to what it was at any time since. **Source**: fsync(2), "a file's directory
    // entry"; SQLite's unixSync and unixDelete, which sync the directory therefore.

    /// **Requires** that no file has this name. **Returns** the file, empty.
    std::shared_ptr<File> create(std::string_view name);
    /// Does nothing when it is not there.
    void unlink(std::string_view name);
    void sync_directory();

    /// Adds a state of its own form; lives as long as the disk.
    void attach(std::string_view name, std::unique_ptr<DurableState> state);

    /// Returns the state attached under `name`, or null.
    [[nodiscard]] DurableState* find(std::string_view name) const;

    void add_time(Duration time) { time_ += time * slowness_; }

    /// Returns the I/O time added up since the last call, and starts again.
    [[nodiscard]] Duration take_time() { return std::exchange(time_, Duration{}); }

    /// Makes every I/O `factor` times as slow; 1 is normal.
    void set_slowness(std::int64_t factor) { slowness_ = factor; }

    /// While set, writes that grow a file fail as on a full disk; whoever writes asks first.
    void set_full(bool full) { full_ = full; }
    [[nodiscard]] bool is_full() const { return full_; }

    /// While set, all I/O fails; whoever reads or writes asks first.
    void set_failing(bool failing) { failing_ = failing; }
    [[nodiscard]] bool is_failing() const { return failing_; }

    /// The machine lost power, and everything that could go with it if there is no draw.
    /// **Returns** how many unsynced writes are gone.
    std::uint64_t lose_unsynced(std::optional<Draw> draw);

private:
    /// What a name stood for: on the platter, and since each change of it. Null: nothing.
    using Versions = std::vector<std::shared_ptr<File>>;

    DiskOptions options_;
    std::map<std::string, Versions, std::less<>> names_;
    std::map<std::string, std::unique_ptr<DurableState>, std::less<>> states_;
    Duration time_{};
    std::int64_t slowness_ = 1;
    bool full_ = false;
    bool failing_ = false;
};

} // namespace crier::sim
