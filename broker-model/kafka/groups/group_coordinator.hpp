#pragma once

#include "broker-model/kafka/broker/alarm.hpp"
#include "broker-model/kafka/broker/broker_home.hpp"
#include "broker-model/kafka/broker/coordinator_log.hpp"
#include "broker-model/kafka/broker/replica_manager.hpp"
#include "broker-model/kafka/groups/committed_offsets.hpp"
#include "broker-model/kafka/groups/consumer_group.hpp"
#include "broker-model/kafka/groups/group.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>

// The groups whose partition of __consumer_offsets this broker leads, by either protocol. What
// a group must not forget is in that partition's log first: the next leader reads it there. Offsets
// are served as the log below the high watermark has them, so no reader sees a commit that may
// vanish. Source: Kafka GroupMetadataManager, GroupCoordinatorService, CoordinatorRuntime.

namespace crier::broker::kafka {

class GroupCoordinator final : public InternalPartitions {
public:
    explicit GroupCoordinator(BrokerHome& home) : home_(home), alarm_(home.process, *this) {}

    /// Tells where the logs are; once, before anything else.
    void use(ReplicaManager& replicas) { replicas_ = &replicas; }

    void join(JoinGroupRequest request, sim::Reply<JoinGroupAnswer> reply);
    void sync(SyncGroupRequest request, sim::Reply<SyncGroupAnswer> reply);
    [[nodiscard]] ErrorAnswer heartbeat(const HeartbeatRequest& request);
    [[nodiscard]] ErrorAnswer leave(const LeaveGroupRequest& request);
    void commit(OffsetCommitRequest request, sim::Reply<OffsetCommitAnswer> reply);

    /// Commits inside a transaction: pending until its marker.
    void commit(const TxnOffsetCommitRequest& request, const Admission& admission,
                sim::Reply<OffsetCommitAnswer> reply);
    [[nodiscard]] OffsetFetchAnswer fetch(const OffsetFetchRequest& request);
    /// As `fetch`, but from before the last commit of each partition.
    [[nodiscard]] OffsetFetchAnswer fetch_former(const OffsetFetchRequest& request);

    /// Of the new protocol (KIP-848).
    void consumer_heartbeat(ConsumerGroupHeartbeatRequest request,
                            sim::Reply<ConsumerGroupHeartbeatAnswer> reply);

    /// Of share groups (KIP-932); the latter two by leaders of partitions.
    void share_heartbeat(const ShareGroupHeartbeatRequest& request,
                         sim::Reply<ShareGroupHeartbeatAnswer> reply);
    [[nodiscard]] ReadShareStateAnswer read_share_state(const ReadShareStateRequest& request);
    void write_share_state(WriteShareStateRequest request, sim::Reply<ErrorAnswer> reply);

    /// What administrators ask for.
    void delete_group(const std::string& group, sim::Reply<ErrorAnswer> reply);
    void delete_offsets(const OffsetDeleteRequest& request, sim::Reply<ErrorAnswer> reply);

    void leads(const Replica& replica) override;
    void resigned(const Replica& replica) override;
    void watermark_moved(const Replica& replica) override;
    void deleted(const std::vector<PartitionId>& partitions) override;

private:
    /// What one partition of __consumer_offsets holds.
    struct Shard {
        PartitionId partition = 0;
        std::int32_t epoch = 0;
        bool is_loaded = false;
        Offset applied = 0; // offsets are those of the log before this
        std::map<std::string, Group, std::less<>> groups;
        std::map<std::string, ConsumerGroup, std::less<>> consumer_groups;
        std::map<std::string, ShareGroup, std::less<>> share_groups;
        std::map<std::pair<std::string, PartitionId>, ShareStateRecord> share_states;
        CommittedOffsets offsets;
        Instant cleanup{}; // when old offsets are looked for next
    };

