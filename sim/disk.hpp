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

    /// Drops what was not synced. **Returns** how many writes were lost.
    std::uint64_t lose_unsynced();

private:
    void mark(std::size_t offset, std::size_t length);

    static constexpr std::size_t page = 1024;
    std::vector<std::byte> cached_;
    std::vector<std::byte> platter_;
    std::vector<bool> dirty_;     // by page of cached_
    std::size_t dirty_begin_ = 0; // no page before is dirty, nor one from `dirty_end_` on
    std::size_t dirty_end_ = 0;
    std::uint64_t unsynced_writes_ = 0;
};

struct DiskOptions {
    Duration sync_time = std::chrono::microseconds(200); ///< One flush to the platter.
    Duration write_time = std::chrono::microseconds(2);  ///< One write to the page cache.
    std::uint64_t capacity = std::uint64_t{1} << 40;     ///< Bytes.
};

/// A machine's disk. It keeps files over crashes of the process, and only what was synced over a
/// power loss. I/O happens at once; its time is added up, and whoever did the I/O awaits it before
/// answering. Creation and removal of files are durable at once (the directory is synced by the
/// file system).
class Disk {
public:
    explicit Disk(DiskOptions options) : options_(options) {}

    [[nodiscard]] const DiskOptions& options() const { return options_; }

    /// Returns the file, created empty if it was not there. The reference lives until `remove`.
    [[nodiscard]] File& open(std::string_view name);
    [[nodiscard]] bool exists(std::string_view name) const { return files_.contains(name); }
    void remove(std::string_view name);

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

    /// The machine lost power, and everything that could go with it if there is no draw.
    /// **Returns** how many unsynced writes are gone.
    std::uint64_t lose_unsynced(std::optional<Draw> draw);

private:
    DiskOptions options_;
    std::map<std::string, std::unique_ptr<File>, std::less<>> files_;
    std::map<std::string, std::unique_ptr<DurableState>, std::less<>> states_;
    Duration time_{};
    std::int64_t slowness_ = 1;
    bool full_ = false;
};

} // namespace crier::sim
