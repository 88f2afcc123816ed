#include "properties/txn_cycles.hpp"

#include "broker-model/events.hpp"
#include "properties/careful_readers.hpp"
#include "properties/finding.hpp"
#include "properties/index.hpp"
#include "properties/reading.hpp"
#include "sim/events.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

using Edge = std::pair<std::uint32_t, std::uint32_t>;

/// Returns the transactions of a cycle, in its order; empty when there is none.
std::vector<std::uint32_t> find_cycle(std::uint32_t count, const std::vector<Edge>& edges) {
    std::vector<std::vector<std::uint32_t>> following(count);
    std::vector<std::vector<std::uint32_t>> before(count);
    std::vector<std::uint32_t> waits(count); // for how many
    for (const auto& [from, to] : edges) {
        following[from].push_back(to);
        before[to].push_back(from);
        ++waits[to];
    }
    std::vector<std::uint32_t> free;
    for (std::uint32_t at = 0; at < count; ++at) {
        if (waits[at] == 0) free.push_back(at);
    }
    while (!free.empty()) {
        const std::uint32_t at = free.back();
        free.pop_back();
        for (const std::uint32_t next : following[at]) {
            if (--waits[next] == 0) free.push_back(next);
        }
    }
    // Whoever still waits has one before it that still waits: going back ends in a cycle.
    const auto stuck = [&waits](std::uint32_t at) { return waits[at] > 0; };
    std::uint32_t at = 0;
    while (at < count && !stuck(at))
        ++at;
    if (at == count) return {};
    std::vector<std::uint32_t> way;
    std::vector<std::uint32_t> place(count, 0); // in the way, from 1
    while (place[at] == 0) {
        way.push_back(at);
        place[at] = static_cast<std::uint32_t>(way.size());
        at = *std::find_if(before[at].begin(), before[at].end(), stuck);
    }
    way.erase(way.begin(), way.begin() + (place[at] - 1));
    std::reverse(way.begin(), way.end());
    return way;
}

class TxnCycles final : public Checker, private sim::EventSink, private SendObserver {
public:
    TxnCycles(Reading& reading, bool follows_reads)
        : topology_(reading.topology()), routes_(reading.flows().routes()),
          follows_reads_(follows_reads) {
        reading.add(*this);
        reading.sends().add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        std::vector<Edge> writes;
        for (const auto& [partition, writers] : writers_)
            add_order(writers, writes);
        std::vector<Edge> reads;
        for (const Edge& edge : reads_) {
            if (is_committed_[edge.first] && is_committed_[edge.second]) reads.push_back(edge);
        }
        tally_.observe(follows_reads_ ? reads.size() : writes.size());
        if (follows_reads_) judge(find_cycle(index_.size(), reads), end);
        Verdict verdict = tally_.verdict(follows_reads_ ? "g1c" : "g0", topology_, end);
        if (follows_reads_) writes.insert(writes.end(), reads.begin(), reads.end());
        const std::size_t length = find_cycle(index_.size(), writes).size();
        if (length > 0) {
            verdict.remark = std::to_string(length) +
                             " transactions are in a cycle by the order of "
                             "their writes" +
                             (follows_reads_ ? " and reads" : "") + ", as Kafka allows";
        }
        return verdict;
    }

private:
    /// A process with a transactional producer, and what it was handed since its last transaction
    /// ended, or since it has that producer.
    struct Client {
        std::vector<std::uint32_t> sources;
        std::uint64_t open = 0;
        bool is_ambiguous = false; // several transactions at once
    };
    using Writers = std::vector<std::uint32_t>; // by offset: number + 1, or 0

    void on_event(const Event& event) override {
        careful_.read(event);
        switch (event.kind) {
        case broker_events::received.id: received(event); break;
        case broker_events::producer_opened.id:
            if (event.operands[3] != 0) clients_[event.node];
            break;
        case broker_events::transaction_begun.id: {
            Client& client = clients_[event.node];
            client.is_ambiguous = client.is_ambiguous || client.open != 0;
            client.open = event.operands[0];
            break;
        }
        case broker_events::transaction_ended.id: ended(event); break;
        case sim::events::started.id: clients_.erase(event.node); break;
        default: break;
        }
    }

    void on_acknowledged(const Send& send, std::uint64_t offset, const Event&) override {
        if (send.transaction == 0 || routes_.place(send.partition) == nullptr) return;
        Writers& writers = writers_[send.partition];
        if (writers.size() <= offset) writers.resize(offset + 1);
        writers[offset] = number_of(send.transaction) + 1;
    }

    void on_ended(std::uint64_t transaction, bool committed, const Event&) override {
        is_committed_[number_of(transaction)] = committed;
    }

    void received(const Event& event) {
        if (!follows_reads_ || !careful_.has(event, event.operands[3])) return;
        const auto client = clients_.find(event.node);
        if (client == clients_.end()) return; // it has no transactions
        const auto found = writers_.find(event.operands[0]);
        const std::uint64_t offset = event.operands[1];
        if (found == writers_.end() || found->second.size() <= offset) return;
        const std::uint32_t writer = found->second[offset];
        std::vector<std::uint32_t>& sources = client->second.sources;
        const bool is_new = writer != 0 && (sources.empty() || sources.back() != writer - 1);
        if (is_new) sources.push_back(writer - 1);
    }

    void ended(const Event& event) {
        Client& client = clients_[event.node];
        if (!client.is_ambiguous) {
            const std::uint32_t reader = number_of(event.operands[0]);
            for (const std::uint32_t source : client.sources) {
                if (source != reader) reads_.emplace_back(source, reader);
            }
        }
        client.sources.clear();
        client.open = 0;
    }

    std::uint32_t number_of(std::uint64_t transaction) {
        const std::uint32_t number = index_.insert(transaction);
        if (number == is_committed_.size()) is_committed_.push_back(false);
        return number;
    }

    void add_order(const Writers& writers, std::vector<Edge>& edges) const {
        std::uint32_t last = 0;
        for (const std::uint32_t writer : writers) {
            if (writer == 0 || !is_committed_[writer - 1] || writer == last) continue;
            if (last != 0) edges.emplace_back(last - 1, writer - 1);
            last = writer;
        }
    }

    void judge(const std::vector<std::uint32_t>& cycle, const RunEnd& end) {
        if (cycle.empty()) return;
        tally_.violate([&] {
            Finding finding;
            finding.time = end.time.time_since_epoch().count();
            Sentence& say = finding.witness;
            for (const std::uint32_t number : cycle)
                say.text(index_.key(number)).words(" was read by ");
            say.text(index_.key(cycle.front())).words(": each depends on itself.");
            return finding;
        });
    }

    const Topology& topology_;
    const Routes& routes_;
    bool follows_reads_;
    CarefulReaders careful_;
    Index index_;                              // transactions
    std::vector<bool> is_committed_;           // by number, as their clients were told
    std::map<std::uint64_t, Writers> writers_; // by partition
    std::map<std::uint32_t, Client> clients_;  // by node
    std::vector<Edge> reads_;                  // from the one that wrote to the one that read
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_g0(Reading& reading, const PropertyOptions&) {
    return std::make_unique<TxnCycles>(reading, false);
}

std::unique_ptr<Checker> make_g1c(Reading& reading, const PropertyOptions&) {
    return std::make_unique<TxnCycles>(reading, true);
}

} // namespace crier::properties
