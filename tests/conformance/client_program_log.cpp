#include "tests/conformance/client_program_log.hpp"

#include <algorithm>
#include <utility>

namespace crier::conformance {

using kafka::Offset;
using kafka::TopicPartition;
using kafka::TopicPartitionOffset;

ProgramLog::ProgramLog(const Program& program) {
    for (const ProgramTopic& topic : program.topics) {
        for (int index = 0; index < topic.partitions; ++index) {
            logs_[{topic.name, index}];
            ends_[{topic.name, index}] = 0;
        }
    }
}

// Whoever had the id is fenced, and what it left open is aborted.
void ProgramLog::open(const std::string& client, const std::string& id) {
    std::vector<std::string> fenced;
    for (const auto& [name, writer] : writers_) {
        if (writer.id == id) fenced.push_back(name);
    }
    for (const std::string& name : fenced)
        end(name, false);
    writers_[client] = {id, -1};
}

void ProgramLog::begin(const std::string& client) {
    writers_.at(client).transaction = static_cast<int>(transactions_.size());
    transactions_.emplace_back();
}

void ProgramLog::offer(const std::string& client, const std::string& group,
                       const std::vector<TopicPartitionOffset>& offsets) {
    const int open = writers_.at(client).transaction;
    if (open < 0) return;
    for (const TopicPartitionOffset& one : offsets) {
        transactions_[static_cast<std::size_t>(open)].offsets[group][{one.topic, one.partition}] = {
            ++writes_, one.offset};
    }
}

void ProgramLog::end(const std::string& client, bool committed) {
    const int open = std::exchange(writers_.at(client).transaction, -1);
    if (open < 0) return;
    Transaction& transaction = transactions_[static_cast<std::size_t>(open)];
    transaction.state = committed ? State::committed : State::aborted;
    for (const TopicPartition& place : transaction.touched)
        ++ends_[place];
    if (!committed) return;
    for (const auto& [group, commits] : transaction.offsets) {
        for (const auto& [place, written] : commits)
            count(group, place, written);
    }
}

void ProgramLog::count(const std::string& group, const TopicPartition& place, Written written) {
    Written& counting = commits_[group][place];
    if (written.order > counting.order) counting = written;
}

Offset ProgramLog::committed(const std::string& group, const TopicPartition& place) const {
    const auto commits = commits_.find(group);
    if (commits == commits_.end()) return -1;
    const auto found = commits->second.find(place);
    return found == commits->second.end() ? -1 : found->second.offset;
}

void ProgramLog::store(const std::string& client, const TopicPartition& place, Offset offset,
                       Stored record) {
    const auto writer = writers_.find(client);
    if (writer != writers_.end() && writer->second.transaction >= 0) {
        record.transaction = writer->second.transaction;
        transactions_[static_cast<std::size_t>(record.transaction)].touched.insert(place);
    }
    logs_.at(place)[offset] = std::move(record);
    ends_[place] = std::max(ends_[place], offset + 1);
}

const ProgramLog::Stored* ProgramLog::find(const TopicPartition& place, Offset offset) const {
    const auto& log = logs_.at(place);
    const auto found = log.find(offset);
    return found == log.end() ? nullptr : &found->second;
}

Offset ProgramLog::visible_from(const TopicPartition& place, Offset offset,
                                kafka::Isolation isolation) const {
    const auto& log = logs_.at(place);
    const bool is_careful = isolation == kafka::Isolation::read_committed;
    for (const auto& [at, record] : log) {
        const State state = record.transaction < 0
                                ? State::committed
                                : transactions_[static_cast<std::size_t>(record.transaction)].state;
        if (is_careful && state == State::open) return -1;
        if (at < offset || (is_careful && state == State::aborted)) continue;
        return at;
    }
    return -1;
}

bool ProgramLog::is_held_back(const TopicPartition& place) const {
    return std::any_of(transactions_.begin(), transactions_.end(), [&](const Transaction& one) {
        return one.state == State::open && one.touched.contains(place);
    });
}

bool ProgramLog::is_offered(const std::string& group, const TopicPartition& place) const {
    return std::any_of(transactions_.begin(), transactions_.end(), [&](const Transaction& one) {
        const auto offered = one.offsets.find(group);
        return one.state == State::open && offered != one.offsets.end() &&
               offered->second.contains(place);
    });
}

std::vector<TopicPartition> ProgramLog::places() const {
    std::vector<TopicPartition> found;
    for (const auto& [place, log] : logs_)
        found.push_back(place);
    return found;
}

} // namespace crier::conformance