    [[nodiscard]] Shard* find_shard(std::string_view group, ErrorCode& error);
    [[nodiscard]] static Group* find_group(Shard& shard, std::string_view group);
    void load(Shard& shard);
    void restore(Shard& shard, const Record& record);
    void restore(Shard& shard, GroupRecord record, std::int64_t written_at);
    void restore(Shard& shard, ConsumerGroup group);
    void apply_offsets(Shard& shard, Offset end);
    void drop(PartitionId partition);

    void join_static(Shard& shard, Group& group, JoinGroupRequest request,
                     sim::Reply<JoinGroupAnswer> reply);
    void keep_place(Shard& shard, Group& group, std::string member_id, MemberRecord former,
                    sim::Reply<JoinGroupAnswer> reply);
    void admit(Shard& shard, Group& group, JoinGroupRequest request,
               sim::Reply<JoinGroupAnswer> reply);
    void rejoin(Shard& shard, Group& group, GroupMemberState& member, JoinGroupRequest request,
                sim::Reply<JoinGroupAnswer> reply);
    void prepare_rebalance(Shard& shard, Group& group);
    void try_complete_join(Shard& shard, Group& group);
    void complete_join(Shard& shard, Group& group);
    void store(Shard& shard, GroupRecord record);
    void stored(Group& group, const GroupRecord& record);
    void remove(Shard& shard, Group& group, std::string_view member_id, std::string_view why);
    void touch(GroupMemberState& member);
    void tell_gone(std::string_view group, std::string_view member, std::string_view why) const;
    [[nodiscard]] JoinGroupAnswer joined(const Group& group, const GroupMemberState& member) const;
    [[nodiscard]] ErrorCode check_commit(Shard& shard, const OffsetCommitRequest& request,
                                         bool in_transaction);
    void write_commit(const OffsetCommitRequest& request, const ProducerStamp& producer,
                      const Admission& admission, sim::Reply<OffsetCommitAnswer> reply);
    [[nodiscard]] std::uint32_t topic_id_of(PartitionId partition) const;
    [[nodiscard]] ErrorCode check_offset(Shard& shard, const OffsetCommitRequest& request,
                                         const PartitionOffset& offset,
                                         std::uint32_t topic_id) const;
    void tell_refused(const OffsetCommitRequest& request, ErrorCode error);
    [[nodiscard]] ErrorCode check_commit(ConsumerGroup& group,
                                         const OffsetCommitRequest& request) const;

    using Appended = std::function<void(ErrorCode)>;

    /// Of members by the classic protocol in a consumer group.
    [[nodiscard]] ConsumerGroupMember* admit_classic(const Shard& shard, ConsumerGroup& group,
                                                     JoinGroupRequest& request,
                                                     ErrorCode& error) const;
    void join(Shard& shard, ConsumerGroup& group, JoinGroupRequest request,
              sim::Reply<JoinGroupAnswer> reply);
    void sync(ConsumerGroup& group, const SyncGroupRequest& request,
              sim::Reply<SyncGroupAnswer> reply);
    [[nodiscard]] ErrorAnswer heartbeat(ConsumerGroup& group, const HeartbeatRequest& request);
    [[nodiscard]] ErrorAnswer leave(Shard& shard, ConsumerGroup& group,
                                    const LeaveGroupRequest& request);
    void await_rejoin(ConsumerGroupMember& member);

    [[nodiscard]] bool may_upgrade(const Group& group) const;
    [[nodiscard]] bool may_downgrade(const ConsumerGroup& group) const;
    void upgrade(Shard& shard, Group& classic, const ConsumerGroupHeartbeatRequest& request,
                 sim::Reply<ConsumerGroupHeartbeatAnswer> reply);
    bool downgrade(Shard& shard, ConsumerGroup& group, const ConsumerGroup& before, bool rebalances,
                   Appended done);

