#include "scenarios/judge.hpp"

#include "messaging/ports/ensure.hpp"

#include <algorithm>
#include <charconv>

namespace crier::scenario {

using properties::Verdict;
using properties::VerdictKind;

std::string text_of(const Value& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    if (const auto* real = std::get_if<double>(&value)) {
        std::array<char, 32> buffer{};
        const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), *real);
        return {buffer.data(), end.ptr};
    }
    return "null";
}

std::string text_of(const Row& row) {
    std::string text;
    for (const Value& value : row)
        text += (text.empty() ? "" : ", ") + text_of(value);
    return text;
}

Judge::Judge(sim::History& history, const Scenario& scenario, const System& system)
    : scenario_(scenario), system_(system), history_(history), reading_(system.topology()) {
    history.add_sink(reading_);
    for (const Expectation& expectation : scenario.expectations) {
        const auto& known = properties::catalogue();
        const auto found =
            std::find_if(known.begin(), known.end(), [&](const properties::PropertyInfo& info) {
                return info.name == expectation.property;
            });
        ensure(found != known.end(), "a checked scenario expects only known properties");
        checkers_.push_back(found->make(reading_, expectation.options));
    }
    for (const SqlProperty& property : scenario.sql) {
        SqlCheck check{&property, {}, {}};
        check.verdict.property = property.name;
        sql_.push_back(std::move(check));
    }
}

void Judge::look(Instant now) {
    if (sql_.empty() || last_moved() == looked_at_ || now - last_moved() < scenario_.settle) return;
    looked_at_ = last_moved();
    for (SqlCheck& check : sql_) {
        if (check.property->when == SqlProperty::When::always) ask(check, now);
    }
}

void Judge::ask(SqlCheck& check, Instant now) {
    const Result<Rows, broker::SqlProblem> rows =
        system_.query(check.property->database, check.property->query);
    if (!rows) {
        check.problem = "in " + check.property->database + ": " + rows.error().message;
        return;
    }
    check.problem.clear();
    Verdict& verdict = check.verdict;
    ++verdict.observations;
    std::string observed;
    if (check.property->equals) {
        const std::string value =
            rows->empty() || rows->front().empty() ? "nothing" : text_of(rows->front());
        if (value != *check.property->equals || rows->size() > 1) {
            observed = "expected " + *check.property->equals + ", found " + value +
                       (rows->size() > 1 ? " and more rows" : "");
        }
    } else if (!rows->empty()) {
        observed = "expected no rows, found " + std::to_string(rows->size()) +
                   ", the first: " + text_of(rows->front());
    }
    if (observed.empty()) return;
    if (verdict.violations++ == 0) {
        verdict.witness = "in " + check.property->database + ": " + observed;
        verdict.violated_at = now;
        if (!check.property->equals && !rows->front().empty()) {
            verdict.subjects.push_back(history_.text(text_of(rows->front().front())));
        }
    }
}

void Judge::finish(Instant now, bool quiet, bool cut, RunResult& result) {
    properties::RunEnd end;
    end.time = now;
    end.quiet = quiet;
    end.cut = cut;
    end.texts = &history_.texts();
    for (std::size_t at = 0; at < checkers_.size(); ++at) {
        const Expectation& expectation = scenario_.expectations[at];
        Verdict verdict = properties::finish(*checkers_[at], expectation.options, end);
        if (verdict.observations == 0)
            result.remarks.push_back("saw nothing to judge: " + verdict.property);
        if (!verdict.remark.empty())
            result.remarks.push_back(verdict.property + ": " + verdict.remark);
        result.properties.push_back(std::move(verdict));
    }
    for (SqlCheck& check : sql_) {
        if (!cut) ask(check, now);
        Verdict& verdict = check.verdict;
        if (verdict.violations > 0) {
            verdict.kind = VerdictKind::violated;
        } else if (!check.problem.empty()) {
            verdict.kind = VerdictKind::inconclusive;
            verdict.witness = check.problem;
        } else if (cut) {
            verdict.kind = VerdictKind::inconclusive;
        } else {
            verdict.kind = verdict.observations > 0 ? VerdictKind::holds : VerdictKind::vacuous;
        }
        result.properties.push_back(verdict);
    }
    result.ledger = reading_.ledger().totals();
    result.services = reading_.ledger().by_service();
    result.verdict = worst_of(result.properties);
}

properties::VerdictKind worst_of(const std::vector<Verdict>& verdicts) {
    VerdictKind worst = VerdictKind::vacuous;
    for (const Verdict& verdict : verdicts) {
        if (verdict.kind == VerdictKind::violated) return VerdictKind::violated;
        if (verdict.kind == VerdictKind::inconclusive) worst = VerdictKind::inconclusive;
        if (verdict.kind == VerdictKind::holds && worst == VerdictKind::vacuous)
            worst = VerdictKind::holds;
    }
    return worst;
}

} // namespace crier::scenario
