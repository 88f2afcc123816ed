#include "broker-model/store/disk_access.hpp"

#include "sim/world.hpp"

namespace crier::broker {

DiskAccess::DiskAccess(sim::Node& node)
    : disk_(node.disk()), node_(&node), process_(&node.process()),
      write_point_(sim::hash_text("disk.write")), sync_point_(sim::hash_text("disk.sync")) {}

bool DiskAccess::is_dead() const {
    return process_ != nullptr && !process_->is_alive();
}

bool DiskAccess::passes(std::uint64_t point) {
    if (process_ == nullptr) return may_write_;
    if (!process_->is_alive()) return false;
    node_->world().faults().on_point(node_->id(), point);
    return process_->is_alive();
}

void DiskAccess::add_time(Duration time) {
    if (process_ != nullptr) disk_.add_time(time);
}

// A fault strikes before the effect: what is struck down after it is struck before the next.
IoResult DiskAccess::write(sim::File& file, std::size_t offset, const std::byte* from,
                           std::size_t length) {
    if (!passes(write_point_)) return IoResult::dead;
    if (disk_.is_full() && offset + length > file.size()) return IoResult::full;
    file.write(offset, from, length);
    add_time(disk_.options().write_time);
    return IoResult::done;
}

IoResult DiskAccess::truncate(sim::File& file, std::size_t size) {
    if (!passes(write_point_)) return IoResult::dead;
    file.truncate(size);
    add_time(disk_.options().write_time);
    return IoResult::done;
}

IoResult DiskAccess::sync(sim::File& file) {
    if (!passes(sync_point_)) return IoResult::dead;
    file.sync();
    add_time(disk_.options().sync_time);
    return IoResult::done;
}

IoResult DiskAccess::remove(std::string_view name) {
    if (!passes(write_point_)) return IoResult::dead;
    disk_.remove(name);
    return IoResult::done;
}

} // namespace crier::broker
