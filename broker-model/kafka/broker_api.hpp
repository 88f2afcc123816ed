#pragma once

#include "broker-model/kafka/protocol.hpp"

// The door of a broker and of the controller: what a request runs when it arrives at the node.
// The node's program does the work; where it is not there yet, the reply is dropped and the caller
// times out. Nothing here waits: answers may come later, through the reply.

namespace crier::broker::kafka {

class Cluster;

/// Serves a request that arrived at `node`, a broker of `cluster`, as a step of its process.
void serve_request(Cluster& cluster, sim::Node& node, MetadataRequest request,
                   sim::Reply<MetadataAnswer> reply);
void serve_request(Cluster& cluster, sim::Node& node, ProduceRequest request,
                   sim::Reply<ProduceAnswer> reply);
void serve_request(Cluster& cluster, sim::Node& node, InitProducerIdRequest request,
                   sim::Reply<InitProducerIdAnswer> reply);
void serve_request(Cluster& cluster, sim::Node& node, AddPartitionsRequest request,
                   sim::Reply<AddPartitionsAnswer> reply);
void serve_request(Cluster& cluster, sim::Node& node, AddOffsetsRequest request,
                   sim::Reply<AddPartitionsAnswer> reply);
void serve_request(Cluster& cluster, sim::Node& node, EndTransactionRequest request,
                   sim::Reply<EndTransactionAnswer> reply);
void serve_request(Cluster& cluster, sim::Node& node, WriteMarkersRequest request,
                   sim::Reply<WriteMarkersAnswer> reply);
void serve_request(Cluster& cluster, sim::Node& node, TxnOffsetCommitRequest request,
                   sim::Reply<OffsetCommitAnswer> reply);
void serve_request(Cluster& cluster, sim::Node& node, FetchRequest request,
                   sim::Reply<FetchAnswer> reply);
void serve_request(Cluster& cluster, sim::Node& node, ListOffsetsRequest request,
                   sim::Reply<ListOffsetsAnswer> reply);
void serve_request(Cluster& cluster, sim::Node& node, OffsetsForLeaderEpochRequest request,
                   sim::Reply<OffsetsForLeaderEpochAnswer> reply);
void serve_request(Cluster& cluster, sim::Node& node, DeleteRecordsRequest request,
                   sim::Reply<DeleteRecordsAnswer> reply);
void serve_request(Cluster& cluster, sim::Node& node, FindCoordinatorRequest request,
                   sim::Reply<FindCoordinatorAnswer> reply);
void serve_request(Cluster& cluster, sim::Node& node, JoinGroupRequest request,
                   sim::Reply<JoinGroupAnswer> reply);
void serve_request(Cluster& cluster, sim::Node& node, SyncGroupRequest request,
                   sim::Reply<SyncGroupAnswer> reply);
void serve_request(Cluster& cluster, sim::Node& node, HeartbeatRequest request,
                   sim::Reply<ErrorAnswer> reply);
void serve_request(Cluster& cluster, sim::Node& node, LeaveGroupRequest request,
                   sim::Reply<ErrorAnswer> reply);
void serve_request(Cluster& cluster, sim::Node& node, OffsetCommitRequest request,
                   sim::Reply<OffsetCommitAnswer> reply);
void serve_request(Cluster& cluster, sim::Node& node, OffsetFetchRequest request,
                   sim::Reply<OffsetFetchAnswer> reply);
void serve_request(Cluster& cluster, sim::Node& node, ConsumerGroupHeartbeatRequest request,
                   sim::Reply<ConsumerGroupHeartbeatAnswer> reply);
void serve_request(Cluster& cluster, sim::Node& node, ShareGroupHeartbeatRequest request,
                   sim::Reply<ShareGroupHeartbeatAnswer> reply);
void serve_request(Cluster& cluster, sim::Node& node, ShareFetchRequest request,
                   sim::Reply<ShareFetchAnswer> reply);
void serve_request(Cluster& cluster, sim::Node& node, ShareAcknowledgeRequest request,
                   sim::Reply<ShareFetchAnswer> reply);
void serve_request(Cluster& cluster, sim::Node& node, ReadShareStateRequest request,
                   sim::Reply<ReadShareStateAnswer> reply);
void serve_request(Cluster& cluster, sim::Node& node, WriteShareStateRequest request,
                   sim::Reply<ErrorAnswer> reply);
void serve_request(Cluster& cluster, sim::Node& node, DeleteGroupRequest request,
                   sim::Reply<ErrorAnswer> reply);
void serve_request(Cluster& cluster, sim::Node& node, OffsetDeleteRequest request,
                   sim::Reply<ErrorAnswer> reply);

/// As above, at the controller's node.
void serve_request(Cluster& cluster, sim::Node& node, RegisterBrokerRequest request,
                   sim::Reply<RegisterBrokerAnswer> reply);
void serve_request(Cluster& cluster, sim::Node& node, BrokerHeartbeatRequest request,
                   sim::Reply<BrokerHeartbeatAnswer> reply);
void serve_request(Cluster& cluster, sim::Node& node, AlterPartitionRequest request,
                   sim::Reply<AlterPartitionAnswer> reply);
void serve_request(Cluster& cluster, sim::Node& node, CreateTopicsRequest request,
                   sim::Reply<ErrorAnswer> reply);
void serve_request(Cluster& cluster, sim::Node& node, CreatePartitionsRequest request,
                   sim::Reply<ErrorAnswer> reply);
void serve_request(Cluster& cluster, sim::Node& node, DeleteTopicsRequest request,
                   sim::Reply<ErrorAnswer> reply);
void serve_request(sim::Node& controller, CreateTopicRequest request);

} // namespace crier::broker::kafka
