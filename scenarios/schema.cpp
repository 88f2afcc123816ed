// The JSON Schema of scenario files, made from the rows that the loader reads by. It says what can
// be said without knowing the file's own names: which keys, which types, units and choices. Names,
// limits between values and budgets remain the loader's.
#include "scenarios/fault_format.hpp"
#include "scenarios/load_scenario.hpp"

#include <nlohmann/json.hpp>

namespace crier::scenario {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* duration_pattern = "[0-9]+(\\.[0-9]+)?(ns|us|ms|s|m|h)";
constexpr const char* share_pattern = "[0-9]+(\\.[0-9]+)?%";
constexpr const char* name_pattern = "^[A-Za-z][A-Za-z0-9._-]*$";

Json pattern(const std::string& text) {
    return Json{{"type", "string"}, {"pattern", "^" + text + "$"}};
}

/// Returns `x` or `x..x`.
Json range_pattern(const std::string& one) {
    return pattern(one + "(\\.\\." + one + ")?");
}

Json reference_to(const std::string& definition) {
    return Json{{"$ref", "#/$defs/" + definition}};
}

Json whole_number(const Key& key) {
    return Json{{"type", "integer"}, {"minimum", key.low}, {"maximum", key.high}};
}

Json schema_of_type(const Key& key) {
    switch (key.type) {
    case KeyType::text: return Json{{"type", "string"}, {"minLength", 1}};
    case KeyType::name:
        return Json{{"type", "string"}, {"pattern", name_pattern}, {"maxLength", 100}};
    case KeyType::column: return pattern("[A-Za-z_][A-Za-z0-9_]*");
    case KeyType::reference:
        if (!key.choices.empty()) return Json{{"enum", key.choices}};
        return Json{{"type", "string"}, {"minLength", 1}};
    case KeyType::flag: return Json{{"enum", {true, false, "on", "off", "yes", "no"}}};
    case KeyType::count: return whole_number(key);
    case KeyType::count_range: {
        Json schema;
        schema["anyOf"] = Json::array({whole_number(key), range_pattern("[0-9]+")});
        return schema;
    }
    case KeyType::bytes: return pattern("[0-9]+(B|KiB|MiB|GiB)");
    case KeyType::duration: return pattern(duration_pattern);
    case KeyType::duration_range:
        return range_pattern((key.low < 0 ? "-?" : "") + std::string(duration_pattern));
    case KeyType::rate: return pattern("[0-9]+/[sm]");
    case KeyType::share: return pattern(share_pattern);
    case KeyType::share_range: return range_pattern(share_pattern);
    case KeyType::percent: return pattern("[0-9]+(\\.0+)?%");
    case KeyType::choice: return Json{{"enum", key.choices}};
    case KeyType::value: return Json{{"type", {"string", "number", "boolean"}}};
    case KeyType::structure: break;
    }
    return reference_to(key.structure);
}

Json schema_of(const Key& key) {
    Json schema = schema_of_type(key);
    schema["description"] =
        key.type == KeyType::structure ? key.help : key.help + " (" + allowed_text(key) + ")";
    return schema;
}

/// Returns the schema of a map with these keys; one without required keys may be left empty.
Json object(const Keys& keys) {
    Json required = Json::array();
    Json properties = Json::object();
    for (const Key& key : keys) {
        properties[key.name] = schema_of(key);
        if (key.required) required.push_back(key.name);
    }
    Json schema;
    schema["type"] = required.empty() ? Json{"object", "null"} : Json("object");
    schema["properties"] = std::move(properties);
    if (!required.empty()) schema["required"] = std::move(required);
    schema["additionalProperties"] = false;
    return schema;
}

/// Returns the schema of a map from names.
Json named(Json of) {
    Json schema{{"type", "object"}, {"propertyNames", {{"pattern", name_pattern}}}};
    schema["additionalProperties"] = std::move(of);
    return schema;
}

Json list_of(Json items) {
    Json schema{{"type", "array"}, {"minItems", 1}};
    schema["items"] = std::move(items);
    return schema;
}

/// Returns the schema of a map with exactly one of these keys.
Json one_key(Json properties) {
    Json schema{{"type", "object"}, {"minProperties", 1}, {"maxProperties", 1}};
    schema["properties"] = std::move(properties);
    schema["additionalProperties"] = false;
    return schema;
}

/// Returns a condition: exactly one of the keys is there.
Json one_of(const std::vector<std::string>& keys) {
    Json ways = Json::array();
    for (const std::string& key : keys)
        ways.push_back(Json{{"required", Json::array({key})}});
    return Json{{"oneOf", std::move(ways)}};
}

Json databases() {
    Json names = list_of(Json{{"type", "string"}, {"pattern", name_pattern}});
    names["uniqueItems"] = true;
    Json schema;
    schema["oneOf"] = Json::array({std::move(names), named(object(database_keys()))});
    return schema;
}

/// Defines the groups of dotted options (`retry.`) of one type, and returns its options as keys.
Keys define_options(const ServiceType& type, const std::string& prefix, Json& definitions) {
    Keys keys = option_keys(type, prefix);
    for (Key& key : keys) {
        if (key.type != KeyType::structure) continue;
        const std::string group = key.structure;
        const std::string name = "service-" + type.is + "-" + group.substr(0, group.size() - 1);
        definitions[name] = object(define_options(type, group, definitions));
        key.structure = name;
    }
    return keys;
}

Json services(const ServiceTable& table, Json& definitions) {
    Json cases = Json::array();
    for (const ServiceType& type : table.rows()) {
        Keys keys = service_keys(table);
        for (Key& key : define_options(type, "", definitions))
            keys.push_back(std::move(key));
        const std::string name = "service-" + type.is;
        definitions[name] = object(keys);
        definitions[name]["description"] = type.summary;
        Json condition;
        condition["if"]["properties"]["is"]["const"] = type.is;
        condition["then"] = reference_to(name);
        cases.push_back(std::move(condition));
    }
    Json service{{"type", "object"}, {"required", Json::array({"is"})}};
    service["properties"]["is"] = schema_of(service_keys(table).front());
    service["allOf"] = std::move(cases);
    Json schema = named(std::move(service));
    schema["minProperties"] = 1;
    return schema;
}

/// One of these keys, or none.
Json at_most_one_of(const std::vector<std::string>& keys) {
    Json schema = one_of(keys);
    Json none;
    for (const std::string& key : keys)
        none["properties"][key] = false;
    schema["oneOf"].push_back(std::move(none));
    return schema;
}

Json fault(const FaultFormat& format) {
    Json schema = object(fault_keys(format));
    schema["type"] = "object";
    schema["description"] = format.help;
    const std::vector<std::string> whom = format.ways();
    Json conditions = Json::array();
    if (format.is_call()) {
        conditions.push_back(at_most_one_of(whom));
        conditions.push_back(at_most_one_of({"at", "every"}));
        conditions.push_back(at_most_one_of({"strikes", "always"}));
    } else if (!format.takes_points()) {
        conditions.push_back(one_of({"at", "every"}));
        conditions.push_back(one_of(whom));
    } else {
        Json targets = one_of(whom);
        conditions.push_back(one_of({"at", "every", "call", "point"}));
        Json by_point; // a point says whom: those who can reach it
        by_point["required"] = Json::array({"point"});
        for (const std::string& key : whom)
            by_point["properties"][key] = false;
        targets["oneOf"].push_back(std::move(by_point));
        conditions.push_back(std::move(targets));
    }
    schema["allOf"] = std::move(conditions);
    return schema;
}

Json faults(Json& definitions) {
    Json kinds = Json::object();
    for (const FaultFormat& format : fault_formats()) {
        const std::string kind(format.name);
        definitions["fault-" + kind] = fault(format);
        kinds[kind] = reference_to("fault-" + kind);
    }
    return list_of(one_key(std::move(kinds)));
}

Json expectations(Json& definitions) {
    Json sql = object(sql_keys());
    sql["oneOf"] = one_of({"empty", "equals"})["oneOf"];
    definitions["sql"] = std::move(sql);
    Json with_options = Json::object();
    for (const std::string& name : property_names())
        with_options[name] = object(expectation_keys(name));
    with_options["sql"] = reference_to("sql");
    Json schema;
    schema["anyOf"] =
        Json::array({Json{{"enum", property_names()}}, one_key(std::move(with_options))});
    return list_of(std::move(schema));
}

void define_targets(Json& definitions) {
    Json indirect = Json::object();
    for (const Key& key : target_keys())
        indirect[key.name] = schema_of(key);
    Json target;
    target["anyOf"] =
        Json::array({Json{{"type", "string"}, {"minLength", 1}}, one_key(std::move(indirect))});
    definitions["target"] = std::move(target);
    definitions["targets"] = list_of(reference_to("target"));
    Json sides = list_of(reference_to("target"));
    sides["minItems"] = 2;
    sides["maxItems"] = 2;
    definitions["sides"] = std::move(sides);
}

} // namespace

std::string scenario_schema(const ServiceTable& table) {
    Json definitions = Json::object();
    definitions["kafka"] = object(kafka_keys());
    definitions["brokers"] = named(object(broker_keys()));
    definitions["channels"] = named(object(channel_keys()));
    definitions["databases"] = databases();
    definitions["database-file"] = object(file_keys());
    definitions["watch"] = object(watch_keys());
    definitions["outbox"] = object(outbox_keys());
    definitions["leader"] = object(leader_keys());
    definitions["inbox"] = object(inbox_keys());
    definitions["services"] = services(table, definitions);
    definitions["load"] = list_of(object(load_keys()));
    define_targets(definitions);
    definitions["faults"] = faults(definitions);
    definitions["budget"] = object(budget_keys());
    definitions["expect"] = expectations(definitions);
    Json schema;
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
    schema["title"] = "Crier scenario";
    schema.update(object(top_keys()));
    schema["$defs"] = std::move(definitions);
    return schema.dump(2) + "\n";
}

} // namespace crier::scenario
