#include "sim/disk.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <set>
#include <string>

// What a loss of power leaves of files and of their names: any part of what was not synced.

namespace crier::sim::test {
namespace {

constexpr std::size_t seeds = 400;

using Content = std::vector<std::byte>;

Draw draw_of(std::size_t seed) {
    return Random(seed).draw(Purpose("test"));
}

void put(File& file, std::size_t sector, std::size_t count, char what) {
    const Content bytes(count * sector_size, static_cast<std::byte>(what));
    file.write(sector * sector_size, bytes.data(), bytes.size());
}

Content content_of(const File& file) {
    Content bytes(file.size());
    file.read(0, bytes.data(), bytes.size());
    return bytes;
}

/// One letter for a sector: what it is full of, or `?`.
std::string told(const File& file) {
    const Content bytes = content_of(file);
    std::string text;
    for (std::size_t at = 0; at < bytes.size(); at += sector_size) {
        const auto end =
            bytes.begin() + static_cast<std::ptrdiff_t>(std::min(at + sector_size, bytes.size()));
        const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at);
        const bool is_pure = std::all_of(begin, end, [&](std::byte it) { return it == *begin; });
        text += is_pure ? static_cast<char>(*begin) : '?';
    }
    return text;
}

TEST(PowerLoss, KeepsAnySubsetOfTheSectors) {
    std::set<std::string> seen;
    for (std::size_t seed = 0; seed < seeds; ++seed) {
        Disk disk{DiskOptions{}};
        File& file = disk.open("f");
        put(file, 0, 3, 'o');
        file.sync();
        put(file, 0, 3, 'n');
        EXPECT_EQ(told(file), "nnn");
        const std::uint64_t lost = disk.lose_unsynced(draw_of(seed));
        seen.insert(told(file));
        EXPECT_EQ(lost, told(file) == "nnn" ? 0u : 1u);
    }
    for (const char* subset : {"ooo", "noo", "ono", "oon", "nno", "non", "onn", "nnn"})
        EXPECT_TRUE(seen.contains(subset)) << subset;
    EXPECT_TRUE(seen.contains("?nn") || seen.contains("n?n")) << "a sector may be torn";
}

TEST(PowerLoss, TearsASectorInTwoAndNoFurther) {
    bool is_seen = false;
    for (std::size_t seed = 0; seed < seeds; ++seed) {
        Disk disk{DiskOptions{}};
        File& file = disk.open("f");
        put(file, 0, 1, 'o');
        file.sync();
        put(file, 0, 1, 'n');
        disk.lose_unsynced(draw_of(seed));
        const Content bytes = content_of(file);
        std::size_t changes = 0;
        for (std::size_t at = 1; at < bytes.size(); ++at)
            changes += bytes[at] != bytes[at - 1] ? 1 : 0;
        EXPECT_LE(changes, 1u);
        is_seen = is_seen || changes == 1;
    }
    EXPECT_TRUE(is_seen);
}

// Of two writes to one place the first may be there without the second, and the other way round.
TEST(PowerLoss, ForgetsTheOrderOfWrites) {
    std::set<std::string> seen;
    for (std::size_t seed = 0; seed < seeds; ++seed) {
        Disk disk{DiskOptions{}};
        File& file = disk.open("f");
        put(file, 0, 2, 'o');
        file.sync();
        put(file, 0, 1, '1');
        put(file, 0, 1, '2');
        put(file, 1, 1, '3');
        disk.lose_unsynced(draw_of(seed));
        seen.insert(told(file));
    }
    for (const char* order : {"oo", "1o", "2o", "o3", "13", "23"})
        EXPECT_TRUE(seen.contains(order)) << order;
}

TEST(PowerLoss, UndoesATruncationAlsoWhereSomethingWasWrittenSince) {
    std::set<std::string> seen;
    for (std::size_t seed = 0; seed < seeds; ++seed) {
        Disk disk{DiskOptions{}};
        File& file = disk.open("f");
        put(file, 0, 2, 'o');
        file.sync();
        file.truncate(0);
        put(file, 0, 1, 'n');
        disk.lose_unsynced(draw_of(seed));
        seen.insert(told(file));
    }
    for (const char* outcome : {"oo", "no", "n", ""})
        EXPECT_TRUE(seen.contains(outcome)) << outcome;
}

TEST(PowerLoss, MayKeepTheSizeOfAFileWithoutItsContent) {
    bool is_seen = false;
    for (std::size_t seed = 0; seed < seeds; ++seed) {
        Disk disk{DiskOptions{}};
        File& file = disk.open("f");
        put(file, 0, 1, 'n');
        disk.lose_unsynced(draw_of(seed));
        const Content bytes = content_of(file);
        is_seen = is_seen || (!bytes.empty() && std::count(bytes.begin(), bytes.end(),
                                                           static_cast<std::byte>('n')) < 100);
    }
    EXPECT_TRUE(is_seen);
}

TEST(PowerLoss, IsADrawAndNothingElse) {
    const auto outcome = [](std::size_t seed) {
        Disk disk{DiskOptions{}};
        File& file = disk.open("f");
        put(file, 0, 8, 'n');
        disk.lose_unsynced(draw_of(seed));
        return content_of(file);
    };
    EXPECT_EQ(outcome(1), outcome(1));
    EXPECT_NE(outcome(1), outcome(2));
}

TEST(Disk, ListsTheNamesThatBeginSo) {
    Disk disk{DiskOptions{}};
    for (const char* name : {"a.2", "b", "a.1", "a"})
        (void)disk.open(name);
    disk.unlink("a.2");
    (void)disk.open("a.3");
    EXPECT_EQ(disk.names("a."), (std::vector<std::string>{"a.1", "a.3"}));
    EXPECT_TRUE(disk.names("c").empty());
}

TEST(PowerLoss, TakesNamesBackUntilTheirDirectoryIsSynced) {
    std::set<std::string> seen;
    for (std::size_t seed = 0; seed < seeds; ++seed) {
        Disk disk{DiskOptions{}};
        put(disk.open("old"), 0, 1, 'o');
        disk.open("old").sync();
        const std::shared_ptr<File> file = disk.create("new");
        put(*file, 0, 1, 'n');
        file->sync();
        disk.unlink("old");
        EXPECT_FALSE(disk.exists("old"));
        disk.lose_unsynced(draw_of(seed));
        std::string names;
        for (const char* name : {"old", "new"}) {
            if (disk.exists(name)) names += std::string(name) + "=" + told(disk.open(name)) + " ";
        }
        seen.insert(names);
    }
    EXPECT_EQ(seen, (std::set<std::string>{"", "old=o ", "new=n ", "old=o new=n "}));
}

TEST(PowerLoss, KeepsNamesWhoseDirectoryWasSynced) {
    for (std::size_t seed = 0; seed < seeds; ++seed) {
        Disk disk{DiskOptions{}};
        (void)disk.open("old");
        (void)disk.create("new");
        disk.unlink("old");
        disk.sync_directory();
        disk.lose_unsynced(draw_of(seed));
        EXPECT_TRUE(disk.exists("new"));
        EXPECT_FALSE(disk.exists("old"));
    }
}

} // namespace
} // namespace crier::sim::test
