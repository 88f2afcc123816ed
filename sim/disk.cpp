#include "sim/disk.hpp"

#include "messaging/ports/ensure.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace crier::sim {

namespace {

/// With more than this unsynced, the system brings it to the platter by itself.
/// **Source**: Linux vm.dirty_background_bytes, by far smaller.
constexpr std::size_t unsynced_bytes_max = 1 << 20;

} // namespace

std::size_t File::read(std::size_t offset, std::byte* to, std::size_t length) const {
    if (offset >= cached_.size()) return 0;
    const std::size_t count = std::min(length, cached_.size() - offset);
    std::memcpy(to, cached_.data() + offset, count);
    return count;
}

void File::apply(const Change& change, Bytes& to) const {
    if (change.truncates) return to.resize(change.offset);
    if (change.offset + change.length > to.size()) to.resize(change.offset + change.length);
    std::memcpy(to.data() + change.offset, written_.data() + change.content, change.length);
}

void File::write(std::size_t offset, const std::byte* from, std::size_t length) {
    if (length == 0) return; // as pwrite: nothing is written, and the file does not grow
    unsynced_.push_back({offset, length, written_.size(), false});
    written_.insert(written_.end(), from, from + length);
    apply(unsynced_.back(), cached_);
    if (written_.size() > unsynced_bytes_max) sync();
}

void File::truncate(std::size_t size) {
    unsynced_.push_back({size, 0, 0, true});
    apply(unsynced_.back(), cached_);
}

void File::sync() {
    for (const Change& change : unsynced_)
        apply(change, platter_);
    unsynced_.clear();
    written_.clear();
}

/// Writes what of the sectors a loss of power left to the platter, each with `odds` of 16.
/// **Returns** whether that is all.
bool File::write_in_part(const Change& change, Bytes& to, Draw draw, std::uint64_t odds) const {
    const std::byte* const content = written_.data() + change.content;
    const std::size_t end = change.offset + change.length;
    bool is_whole = true;
    // The size of a file is not with its content: each may be there without the other.
    const std::size_t old_size = to.size();
    if (end > old_size && draw.next(0).below(2) == 0) {
        to.resize(end);
        for (std::size_t at = old_size; at < end; ++at)
            to[at] = static_cast<std::byte>(draw.next(at).bits());
    }
    for (std::size_t begin = change.offset; begin < end;) {
        std::size_t next = std::min(end, (begin / sector_size + 1) * sector_size);
        const std::size_t after = next;
        const Draw fate = Draw(mix(draw.bits(), begin));
        if (fate.below(16) >= odds) {
            is_whole = false;
            next = begin;
        } else if (fate.next(0).below(8) == 0) {
            is_whole = false;
            const auto torn = static_cast<std::size_t>(fate.next(1).below(next - begin + 1));
            (fate.next(2).below(2) == 0 ? next : begin) = begin + torn;
        }
        if (next > begin) {
            if (next > to.size()) to.resize(next);
            std::memcpy(to.data() + begin, content + (begin - change.offset), next - begin);
        }
        begin = after;
    }
    return is_whole;
}

// Most of what is unsynced is there, or half of it, or little: a sector that is missing alone and
// one that is there alone are both rare otherwise.
std::uint64_t File::lose_unsynced(std::optional<Draw> draw) {
    std::uint64_t lost = draw ? 0 : unsynced_.size();
    if (draw) {
        constexpr std::array<std::uint64_t, 3> odds_of_16{1, 8, 15};
        const std::uint64_t odds = odds_of_16[draw->next(0).below(odds_of_16.size())];
        for (std::size_t at = 0; at < unsynced_.size(); ++at) {
            const Draw fate = draw->next(at + 1);
            const Change& change = unsynced_[at];
            if (!change.truncates) {
                lost += write_in_part(change, platter_, fate, odds) ? 0 : 1;
            } else if (fate.below(16) < odds) {
                apply(change, platter_);
            } else {
                ++lost;
            }
        }
    }
    unsynced_.clear();
    written_.clear();
    cached_ = platter_;
    return lost;
}

std::vector<std::string> Disk::names(std::string_view prefix) const {
    std::vector<std::string> found;
    for (auto at = names_.lower_bound(prefix); at != names_.end(); ++at) {
        if (!at->first.starts_with(prefix)) break;
        if (at->second.back() != nullptr) found.push_back(at->first);
    }
    return found;
}

std::shared_ptr<File> Disk::find_file(std::string_view name) const {
    const auto found = names_.find(name);
    return found == names_.end() ? nullptr : found->second.back();
}

File& Disk::open(std::string_view name) {
    if (const std::shared_ptr<File> found = find_file(name)) return *found;
    const std::shared_ptr<File> made = create(name);
    names_.find(name)->second = {made};
    return *made;
}

std::shared_ptr<File> Disk::create(std::string_view name) {
    auto found = names_.find(name);
    if (found == names_.end()) found = names_.emplace(name, Versions{nullptr}).first;
    ensure(found->second.back() == nullptr, "a file that is made was not there");
    return found->second.emplace_back(std::make_shared<File>());
}

void Disk::unlink(std::string_view name) {
    if (exists(name)) names_.find(name)->second.push_back(nullptr);
}

void Disk::sync_directory() {
    for (auto& [name, versions] : names_)
        versions = {versions.back()};
    std::erase_if(names_, [](const auto& each) { return each.second.back() == nullptr; });
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
    const auto draw_for = [&draw](std::string_view name) {
        return draw ? std::optional(Draw(mix(draw->bits(), hash_text(name)))) : std::nullopt;
    };
    for (auto& [name, versions] : names_) {
        const std::optional<Draw> fate = draw_for(name);
        const std::size_t kept = fate ? static_cast<std::size_t>(fate->below(versions.size())) : 0;
        lost += versions.size() - 1 - kept;
        versions = {versions[kept]};
        if (versions.back() != nullptr) lost += versions.back()->lose_unsynced(fate);
    }
    std::erase_if(names_, [](const auto& each) { return each.second.back() == nullptr; });
    for (auto& [name, state] : states_)
        lost += state->lose_unsynced(draw_for(name));
    time_ = {};
    return lost;
}

} // namespace crier::sim
