#pragma once

#include "broker-model/kafka/broker_api.hpp"

#include <string_view>
#include <vector>

// One request on its way to a broker, and what faults may ask of it: what it is about, and the
// answers that are not the truth.

namespace crier::broker::kafka {

/// Appends the names of the partition and its topic as a fault may give them: `orders/3`, `orders`.
void name_partition(const Cluster& cluster, PartitionId partition,
                    std::vector<std::uint64_t>& names);

/// Appends the name of a group, or of a transactional id.
void name_group(std::string_view group, std::vector<std::uint64_t>& names);

/// Answers what a broker answers that does not know yet what has happened lately: metadata before
/// the last change, a watermark from before the last batch, the commit before the last.
/// **Source**: KIP-207 (a new leader's old watermark), Kafka's MetadataCache, which any broker
/// serves from whatever it has.
void serve_stale(Cluster& cluster, sim::Node& node, const MetadataRequest& request,
                 sim::Reply<MetadataAnswer> reply);
void serve_stale(Cluster& cluster, sim::Node& node, const FindCoordinatorRequest& request,
                 sim::Reply<FindCoordinatorAnswer> reply);
void serve_stale(Cluster& cluster, sim::Node& node, const FetchRequest& request,
                 sim::Reply<FetchAnswer> reply);
void serve_stale(Cluster& cluster, sim::Node& node, const ListOffsetsRequest& request,
                 sim::Reply<ListOffsetsAnswer> reply);
void serve_stale(Cluster& cluster, sim::Node& node, const OffsetFetchRequest& request,
                 sim::Reply<OffsetFetchAnswer> reply);

/// Returns an answer that says `error` of everything that was asked.
template <class Answer, class Request>
[[nodiscard]] Answer refusal(const Request& request, ErrorCode error) {
    Answer answer{};
    if constexpr (requires { answer.error = error; }) {
        answer.error = error;
    } else if constexpr (requires { answer.errors; }) {
        answer.errors.assign(1, error);
        if constexpr (requires { request.partitions; }) {
            answer.errors.assign(request.partitions.size(), error);
        }
    } else if constexpr (requires {
                             answer.partitions;
                             request.partitions;
                         }) {
        for (const auto& asked : request.partitions) {
            auto& part = answer.partitions.emplace_back();
            part.partition = asked.partition;
            part.error = error;
        }
    }
    return answer;
}

/// What runs when a request arrives at a broker, or at the controller.
template <class Request, class Answer>
class BrokerRequest {
public:
    BrokerRequest(Cluster& cluster, sim::Node& node, Request request)
        : cluster_(&cluster), node_(&node), request_(std::move(request)) {}

    void operator()(sim::Process&, sim::Reply<Answer> reply) {
        const sim::Forgery forgery = reply.forgery();
        if (forgery.kind == sim::Forgery::Kind::fail) {
            const auto error = static_cast<ErrorCode>(forgery.error);
            reply.note_forged(make_error_code(error).message());
            return reply(refusal<Answer>(request_, error));
        }
        if constexpr (requires { serve_stale(*cluster_, *node_, request_, std::move(reply)); }) {
            if (forgery.kind == sim::Forgery::Kind::stale) {
                reply.note_forged("stale");
                return serve_stale(*cluster_, *node_, request_, std::move(reply));
            }
        }
        serve_request(*cluster_, *node_, std::move(request_), std::move(reply));
    }

    /// Appends what the request is about.
    void name(std::vector<std::uint64_t>& names) const {
        if constexpr (requires { request_.group; }) name_group(request_.group, names);
        if constexpr (requires { request_.topic; }) name_group(request_.topic, names);
        if constexpr (requires { request_.id; }) name_group(request_.id, names);
        if constexpr (requires { request_.request.group; }) {
            name_group(request_.request.group, names);
            name_all(request_.request.partitions, names);
        }
        if constexpr (requires { request_.commit.group; }) {
            name_group(request_.commit.group, names);
            name_all(request_.commit.offsets, names);
        }
        if constexpr (requires { request_.transactional_id; }) {
            if (!request_.transactional_id.empty()) name_group(request_.transactional_id, names);
        }
        if constexpr (requires { request_.partition; }) {
            name_partition(*cluster_, request_.partition, names);
        }
        if constexpr (requires { request_.partitions; }) name_all(request_.partitions, names);
        if constexpr (requires { request_.offsets; }) name_all(request_.offsets, names);
    }

private:
    template <class Parts>
    void name_all(const Parts& parts, std::vector<std::uint64_t>& names) const {
        for (const auto& part : parts) {
            if constexpr (requires { part.partition; }) {
                name_partition(*cluster_, part.partition, names);
            } else {
                name_partition(*cluster_, part, names);
            }
        }
    }

    Cluster* cluster_;
    sim::Node* node_;
    Request request_;
};

} // namespace crier::broker::kafka
