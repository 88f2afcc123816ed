#include "tests/conformance/store_program.hpp"

#include <algorithm>
#include <sstream>

namespace crier::conformance {

namespace {

std::string to_text(const Value& value) {
    if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
    if (const auto* real = std::get_if<double>(&value)) return std::to_string(*real);
    if (const auto* text = std::get_if<std::string>(&value)) return "'" + *text + "'";
    return "null";
}

std::string to_text(const Row& row) {
    std::string text;
    for (const Value& value : row)
        text += (text.empty() ? "" : " ") + to_text(value);
    return text;
}

} // namespace

std::vector<std::string> store_program_schema() {
    return {"create sequence if not exists numbers",
            "create table items (id bigint not null primary key, code bigint unique,"
            " n bigint not null)",
            "create table parts (id bigint not null primary key,"
            " item bigint references items (id), n bigint not null)"};
}

std::vector<std::string> store_program_rows() {
    return {"insert into items (id, code, n) values (1, 11, 10), (2, 12, 20), (3, 13, 30)",
            "insert into parts (id, item, n) values (1, 1, 100)"};
}

std::string to_text(const Outcome<Rows>& answer, bool is_ordered) {
    if (!answer) {
        const std::string word = is_unknown(answer.error()) ? "unknown: " : "error: ";
        return word + answer.error().code.message();
    }
    std::vector<std::string> rows;
    for (const Row& row : *answer)
        rows.push_back(to_text(row));
    if (!is_ordered) std::sort(rows.begin(), rows.end());
    std::string text;
    for (const std::string& row : rows)
        text += (text.empty() ? "" : ", ") + row;
    return text.empty() ? "-" : text;
}

std::string to_text(const StoreStep& step) {
    if (step.action == StoreAction::commit) return "commit";
    if (step.action == StoreAction::rollback) return "rollback";
    std::string text = step.sql;
    for (std::size_t at = step.values.size(); at > 0; --at) {
        const std::string name = "$" + std::to_string(at);
        for (std::size_t found = text.find(name); found != std::string::npos;
             found = text.find(name, found + 1))
            text.replace(found, name.size(), to_text(step.values[at - 1]));
    }
    return text + (step.repeatable_read ? "  [repeatable read]" : "");
}

std::string to_text(const StoreProgram& program, const StoreHistory& history) {
    std::ostringstream text;
    for (std::size_t at = 0; at < history.turns.size(); ++at) {
        const StoreTurn& turn = history.turns[at];
        text << at << (turn.is_race ? "*" : " ") << " s" << turn.session << ": "
             << to_text(program.steps[turn.step]) << (turn.waits ? "\n       waits" : "") << '\n';
        for (const StoreAnswer& answer : turn.answers) {
            text << "       ";
            if (answer.step != turn.step)
                text << "s" << answer.session << " goes on (" << to_text(program.steps[answer.step])
                     << "): ";
            text << "-> " << answer.text << '\n';
        }
    }
    text << "tables: " << history.tables << '\n';
    if (!history.problem.empty()) text << "problem: " << history.problem << '\n';
    return text.str();
}

StoreDifference first_difference(const StoreProgram& program, const StoreHistory& expected,
                                 const StoreHistory& found) {
    StoreDifference difference;
    const std::size_t count = std::max(expected.turns.size(), found.turns.size());
    for (std::size_t at = 0; at < count; ++at) {
        const bool is_in_both = at < expected.turns.size() && at < found.turns.size();
        if (is_in_both) {
            difference.is_raced =
                difference.is_raced || expected.turns[at].is_race || found.turns[at].is_race;
            if (expected.turns[at].is_same(found.turns[at])) continue;
        }
        difference.text = "they differ in turn " + std::to_string(at);
        break;
    }
    if (difference.text.empty() && expected.problem != found.problem)
        difference.text = "only one comes to its end";
    if (difference.text.empty() && expected.tables != found.tables)
        difference.text = "the tables differ in the end";
    if (difference.text.empty()) return {};
    difference.text +=
        "\nexpected:\n" + to_text(program, expected) + "found:\n" + to_text(program, found);
    return difference;
}

} // namespace crier::conformance
