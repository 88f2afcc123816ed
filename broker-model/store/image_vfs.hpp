#pragma once

#include "broker-model/store/page_image.hpp"

#include <cstdint>

struct sqlite3;

// SQLite's view of a page image: a virtual file system whose files are images. A connection may be
// pointed at another image between two statements, and keeps its prepared statements then.

namespace crier::broker {

/// Makes the file system known to SQLite. For `configure_sqlite`.
void register_image_vfs();

/// What one connection takes for its file.
class ImageFile {
public:
    [[nodiscard]] const PageImage& image() const { return image_; }

    /// Shows another image from now on. **Requires**: no statement is under way.
    void show(PageImage image);

    // For the virtual file system.
    [[nodiscard]] bool read(std::size_t offset, std::byte* to, std::size_t length) const;
    void write(std::size_t offset, const std::byte* from, std::size_t length);
    void truncate(std::size_t size) { image_.truncate(size / page_size); }

private:
    PageImage image_;
    std::uint32_t changes_ = 1; // what stands for the file's change counter
};

/// Opens a connection to `file`, with `other` attached under `other_name`; both outlive it, and
/// show a database already. Without a journal: what a statement leaves behind when it fails is
/// undone by showing the image from before it.
[[nodiscard]] sqlite3* open_images(ImageFile& file, ImageFile& other, const char* other_name);

} // namespace crier::broker
