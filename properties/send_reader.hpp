#pragma once

#include "sim/history.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <tuple>
#include <vector>

// Reads the stream of a history as what became of each record that a producer took, in the
// producer's own words: acknowledged, failed, or never told. Without observers it reads nothing.

namespace crier::properties {

/// A producer in one life of its process, as it was made.
struct ProducerClient {
    std::uint32_t node = 0;
    bool is_idempotent = true;
    bool is_in_order = true;   ///< A partition's records are stored in the order of their sending.
    bool waits_for_all = true; ///< acks=all: what is acknowledged is stored for good.
};

/// One record that a producer took.
struct Send {
    std::uint64_t partition = 0;
    std::uint64_t message = 0;     ///< 0: it has no identity of its own.
    std::uint64_t transaction = 0; ///< 0: none.
    std::uint64_t number = 0;      ///< Ascending for a producer and partition, without gaps.
    std::uint64_t sequence = 0;    ///< Of its event.
    std::uint32_t producer = 0;    ///< See SendReader::producer.
};

/// Told by a reader. Observers override what they need.
class SendObserver {
public:
    virtual ~SendObserver() = default;

    virtual void on_sent(const Send&, const sim::Event&) {}
    /// The producer was told that it is stored there.
    virtual void on_acknowledged(const Send&, std::uint64_t /*offset*/, const sim::Event&) {}
    /// The producer says that it is not stored and never will be.
    virtual void on_failed(const Send&, const sim::Event&) {}
    /// The producer does not learn whether it is stored.
    virtual void on_unknown(const Send&, const sim::Event&) {}
    /// The client was told how that transaction ended.
    virtual void on_ended(std::uint64_t /*transaction*/, bool /*committed*/, const sim::Event&) {}
};

class SendReader {
public:
    SendReader();

    /// Tells `observer`, after those added before it; it must outlive the reading.
    void add(SendObserver& observer) { observers_.push_back(&observer); }

    void read(const sim::Event& event);

    [[nodiscard]] const ProducerClient& producer(const Send& send) const {
        return producers_[send.producer];
    }

private:
    /// Node, life, and the producer's id in it; then the partition.
    using Client = std::tuple<std::uint32_t, std::uint32_t, std::uint64_t>;
    struct Waiting {
        Send send;
        bool is_told = false;
    };

    void opened(const sim::Event& event);
    void sent(const sim::Event& event);
    void acknowledged(const sim::Event& event);
    void given_up(const sim::Event& event);
    template <class Told>
    void tell(const sim::Event& event, std::uint64_t first, std::uint64_t count, Told told);
    [[nodiscard]] std::uint32_t number_of(const Client& client);

    std::vector<SendObserver*> observers_;
    std::vector<ProducerClient> producers_;
    std::map<Client, std::uint32_t> numbers_;
    std::map<std::pair<Client, std::uint64_t>, std::deque<Waiting>> waiting_;
    std::uint64_t all_;
    std::uint64_t idempotent_;
    std::uint64_t one_in_flight_;
    std::uint64_t commit_;
};

} // namespace crier::properties
