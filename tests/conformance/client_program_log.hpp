#pragma once

#include "tests/conformance/client_program.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace crier::conformance {

/// What the partitions of a program hold by what its producers were told, and what became of the
/// transactions. When one ends, each partition that it wrote to gets a control record, which takes
/// an offset; the programs wait for it.
class ProgramLog {
public:
    struct Stored {
        std::optional<std::string> key;
        std::string value;
        int transaction = -1; ///< Index; -1: none.
    };

    explicit ProgramLog(const Program& program);

    /// Notes what a transactional producer was told to do and what it answered.
    void open(const std::string& client, const std::string& id);
    void begin(const std::string& client);
    /// Of a transaction that a group's offsets belong to.
    void offer(const std::string& client, const std::string& group,
               const std::vector<kafka::TopicPartitionOffset>& offsets);
    /// A group commits without a transaction.
    void commit(const std::string& group, const kafka::TopicPartitionOffset& offset) {
        count(group, {offset.topic, offset.partition}, {++writes_, offset.offset});
    }
    /// Ends what the client has open.
    void end(const std::string& client, bool committed);
    /// Returns what counts for the group; -1: nothing.
    [[nodiscard]] kafka::Offset committed(const std::string& group,
                                          const kafka::TopicPartition& place) const;

    /// Whether the producer is a transactional one.
    [[nodiscard]] bool is_writer(const std::string& client) const {
        return writers_.contains(client);
    }
    [[nodiscard]] bool has(const kafka::TopicPartition& place) const {
        return logs_.contains(place);
    }
    void store(const std::string& client, const kafka::TopicPartition& place, kafka::Offset offset,
               Stored record);
    [[nodiscard]] kafka::Offset end_of(const kafka::TopicPartition& place) const {
        return ends_.at(place);
    }
    [[nodiscard]] const Stored* find(const kafka::TopicPartition& place,
                                     kafka::Offset offset) const;

    /// Returns where the first record lies, from `offset` on, that such a reader may be given; -1:
    /// there is none yet.
    [[nodiscard]] kafka::Offset visible_from(const kafka::TopicPartition& place,
                                             kafka::Offset offset,
                                             kafka::Isolation isolation) const;

    /// Whether an open transaction has written there, so that careful readers stop before it.
    [[nodiscard]] bool is_held_back(const kafka::TopicPartition& place) const;

    /// Whether an open transaction holds an offset of the group, so that careful members that come
    /// wait before they begin. **Source**: KIP-447, UNSTABLE_OFFSET_COMMIT.
    [[nodiscard]] bool is_offered(const std::string& group,
                                  const kafka::TopicPartition& place) const;

    [[nodiscard]] std::vector<kafka::TopicPartition> places() const;

private:
    /// A commit. Of two the one that was written later counts, whichever was decided later.
    /// **Source**: Kafka OffsetMetadataManager.replayEndTransactionMarker.
    struct Written {
        int order = 0;
        kafka::Offset offset = -1;
    };
    using Commits = std::map<kafka::TopicPartition, Written>;

    void count(const std::string& group, const kafka::TopicPartition& place, Written written);

    enum class State { open, committed, aborted };
    struct Transaction {
        State state = State::open;
        std::set<kafka::TopicPartition> touched;
        std::map<std::string, Commits> offsets; ///< By group.
    };
    struct Writer {
        std::string id;
        int transaction = -1; // open
    };

    std::map<kafka::TopicPartition, std::map<kafka::Offset, Stored>> logs_;
    std::map<kafka::TopicPartition, kafka::Offset> ends_;
    std::vector<Transaction> transactions_;
    std::map<std::string, Writer> writers_;
    std::map<std::string, Commits> commits_; // by group
    int writes_ = 0;
};

} // namespace crier::conformance
