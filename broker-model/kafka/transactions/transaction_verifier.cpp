#include "broker-model/kafka/transactions/transaction_verifier.hpp"

#include "broker-model/kafka/broker_api.hpp"

#include <algorithm>

namespace crier::broker::kafka {

namespace {

// What a producer is told of the coordinator's answer. Source: ReplicaManager.handleProduceAppend,
// AddPartitionsToTxnManager: trouble with the coordinator is called trouble with the replicas,
// which every client tries again.
ErrorCode as_produce_error(ErrorCode error) {
    switch (error) {
    case ErrorCode::producer_fenced: return ErrorCode::invalid_producer_epoch;
    case ErrorCode::network_exception:
    case ErrorCode::concurrent_transactions:
    case ErrorCode::coordinator_load_in_progress:
    case ErrorCode::coordinator_not_available:
    case ErrorCode::not_coordinator: return ErrorCode::not_enough_replicas;
    default: return error;
    }
}

} // namespace

void TransactionVerifier::admit(const std::string& transactional_id,
                                const std::vector<Subject>& subjects, Done done) {
    const ClusterOptions& options = home_.cluster.options();
    auto question = std::make_shared<Question>();
    question->admissions.resize(subjects.size());
    for (std::size_t at = 0; at < subjects.size(); ++at) {
        const Subject& subject = subjects[at];
        Replica* const replica = replicas_.find(subject.partition);
        const bool is_asked = options.transaction_partition_verification && replica != nullptr &&
                              replica->leads() &&
                              !replica->log->producers().is_open(subject.producer);
        if (!is_asked) continue;
        question->request.producer = subject.producer.id;
        question->request.epoch = subject.producer.epoch;
        question->request.partitions.push_back(subject.partition);
        question->places.push_back(at);
        question->subjects.push_back(subject);
    }
    if (question->places.empty()) return done(std::move(question->admissions));
    question->request.transactional_id = transactional_id;
    question->request.verify_only = options.transaction_version < 2;
    question->done = std::move(done);
    constexpr Duration patience =
        std::chrono::milliseconds(100); // add.partitions.to.txn.retry.backoff.max.ms
    question->deadline = home_.now() + patience;
    ask(question);
}

// Asked again, it is another question: the end of the transaction before, which was waited for, has
// voided the first.
void TransactionVerifier::ask(const std::shared_ptr<Question>& question) {
    for (std::size_t at = 0; at < question->places.size(); ++at) {
        const Subject& subject = question->subjects[at];
        Replica* const replica = replicas_.find(subject.partition);
        if (replica == nullptr) continue; // deleted meanwhile: the append says so
        question->admissions[question->places[at]].guard =
            replica->log->producers().begin_verification(subject.producer, ++guards_);
    }
    const PartitionId partition =
        home_.cluster.transactions_partition(question->request.transactional_id);
    const BrokerId coordinator = replicas_.metadata()->partitions[partition].leader;
    if (coordinator == 0) {
        const std::size_t count = question->places.size();
        return note(question, std::vector(count, ErrorCode::coordinator_not_available));
    }
    sim::Node& node = home_.cluster.broker(coordinator);
    home_.network().async_call<AddPartitionsAnswer>(
        home_.process, node, calls::verify_partitions, sim::CallOptions{},
        [&cluster = home_.cluster, &node,
         sent = question->request](sim::Process&, sim::Reply<AddPartitionsAnswer> reply) mutable {
            serve_request(cluster, node, std::move(sent), std::move(reply));
        },
        [this, question](const Outcome<AddPartitionsAnswer>& outcome) {
            if (outcome.has_value()) return note(question, outcome->errors);
            const std::size_t count = question->places.size();
            note(question, std::vector(count, ErrorCode::network_exception));
        });
}

// The transaction before may still be ending: that is waited for a moment, as clients of before had
// to themselves.
void TransactionVerifier::note(const std::shared_ptr<Question>& question,
                               const std::vector<ErrorCode>& errors) {
    constexpr Duration pause =
        std::chrono::milliseconds(20); // add.partitions.to.txn.retry.backoff.ms
    const bool is_busy =
        std::find(errors.begin(), errors.end(), ErrorCode::concurrent_transactions) != errors.end();
    if (is_busy && !question->request.verify_only && home_.now() + pause < question->deadline) {
        home_.kernel().at(home_.process, home_.now() + pause, [this, question] { ask(question); });
        return;
    }
    for (std::size_t at = 0; at < errors.size(); ++at) {
        question->admissions[question->places[at]].error = as_produce_error(errors[at]);
    }
    question->done(std::move(question->admissions));
}

} // namespace crier::broker::kafka
