#include "properties/send_order.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/reading.hpp"
#include "sim/events.hpp"

#include <iterator>
#include <map>
#include <set>
#include <string>
#include <tuple>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

enum class Rule { between_transactions, within, skip };

std::string_view name_of(Rule rule) {
    switch (rule) {
    case Rule::between_transactions: return "nonmonotonic-send";
    case Rule::within: return "int-nonmonotonic-send";
    case Rule::skip: break;
    }
    return "int-send-skip";
}

class SendOrder final : public Checker, private sim::EventSink, private SendObserver {
public:
    SendOrder(Reading& reading, Rule rule)
        : topology_(reading.topology()), routes_(reading.flows().routes()), sends_(reading.sends()),
          rule_(rule) {
        reading.add(*this);
        reading.sends().add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        Verdict verdict = tally_.verdict(name_of(rule_), topology_, end);
        if (skips_ > 0) {
            verdict.remark = std::to_string(skips_) + " times something else lies between two "
                                                      "records of a transaction, as Kafka allows";
        }
        return verdict;
    }

private:
    struct Stored {
        std::uint64_t offset = 0;
        std::uint64_t transaction = 0;
        std::uint64_t sequence = 0;
    };
    /// Acknowledged sends by number; outcomes that come late are few.
    using Sent = std::map<std::uint64_t, Stored>;
    static constexpr std::size_t kept_max = 64;

    void on_event(const Event& event) override {
        if (event.kind == sim::events::started.id) { // its producers are gone
            std::erase_if(sent_, [&event](const auto& entry) {
                return std::get<0>(entry.first) == event.node;
            });
            return;
        }
        const bool is_lost =
            event.kind == broker_events::records_lost.id && routes_.may_lose(event.operands[0]);
        if (is_lost || event.kind == broker_events::partition_deleted.id)
            lost_.insert(event.operands[0]);
    }

    void on_acknowledged(const Send& send, std::uint64_t offset, const Event& event) override {
        if (!sends_.producer(send).is_in_order || routes_.place(send.partition) == nullptr) return;
        if (lost_.contains(send.partition)) return;
        Sent& sent = sent_[{event.node, send.producer, send.partition}];
        const Stored stored{offset, send.transaction, event.sequence};
        const auto at = sent.insert_or_assign(send.number, stored).first;
        if (at != sent.begin()) judge(*std::prev(at), *at, send, event);
        if (std::next(at) != sent.end()) judge(*at, *std::next(at), send, event);
        if (sent.size() > kept_max) sent.erase(sent.begin());
    }

    void judge(const Sent::value_type& first, const Sent::value_type& second, const Send& send,
               const Event& event) {
        const bool is_within =
            first.second.transaction != 0 && first.second.transaction == second.second.transaction;
        if (is_within == (rule_ == Rule::between_transactions)) return;
        tally_.observe();
        if (rule_ == Rule::skip) {
            const bool is_next = second.first == first.first + 1;
            if (is_next && second.second.offset > first.second.offset + 1) ++skips_;
            return;
        }
        if (second.second.offset > first.second.offset) return;
        tally_.violate([&] {
            Finding finding;
            finding.time = event.time;
            finding.subjects = {send.message};
            finding.events = {first.second.sequence, second.second.sequence};
            Sentence& say = finding.witness;
            say.node(event.node)
                .words(" learns at ")
                .time(event.time)
                .words(" that of two records");
            say.words(is_within ? " of one transaction the earlier is at " : " the earlier is at ");
            say.text(send.partition).words(" offset ");
            say.number(static_cast<std::int64_t>(first.second.offset)).words(" and the later at ");
            say.number(static_cast<std::int64_t>(second.second.offset)).words(".");
            return finding;
        });
    }

    const Topology& topology_;
    const Routes& routes_;
    const SendReader& sends_;
    Rule rule_;
    // By node, producer and partition.
    std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint64_t>, Sent> sent_;
    std::set<std::uint64_t> lost_; // partitions that were, or were deleted
    std::uint64_t skips_ = 0;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_nonmonotonic_send(Reading& reading, const PropertyOptions&) {
    return std::make_unique<SendOrder>(reading, Rule::between_transactions);
}

std::unique_ptr<Checker> make_int_nonmonotonic_send(Reading& reading, const PropertyOptions&) {
    return std::make_unique<SendOrder>(reading, Rule::within);
}

std::unique_ptr<Checker> make_int_send_skip(Reading& reading, const PropertyOptions&) {
    return std::make_unique<SendOrder>(reading, Rule::skip);
}

} // namespace crier::properties
