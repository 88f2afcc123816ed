#include "sim/faults.hpp"

#include "messaging/ports/ensure.hpp"
#include "sim/world.hpp"

#include <algorithm>

namespace crier::sim {

namespace {

bool contains(const std::vector<std::uint32_t>& nodes, std::uint32_t node) {
    return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

std::vector<std::uint32_t> nodes_of(const FaultSpec& spec) {
    return spec.resolve ? spec.resolve() : spec.nodes;
}

bool is_link_fault(FaultKind kind) {
    return kind == FaultKind::partition || kind == FaultKind::slow_link ||
           kind == FaultKind::lossy_link;
}

bool is_call_fault(FaultKind kind) {
    return kind == FaultKind::drop_request || kind == FaultKind::lose_answer ||
           kind == FaultKind::delay_call || kind == FaultKind::fail_call ||
           kind == FaultKind::stale_answer;
}

// Whether the call goes from or to one of the nodes, and to or from one of the peers if there are
// any. A fault without nodes befalls everybody's.
bool is_between(const FaultSpec& spec, std::uint32_t client, std::uint32_t server) {
    if (spec.nodes.empty() && !spec.resolve) return true;
    const std::vector<std::uint32_t> nodes = nodes_of(spec);
    const bool has_peers = !spec.peers.empty() || spec.resolve_peers;
    if (!has_peers) return contains(nodes, client) || contains(nodes, server);
    const std::vector<std::uint32_t> peers = spec.resolve_peers ? spec.resolve_peers() : spec.peers;
    return (contains(nodes, client) && contains(peers, server)) ||
           (contains(nodes, server) && contains(peers, client));
}

} // namespace

std::string_view name_of(FaultKind kind) {
    switch (kind) {
    case FaultKind::crash: return "crash";
    case FaultKind::power_loss: return "power-loss";
    case FaultKind::stop: return "stop";
    case FaultKind::pause: return "pause";
    case FaultKind::partition: return "partition";
    case FaultKind::slow_link: return "slow-link";
    case FaultKind::lossy_link: return "lossy-link";
    case FaultKind::reset: return "reset";
    case FaultKind::clock_jump: return "clock-jump";
    case FaultKind::slow_disk: return "slow-disk";
    case FaultKind::full_disk: return "full-disk";
    case FaultKind::failing_disk: return "failing-disk";
    case FaultKind::drop_request: return "drop-request";
    case FaultKind::lose_answer: return "lose-answer";
    case FaultKind::delay_call: return "delay-call";
    case FaultKind::fail_call: return "fail-call";
    case FaultKind::stale_answer: return "stale-answer";
    case FaultKind::act: return "act";
    }
    return "unknown";
}

std::uint32_t FaultEngine::add(FaultSpec spec) {
    ensure(!is_call_fault(spec.kind) || spec.trigger.when == FaultTrigger::When::call,
           "a fault of a call needs the call as its trigger");
    records_.push_back(FaultRecord{std::move(spec)});
    active_.emplace_back();
    const auto id = static_cast<std::uint32_t>(records_.size());
    if (records_.back().spec.id == 0) records_.back().spec.id = id;
    const FaultTrigger& trigger = records_.back().spec.trigger;
    switch (trigger.when) {
    case FaultTrigger::When::at:
        world_.kernel().at(world_.process(), trigger.at, [this, id] { begin(id); });
        break;
    case FaultTrigger::When::call: {
        CallNames about;
        for (const std::string& name : trigger.about)
            about.push_back(hash_text(name));
        call_watches_.push_back(
            {id, hash_literal(trigger.name), std::move(about), trigger.nth, trigger.strikes});
        ++call_watch_count_;
        if (trigger.window > Duration{}) {
            world_.kernel().at(
                world_.process(), std::max(world_.now(), trigger.at + trigger.window),
                [this, watch = call_watches_.size() - 1] { close(call_watches_[watch]); });
        }
        break;
    }
    case FaultTrigger::When::point:
        point_watches_.push_back({id, hash_text(trigger.name), trigger.nth});
        if (trigger.name == await_point) world_.kernel().set_guard(this);
        break;
    }
    return id;
}

// Whether this call is one that the fault befalls; counts it.
bool FaultEngine::matches(CallWatch& watch, std::uint32_t client, std::uint32_t server,
                          const CallNames& about) {
    static constexpr Purpose chance{"fault.call"};
    const FaultSpec& spec = records_[watch.fault - 1].spec;
    const FaultTrigger& trigger = spec.trigger;
    if (world_.now() < trigger.at) return false;
    if (trigger.window > Duration{} && world_.now() >= trigger.at + trigger.window) return false;
    const bool concerns_all =
        std::all_of(watch.about.begin(), watch.about.end(), [&about](std::uint64_t name) {
            return std::find(about.begin(), about.end(), name) != about.end();
        });
    if (!concerns_all || !is_between(spec, client, server)) return false;
    if (watch.left > 1) {
        --watch.left;
        return false;
    }
    if (trigger.chance.per_million >= 1'000'000) return true;
    const auto when = static_cast<std::uint64_t>(world_.now().time_since_epoch().count());
    return world_.random().draw(chance, spec.id, client, server, when).happens(trigger.chance);
}

void FaultEngine::close(CallWatch& watch) {
    if (std::exchange(watch.is_over, true)) return;
    --call_watch_count_;
    const FaultRecord& record = records_[watch.fault - 1];
    if (!is_call_fault(record.spec.kind) || !record.began) return;
    if (record.spec.kind != FaultKind::delay_call || healed_) return note_end(record.spec);
    world_.kernel().at(world_.process(), world_.now() + record.spec.duration, // it leaves now
                       [this, id = watch.fault] { note_end(records_[id - 1].spec); });
}

void FaultEngine::note_end(const FaultSpec& spec) {
    world_.record_as(nullptr, events::fault_ended, spec.id, world_.history().name(spec.what));
}

CallVerdict FaultEngine::on_call(const CallKind& kind, std::uint32_t client, std::uint32_t server,
                                 const CallNames& about) {
    CallVerdict verdict;
    for (CallWatch& watch : call_watches_) {
        if (watch.is_over || watch.kind != kind.id || healed_) continue;
        if (!matches(watch, client, server, about)) continue;
        if (is_call_fault(records_[watch.fault - 1].spec.kind)) {
            verdict = strike(watch.fault);
            if (watch.strikes > 0 && --watch.strikes == 0) close(watch);
        } else {
            close(watch);
            begin(watch.fault);
        }
    }
    return verdict;
}

CallVerdict FaultEngine::strike(std::uint32_t id) {
    FaultRecord& record = records_[id - 1];
    CallVerdict verdict;
    verdict.fault = id;
    verdict.delay = record.spec.duration;
    switch (record.spec.kind) {
    case FaultKind::drop_request:
        verdict.action = CallVerdict::Action::drop_request;
        note_hit(id);
        break;
    case FaultKind::delay_call:
        verdict.action = CallVerdict::Action::delay;
        note_hit(id);
        break;
    case FaultKind::lose_answer: // hit once it is lost
        verdict.action = CallVerdict::Action::lose_answer;
        break;
    default: verdict.action = CallVerdict::Action::forge; break; // hit once it is answered
    }
    if (!std::exchange(record.began, true)) {
        world_.record(events::fault_began, record.spec.id, world_.history().name(record.spec.what));
    }
    return verdict;
}

void FaultEngine::on_point(std::uint32_t node, std::uint64_t point) {
    for (PointWatch& watch : point_watches_) {
        if (watch.left == 0 || watch.name != point || healed_) continue;
        FaultRecord& record = records_[watch.fault - 1];
        if (!contains(nodes_of(record.spec), node)) continue;
        if (--watch.left > 0) continue;
        record.spec.nodes = {node}; // it befalls the one that is there
        record.spec.resolve = nullptr;
        begin(watch.fault);
    }
}

void FaultEngine::before_step(Process& process) {
    on_point(process.node(), await_);
}

void FaultEngine::begin(std::uint32_t id) {
    if (healed_) return;
    FaultRecord& record = records_[id - 1];
    const FaultSpec& spec = record.spec;
    std::vector<std::uint32_t> nodes = nodes_of(spec);
    if (spec.kind == FaultKind::act) return perform(id);
    if (nodes.empty()) return;
    if (budget_ && !budget_(spec.kind, nodes)) {
        record.withheld = true;
        return;
    }
    record.began = true;
    Active& active = active_[id - 1];
    const std::uint64_t cause = world_.kernel().cause();
    world_.record_as(nullptr, events::fault_began, spec.id, world_.history().name(spec.what));
    if (spec.duration > Duration{}) {
        active.lasts = true;
        ++active_count_;
        world_.kernel().at(world_.process(), world_.now() + spec.duration,
                           [this, id] { let_go(id); });
    }
    if (is_link_fault(spec.kind) || spec.kind == FaultKind::reset) {
        active.nodes = nodes;
        change_links(id, nodes);
    } else {
        for (const std::uint32_t node : nodes)
            take_hold(id, node, active);
    }
    if (spec.kind == FaultKind::reset && !active.lasts) note_end(spec);
    world_.kernel().set_cause(cause);
}

void FaultEngine::perform(std::uint32_t id) {
    FaultRecord& record = records_[id - 1];
    record.began = true;
    const std::uint64_t cause = world_.kernel().cause();
    world_.record_as(nullptr, events::fault_began, record.spec.id,
                     world_.history().name(record.spec.what));
    if (record.spec.act()) note_hit(id);
    note_end(record.spec);
    world_.kernel().set_cause(cause);
}

void FaultEngine::take_hold(std::uint32_t id, std::uint32_t node_id, Active& active) {
    const FaultSpec& spec = records_[id - 1].spec;
    Node& node = world_.node(node_id);
    const bool needs_process = spec.kind == FaultKind::crash || spec.kind == FaultKind::stop ||
                               spec.kind == FaultKind::power_loss || spec.kind == FaultKind::pause;
    if (needs_process &&
        (!node.is_up() || (spec.kind == FaultKind::pause && node.process().is_paused()))) {
        return;
    }
    active.nodes.push_back(node_id);
    active.incarnations.push_back(node.is_up() ? node.process().incarnation() : 0);
    if (spec.kind != FaultKind::pause) note_hit(id); // that hits what it holds back
    switch (spec.kind) {
    case FaultKind::crash: node.crash("fault"); break;
    case FaultKind::power_loss: node.lose_power(spec.thorough); break;
    case FaultKind::stop: node.stop(spec.duration); break;
    case FaultKind::pause: node.pause(spec.duration); break;
    case FaultKind::clock_jump: node.wall_clock().offset += Duration(spec.amount); break;
    case FaultKind::slow_disk:
    case FaultKind::full_disk:
    case FaultKind::failing_disk: set_disk(node); break;
    default: ensure(false, "not a fault of nodes");
    }
}

std::vector<std::uint32_t> FaultEngine::peers_of(const FaultSpec& spec,
                                                 const std::vector<std::uint32_t>& nodes) const {
    if (spec.resolve_peers) return spec.resolve_peers();
    if (!spec.peers.empty()) return spec.peers;
    std::vector<std::uint32_t> others;
    for (std::uint32_t node = 1; node <= world_.node_count(); ++node) {
        if (!contains(nodes, node)) others.push_back(node);
    }
    return others;
}

void FaultEngine::change_links(std::uint32_t id, const std::vector<std::uint32_t>& nodes) {
    const FaultSpec& spec = records_[id - 1].spec;
    LinkFault fault;
    fault.fault = id;
    fault.blocks = spec.kind == FaultKind::partition;
    if (spec.kind == FaultKind::slow_link) fault.slowness = spec.amount;
    if (spec.kind == FaultKind::lossy_link)
        fault.loss.per_million = static_cast<std::uint32_t>(spec.amount);
    for (const std::uint32_t node : nodes) {
        for (const std::uint32_t peer : peers_of(spec, nodes)) {
            if (node == peer) continue;
            if (spec.kind == FaultKind::reset) {
                world_.network().reset(node, peer);
                note_hit(id);
                continue;
            }
            world_.network().add_fault(node, peer, fault);
            if (!spec.one_way) world_.network().add_fault(peer, node, fault);
        }
    }
}

void FaultEngine::let_go(std::uint32_t id) {
    Active& active = active_[id - 1];
    if (!active.lasts) return;
    active.lasts = false;
    --active_count_;
    const FaultSpec& spec = records_[id - 1].spec;
    note_end(spec);
    if (is_link_fault(spec.kind)) world_.network().remove_faults(id);
    for (std::size_t at = 0; at < active.incarnations.size(); ++at) {
        Node& node = world_.node(active.nodes[at]);
        switch (spec.kind) {
        case FaultKind::crash:
        case FaultKind::power_loss:
            if (!node.is_up()) node.start();
            break;
        case FaultKind::stop:
            if (node.is_up() && node.process().incarnation() == active.incarnations[at])
                node.crash("it did not stop in time");
            if (!node.is_up()) node.start();
            break;
        case FaultKind::pause:
            if (node.is_up() && node.process().incarnation() == active.incarnations[at])
                records_[id - 1].hits += node.resume();
            break;
        case FaultKind::clock_jump: node.wall_clock().offset -= Duration(spec.amount); break;
        case FaultKind::slow_disk:
        case FaultKind::full_disk:
        case FaultKind::failing_disk: set_disk(node); break;
        default: break;
        }
    }
}

// As the faults that still last have it.
void FaultEngine::set_disk(Node& node) {
    std::int64_t slowness = 1;
    bool is_full = false;
    bool is_failing = false;
    for (std::size_t at = 0; at < active_.size(); ++at) {
        if (!active_[at].lasts || !contains(active_[at].nodes, node.id())) continue;
        const FaultSpec& spec = records_[at].spec;
        if (spec.kind == FaultKind::slow_disk) slowness = std::max(slowness, spec.amount);
        is_full = is_full || spec.kind == FaultKind::full_disk;
        is_failing = is_failing || spec.kind == FaultKind::failing_disk;
    }
    node.disk().set_slowness(slowness);
    node.disk().set_full(is_full);
    node.disk().set_failing(is_failing);
}

void FaultEngine::heal() {
    if (healed_) return;
    healed_ = true;
    for (std::uint32_t id = 1; id <= records_.size(); ++id)
        let_go(id);
    for (CallWatch& watch : call_watches_)
        close(watch);
    for (std::uint32_t id = 1; id <= world_.node_count(); ++id) {
        if (!world_.node(id).is_up()) world_.node(id).start();
    }
    world_.record_as(nullptr, events::healed);
}

} // namespace crier::sim
