#include "broker-model/kafka/group_records.hpp"

#include "messaging/ports/ensure.hpp"

namespace crier::broker::kafka {

namespace {

constexpr char offset_tag = 'o';
constexpr char group_tag = 'g';

class Writer {
public:
    explicit Writer(std::string& to) : to_(to) {}

    void number(std::uint64_t value) {
        for (int byte = 0; byte < 8; ++byte)
            to_.push_back(static_cast<char>(value >> (8 * byte)));
    }
    void text(std::string_view value) {
        number(value.size());
        to_.append(value);
    }
    void numbers(const std::vector<std::uint32_t>& values) {
        number(values.size());
        for (const std::uint32_t value : values)
            number(value);
    }

private:
    std::string& to_;
};

class Reader {
public:
    explicit Reader(std::string_view from) : from_(from) {}

    std::uint64_t number() {
        ensure(from_.size() >= 8, "a group record is cut off");
        std::uint64_t value = 0;
        for (std::size_t byte = 0; byte < 8; ++byte) {
            value |= std::uint64_t{static_cast<unsigned char>(from_[byte])} << (8 * byte);
        }
        from_.remove_prefix(8);
        return value;
    }
    std::string text() {
        const std::uint64_t size = number();
        ensure(from_.size() >= size, "a group record is cut off");
        std::string value(from_.substr(0, size));
        from_.remove_prefix(size);
        return value;
    }
    std::vector<std::uint32_t> numbers() {
        std::vector<std::uint32_t> values(number());
        for (std::uint32_t& value : values)
            value = static_cast<std::uint32_t>(number());
        return values;
    }
    [[nodiscard]] std::string_view rest() const { return from_; }

private:
    std::string_view from_;
};

std::uint64_t bits_of(std::int64_t value) {
    return static_cast<std::uint64_t>(value);
}

} // namespace

Record write_record(const OffsetRecord& commit) {
    Record record;
    std::string& key = record.key.emplace(1, offset_tag);
    Writer(key).number(commit.partition);
    key.append(commit.group);
    Writer value(record.value);
    value.number(bits_of(commit.offset));
    value.number(bits_of(commit.generation));
    return record;
}

Record write_record(const GroupRecord& group) {
    Record record;
    record.key.emplace(1, group_tag).append(group.group);
    Writer value(record.value);
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

std::optional<OffsetRecord> read_offset_record(const Record& record) {
    if (!record.key || record.key->front() != offset_tag) return std::nullopt;
    Reader key(std::string_view(*record.key).substr(1));
    Reader value(record.value);
    OffsetRecord commit;
    commit.partition = static_cast<PartitionId>(key.number());
    commit.group = key.rest();
    commit.offset = static_cast<Offset>(value.number());
    commit.generation = static_cast<std::int32_t>(value.number());
    return commit;
}

std::optional<GroupRecord> read_group_record(const Record& record) {
    if (!record.key || record.key->front() != group_tag) return std::nullopt;
    Reader value(record.value);
    GroupRecord group;
    group.group = record.key->substr(1);
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
