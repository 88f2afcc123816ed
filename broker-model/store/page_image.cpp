#include "broker-model/store/page_image.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <sqlite3.h>
#include <string_view>

namespace crier::broker {

namespace {

constexpr std::size_t schema_cookie = 40; // big-endian

} // namespace

PageImage::PageImage() : root_(new Root) {}

std::size_t PageImage::page_count() const {
    return root_->page_count;
}

const std::byte* PageImage::page(std::size_t index) const {
    return root_->chunks[index / chunk_pages]->pages[index % chunk_pages]->bytes.data();
}

template <class T>
T& PageImage::own(Shared<T>& shared) {
    if (shared->use_count() > 1) shared = new T(*shared);
    return *shared;
}

std::byte* PageImage::writable(std::size_t index) {
    Root& root = own(root_);
    while (root.page_count <= index) {
        if (root.page_count % chunk_pages == 0) root.chunks.emplace_back(new Chunk);
        Shared<Page> fresh(new Page);
        fresh->bytes.fill(std::byte{0});
        own(root.chunks.back()).pages[root.page_count % chunk_pages] = std::move(fresh);
        ++root.page_count;
    }
    return own(own(root.chunks[index / chunk_pages]).pages[index % chunk_pages]).bytes.data();
}

void PageImage::truncate(std::size_t count) {
    if (count == root_->page_count) return;
    Root& root = own(root_);
    root.page_count = count;
    root.chunks.resize((count + chunk_pages - 1) / chunk_pages);
    if (count % chunk_pages == 0) return;
    Chunk& last = own(root.chunks.back());
    for (std::size_t at = count % chunk_pages; at < chunk_pages; ++at)
        last.pages[at].reset();
}

std::uint32_t schema_of(const PageImage& image) {
    std::uint32_t schema = 0;
    for (std::size_t at = 0; at < 4; ++at)
        schema = schema << 8 | std::to_integer<std::uint32_t>(image.page(0)[schema_cookie + at]);
    return schema;
}

void set_schema(PageImage& image, std::uint32_t hash) {
    std::byte* const page = image.writable(0);
    for (std::size_t at = 0; at < 4; ++at)
        page[schema_cookie + at] = static_cast<std::byte>(hash >> (8 * (3 - at)));
}

std::vector<std::byte> to_bytes(const PageImage& image) {
    std::vector<std::byte> bytes(image.page_count() * page_size);
    for (std::size_t at = 0; at < image.page_count(); ++at)
        std::memcpy(bytes.data() + at * page_size, image.page(at), page_size);
    return bytes;
}

PageImage to_image(std::span<const std::byte> bytes) {
    PageImage image;
    for (std::size_t at = 0; at * page_size < bytes.size(); ++at)
        std::memcpy(image.writable(at), bytes.data() + at * page_size, page_size);
    return image;
}

// **Source**: SQLite database file format, section 1.3.
PageImage empty_database() {
    constexpr std::string_view magic = "SQLite format 3";
    PageImage image;
    std::byte* const page = image.writable(0);
    const auto put = [page](std::size_t offset, std::uint32_t value, int width) {
        for (int at = 0; at < width; ++at) {
            page[offset + static_cast<std::size_t>(at)] =
                static_cast<std::byte>(value >> (8 * (width - 1 - at)));
        }
    };
    std::memcpy(page, magic.data(), magic.size()); // and a zero
    put(16, page_size, 2);
    put(18, 0x0101, 2);     // written and read without a write-ahead log
    put(20, 0x00402020, 4); // payload fractions, which are fixed
    put(24, 1, 4);          // changes
    put(28, 1, 4);          // pages
    put(44, 4, 4);          // schema format
    put(56, 1, 4);          // UTF-8
    put(92, 1, 4);          // the page count is valid for this number of changes
    put(96, SQLITE_VERSION_NUMBER, 4);
    put(100, 0x0D, 1);      // an empty leaf of the schema's table
    put(105, page_size, 2); // where its content would begin
    return image;
}

} // namespace crier::broker
