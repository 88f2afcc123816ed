#include "messaging/key_queues.hpp"

#include "messaging/ports/ensure.hpp"

#include <utility>

namespace crier::messaging {

void KeyQueues::push(Delivery delivery) {
    auto work = std::make_shared<Work>();
    const auto [queue, is_new] = queues_.try_emplace(name_of(delivery));
    work->delivery = std::move(delivery);
    queue->second.works.push_back(std::move(work));
    ++size_;
    if (is_new) ready_.push_back(queue);
}

std::shared_ptr<Work> KeyQueues::take() {
    if (ready_.empty()) return nullptr;
    const Queues::iterator queue = ready_.front();
    ready_.pop_front();
    queue->second.state = State::running;
    return queue->second.works.front();
}

void KeyQueues::finish(const Work& work) {
    if (work.forgotten) return;
    const Queues::iterator queue = head(work);
    ensure(queue->second.state == State::running, "finished work was not running");
    queue->second.works.pop_front();
    --size_;
    if (queue->second.works.empty()) {
        queues_.erase(queue);
    } else {
        queue->second.state = State::ready;
        ready_.push_back(queue);
    }
}

void KeyQueues::defer(const Work& work) {
    if (!work.forgotten) head(work)->second.state = State::waiting;
}

void KeyQueues::resume(const Work& work) {
    if (work.forgotten) return;
    const Queues::iterator queue = head(work);
    ensure(queue->second.state == State::waiting, "resumed work was not waiting");
    queue->second.state = State::ready;
    ready_.push_back(queue);
}

void KeyQueues::close(std::uint64_t lane) {
    remove_lane(lane, false);
}

void KeyQueues::forget(std::uint64_t lane) {
    remove_lane(lane, true);
}

void KeyQueues::close_all() {
    for (auto queue = queues_.begin(); queue != queues_.end();)
        queue = remove(queue, false);
}

void KeyQueues::forget_all() {
    for (auto queue = queues_.begin(); queue != queues_.end();)
        queue = remove(queue, true);
}

bool KeyQueues::is_running(std::uint64_t lane) const {
    Name first;
    first.lane = lane;
    for (auto queue = queues_.lower_bound(first);
         queue != queues_.end() && queue->first.lane == lane; ++queue) {
        if (queue->second.state == State::running) return true;
    }
    return false;
}

bool KeyQueues::is_running() const {
    for (const auto& [name, queue] : queues_) {
        if (queue.state == State::running) return true;
    }
    return false;
}

KeyQueues::Name KeyQueues::name_of(const Delivery& delivery) const {
    Name name;
    name.lane = delivery.lane;
    if (by_key_ && !delivery.message.key.empty()) {
        name.key = delivery.message.key;
    } else {
        name.token = delivery.token;
    }
    return name;
}

KeyQueues::Queues::iterator KeyQueues::head(const Work& work) {
    const Queues::iterator queue = queues_.find(name_of(work.delivery));
    ensure(queue != queues_.end() && queue->second.works.front().get() == &work,
           "work is not at the head of its queue");
    return queue;
}

KeyQueues::Queues::iterator KeyQueues::remove(Queues::iterator queue, bool running_too) {
    std::list<std::shared_ptr<Work>>& works = queue->second.works;
    auto first_removed = works.begin();
    if (queue->second.state == State::running) {
        works.front()->closing = true;
        if (!running_too) ++first_removed;
    }
    for (auto work = first_removed; work != works.end(); ++work)
        (*work)->forgotten = true;
    size_ -= static_cast<std::size_t>(std::distance(first_removed, works.end()));
    works.erase(first_removed, works.end());
    if (!works.empty()) return std::next(queue);
    if (queue->second.state == State::ready) {
        std::erase_if(ready_, [queue](Queues::iterator other) { return other == queue; });
    }
    return queues_.erase(queue);
}

void KeyQueues::remove_lane(std::uint64_t lane, bool running_too) {
    Name first;
    first.lane = lane;
    auto queue = queues_.lower_bound(first);
    while (queue != queues_.end() && queue->first.lane == lane)
        queue = remove(queue, running_too);
}

} // namespace crier::messaging
