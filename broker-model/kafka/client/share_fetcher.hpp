#pragma once

#include "broker-model/kafka/client/consumer_fetcher.hpp"
#include "broker-model/kafka/client/metadata_cache.hpp"
#include "messaging/ports/kafka_share.hpp"

#include <map>
#include <memory>
#include <vector>

// A share consumer's sessions with the leaders: what it asks for, acknowledges, and has got and not
// handed out.

namespace crier::broker::kafka {

/// A record that a leader gave to this member.
struct GivenRecord {
    PartitionId partition = 0;
    crier::kafka::ShareRecord record;
};

class ShareFetcher : public std::enable_shared_from_this<ShareFetcher> {
public:
    ShareFetcher(const ClientContext& context, const crier::kafka::ShareConsumerOptions& options,
                 std::shared_ptr<ConsumerWake> wake, std::string member_id);
    ~ShareFetcher() { metadata_->close(); }

    void close();

    /// Asks the leaders of `partitions`, as far as nothing is asked of them already.
    void send(const std::vector<PartitionId>& partitions);

    /// Returns when something failed may be asked again.
    [[nodiscard]] Instant retry_at() const;

    /// Hands out what came.
    [[nodiscard]] std::vector<GivenRecord> take() { return std::exchange(given_, {}); }

    /// Notes a verdict; told with the next request to the leader.
    void note(PartitionId partition, Offset offset, crier::kafka::AcknowledgeType type);

    /// Tells all verdicts and waits; `is_last`: and ends the sessions.
    [[nodiscard]] asio::awaitable<std::map<PartitionId, Outcome<void>>> tell_all(bool is_last);

private:
    struct Leader {
        std::int32_t epoch = 0; // of the session's next request
        bool is_asked = false;
        Instant retry_at{};
        int failures = 0;
    };

    static asio::awaitable<void> run_fetch(std::shared_ptr<ShareFetcher> self, BrokerId broker,
                                           ShareFetchRequest request);
    [[nodiscard]] ShareFetchRequest request(BrokerId broker,
                                            const std::vector<PartitionId>& partitions);
    void take_in(ShareFetchAnswer& answer);
    void back_off(BrokerId broker);
    [[nodiscard]] ErrorCode heed(BrokerId broker, const Outcome<ShareFetchAnswer>& outcome);

    ClientContext context_;
    crier::kafka::ShareConsumerOptions options_;
    std::uint64_t group_text_;
    std::shared_ptr<ConsumerWake> wake_;
    std::shared_ptr<MetadataCache> metadata_;
    std::string member_id_;
    std::vector<Leader> leaders_; // by BrokerId
    std::map<PartitionId, std::vector<AcknowledgementBatch>> verdicts_;
    std::vector<GivenRecord> given_;
    bool closed_ = false;
};

} // namespace crier::broker::kafka