    [[nodiscard]] static ConsumerGroup* find_consumer_group(Shard& shard, std::string_view group);
    [[nodiscard]] ConsumerGroupMember* find_or_admit(ConsumerGroup& group,
                                                     const ConsumerGroupHeartbeatRequest& request,
                                                     ErrorCode& error) const;
    [[nodiscard]] static ConsumerGroupMember& take_place(ConsumerGroup& group,
                                                         const ConsumerGroupMember& former,
                                                         const std::string& member_id);
    static void update_subscription(ConsumerGroup& group, ConsumerGroupMember& member,
                                    const ConsumerGroupHeartbeatRequest& request);
    void note_topics(ConsumerGroup& group);
    void maybe_make_target(ConsumerGroup& group);
    [[nodiscard]] ConsumerGroupHeartbeatAnswer heed(ConsumerGroup& group,
                                                    ConsumerGroupMember& member,
                                                    const ConsumerGroupHeartbeatRequest& request);
    void touch(ConsumerGroupMember& member);
    void consumer_leave(Shard& shard, ConsumerGroup& group, const ConsumerGroup& before,
                        const ConsumerGroupHeartbeatRequest& request,
                        sim::Reply<ConsumerGroupHeartbeatAnswer> reply);
    static void remove(ConsumerGroup& group, const std::string& member_id);
    static void refuse_waiting(Group& group, ErrorCode error);
    static void remove(ShareGroup& group, const std::string& member_id);
    void persist(Shard& shard, const ShareGroup& group, ShareGroupHeartbeatAnswer answer,
                 sim::Reply<ShareGroupHeartbeatAnswer> reply);
    [[nodiscard]] static bool has_share_members(const Shard& shard, std::string_view group);
    void persist(Shard& shard, ConsumerGroup& group, const ConsumerGroup& before, Appended done);
    void persist_removal(Shard& shard, ConsumerGroup& group, const ConsumerGroup& before,
                         Appended done);

    [[nodiscard]] static bool is_subscribed(const Shard& shard, std::string_view group,
                                            TopicId topic);
    [[nodiscard]] static std::optional<std::int64_t>
    kept_since(const Shard& shard, const std::string& group, const Committed& commit);
    void clean_up(Shard& shard);
    void clean_up(Shard& shard, const std::string& group, std::int64_t now,
                  std::vector<Record>& tombstones);
    void forget(Shard& shard, const std::string& group, std::vector<Record>& tombstones);

    void tick();
    void tick(Shard& shard, Group& group);
    void tick(Shard& shard, ConsumerGroup& group);
    void tick(Shard& shard, ShareGroup& group);

    /// Writes into the shard's log; `done` gets the log's own error.
    void append(const Shard& shard, Record record, Appended done);
    void append(const Shard& shard, std::vector<Record> records, Appended done);

    /// The same. **Returns** whether the log has taken them; whether they are replicated in time is
    /// known later.
    [[nodiscard]] bool try_append(const Shard& shard, std::vector<Record> records, Appended done);

    /// Answers when a change is in the log, or that it may not be.
    template <class Answer>
    [[nodiscard]] static Appended when_written(Answer answer, sim::Reply<Answer> reply);

    using Method = void (GroupCoordinator::*)();

    BrokerHome& home_;
    ReplicaManager* replicas_ = nullptr;
    CoordinatorShards<Shard> shards_;
    Alarm<GroupCoordinator, static_cast<Method>(&GroupCoordinator::tick)> alarm_;
};

template <class Answer>
GroupCoordinator::Appended GroupCoordinator::when_written(Answer answer, sim::Reply<Answer> reply) {
    auto held = std::make_shared<std::pair<Answer, sim::Reply<Answer>>>(std::move(answer),
                                                                        std::move(reply));
    return [held](ErrorCode error) {
        auto& [said, to] = *held;
        if (error != ErrorCode::none) {
            said = {};
            said.error = as_coordinator_error(error);
        }
        to(std::move(said));
    };
}

} // namespace crier::broker::kafka
