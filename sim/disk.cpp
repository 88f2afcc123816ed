#include "sim/disk.hpp"

#include "messaging/ports/ensure.hpp"

#include <algorithm>
#include <cstring>

namespace crier::sim {

std::size_t File::read(std::size_t offset, std::byte* to, std::size_t length) const {
    if (offset >= cached_.size()) return 0;
    const std::size_t count = std::min(length, cached_.size() - offset);
    std::memcpy(to, cached_.data() + offset, count);
    return count;
}

void File::mark(std::size_t offset, std::size_t length) {
    dirty_.resize((cached_.size() + page - 1) / page);
    if (length == 0) return;
    const std::size_t begin = offset / page;
    const std::size_t end = (offset + length - 1) / page + 1;
    for (std::size_t at = begin; at < end; ++at)
        dirty_[at] = true;
    dirty_begin_ = dirty_end_ == 0 ? begin : std::min(dirty_begin_, begin);
    dirty_end_ = std::max(dirty_end_, end);
    ++unsynced_writes_;
}

void File::write(std::size_t offset, const std::byte* from, std::size_t length) {
    if (length == 0) return; // as pwrite: nothing is written, and the file does not grow
    const std::size_t old_size = cached_.size();
    if (offset + length > old_size) cached_.resize(offset + length);
    std::memcpy(cached_.data() + offset, from, length);
    const std::size_t begin = std::min(offset, old_size); // a gap reads as zeros and is new, too
    mark(begin, offset + length - begin);
}

void File::truncate(std::size_t size) {
    const std::size_t old_size = cached_.size();
    cached_.resize(size);
    if (size > old_size) {
        mark(old_size, size - old_size);
    } else {
        dirty_.resize((size + page - 1) / page);
        ++unsynced_writes_;
    }
}

void File::sync() {
    platter_.resize(cached_.size());
    for (std::size_t at = dirty_begin_; at < std::min(dirty_end_, dirty_.size()); ++at) {
        if (!dirty_[at]) continue;
        const std::size_t begin = at * page;
        std::memcpy(platter_.data() + begin, cached_.data() + begin,
                    std::min(page, cached_.size() - begin));
        dirty_[at] = false;
    }
    dirty_end_ = 0;
    unsynced_writes_ = 0;
}

std::uint64_t File::lose_unsynced() {
    cached_ = platter_;
    dirty_.assign((cached_.size() + page - 1) / page, false);
    dirty_end_ = 0;
    return std::exchange(unsynced_writes_, 0);
}

File& Disk::open(std::string_view name) {
    const auto found = files_.find(name);
    if (found != files_.end()) return *found->second;
    return *files_.emplace(name, std::make_unique<File>()).first->second;
}

void Disk::remove(std::string_view name) {
    const auto found = files_.find(name);
    if (found != files_.end()) files_.erase(found);
}

void Disk::attach(std::string_view name, std::unique_ptr<DurableState> state) {
    const bool added = states_.emplace(name, std::move(state)).second;
    ensure(added, "a state of this name is on the disk already");
}

DurableState* Disk::find(std::string_view name) const {
    const auto found = states_.find(name);
    return found == states_.end() ? nullptr : found->second.get();
}

std::uint64_t Disk::lose_unsynced(std::optional<Draw> draw) {
    std::uint64_t lost = 0;
    for (auto& [name, file] : files_)
        lost += file->lose_unsynced();
    for (auto& [name, state] : states_)
        lost += state->lose_unsynced(draw ? std::optional(Draw(mix(draw->bits(), hash_text(name))))
                                          : std::nullopt);
    time_ = {};
    return lost;
}

} // namespace crier::sim
