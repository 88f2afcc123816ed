#include "properties/key_affinity.hpp"

#include "properties/finding.hpp"
#include "properties/reading.hpp"
#include "sim/hash.hpp"

namespace crier::properties {

namespace {

using sim::Event;

class KeyAffinity final : public Checker, private FlowObserver {
public:
    explicit KeyAffinity(Reading& reading)
        : topology_(reading.topology()), reader_(reading.flows()) {
        reading.flows().add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("key-affinity", topology_, end);
    }

private:
    struct Copy {
        std::uint32_t message = 0;
        std::uint64_t key = 0; // of the record
        std::uint64_t sequence = 0;
        std::int64_t time = 0;
    };
    struct Aggregate {
        std::uint64_t text = 0;
        Copy first;
        bool reported = false;
    };

    void on_accepted(const FlowMessage& message, std::uint64_t key, const Event&) override {
        if (!judges(message) || is_empty_text(key)) return;
        const std::uint32_t number = index_.insert(sim::mix(key, message.flow));
        aggregates_.at(number).text = key;
        aggregate_of_.at(message.number) = number + 1;
        // A copy may be stored already, when it was published before the commit.
        const Copy early = early_.get(message.number);
        if (early.sequence != 0) judge(early, number);
    }

    void on_stored(const FlowMessage& message, const Event& event) override {
        if (!judges(message)) return;
        const Copy copy{message.number, event.operands[3], event.sequence, event.time};
        const std::uint32_t aggregate = aggregate_of_.get(message.number);
        if (aggregate != 0) {
            judge(copy, aggregate - 1);
        } else if (!reader_.is_accepted(message.number)) {
            early_.at(message.number) = copy;
        }
    }

    void judge(const Copy& copy, std::uint32_t number) {
        tally_.observe();
        Aggregate& aggregate = aggregates_.at(number);
        if (aggregate.first.sequence == 0) {
            aggregate.first = copy;
            return;
        }
        const bool keyless = is_empty_text(copy.key);
        const bool same_key = copy.key == aggregate.first.key && !keyless;
        const bool same_message = copy.message == aggregate.first.message;
        if (same_key || (keyless && same_message) || aggregate.reported) return;
        aggregate.reported = true;
        tally_.violate([&] { return apart(aggregate, copy); });
    }

    [[nodiscard]] Finding apart(const Aggregate& aggregate, const Copy& copy) const {
        const std::uint64_t first = reader_.message(aggregate.first.message).text;
        const std::uint64_t second = reader_.message(copy.message).text;
        Finding finding;
        finding.time = copy.time;
        finding.subjects = {second, first};
        finding.events = {aggregate.first.sequence, copy.sequence};
        finding.witness.text(first).words(" and ").text(second).words(" both concern ");
        finding.witness.text(aggregate.text).words(", but are stored ");
        name_key(finding.witness, aggregate.first.key);
        finding.witness.words(" and ");
        name_key(finding.witness, copy.key);
        finding.witness.words(": nothing keeps them in one partition, or in order.");
        return finding;
    }

    static void name_key(Sentence& say, std::uint64_t key) {
        if (is_empty_text(key)) {
            say.words("without a key");
        } else {
            say.words("with key ").text(key);
        }
    }

    [[nodiscard]] bool judges(const FlowMessage& message) const {
        return topology_.flows[message.flow].accepted_table_text != 0;
    }

    const Topology& topology_;
    const FlowReader& reader_;
    Index index_; // of aggregates
    ByNumber<Aggregate> aggregates_;
    ByNumber<std::uint32_t> aggregate_of_; // number + 1, by message
    ByNumber<Copy> early_;                 // by message; empty in a run without early copies
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_key_affinity(Reading& reading, const PropertyOptions&) {
    return std::make_unique<KeyAffinity>(reading);
}

} // namespace crier::properties
