#include "broker-model/kafka/transactions/transaction_coordinator.hpp"

#include "broker-model/events.hpp"
#include "broker-model/kafka/broker/coordinator_log.hpp"
#include "broker-model/kafka/transactions/transaction_records.hpp"

#include <algorithm>

namespace crier::broker::kafka {

TransactionCoordinator::Shard* TransactionCoordinator::find_shard(std::string_view id,
                                                                  ErrorCode& error) {
    return shards_.find(home_.cluster.transactions_partition(id), error);
}

TransactionCoordinator::Entry* TransactionCoordinator::find_entry(Shard* shard,
                                                                  std::string_view id) {
    if (shard == nullptr) return nullptr;
    const auto entry = shard->entries.find(id);
    return entry == shard->entries.end() ? nullptr : &entry->second;
}

void TransactionCoordinator::take_id(const InitProducerIdRequest& request,
                                     sim::Reply<InitProducerIdAnswer> reply) {
    InitProducerIdAnswer answer;
    Shard* const shard = find_shard(request.transactional_id, answer.error);
    if (shard == nullptr) return reply(answer);
    if (request.transaction_timeout > home_.cluster.options().transaction_max_timeout ||
        request.transaction_timeout <= Duration{}) {
        answer.error = ErrorCode::invalid_transaction_timeout;
        return reply(answer);
    }
    auto found = shard->entries.find(request.transactional_id);
    if (found == shard->entries.end()) {
        Entry fresh;
        fresh.now.id = request.transactional_id;
        fresh.now.producer = ids_.next();
        found = shard->entries.emplace(request.transactional_id, std::move(fresh)).first;
    }
    Entry& entry = found->second;
    TransactionStep step;
    step.error = ErrorCode::concurrent_transactions;
    if (!entry.is_pending) {
        const bool needs_fresh = entry.now.has_used_up_epochs();
        step = kafka::take_id(entry.now, request, rules(), needs_fresh ? ids_.next() : -1);
    }
    answer.error = step.error;
    if (!step.next) return reply(answer);
    if (step.error != ErrorCode::none) { // aborts what is open; the producer comes again
        store(*shard, entry, *step.next, [](ErrorCode) {});
        return reply(answer);
    }
    auto held = std::make_shared<sim::Reply<InitProducerIdAnswer>>(std::move(reply));
    auto done = [this, held, next = *step.next](ErrorCode error) {
        InitProducerIdAnswer told;
        told.error = error;
        if (error == ErrorCode::none) {
            told.id = next.producer;
            told.epoch = next.epoch;
            home_.world().record_as(&home_.process, events::transactional_id_taken,
                                    home_.world().history().name(next.id), next.epoch,
                                    next.producer, next.timeout.count());
        }
        (*held)(told);
    };
    store(*shard, entry, *step.next, std::move(done));
}

void TransactionCoordinator::add_partitions(const AddPartitionsRequest& request,
                                            sim::Reply<AddPartitionsAnswer> reply) {
    AddPartitionsAnswer answer;
    ErrorCode error = ErrorCode::none;
    Shard* const shard = find_shard(request.transactional_id, error);
    Entry* const entry = find_entry(shard, request.transactional_id);
    if (shard != nullptr && entry == nullptr) error = ErrorCode::invalid_producer_id_mapping;
    if (entry != nullptr && request.verify_only) {
        for (const PartitionId partition : request.partitions)
            answer.errors.push_back(verify_partition(entry->now, request, partition));
        return reply(std::move(answer));
    }
    TransactionStep step;
    if (entry != nullptr) {
        step = kafka::add_partitions(entry->now, request, home_.wall_now());
        // A step on its way into the log: what this one would begin from is not known.
        if (step.error == ErrorCode::none && entry->is_pending) {
            step = {ErrorCode::concurrent_transactions, std::nullopt};
        }
        error = step.error;
    }
    if (!step.next) {
        answer.errors.assign(request.partitions.size(), error);
        return reply(std::move(answer));
    }
    auto held = std::make_shared<sim::Reply<AddPartitionsAnswer>>(std::move(reply));
    store(*shard, *entry, *step.next, [held, count = request.partitions.size()](ErrorCode failed) {
        AddPartitionsAnswer told;
        told.errors.assign(count, failed);
        (*held)(std::move(told));
    });
}

void TransactionCoordinator::end(const EndTransactionRequest& request,
                                 sim::Reply<EndTransactionAnswer> reply) {
    EndTransactionAnswer answer;
    Shard* const shard = find_shard(request.transactional_id, answer.error);
    if (shard == nullptr) return reply(answer);
    Entry* const found = find_entry(shard, request.transactional_id);
    if (found == nullptr) {
        answer.error = ErrorCode::invalid_producer_id_mapping;
        return reply(answer);
    }
    Entry& entry = *found;
    const bool needs_fresh = entry.now.has_used_up_epochs();
    TransactionStep step = kafka::end(entry.now, request, rules(), needs_fresh ? ids_.next() : -1);
    if (step.error == ErrorCode::none && entry.is_pending) {
        step = {ErrorCode::concurrent_transactions, std::nullopt};
    }
    const auto tell = [](const Transaction& of, EndTransactionAnswer& to) {
        to.producer = of.next_producer >= 0 ? of.next_producer : of.producer;
        to.epoch = of.next_producer >= 0 ? std::int16_t{0} : of.epoch;
    };
    answer.error = step.error;
    if (!step.next) {
        if (step.error == ErrorCode::none) tell(entry.now, answer);
        return reply(answer);
    }
    entry.asked = request.transaction;
    auto held = std::make_shared<sim::Reply<EndTransactionAnswer>>(std::move(reply));
    store(*shard, entry, *step.next, [held, tell, next = *step.next](ErrorCode error) {
        EndTransactionAnswer told;
        told.error = error;
        if (error == ErrorCode::none) tell(next, told);
        (*held)(told);
    });
}

void TransactionCoordinator::store(Shard& shard, Entry& entry, const Transaction& next,
                                   std::function<void(ErrorCode)> done) {
    entry.is_pending = true;
    entry.updated = home_.wall_now();
    std::vector<Record> records;
    records.push_back(write_record(next));
    constexpr Duration timeout = std::chrono::seconds(30); // request.timeout.ms
    auto written = [this, partition = shard.partition, epoch = shard.epoch, next,
                    tell = std::move(done)](ErrorCode error) {
        Shard* const at = shards_.find(partition, epoch);
        Entry* const it = find_entry(at, next.id);
        if (it == nullptr) return tell(ErrorCode::not_coordinator);
        it->is_pending = false;
        const std::uint64_t asked = std::exchange(it->asked, 0);
        if (error == ErrorCode::none) stored(*at, *it, next, asked);
        tell(as_coordinator_error(error));
    };
    replicas_->append({shard.partition, make_batch(home_, std::move(records))}, timeout,
                      std::move(written));
}

void TransactionCoordinator::stored(Shard& shard, Entry& entry, const Transaction& next,
                                    std::uint64_t asked) {
    const bool was_prepared = entry.now.is_prepared();
    entry.now = next;
    if (next.state == TransactionState::ongoing) {
        alarm_.need(home_.now() + home_.cluster.options().transaction_abort_interval);
    }
    if (!next.is_prepared() || was_prepared) return;
    const bool commits = next.state == TransactionState::prepare_commit;
    sim::History& history = home_.world().history();
    home_.world().record_as(&home_.process, events::transaction_decided, history.name(next.id),
                            next.epoch, history.name(commits ? "commit" : "abort"), asked);
    bring_markers(shard, entry);
}

void TransactionCoordinator::bring_markers(Shard& shard, Entry& entry) {
    const bool commits = entry.now.state == TransactionState::prepare_commit;
    WriteMarkersRequest verdict;
    verdict.producer = {entry.now.producer, entry.now.epoch, -1, true};
    verdict.marker = commits ? Marker::commit : Marker::abort;
    verdict.coordinator_epoch = shard.epoch;
    verdict.partitions = entry.now.partitions;
    auto done = [this, partition = shard.partition, epoch = shard.epoch, id = entry.now.id] {
        complete_soon(partition, epoch, id);
    };
    if (verdict.partitions.empty()) return done();
    entry.markers = std::make_shared<TransactionMarkers>(home_, *replicas_, std::move(verdict),
                                                         std::move(done));
    entry.markers->send();
}

// All markers are written. While the coordinator's log does not take that, the id stays busy.
void TransactionCoordinator::complete_soon(PartitionId partition, std::int32_t epoch,
                                           const std::string& id) {
    Shard* const shard = shards_.find(partition, epoch);
    Entry* const entry = find_entry(shard, id);
    if (entry == nullptr || !entry->now.is_prepared() || entry->is_pending) return;
    entry->markers.reset();
    store(*shard, *entry, complete(entry->now), [this, partition, epoch, id](ErrorCode error) {
        if (error == ErrorCode::none) return;
        constexpr Duration pause = std::chrono::milliseconds(100); // retry.backoff.ms
        home_.kernel().at(home_.process, home_.now() + pause,
                          [this, partition, epoch, id] { complete_soon(partition, epoch, id); });
    });
}

// Late by up to the interval, as in Kafka. Source: TransactionStateManager.timedOutTransactions.
void TransactionCoordinator::abort_overdue() {
    bool is_any_open = false;
    for (const auto& [partition, shard] : shards_.all()) {
        if (shard->is_loaded && shard->cleanup <= home_.now()) forget_expired(*shard);
        if (!shard->entries.empty()) alarm_.need(shard->cleanup);
        for (auto& [id, entry] : shard->entries) {
            if (entry.now.state != TransactionState::ongoing) continue;
            is_any_open = true;
            if (entry.is_pending || entry.now.started + entry.now.timeout > home_.wall_now())
                continue;
            const std::int64_t fresh = entry.now.has_used_up_epochs() ? ids_.next() : -1;
            store(*shard, entry, abort_and_fence(entry.now, rules(), fresh), [](ErrorCode) {});
        }
    }
    if (is_any_open) {
        alarm_.need(home_.now() + home_.cluster.options().transaction_abort_interval);
    }
}

// Source: TransactionStateManager.removeExpiredTransactionalIds: those without an open transaction
// whose last step is too old; an id that is gone was never Kafka's state Dead for anybody to see.
void TransactionCoordinator::forget_expired(Shard& shard) {
    shard.cleanup = home_.now() + home_.cluster.options().transactional_id_cleanup_interval;
    const WallTime limit = home_.wall_now() - home_.cluster.options().transactional_id_expiration;
    std::vector<std::string> gone;
    for (const auto& [id, entry] : shard.entries) {
        const bool is_idle = entry.now.state != TransactionState::ongoing &&
                             !entry.now.is_prepared() && !entry.is_pending;
        if (is_idle && entry.updated <= limit) gone.push_back(id);
    }
    if (gone.empty()) return;
    std::vector<Record> tombstones;
    for (const std::string& id : gone) {
        tombstones.push_back(write_transaction_tombstone(id));
        shard.entries[id].is_pending = true;
    }
    constexpr Duration timeout = std::chrono::seconds(30); // request.timeout.ms
    replicas_->append(
        {shard.partition, make_batch(home_, std::move(tombstones))}, timeout,
        [this, partition = shard.partition, epoch = shard.epoch, gone](ErrorCode error) {
            Shard* const at = shards_.find(partition, epoch);
            if (at == nullptr) return;
            for (const std::string& id : gone) {
                if (error == ErrorCode::none) {
                    at->entries.erase(id);
                } else if (Entry* const entry = find_entry(at, id)) {
                    entry->is_pending = false;
                }
            }
        });
}

void TransactionCoordinator::leads(const Replica& replica) {
    drop(replica.id);
    shards_.open(home_, replica, [this](Shard& shard) { load(shard); });
}

// Verdicts that were not brought everywhere are brought again, now with this epoch.
void TransactionCoordinator::load(Shard& shard) {
    for (const StoredBatch& batch : replicas_->find(shard.partition)->log->batches()) {
        for (const Record& record : batch.batch->records) {
            if (std::optional<Transaction> read = read_transaction_record(record)) {
                if (record.is_tombstone) {
                    shard.entries.erase(read->id);
                    continue;
                }
                Entry& entry = shard.entries[read->id];
                entry.now = std::move(*read);
                entry.updated = WallTime(Duration(record.timestamp));
            }
        }
    }
    shard.is_loaded = true;
    shard.cleanup = home_.now() + home_.cluster.options().transactional_id_cleanup_interval;
    for (auto& [id, entry] : shard.entries) {
        if (entry.now.is_prepared()) bring_markers(shard, entry);
    }
    alarm_.need(home_.now() + home_.cluster.options().transaction_abort_interval);
}

void TransactionCoordinator::resigned(const Replica& replica) {
    drop(replica.id);
}

void TransactionCoordinator::drop(PartitionId partition) {
    const std::unique_ptr<Shard> shard = shards_.take(partition);
    if (!shard) return;
    for (auto& [id, entry] : shard->entries) {
        if (entry.markers) entry.markers->cancel();
    }
}

} // namespace crier::broker::kafka
