#include "sim/network.hpp"

#include "sim/world.hpp"

#include <algorithm>
#include <string>

namespace crier::sim {

namespace {

// Boost's base class has no virtual destructor and needs none: categories are never destroyed.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class CallCategory final : public boost::system::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "crier.call"; }
    [[nodiscard]] std::string message(int value) const override {
        switch (static_cast<CallError>(value)) {
        case CallError::refused: return "connection refused";
        case CallError::reset: return "connection reset";
        case CallError::timed_out: return "no answer in time";
        }
        return "unknown call error";
    }
};
#pragma GCC diagnostic pop

std::uint64_t pair_of(std::uint32_t from, std::uint32_t to) {
    return (static_cast<std::uint64_t>(from) << 32) | to;
}

} // namespace

const boost::system::error_category& call_category() noexcept {
    static constexpr CallCategory category;
    return category;
}

Network::Network(World& world, Kernel& kernel, const Random& random, NetworkOptions options)
    : world_(world), kernel_(kernel), random_(random), options_(options) {}

Process* Network::running_process(Node& node) {
    return node.is_up() ? &node.process() : nullptr;
}
std::uint32_t Network::id_of(const Node& node) {
    return node.id();
}
Node& Network::node_of(std::uint32_t id) {
    return world_.node(id);
}

Network::Link& Network::link(std::uint32_t from, std::uint32_t to) {
    if (links_.size() * 2 >= link_index_.size()) {
        link_index_.assign(std::max<std::size_t>(64, link_index_.size() * 2), 0);
        for (std::uint32_t at = 0; at < links_.size(); ++at) {
            std::size_t place =
                mix(pair_of(links_[at].from, links_[at].to), 0) & (link_index_.size() - 1);
            while (link_index_[place] != 0)
                place = (place + 1) & (link_index_.size() - 1);
            link_index_[place] = at + 1;
        }
    }
    std::size_t place = mix(pair_of(from, to), 0) & (link_index_.size() - 1);
    while (link_index_[place] != 0) {
        Link& found = links_[link_index_[place] - 1];
        if (found.from == from && found.to == to) return found;
        place = (place + 1) & (link_index_.size() - 1);
    }
    Link& added = links_.emplace_back();
    added.from = from;
    added.to = to;
    kernel_.add_shelf(added.stalled);
    link_index_[place] = static_cast<std::uint32_t>(links_.size());
    return added;
}

Network::Passage Network::pass(Process& from, Node& to, const CallKind& kind, std::size_t bytes,
                               std::uint64_t subject) {
    static constexpr Purpose latency_draw{"network.latency"};
    static constexpr Purpose loss_draw{"network.loss"};
    ++messages_;
    Link& way = link(from.node(), to.id());
    Passage passage;
    passage.link = &way;
    if (way.blocks != 0) {
        passage.stalled = true;
        return passage;
    }
    const std::int64_t now = kernel_.now().time_since_epoch().count();
    const auto when = static_cast<std::uint64_t>(now);
    const Draw draw = random_.draw(latency_draw, pair_of(way.from, way.to), kind.id,
                                   subject == 0 ? when : subject);
    std::int64_t latency = draw.between(options_.latency_min, options_.latency_max).count();
    if (draw.next(0).happens(options_.tail)) latency *= options_.tail_factor;
    if (way.slowness != 1) {
        latency *= way.slowness;
        for (const LinkFault& fault : way.faults) {
            if (fault.slowness != 1) world_.faults().note_hit(fault.fault);
        }
    }
    if (way.loss.per_million != 0) {
        const Draw loss = random_.draw(loss_draw, pair_of(way.from, way.to), kind.id, when);
        int lost = 0;
        while (loss.next(static_cast<std::uint64_t>(lost)).happens(way.loss)) {
            latency += options_.retransmission.count() << lost;
            if (++lost > options_.retransmissions_max) break;
        }
        if (lost > 0) {
            for (const LinkFault& fault : way.faults) {
                if (fault.loss.per_million != 0) world_.faults().note_hit(fault.fault);
            }
        }
        if (lost > options_.retransmissions_max) {
            reset(way.from, way.to);
            passage.link = nullptr;
            return passage;
        }
    }
    std::int64_t departure = now;
    if (options_.nanoseconds_per_kib != 0) {
        const std::int64_t transmission =
            static_cast<std::int64_t>(bytes) * options_.nanoseconds_per_kib / 1024;
        departure = std::max(now, way.busy_until) + transmission;
        way.busy_until = departure;
    }
    way.last_arrival = std::max(departure + latency, way.last_arrival + 1);
    passage.due = Instant(Duration(way.last_arrival));
    return passage;
}

void Network::note_stall(const Link& link, const CallKind& kind) {
    world_.record(events::message_stalled, world_.history().name(kind.name), link.from, link.to);
    for (const LinkFault& fault : link.faults) {
        if (fault.blocks) world_.faults().note_hit(fault.fault);
    }
}

void Network::refresh(Link& link) {
    const bool blocked = link.blocks != 0;
    link.blocks = 0;
    link.slowness = 1;
    link.loss = {};
    for (const LinkFault& fault : link.faults) {
        link.blocks += fault.blocks ? 1 : 0;
        link.slowness *= fault.slowness;
        link.loss.per_million =
            std::min(1'000'000u, link.loss.per_million + fault.loss.per_million);
    }
    if (!blocked || link.blocks != 0) return;
    // The senders' next retransmission gets through; order is kept.
    static constexpr Purpose thaw{"network.thaw"};
    const auto when = static_cast<std::uint64_t>(kernel_.now().time_since_epoch().count());
    const Draw draw = random_.draw(thaw, pair_of(link.from, link.to), when);
    std::int64_t due = kernel_.now().time_since_epoch().count() +
                       draw.between(options_.latency_min, options_.retransmission).count();
    while (!link.stalled.empty()) {
        due = std::max(due, link.last_arrival + 1);
        link.last_arrival = due;
        kernel_.unshelve(link.stalled, Instant(Duration(due)));
    }
}

