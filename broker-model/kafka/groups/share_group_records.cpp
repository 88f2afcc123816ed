#include "broker-model/kafka/broker/record_bytes.hpp"
#include "broker-model/kafka/groups/group_records.hpp"

// Share groups in the log of their coordinator: who is a member, and what became of the records of
// each partition. Kafka keeps the latter in a topic of its own, __share_group_state; here both are
// in the partition of __consumer_offsets that the group has anyway.

namespace crier::broker::kafka {

namespace {

constexpr char share_group_tag = 's';
constexpr char share_state_tag = 't';

} // namespace

Record write_record(const ShareGroup& group) {
    Record record;
    record.key.emplace(1, share_group_tag).append(group.name);
    RecordWriter value(record.value);
    value.number(bits_of(group.epoch));
    value.numbers(group.layout);
    value.number(group.members.size());
    for (const auto& [id, member] : group.members) {
        value.text(id);
        value.numbers(member.topics);
        value.number(bits_of(member.epoch));
    }
    return record;
}

std::optional<ShareGroup> read_share_group_record(const Record& record) {
    if (!record.key || record.key->front() != share_group_tag) return std::nullopt;
    ShareGroup group;
    group.name = record.key->substr(1);
    if (record.is_tombstone) return group;
    RecordReader value(record.value);
    group.epoch = static_cast<std::int32_t>(value.number());
    group.layout = value.numbers();
    for (std::uint64_t left = value.number(); left > 0; --left) {
        ShareGroupMember& member = group.members[value.text()];
        member.topics = value.numbers();
        member.epoch = static_cast<std::int32_t>(value.number());
    }
    return group;
}

Record write_record(const ShareStateRecord& kept) {
    Record record;
    std::string& key = record.key.emplace(1, share_state_tag);
    RecordWriter(key).number(kept.partition);
    key.append(kept.group);
    RecordWriter value(record.value);
    value.number(bits_of(kept.leader_epoch));
    value.number(bits_of(kept.state.start));
    value.number(kept.state.ranges.size());
    for (const ShareStateRange& range : kept.state.ranges) {
        value.number(bits_of(range.first));
        value.number(bits_of(range.last));
        value.number(static_cast<std::uint64_t>(range.state));
        value.number(bits_of(range.delivery_count));
    }
    return record;
}

std::optional<ShareStateRecord> read_share_state_record(const Record& record) {
    if (!record.key || record.key->front() != share_state_tag) return std::nullopt;
    RecordReader key(std::string_view(*record.key).substr(1));
    ShareStateRecord kept;
    kept.partition = static_cast<PartitionId>(key.number());
    kept.group = key.rest();
    RecordReader value(record.value);
    kept.leader_epoch = static_cast<std::int32_t>(value.number());
    kept.state.start = static_cast<Offset>(value.number());
    kept.state.ranges.resize(value.number());
    for (ShareStateRange& range : kept.state.ranges) {
        range.first = static_cast<Offset>(value.number());
        range.last = static_cast<Offset>(value.number());
        range.state = static_cast<ShareRecordState>(value.number());
        range.delivery_count = static_cast<std::int32_t>(value.number());
    }
    return kept;
}

} // namespace crier::broker::kafka
