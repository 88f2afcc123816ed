#include "broker-model/kafka/groups/group_records.hpp"

#include "broker-model/kafka/broker/record_bytes.hpp"

namespace crier::broker::kafka {

namespace {

constexpr char offset_tag = 'o';
constexpr char group_tag = 'g';

} // namespace

Record write_record(const OffsetRecord& commit) {
    Record record;
    std::string& key = record.key.emplace(1, offset_tag);
    RecordWriter(key).number(commit.partition);
    key.append(commit.group);
    RecordWriter value(record.value);
    value.number(bits_of(commit.offset));
    value.number(bits_of(commit.generation));
    value.number(bits_of(commit.leader_epoch));
    value.number(commit.topic_id);
    record.value.append(commit.metadata);
    return record;
}

Record write_record(const GroupRecord& group) {
    Record record;
    record.key.emplace(1, group_tag).append(group.group);
    RecordWriter value(record.value);
    value.number(bits_of(group.generation));
    value.text(group.protocol);
    value.text(group.leader);
    value.number(group.members.size());
    for (const MemberRecord& member : group.members) {
        value.text(member.member_id);
        value.text(member.client_id);
        value.number(bits_of(member.session_timeout.count()));
        value.number(bits_of(member.rebalance_timeout.count()));
        value.number(member.protocols.size());
        for (const std::string& protocol : member.protocols)
            value.text(protocol);
        value.numbers(member.topics);
        value.numbers(member.assignment);
    }
    for (std::size_t at = 0; at < group.members.size(); ++at) { // the static ones, by place
        if (group.members[at].instance_id.empty()) continue;
        value.number(at);
        value.text(group.members[at].instance_id);
    }
    return record;
}

Record write_offset_tombstone(std::string_view group, PartitionId partition) {
    OffsetRecord commit;
    commit.group = group;
    commit.partition = partition;
    Record record = write_record(commit);
    record.value.clear();
    record.is_tombstone = true;
    return record;
}

Record write_group_tombstone(std::string_view group) {
    Record record;
    record.key.emplace(1, group_tag).append(group);
    record.is_tombstone = true;
    return record;
}

std::optional<OffsetRecord> read_offset_record(const Record& record) {
    if (!record.key || record.key->front() != offset_tag) return std::nullopt;
    RecordReader key(std::string_view(*record.key).substr(1));
    RecordReader value(record.value);
    OffsetRecord commit;
    commit.partition = static_cast<PartitionId>(key.number());
    commit.group = key.rest();
    if (record.is_tombstone) return commit;
    commit.offset = static_cast<Offset>(value.number());
    commit.generation = static_cast<std::int32_t>(value.number());
    commit.leader_epoch = static_cast<std::int32_t>(value.number());
    commit.topic_id = static_cast<std::uint32_t>(value.number());
    commit.metadata = value.rest();
    return commit;
}

std::optional<GroupRecord> read_group_record(const Record& record) {
    if (!record.key || record.key->front() != group_tag) return std::nullopt;
    RecordReader value(record.value);
    GroupRecord group;
    group.group = record.key->substr(1);
    if (record.is_tombstone) return group;
    group.generation = static_cast<std::int32_t>(value.number());
    group.protocol = value.text();
    group.leader = value.text();
    group.members.resize(value.number());
    for (MemberRecord& member : group.members) {
        member.member_id = value.text();
        member.client_id = value.text();
        member.session_timeout = Duration(static_cast<std::int64_t>(value.number()));
        member.rebalance_timeout = Duration(static_cast<std::int64_t>(value.number()));
        member.protocols.resize(value.number());
        for (std::string& protocol : member.protocols)
            protocol = value.text();
        member.topics = value.numbers();
        member.assignment = value.numbers();
    }
    while (!value.rest().empty()) {
        MemberRecord& member = group.members.at(value.number());
        member.instance_id = value.text();
    }
    return group;
}

} // namespace crier::broker::kafka
