#pragma once

#include "broker-model/kafka/client/share_fetcher.hpp"
#include "broker-model/kafka/client/share_membership.hpp"

#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

// The share consumer port: fetches that acquire, acknowledgements that travel with the next request
// to the same leader. Source: Kafka ShareConsumerImpl, ShareConsumeRequestManager.

namespace crier::broker::kafka {

class SimShareConsumer final : public crier::kafka::ShareConsumer {
public:
    SimShareConsumer(const ClientContext& context, crier::kafka::ShareConsumerOptions options);
    ~SimShareConsumer() override;

    void subscribe(std::vector<std::string> topics) override;
    [[nodiscard]] asio::awaitable<Outcome<std::vector<crier::kafka::ShareRecord>>>
    poll(Duration timeout) override;
    void acknowledge(const crier::kafka::ShareRecord& record,
                     crier::kafka::AcknowledgeType type) override;
    [[nodiscard]] asio::awaitable<std::vector<crier::kafka::AcknowledgementOutcome>>
    commit() override;
    [[nodiscard]] asio::awaitable<void> close() override;

private:
    using Place = std::pair<PartitionId, Offset>;
    /// A record that the application has.
    struct Open {
        std::optional<crier::kafka::AcknowledgeType> verdict;
        bool is_renewed = false;
        bool is_done = false;
    };

    void pass_verdicts(bool polls);
    [[nodiscard]] std::vector<crier::kafka::ShareRecord> hand_out(std::vector<GivenRecord> given);

    ClientContext context_;
    crier::kafka::ShareConsumerOptions options_;
    std::shared_ptr<ConsumerWake> wake_;
    std::shared_ptr<ShareMembership> member_;
    std::shared_ptr<ShareFetcher> fetcher_;
    std::vector<TopicId> topics_; // sorted
    std::map<Place, Open> open_;
    bool closed_ = false;
};

} // namespace crier::broker::kafka
