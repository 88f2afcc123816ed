#include "broker-model/kafka/transactions/transaction_records.hpp"

#include "broker-model/kafka/broker/record_bytes.hpp"

namespace crier::broker::kafka {

namespace {

constexpr char transaction_tag = 't';

} // namespace

Record write_record(const Transaction& transaction) {
    Record record;
    record.key.emplace(1, transaction_tag).append(transaction.id);
    RecordWriter value(record.value);
    value.number(bits_of(transaction.producer));
    value.number(bits_of(transaction.previous_producer));
    value.number(bits_of(transaction.next_producer));
    value.number(bits_of(transaction.epoch));
    value.number(bits_of(transaction.last_epoch));
    value.number(bits_of(transaction.timeout.count()));
    value.number(static_cast<std::uint64_t>(transaction.state));
    value.numbers(transaction.partitions);
    value.number(bits_of(transaction.started.time_since_epoch().count()));
    return record;
}

Record write_transaction_tombstone(const std::string& id) {
    Record record;
    record.key.emplace(1, transaction_tag).append(id);
    record.is_tombstone = true;
    return record;
}

std::optional<Transaction> read_transaction_record(const Record& record) {
    if (!record.key || record.key->front() != transaction_tag) return std::nullopt;
    RecordReader value(record.value);
    Transaction transaction;
    transaction.id = record.key->substr(1);
    if (record.is_tombstone) return transaction;
    transaction.producer = static_cast<std::int64_t>(value.number());
    transaction.previous_producer = static_cast<std::int64_t>(value.number());
    transaction.next_producer = static_cast<std::int64_t>(value.number());
    transaction.epoch = static_cast<std::int16_t>(value.number());
    transaction.last_epoch = static_cast<std::int16_t>(value.number());
    transaction.timeout = Duration(static_cast<std::int64_t>(value.number()));
    transaction.state = static_cast<TransactionState>(value.number());
    transaction.partitions = value.numbers();
    transaction.started = WallTime(Duration(static_cast<std::int64_t>(value.number())));
    return transaction;
}

} // namespace crier::broker::kafka
