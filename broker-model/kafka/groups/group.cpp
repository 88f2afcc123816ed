#include "broker-model/kafka/groups/group.hpp"

#include <algorithm>

namespace crier::broker::kafka {

namespace {

bool contains(const std::vector<std::string>& texts, std::string_view text) {
    return std::find(texts.begin(), texts.end(), text) != texts.end();
}

} // namespace

void GroupMemberState::take(JoinGroupRequest& request) {
    record.client_id = std::move(request.client_id);
    record.session_timeout = request.session_timeout;
    record.rebalance_timeout = request.rebalance_timeout;
    record.protocols = std::move(request.protocols);
    record.topics = std::move(request.topics);
    owned = std::move(request.owned);
    owned_generation = request.owned_generation;
}

GroupMemberState* Group::find(std::string_view member_id) {
    const auto found = members.find(member_id);
    return found == members.end() ? nullptr : &found->second;
}

GroupMemberState* Group::find_instance(std::string_view instance_id) {
    for (auto& [id, member] : members) {
        if (member.is_static() && member.record.instance_id == instance_id) return &member;
    }
    return nullptr;
}

ErrorCode Group::check_member(std::string_view member_id, std::string_view instance_id) {
    if (!instance_id.empty()) {
        const GroupMemberState* const known = find_instance(instance_id);
        if (known == nullptr) return ErrorCode::unknown_member_id;
        if (known->record.member_id != member_id) return ErrorCode::fenced_instance_id;
    }
    return find(member_id) == nullptr ? ErrorCode::unknown_member_id : ErrorCode::none;
}

Duration Group::rebalance_timeout() const {
    Duration longest{};
    for (const auto& [id, member] : members) {
        longest = std::max(longest, member.record.rebalance_timeout);
    }
    return longest;
}

bool Group::has_all_joined() const {
    return std::all_of(members.begin(), members.end(),
                       [](const auto& entry) { return static_cast<bool>(entry.second.join); });
}

bool Group::has_all_synced() const {
    return std::all_of(members.begin(), members.end(),
                       [](const auto& entry) { return entry.second.has_synced; });
}

bool Group::subscribes(TopicId topic) const {
    return std::any_of(members.begin(), members.end(), [topic](const auto& entry) {
        const std::vector<TopicId>& topics = entry.second.record.topics;
        return std::find(topics.begin(), topics.end(), topic) != topics.end();
    });
}

// While members join, those that have come count: who comes late may find no room any more.
bool Group::has_room(std::string_view member_id, std::size_t max_size) const {
    if (phase == Phase::empty) return true;
    const auto known = members.find(member_id);
    if (phase != Phase::preparing) return known != members.end() || members.size() < max_size;
    const auto waiting = static_cast<std::size_t>(
        std::count_if(members.begin(), members.end(),
                      [](const auto& entry) { return static_cast<bool>(entry.second.join); }));
    const bool is_in = known != members.end() && static_cast<bool>(known->second.join);
    return is_in || waiting < max_size;
}

bool Group::accepts(const std::vector<std::string>& protocols) const {
    return std::any_of(protocols.begin(), protocols.end(), [this](const std::string& one) {
        return std::all_of(members.begin(), members.end(), [&one](const auto& entry) {
            return contains(entry.second.record.protocols, one);
        });
    });
}

std::string Group::vote() const {
    std::map<std::string, std::size_t> votes;
    for (const auto& [id, member] : members) {
        for (const std::string& listed : member.record.protocols) {
            if (!accepts({listed})) continue;
            ++votes[listed];
            break;
        }
    }
    const auto winner =
        std::max_element(votes.begin(), votes.end(), [](const auto& one, const auto& other) {
            return one.second < other.second;
        });
    return winner == votes.end() ? std::string() : winner->first;
}

GroupRecord Group::record() const {
    GroupRecord written;
    written.group = name;
    written.generation = generation;
    written.protocol = protocol;
    written.leader = leader;
    for (const auto& [id, member] : members)
        written.members.push_back(member.record);
    return written;
}

GroupRecord Group::record(const std::vector<MemberAssignment>& assignments) const {
    GroupRecord written = record();
    for (MemberRecord& entry : written.members) {
        entry.assignment.clear(); // whom the leader leaves out gets nothing
        for (const MemberAssignment& given : assignments) {
            if (given.member_id == entry.member_id) entry.assignment = given.partitions;
        }
        std::sort(entry.assignment.begin(), entry.assignment.end());
    }
    return written;
}

} // namespace crier::broker::kafka
