#pragma once

#include <array>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

// The pages of a database as a value: a copy is a snapshot, and costs the copy of a pointer. What
// two images have in common they share, until one of them writes to it.

namespace crier::broker {

/// Bytes of a page of every simulated database. Small pages are the cheapest ones to copy.
inline constexpr std::size_t page_size = 1024;

/// The content of a database file. Images of one world belong to its thread.
class PageImage {
public:
    /// No pages.
    PageImage();

    [[nodiscard]] std::size_t page_count() const;

    /// Returns the page at `index`, from 0. **Requires**: it is there.
    [[nodiscard]] const std::byte* page(std::size_t index) const;

    /// As `page`, to be written to; adds what is missing up to it, as zeros. Good until the image
    /// is copied or changed.
    [[nodiscard]] std::byte* writable(std::size_t index);

    /// Drops the pages from `count` on. **Requires**: not more than there are.
    void truncate(std::size_t count);

    /// Whether both are the same snapshot; other images may have the same content all the same.
    friend bool operator==(const PageImage& a, const PageImage& b) { return a.root_ == b.root_; }

private:
    template <class T>
    using Counted = boost::intrusive_ref_counter<T, boost::thread_unsafe_counter>;
    template <class T>
    using Shared = boost::intrusive_ptr<T>;

    struct Page : Counted<Page> {
        std::array<std::byte, page_size> bytes;
    };
    static constexpr std::size_t chunk_pages = 32;
    struct Chunk : Counted<Chunk> {
        std::array<Shared<Page>, chunk_pages> pages;
    };
    struct Root : Counted<Root> {
        std::vector<Shared<Chunk>> chunks;
        std::size_t page_count = 0;
    };

    template <class T>
    static T& own(Shared<T>& shared);

    Shared<Root> root_;
};

/// Returns what tells schemas apart: images of one schema have the same, others another one.
/// **Source**: SQLite database file format, section 1.3.9, the schema cookie.
[[nodiscard]] std::uint32_t schema_of(const PageImage& image);

/// Tells `image` to have the schema `hash` from now on.
void set_schema(PageImage& image, std::uint32_t hash);

/// Returns the bytes of all pages.
[[nodiscard]] std::vector<std::byte> to_bytes(const PageImage& image);

/// The reverse. **Requires**: whole pages.
[[nodiscard]] PageImage to_image(std::span<const std::byte> bytes);

/// Returns a database file without tables.
[[nodiscard]] PageImage empty_database();

} // namespace crier::broker
