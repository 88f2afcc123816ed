#include "broker-model/kafka/broker/record_bytes.hpp"
#include "broker-model/kafka/groups/group_records.hpp"

// A group of the new protocol in the log, as a whole: every change writes it anew. Kafka writes one
// record per changed part; what a reader knows afterwards is the same.

namespace crier::broker::kafka {

namespace {

constexpr char consumer_group_tag = 'c';

std::int32_t epoch_of(std::uint64_t bits) {
    return static_cast<std::int32_t>(bits);
}

void write_member(RecordWriter& value, const ConsumerGroupMember& member) {
    value.text(member.member_id);
    value.text(member.instance_id);
    value.text(member.client_id);
    value.number(bits_of(member.rebalance_timeout.count()));
    value.numbers(member.topics);
    value.text(member.assignor);
    value.number(bits_of(member.epoch));
    value.number(bits_of(member.previous_epoch));
    value.number(static_cast<std::uint64_t>(member.state));
    value.numbers(member.partitions());
    for (const auto& [partition, since] : member.assigned)
        value.number(bits_of(since));
    value.numbers(member.revoking);
}

ConsumerGroupMember read_member(RecordReader& value) {
    ConsumerGroupMember member;
    member.member_id = value.text();
    member.instance_id = value.text();
    member.client_id = value.text();
    member.rebalance_timeout = Duration(static_cast<std::int64_t>(value.number()));
    member.topics = value.numbers();
    member.assignor = value.text();
    member.epoch = epoch_of(value.number());
    member.previous_epoch = epoch_of(value.number());
    member.state = static_cast<ConsumerGroupMember::State>(value.number());
    for (const PartitionId partition : value.numbers())
        member.assigned.emplace(partition, 0);
    for (auto& [partition, since] : member.assigned)
        since = epoch_of(value.number());
    member.revoking = value.numbers();
    return member;
}

void write_classic_members(RecordWriter& value, const ConsumerGroup& group) {
    for (const auto& [id, member] : group.members) {
        if (!member.classic) continue;
        value.text(id);
        value.number(bits_of(member.classic->session_timeout.count()));
        value.number(member.classic->protocols.size());
        for (const std::string& protocol : member.classic->protocols)
            value.text(protocol);
    }
}

void read_classic_member(RecordReader& value, ConsumerGroup& group) {
    const std::string id = value.text();
    ClassicMember& classic = group.members.at(id).classic.emplace();
    classic.session_timeout = Duration(static_cast<std::int64_t>(value.number()));
    classic.protocols.resize(value.number());
    for (std::string& protocol : classic.protocols)
        protocol = value.text();
}

} // namespace

Record write_record(const ConsumerGroup& group) {
    Record record;
    record.key.emplace(1, consumer_group_tag).append(group.name);
    RecordWriter value(record.value);
    value.number(bits_of(group.epoch));
    value.number(bits_of(group.target_epoch));
    value.number(group.target.size());
    for (const auto& [id, partitions] : group.target) {
        value.text(id);
        value.numbers(partitions);
    }
    value.number(group.members.size());
    for (const auto& [id, member] : group.members)
        write_member(value, member);
    write_classic_members(value, group);
    return record;
}

Record write_consumer_group_tombstone(std::string_view group) {
    Record record;
    record.key.emplace(1, consumer_group_tag).append(group);
    record.is_tombstone = true;
    return record;
}

std::optional<ConsumerGroup> read_consumer_group_record(const Record& record) {
    if (!record.key || record.key->front() != consumer_group_tag) return std::nullopt;
    ConsumerGroup group;
    group.name = record.key->substr(1);
    if (record.is_tombstone) return group;
    RecordReader value(record.value);
    group.epoch = epoch_of(value.number());
    group.target_epoch = epoch_of(value.number());
    for (std::uint64_t left = value.number(); left > 0; --left) {
        const std::string id = value.text();
        group.target.emplace(id, value.numbers());
    }
    for (std::uint64_t left = value.number(); left > 0; --left) {
        ConsumerGroupMember member = read_member(value);
        const std::string id = member.member_id;
        group.members.emplace(id, std::move(member));
    }
    while (!value.rest().empty())
        read_classic_member(value, group);
    return group;
}

} // namespace crier::broker::kafka
