#include "tests/conformance/store_program_gen.hpp"

#include <array>

namespace crier::conformance {

namespace {

constexpr int statements_max = 5; // of a transaction
constexpr std::size_t steps_min = 4;
constexpr std::size_t steps_max = 16;

/// A statement with its parameters, by letters of `parameter`.
struct Template {
    int weight;
    const char* sql;
    const char* parameters;
    bool is_ordered = false;
};

constexpr std::array<Template, 37> templates{{
    {5, "insert into items (id, code, n) values ($1, $2, $3)", "new"},
    {2, "insert into items (id, code, n) values ($1, $2, $3) returning id, n", "new"},
    {2, "insert into items (id, n) values ($1, $2)", "nw"},
    {3, "insert into items (id, code, n) values (nextval('numbers') + 3, $1, $2) returning id",
     "ew"},
    {4,
     "insert into items (id, code, n) values ($1, $2, $3) on conflict (id) do nothing returning id",
     "new"},
    {3, "insert into items (id, code, n) values ($1, $2, $3) on conflict do nothing returning id",
     "new"},
    {4,
     "insert into items (id, code, n) values ($1, $2, $3) on conflict (id) do update set"
     " n = items.n + excluded.n returning id, code, n",
     "new"},
    {2,
     "insert into items (id, code, n) values ($1, $2, $3) on conflict (code) do update set"
     " n = excluded.n where items.n < 25 returning id, code, n",
     "new"},
    {7, "update items set n = n + $2 where id = $1", "rw"},
    {5, "update items set n = n + $2 where id = $1 returning n", "rw"},
    {4, "update items set n = n + 7 where id = $1 and n < $2 returning id, n", "rl"},
    {2, "update items set n = $2 where code = $1 returning id, n", "cv"},
    {3, "update items set code = $2 where id = $1", "rc"},
    {2, "update items set id = $2 where id = $1", "rr"},
    {3, "delete from items where id = $1", "r"},
    {2, "delete from items where id = $1 returning n", "r"},
    {2, "delete from items where code = $1 returning id", "c"},
    {4, "select n from items where id = $1", "r"},
    {3, "select id, code, n from items order by id", "", true},
    {2, "select sum(n), count(*) from items", ""},
    {4, "select n from items where id = $1 for update", "r"},
    {1, "select n from items where id = $1 for no key update", "r"},
    {2, "select n from items where id = $1 for share", "r"},
    {1, "select n from items where id = $1 for key share", "r"},
    {2, "select id, n from items order by id for update", "", true},
    {4, "select n from items where id = $1 for update nowait", "r"},
    {1, "select n from items where id = $1 for share nowait", "r"},
    {2, "select n from items where id = $1 for update skip locked", "r"},
    {2, "select id from items order by id limit 1 for update skip locked", "", true},
    {1, "select id from items order by id for share skip locked", "", true},
    {4,
     "update items set n = n + 100 where id in (select id from items where n < 100 order by id"
     " limit 2 for update skip locked) returning id, n",
     ""},
    {5, "insert into parts (id, item, n) values ($1, $2, $3)", "qrw"},
    {1, "update parts set item = $2 where id = $1", "pr"},
    {1, "update parts set n = n + $2 where id = $1", "pw"},
    {2, "delete from parts where id = $1", "p"},
    {1, "select id, item, n from parts order by id", "", true},
    {2, "select nextval('numbers')", ""},
}};

const Template& template_of(int choice) {
    int weights = 0;
    for (const Template& each : templates)
        weights += each.weight;
    int left = choice % weights;
    for (const Template& each : templates) {
        left -= each.weight;
        if (left < 0) return each;
    }
    return templates.front();
}

/// Few values, so that sessions meet, above all at rows 1 and 2. Rows 1 to 3 are there, and codes
/// 11 to 13, and part 1.
Value parameter(char kind, const StoreChoice& choice, bool is_first) {
    constexpr std::array<int, 10> rows{1, 2, 1, 2, 1, 2, 3, 4, 4, 5};
    const int some = is_first ? choice.row : choice.value;
    switch (kind) {
    case 'r': return std::int64_t{rows.at(static_cast<std::size_t>(some) % rows.size())};
    case 'c': return std::int64_t{11 + choice.value % 5};
    case 'n': return std::int64_t{3 + choice.row % 3 + (choice.row % 8 < 6 ? 1 : 0)};
    case 'e': return std::int64_t{13 + choice.value % 4 + (choice.value % 8 < 6 ? 1 : 0)};
    case 'p': return std::int64_t{1 + choice.row % 3};
    case 'q': return std::int64_t{1 + choice.row % 6};
    case 'l': return std::int64_t{10 + choice.value % 4 * 8};
    default: return std::int64_t{1 + choice.value % 3};
    }
}

struct Writer {
    bool is_open = false;
    int statements = 0;
};

} // namespace

StoreProgram make_store_program(const std::vector<StoreChoice>& choices) {
    StoreProgram program;
    program.ends_after_error = true;
    std::array<Writer, store_sessions_max> writers{};
    program.sessions =
        2 + (choices.empty() ? 0U : static_cast<std::size_t>(choices.front().value) % 3);
    const auto end = [&](std::size_t session, StoreAction action) {
        StoreStep step;
        step.session = session;
        step.action = action;
        program.steps.push_back(std::move(step));
        writers.at(session) = {};
    };
    for (const StoreChoice& choice : choices) {
        const std::size_t session = static_cast<std::size_t>(choice.session) % program.sessions;
        Writer& writer = writers.at(session);
        const bool is_full = writer.statements == statements_max;
        if (writer.is_open && (is_full || choice.kind < 14)) {
            end(session, choice.kind % 4 == 3 ? StoreAction::rollback : StoreAction::commit);
            continue;
        }
        const Template& chosen = template_of(choice.kind * 7 + choice.row);
        StoreStep step;
        step.session = session;
        step.repeatable_read = !writer.is_open && choice.value % 4 == 1;
        step.is_ordered = chosen.is_ordered;
        step.sql = chosen.sql;
        bool is_first = true;
        for (const char* kind = chosen.parameters; *kind != 0; ++kind) {
            step.values.push_back(parameter(*kind, choice, is_first));
            is_first = false;
        }
        program.steps.push_back(std::move(step));
        writer.is_open = true;
        ++writer.statements;
    }
    for (std::size_t session = 0; session < program.sessions; ++session) {
        if (writers.at(session).is_open) end(session, StoreAction::commit);
    }
    return program;
}

rc::Gen<std::vector<StoreChoice>> store_choices() {
    const auto among = [](int count) { return rc::gen::resize(100, rc::gen::inRange(0, count)); };
    const auto choice = rc::gen::build<StoreChoice>(rc::gen::set(&StoreChoice::kind, among(100)),
                                                    rc::gen::set(&StoreChoice::session, among(12)),
                                                    rc::gen::set(&StoreChoice::row, among(60)),
                                                    rc::gen::set(&StoreChoice::value, among(60)));
    return rc::gen::mapcat(rc::gen::inRange(steps_min, steps_max + 1), [choice](std::size_t count) {
        return rc::gen::container<std::vector<StoreChoice>>(count, choice);
    });
}

} // namespace crier::conformance
