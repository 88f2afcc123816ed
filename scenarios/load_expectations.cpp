#include "scenarios/load_parts.hpp"

#include "broker-model/store/database.hpp"
#include "scenarios/file_databases.hpp"
#include "scenarios/names.hpp"

#include <algorithm>
#include <array>

namespace crier::scenario {

namespace {

bool is_taken(const Scenario& scenario, const std::string& name) {
    const std::vector<std::string> properties = property_names();
    return std::find(properties.begin(), properties.end(), name) != properties.end() ||
           std::any_of(scenario.sql.begin(), scenario.sql.end(),
                       [&name](const SqlProperty& sql) { return sql.name == name; });
}

// The services make their tables when they run, so that one is missing proves nothing here.
std::string syntax_problem(const std::string& query) {
    std::string problem = broker::sql_problem({}, query);
    return problem.starts_with("no such ") ? "" : problem;
}

/// A query runs on each file; one value can only be expected of one.
void check_files(const Loading& loading, const Fields& fields, const YamlNode& database) {
    if (!is_file(loading.scenario, database.text)) return;
    const ServiceSpec* const user = user_of(loading.scenario, loading.table, database.text);
    if (user == nullptr) {
        loading.problems.add(database.place,
                             "`" + database.text + "` is a file, and no service uses it");
    } else if (user->replicas > 1 && fields.has("equals")) {
        loading.problems.add(database.place, "`" + database.text + "` is " +
                                                 std::to_string(user->replicas) +
                                                 " files, one of each `" + user->name +
                                                 "`, and `equals` expects one value: use `empty`");
    }
}

void read_sql(Loading& loading, const YamlKey& key, const YamlNode& value) {
    const Fields fields(value, sql_keys(), "`sql`", loading.problems);
    if (value.kind != YamlNode::Kind::map) return;
    SqlProperty sql;
    sql.place = key.place;
    sql.name = "sql-" + std::to_string(loading.scenario.sql.size() + 1);
    fields.read_text("name", sql.name);
    if (is_taken(loading.scenario, sql.name)) {
        const YamlNode* const name = fields.find("name");
        loading.problems.add(name != nullptr ? name->place : key.place,
                             "there is a property `" + sql.name + "` already");
    }
    if (const YamlNode* const database = fields.reference("database")) {
        if (loading.things.check(ThingKind::database, *database)) sql.database = database->text;
        check_files(loading, fields, *database);
    }
    fields.read_text("query", sql.query);
    if (const YamlNode* const query = fields.find("query"); query != nullptr) {
        const std::string problem = syntax_problem(sql.query);
        if (!problem.empty()) loading.problems.add(query->place, "`query`: " + problem);
    }
    const bool has_equals = fields.has("equals");
    if (has_equals == fields.has("empty")) {
        loading.problems.add(key.place, has_equals
                                            ? "`sql` needs one of `empty` and `equals`, not both"
                                            : "`sql` needs `empty` (always or at-end) or `equals`");
    }
    if (has_equals) fields.read_text("equals", sql.equals.emplace());
    if (const YamlNode* const when = fields.find("when"); when != nullptr && !has_equals) {
        loading.problems.add(when->place,
                             "`when` is for `equals`; write `empty: always` or `empty: at-end`");
    }
    constexpr std::array times{SqlProperty::When::always, SqlProperty::When::end};
    if (const auto choice = fields.choice(has_equals ? "when" : "empty")) sql.when = times[*choice];
    loading.scenario.sql.push_back(std::move(sql));
}

void read_property(Loading& loading, const YamlKey& name, const YamlNode& value) {
    std::vector<std::string> names = property_names();
    if (std::find(names.begin(), names.end(), name.text) == names.end()) {
        names.emplace_back("sql");
        loading.problems.add(name.place, "there is no property `" + name.text + "`" +
                                             name_hint(name.text, names));
        return;
    }
    for (const Expectation& other : loading.scenario.expectations) {
        if (other.property != name.text) continue;
        loading.problems.add(name.place, "`" + name.text +
                                             "` is here a second time; first in line " +
                                             std::to_string(other.place.line));
        return;
    }
    Expectation expectation;
    expectation.property = name.text;
    expectation.place = name.place;
    properties::PropertyOptions& options = expectation.options;
    const Fields fields(value, expectation_keys(name.text), "`" + name.text + "`",
                        loading.problems);
    if (value.kind == YamlNode::Kind::map) {
        fields.read_flag("must-observe", options.must_observe);
        if (name.text == "per-key-effect-order") {
            constexpr std::array modes{properties::OrderMode::strict,
                                       properties::OrderMode::skip_parked,
                                       properties::OrderMode::none};
            if (const auto choice = fields.choice("order")) options.order = modes[*choice];
        }
        if (fields.takes("within")) fields.read_duration("within", options.within);
        if (name.text == "rebalance-storm") fields.read_count("generations", options.generations);
    }
    loading.scenario.expectations.push_back(std::move(expectation));
}

} // namespace

void read_expectations(Loading& loading, const YamlNode& node) {
    for (const YamlNode* const item : read_list(node, "expect", loading.problems)) {
        const YamlNode nothing;
        if (item->kind == YamlNode::Kind::scalar) {
            const YamlKey name{item->text, item->place};
            if (name.text == "sql") {
                read_sql(loading, name, nothing);
            } else {
                read_property(loading, name, nothing);
            }
        } else if (item->kind == YamlNode::Kind::map && item->keys.size() == 1) {
            const YamlKey& name = item->keys.front();
            if (name.text == "sql") {
                read_sql(loading, name, item->items.front());
            } else {
                read_property(loading, name, item->items.front());
            }
        } else {
            loading.problems.add(item->place,
                                 "a property must be a name, or one name with its options: "
                                 "`{heal-progress: {within: 60s}}`; not " +
                                     shown(*item));
        }
    }
}

} // namespace crier::scenario
