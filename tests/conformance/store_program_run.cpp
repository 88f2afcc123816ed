#include "tests/conformance/store_program_run.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <memory>

namespace crier::conformance {

namespace {

struct Session {
    std::size_t number = 0;
    std::deque<std::size_t> steps; ///< Not issued yet, as indices in the program.
    std::unique_ptr<Transaction> transaction;
    std::size_t issued = 0;
    bool is_pending = false;
    std::string answer;  ///< Of what was issued last, when it is no longer pending.
    bool is_told = true; ///< … and is in the history.
};

std::string to_text(const Outcome<void>& ended, const char* word) {
    if (ended) return word;
    return conformance::to_text(Outcome<Rows>(ended.error()), false);
}

asio::awaitable<Outcome<void>> begin(Session& session, Store& store, bool repeatable_read) {
    Outcome<std::unique_ptr<Transaction>> begun = co_await store.begin();
    if (!begun) co_return begun.error();
    session.transaction = std::move(*begun);
    if (!repeatable_read) co_return Outcome<void>();
    const Outcome<Rows> set = co_await session.transaction->execute(
        "set transaction isolation level repeatable read", parameters());
    if (!set) co_return set.error();
    co_return Outcome<void>();
}

asio::awaitable<std::string> take(Session& session, Store& store, const StoreStep& step) {
    if (session.transaction == nullptr) {
        const Outcome<void> begun = co_await begin(session, store, step.repeatable_read);
        if (!begun) co_return to_text(begun, "");
    }
    if (step.action == StoreAction::statement) {
        const Outcome<Rows> rows = co_await session.transaction->execute(step.sql, step.values);
        co_return conformance::to_text(rows, step.is_ordered);
    }
    const std::unique_ptr<Transaction> transaction = std::move(session.transaction);
    if (step.action == StoreAction::commit) {
        const Outcome<void> committed = co_await transaction->commit();
        co_return to_text(committed, "committed");
    }
    co_await transaction->rollback();
    co_return "rolled back";
}

class Run {
public:
    Run(const StoreProgram& program, StoreArm& arm, StoreHistory& history)
        : program_(program), arm_(arm), history_(history), sessions_(program.sessions) {
        for (std::size_t number = 0; number < sessions_.size(); ++number)
            sessions_[number].number = number;
        for (std::size_t step = 0; step < program.steps.size(); ++step)
            sessions_.at(program.steps[step].session).steps.push_back(step);
    }

    asio::awaitable<void> operator()() {
        for (const StoreStep& step : program_.steps) {
            Session& session = sessions_[step.session];
            if (!session.is_pending && !session.steps.empty()) co_await turn(session);
        }
        for (;;) {
            const auto able =
                std::find_if(sessions_.begin(), sessions_.end(), [](const Session& session) {
                    return !session.is_pending && !session.steps.empty();
                });
            if (able == sessions_.end()) break;
            co_await turn(*able);
        }
        if (!pending().empty()) {
            history_.problem = "somebody waits for ever";
            co_return;
        }
        history_.tables = co_await read_tables();
    }

private:
    [[nodiscard]] std::vector<std::size_t> pending() const {
        std::vector<std::size_t> found;
        for (const Session& session : sessions_) {
            if (session.is_pending) found.push_back(session.number);
        }
        return found;
    }

    asio::awaitable<void> work(Session& session, std::size_t step) {
        session.answer = co_await take(session, arm_.store(session.number), program_.steps[step]);
        session.is_pending = false;
    }

    /// Leaves the rest of an open transaction's statements out.
    void drop(Session& session) const {
        while (session.transaction != nullptr && session.steps.size() > 1 &&
               program_.steps[session.steps.front()].action == StoreAction::statement)
            session.steps.pop_front();
    }

    asio::awaitable<void> turn(Session& session) {
        if (program_.ends_after_error && session.answer.starts_with("error")) drop(session);
        const std::size_t waiting = pending().size();
        const std::size_t step = session.steps.front();
        session.steps.pop_front();
        session.issued = step;
        session.is_pending = true;
        session.is_told = false;
        arm_.background().spawn("step", work(session, step));
        StoreArm::Pending ask = [this] { return pending(); };
        co_await arm_.settle(std::move(ask));
        StoreTurn turn;
        turn.session = session.number;
        turn.step = step;
        turn.waits = session.is_pending;
        for (Session& each : sessions_) {
            if (each.is_pending || each.is_told) continue;
            each.is_told = true;
            const bool is_own = &each == &session;
            turn.answers.insert(is_own ? turn.answers.begin() : turn.answers.end(),
                                {each.number, each.issued, each.answer});
        }
        turn.is_race = is_race(turn, waiting);
        history_.turns.push_back(std::move(turn));
    }

    /// Whoever waited may go on first, and any of a deadlock may be its victim.
    static bool is_race(const StoreTurn& turn, std::size_t waiting) {
        const auto others = static_cast<std::size_t>(std::count_if(
            turn.answers.begin(), turn.answers.end(),
            [&turn](const StoreAnswer& answer) { return answer.session != turn.session; }));
        const bool is_deadlock =
            std::any_of(turn.answers.begin(), turn.answers.end(), [](const StoreAnswer& answer) {
                return answer.text.find("deadlock") != std::string::npos;
            });
        return (waiting >= 2 && others > 0) || is_deadlock;
    }

    asio::awaitable<std::string> read_tables() {
        std::string text;
        for (const char* table : {"items", "parts"}) {
            const Outcome<Rows> rows = co_await arm_.store(0).execute(
                std::string("select * from ") + table + " order by id", parameters());
            text += std::string(table) + " " + conformance::to_text(rows, true) + "; ";
        }
        co_return text;
    }

    const StoreProgram& program_;
    StoreArm& arm_;
    StoreHistory& history_;
    std::vector<Session> sessions_;
};

} // namespace

asio::awaitable<void> run_store_program(const StoreProgram& program, StoreArm& arm,
                                        StoreHistory& history) {
    Run run(program, arm, history);
    co_await run();
}

} // namespace crier::conformance
