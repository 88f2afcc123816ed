#include "broker-model/store/disk_access.hpp"

#include "sim/world.hpp"

namespace crier::broker {

DiskAccess::DiskAccess(sim::Node& node)
    : disk_(node.disk()), node_(&node), process_(&node.process()) {}

bool DiskAccess::is_dead() const {
    return process_ != nullptr && !process_->is_alive();
}

IoResult DiskAccess::reach(std::uint64_t point) {
    if (process_ == nullptr) return may_write_ ? IoResult::done : IoResult::dead;
    if (!process_->is_alive()) return IoResult::dead;
    node_->world().faults().on_point(node_->id(), point);
    if (!process_->is_alive()) return IoResult::dead;
    return disk_.is_failing() ? IoResult::failed : IoResult::done;
}

void DiskAccess::add_time(Duration time) {
    if (process_ != nullptr) disk_.add_time(time);
}

IoResult DiskAccess::read(const sim::File& file, std::size_t offset, std::byte* to,
                          std::size_t length, std::size_t& count) {
    if (process_ != nullptr) {
        const IoResult reached = reach(points_.read);
        if (reached != IoResult::done) return reached;
    }
    count = file.read(offset, to, length);
    add_time(disk_.options().read_time);
    return IoResult::done;
}

// A fault strikes before the effect: what is struck down after it is struck before the next.
IoResult DiskAccess::write(sim::File& file, std::size_t offset, const std::byte* from,
                           std::size_t length) {
    const IoResult reached = reach(points_.write);
    if (reached != IoResult::done) return reached;
    if (disk_.is_full() && offset + length > file.size()) return IoResult::full;
    file.write(offset, from, length);
    add_time(disk_.options().write_time);
    return IoResult::done;
}

IoResult DiskAccess::truncate(sim::File& file, std::size_t size) {
    const IoResult reached = reach(points_.truncate);
    if (reached != IoResult::done) return reached;
    file.truncate(size);
    add_time(disk_.options().write_time);
    return IoResult::done;
}

IoResult DiskAccess::sync(sim::File& file) {
    const IoResult reached = reach(points_.sync);
    if (reached != IoResult::done) return reached;
    file.sync();
    add_time(disk_.options().sync_time);
    return IoResult::done;
}

IoResult DiskAccess::sync_directory() {
    const IoResult reached = reach(points_.sync);
    if (reached != IoResult::done) return reached;
    disk_.sync_directory();
    add_time(disk_.options().sync_time);
    return IoResult::done;
}

IoResult DiskAccess::unlink(std::string_view name) {
    const IoResult reached = reach(points_.unlink);
    if (reached != IoResult::done) return reached;
    disk_.unlink(name);
    add_time(disk_.options().write_time);
    return IoResult::done;
}

} // namespace crier::broker
