#include "broker-model/store/change_slots.hpp"

#include <algorithm>
#include <utility>

namespace crier::broker {

namespace {

/// How often what is confirmed is written down at most: with the first confirmation behind a record
/// of the running transactions, which the server logs so often. **Source**: PostgreSQL bgwriter.c,
/// LOG_SNAPSHOT_INTERVAL_MS; logical.c, LogicalConfirmReceivedLocation.
constexpr Duration save_interval = std::chrono::seconds(15);

SqlAnswer refused(StoreError error) {
    SqlAnswer answer;
    answer.error = error;
    return answer;
}

/// **Source**: PostgreSQL slot.c, ReplicationSlotValidateName.
bool is_slot_name(const std::string& name) {
    return !name.empty() && name.size() < 64 &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
}

std::size_t size_on_wire(const SlotAnswer& answer) {
    std::size_t size = 64;
    for (const InsertedRows& commit : answer.commits) {
        for (const InsertedRow& row : *commit.rows) {
            for (const Value& value : row.values) {
                const auto* const text = std::get_if<std::string>(&value);
                size += text == nullptr ? 12 : 4 + text->size();
            }
        }
    }
    return size;
}

} // namespace

ChangeSlots::ChangeSlots(sim::Node& node, DiskAccess& access, const DatabaseOptions& options,
                         CommitLedger& ledger, Transactions& transactions)
    : node_(node), process_(node.process()), access_(access), options_(options), ledger_(ledger),
      transactions_(transactions) {
    for (const auto& [name, confirmed] : ledger_.log().changes().slots()) {
        Slot& slot = slots_[name];
        slot.confirmed = confirmed;
        slot.saved = process_.kernel().now();
        slot.is_made = true;
    }
    keep_rows_or_not();
}

bool ChangeSlots::open(const SlotRequest& request, sim::Reply<SqlAnswer> reply) {
    const std::string& name = request.slot;
    const auto found = slots_.find(name);
    if (found != slots_.end() && found->second.reader != 0) {
        reply(refused(StoreError::unavailable));
        return false;
    }
    if (found != slots_.end()) {
        found->second.reader = request.connection.id;
        reply(SqlAnswer{});
        return true;
    }
    if (!is_slot_name(name)) {
        reply(refused(StoreError::statement_error));
        return false;
    }
    Slot& slot = slots_[name];
    slot.reader = request.connection.id;
    slot.reply = std::move(reply);
    keep_rows_or_not(); // of those who begin from here on
    wait_for_running(slot);
    slot.timeout = process_.kernel().at(process_, process_.kernel().now() + options_.lock_timeout,
                                        [this, name] {
                                            slots_.at(name).timeout = nullptr;
                                            give_up(name, StoreError::lock_timeout);
                                        });
    look(name);
    return true;
}

/// Those who have written something: whoever begins to write later is told of as a whole.
void ChangeSlots::wait_for_running(Slot& slot) const {
    for (const OpenTransaction* const transaction : transactions_.all()) {
        if (transaction->number != 0) slot.waits_for.push_back(transaction->id);
    }
}

// It waits for those who run, and once more for those who run then, unless nobody does.
// **Source**: PostgreSQL snapbuild.c, SnapBuildFindSnapshot.
void ChangeSlots::look(const std::string& name) {
    Slot& slot = slots_.at(name);
    if (!slot.waits_for.empty()) return;
    if (!std::exchange(slot.is_second_wait, true)) wait_for_running(slot);
    if (slot.waits_for.empty()) make(name, slot);
}

/// It begins here. What was committed before is on the platter, too.
void ChangeSlots::make(const std::string& name, Slot& slot) {
    CommitLog& log = ledger_.log();
    IoResult done = IoResult::done;
    if (log.synced().number != log.written().number) done = log.sync(access_);
    const std::uint64_t begin = log.written().number;
    if (done == IoResult::done) done = log.changes().save(access_, name, begin);
    if (done == IoResult::full) return give_up(name, StoreError::disk_full);
    if (done == IoResult::dead) return;
    process_.kernel().discard(std::exchange(slot.timeout, nullptr));
    slot.is_made = true;
    slot.confirmed = begin;
    slot.saved = process_.kernel().now();
    answer(std::move(slot.reply), {});
}

void ChangeSlots::give_up(const std::string& name, StoreError error) {
    auto given_up = slots_.extract(name);
    Slot& slot = given_up.mapped();
    if (slot.timeout != nullptr) process_.kernel().discard(slot.timeout);
    keep_rows_or_not();
    answer(std::move(slot.reply), error);
}

void ChangeSlots::answer(sim::Reply<SqlAnswer> reply, StoreError error) {
    const Duration time = node_.disk().take_time();
    if (time == Duration{}) return reply(refused(error));
    process_.kernel().at(process_, process_.kernel().now() + time,
                         [to = std::move(reply), error]() mutable { to(refused(error)); });
}

void ChangeSlots::keep_rows_or_not() {
    transactions_.keep_inserted(!slots_.empty());
    if (slots_.empty()) ledger_.log().changes().forget_unasked();
}

ChangeSlots::Slots::iterator ChangeSlots::slot_of(SessionId reader) {
    return std::find_if(slots_.begin(), slots_.end(),
                        [reader](const auto& slot) { return slot.second.reader == reader; });
}

// **Source**: PostgreSQL logicalfuncs.c: it decodes what was flushed.
void ChangeSlots::read(SessionId reader, std::uint64_t after, std::size_t max, SlotReply reply) {
    SlotAnswer told;
    const auto slot = slot_of(reader);
    if (slot == slots_.end()) {
        told.error = StoreError::connection_lost;
        return reply(std::move(told));
    }
    const CommitLog& log = ledger_.log();
    const std::uint64_t begin = std::max(after, slot->second.confirmed);
    told.commits = log.changes().read(begin, log.synced().number, max);
    const std::size_t bytes = size_on_wire(told);
    reply(std::move(told), bytes);
}

// **Source**: PostgreSQL slotfuncs.c, pg_logical_replication_slot_advance: "may still be lost on a
// crash".
void ChangeSlots::confirm(SessionId reader, std::uint64_t commit, sim::Reply<SqlAnswer> reply) {
    const auto found = slot_of(reader);
    if (found == slots_.end()) return reply(refused(StoreError::connection_lost));
    Slot& slot = found->second;
    slot.confirmed = std::max(slot.confirmed, std::min(commit, ledger_.log().synced().number));
    const Instant now = process_.kernel().now();
    if (now - slot.saved >= save_interval) {
        (void)ledger_.log().changes().save(access_, found->first, slot.confirmed);
        slot.saved = now;
    }
    answer(std::move(reply), {});
}

void ChangeSlots::reader_ended(SessionId reader) {
    const auto found = slot_of(reader);
    if (found == slots_.end()) return;
    if (!found->second.is_made) {
        const std::string name = found->first;
        return give_up(name, StoreError::connection_lost);
    }
    found->second.reader = 0;
}

void ChangeSlots::transaction_ended(SessionId id) {
    std::vector<std::string> waited;
    for (auto& [name, slot] : slots_) {
        if (std::erase(slot.waits_for, id) != 0) waited.push_back(name);
    }
    for (const std::string& name : waited)
        look(name);
}

void ChangeSlots::save() {
    for (const auto& [name, slot] : slots_) {
        if (slot.is_made) (void)ledger_.log().changes().save(access_, name, slot.confirmed);
    }
}

} // namespace crier::broker