void Network::add_fault(std::uint32_t from, std::uint32_t to, LinkFault fault) {
    Link& way = link(from, to);
    way.faults.push_back(fault);
    refresh(way);
}

void Network::remove_faults(std::uint32_t fault) {
    for (Link& way : links_) {
        if (std::erase_if(way.faults, [fault](const LinkFault& it) { return it.fault == fault; }) !=
            0) {
            refresh(way);
        }
    }
}

// What is under way finds another epoch at its arrival; what is stalled is dropped in the same way.
void Network::break_link(Link& link) {
    ++link.epoch;
}

void Network::reset(std::uint32_t a, std::uint32_t b) {
    break_link(link(a, b));
    break_link(link(b, a));
    world_.record(events::connection_reset, a, b);
    for (std::uint32_t slot = 0; slot < pending_.size(); ++slot) {
        const Pending& pending = pending_[slot];
        if (pending.task == nullptr) continue;
        const std::uint32_t client = pending.client->node();
        if ((client == a && pending.server == b) || (client == b && pending.server == a)) {
            fail_later(slot, Failure{make_error_code(CallError::reset), Certainty::unknown});
        }
    }
}

void Network::process_died(const Process& process) {
    for (std::uint32_t slot = 0; slot < pending_.size(); ++slot) {
        const Pending& pending = pending_[slot];
        if (pending.task != nullptr && pending.server == process.node() &&
            pending.server_incarnation == process.incarnation()) {
            fail_later(slot, Failure{make_error_code(CallError::reset), Certainty::unknown});
        }
    }
}

void Network::power_lost(std::uint32_t node) {
    for (Link& way : links_) {
        if (way.from == node || way.to == node) break_link(way);
    }
}

std::uint32_t Network::open_slot(Pending pending) {
    if (free_slots_.empty()) {
        pending_.emplace_back();
        free_slots_.push_back(static_cast<std::uint32_t>(pending_.size() - 1));
    }
    const std::uint32_t slot = free_slots_.back();
    free_slots_.pop_back();
    pending.generation = pending_[slot].generation + 1;
    pending_[slot] = pending;
    return slot;
}

void Network::close_slot(std::uint32_t index) {
    pending_[index].task = nullptr;
    ++pending_[index].generation;
    free_slots_.push_back(index);
}

bool Network::is_watched() const {
    return world_.faults().watches_calls();
}

Network::Admission Network::admit(std::uint32_t slot, const Process& client, const Node& server,
                                  const CallKind& kind, const std::vector<std::uint64_t>& about) {
    const CallVerdict verdict = world_.faults().on_call(kind, client.node(), server.id(), about);
    Admission admission;
    switch (verdict.action) {
    case CallVerdict::Action::pass: break;
    case CallVerdict::Action::drop_request: admission.passes = false; break;
    case CallVerdict::Action::lose_answer: pending_[slot].lose_answer = verdict.fault; break;
    case CallVerdict::Action::delay: admission.delay = verdict.delay; break;
    case CallVerdict::Action::forge: admission.forging = verdict.fault; break;
    }
    return admission;
}

Forgery Network::forgery(std::uint32_t fault) const {
    const FaultSpec& spec = world_.faults().records()[fault - 1].spec;
    const bool fails = spec.kind == FaultKind::fail_call;
    return {fails ? Forgery::Kind::fail : Forgery::Kind::stale, spec.amount};
}

void Network::note_forged(std::uint32_t fault, std::uint32_t slot, std::uint32_t generation,
                          const Process& server, std::string_view answer) {
    world_.faults().note_hit(fault);
    const Pending& pending = pending_[slot];
    if (pending.generation != generation || pending.task == nullptr) return; // nobody hears it
    world_.record(events::answer_forged, world_.history().name(pending.kind->name),
                  pending.client->node(), server.node(), world_.history().name(answer));
}

void Network::refuse(std::uint32_t slot, Node& server) {
    if (!server.is_powered()) return; // no machine, no refusal: the caller times out
    fail_later(slot, Failure{make_error_code(CallError::refused), Certainty::failed});
}

// The news travels one link's latency to the caller; a partition holds it back like all else, since
// a living machine repeats it until it is heard.
void Network::fail_later(std::uint32_t slot, Failure failure) {
    static constexpr Purpose news{"network.reset-news"};
    const Pending& pending = pending_[slot];
    Link& back = link(pending.server, pending.client->node());
    auto tell = [this, slot, generation = pending.generation, failure] {
        const Pending& waiting = pending_[slot];
        if (waiting.task != nullptr && waiting.generation == generation) {
            waiting.fail(waiting.task, failure);
        }
    };
    if (back.blocks != 0) {
        kernel_.shelve(back.stalled, *pending.client, tell);
        return;
    }
    const auto when = static_cast<std::uint64_t>(kernel_.now().time_since_epoch().count());
    const Draw draw = random_.draw(news, pair_of(pending.server, pending.client->node()), when);
    kernel_.at(*pending.client,
               kernel_.now() + draw.between(options_.latency_min, options_.latency_max), tell);
}

void Network::lost_answer(std::uint32_t slot, const Process& server) {
    const Pending& pending = pending_[slot];
    world_.faults().note_hit(pending.lose_answer);
    world_.record(events::answer_lost, world_.history().name(pending.kind->name),
                  pending.client->node(), server.node());
}

} // namespace crier::sim
