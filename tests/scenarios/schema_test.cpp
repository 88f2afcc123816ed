// The published schema says the same as the loader. That every file of the catalogue fits it is
// shown by a small judge of the parts of JSON Schema that it uses.
#include "scenarios/load_format.hpp"
#include "scenarios/load_scenario.hpp"
#include "scenarios/load_units.hpp"
#include "scenarios/yaml_tree.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

namespace crier::scenario {
namespace {

using Json = nlohmann::json;

/// Judges a document; `where` and `why` are of the last rule that failed.
class Judge {
public:
    explicit Judge(const Json& schema) : root_(schema) {}

    bool accepts(const Json& value) { return fits(root_, value, ""); }
    [[nodiscard]] const std::string& why() const { return why_; }

private:
    bool fail(const std::string& where, const std::string& why) {
        why_ = where + ": " + why;
        return false;
    }

    std::size_t count(const Json& schemas, const Json& value, const std::string& where) {
        std::size_t fitting = 0;
        for (const Json& schema : schemas)
            fitting += fits(schema, value, where) ? 1U : 0U;
        return fitting;
    }

    static bool is_type(const Json& type, const Json& value) {
        if (type.is_array()) {
            return std::any_of(type.begin(), type.end(),
                               [&](const Json& one) { return is_type(one, value); });
        }
        if (type == "integer") return value.is_number_integer();
        if (type == "number") return value.is_number();
        return type == value.type_name();
    }

    bool fits(const Json& schema, const Json& value, const std::string& where) {
        if (schema.is_boolean()) return schema.get<bool>() || fail(where, "is forbidden");
        for (const auto& [rule, what] : schema.items()) {
            if (!keeps(rule, what, schema, value, where)) return false;
        }
        return true;
    }

    bool keeps(const std::string& rule, const Json& what, const Json& schema, const Json& value,
               const std::string& where) {
        if (rule == "$schema" || rule == "title" || rule == "description" || rule == "$defs")
            return true;
        if (rule == "$ref")
            return fits(root_.at(Json::json_pointer(what.get<std::string>().substr(1))), value,
                        where);
        if (rule == "type") return is_type(what, value) || fail(where, "is no " + what.dump());
        if (rule == "const") return value == what || fail(where, "is not " + what.dump());
        if (rule == "enum")
            return std::find(what.begin(), what.end(), value) != what.end() ||
                   fail(where, "is none of " + what.dump());
        if (rule == "pattern") {
            return !value.is_string() ||
                   std::regex_search(value.get<std::string>(),
                                     std::regex(what.get<std::string>())) ||
                   fail(where, "is not " + what.dump());
        }
        if (rule == "minLength")
            return !value.is_string() || value.get<std::string>().size() >= what;
        if (rule == "maxLength")
            return !value.is_string() || value.get<std::string>().size() <= what;
        if (rule == "minimum")
            return !value.is_number() || value >= what || fail(where, "is too small");
        if (rule == "maximum")
            return !value.is_number() || value <= what || fail(where, "is too large");
        if (rule == "allOf") return count(what, value, where) == what.size();
        if (rule == "anyOf") return count(what, value, where) > 0;
        if (rule == "oneOf")
            return count(what, value, where) == 1 || fail(where, "fits not one of " + what.dump());
        if (rule == "if") return !fits(what, value, where) || fits(schema.at("then"), value, where);
        if (rule == "then") return true;
        if (value.is_array()) return keeps_list(rule, what, value, where);
        if (value.is_object()) return keeps_map(rule, what, schema, value, where);
        return true;
    }

    bool keeps_list(const std::string& rule, const Json& what, const Json& value,
                    const std::string& where) {
        if (rule == "minItems") return value.size() >= what || fail(where, "is too short");
        if (rule == "maxItems") return value.size() <= what || fail(where, "is too long");
        if (rule == "items") {
            for (std::size_t at = 0; at < value.size(); ++at) {
                if (!fits(what, value[at], where + "/" + std::to_string(at))) return false;
            }
            return true;
        }
        return true;
    }

    bool keeps_map(const std::string& rule, const Json& what, const Json& schema, const Json& value,
                   const std::string& where) {
        if (rule == "minProperties") return value.size() >= what || fail(where, "has too few keys");
        if (rule == "maxProperties")
            return value.size() <= what || fail(where, "has too many keys");
        if (rule == "required") {
            for (const Json& key : what) {
                if (!value.contains(key.get<std::string>()))
                    return fail(where, "lacks " + key.dump());
            }
        }
        if (rule == "propertyNames") {
            for (const auto& [key, entry] : value.items()) {
                if (!fits(what, key, where + "/" + key)) return false;
            }
        }
        if (rule == "properties") {
            for (const auto& [key, entry] : value.items()) {
                if (what.contains(key) && !fits(what.at(key), entry, where + "/" + key))
                    return false;
            }
        }
        if (rule == "additionalProperties") {
            for (const auto& [key, entry] : value.items()) {
                const bool is_known =
                    schema.contains("properties") && schema.at("properties").contains(key);
                if (!is_known && !fits(what, entry, where + "/" + key)) return false;
            }
        }
        return true;
    }

    const Json& root_;
    std::string why_;
};

/// A YAML tree as an editor's schema check sees it: plain digits are numbers, true and false flags.
Json as_json(const YamlNode& node) {
    switch (node.kind) {
    case YamlNode::Kind::null: return nullptr;
    case YamlNode::Kind::list: {
        Json list = Json::array();
        for (const YamlNode& item : node.items)
            list.push_back(as_json(item));
        return list;
    }
    case YamlNode::Kind::map: {
        Json map = Json::object();
        for (std::size_t at = 0; at < node.keys.size(); ++at)
            map[node.keys[at].text] = as_json(node.items[at]);
        return map;
    }
    case YamlNode::Kind::scalar: break;
    }
    if (node.plain && (node.text == "true" || node.text == "false")) return node.text == "true";
    if (const auto number = node.plain ? parse_count(node.text) : std::nullopt) return *number;
    return node.text;
}

Json document(const std::string& text) {
    LoadErrors errors;
    const auto root = parse_yaml(text, "x.yaml", errors);
    EXPECT_TRUE(root && errors.empty()) << text;
    return root ? as_json(*root) : Json();
}

std::string read(const std::filesystem::path& path) {
    std::ifstream stream(path);
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
}

TEST(Schema, AcceptsTheWholeCatalogue) {
    const Json schema = Json::parse(scenario_schema(stock_services()));
    std::size_t files = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(CRIER_SOURCE_DIR "/scenarios/catalogue")) {
        Judge judge(schema);
        EXPECT_TRUE(judge.accepts(document(read(entry.path())))) << entry.path() << judge.why();
        ++files;
    }
    EXPECT_GE(files, 8U);
}

/// For what the schema can know it agrees with the loader, in both directions.
TEST(Schema, AgreesWithTheLoader) {
    const std::string head =
        "databases: [db]\nservices:\n  shop: {is: outbox-producer, database: db";
    const std::string load = "}\nload: [{to: shop, rate: 20/s, for: 50s";
    const std::string faults = "}]\nexpect: [ledger]\nfaults: [";
    const auto text = [&](const std::string& option, const std::string& of_load,
                          const std::string& fault) {
        return head + option + load + of_load + faults + fault + "]\n";
    };
    const std::string crash = "crash: {of: shop, at: 1s, for: 1s}";
    const std::vector<std::string> texts{
        text("", "", crash),
        text(", replicas: 3", ", poison: 0.5%, skew: 10%, keys: 5, start: 1.5m",
             "crash: {of: shop, every: 8s, for: 1s..5s}"),
        text(", replicas: 0", "", crash),
        text(", replicas: two", "", crash),
        text(", publish: outbox", "", crash),
        text(", publish: sometimes", "", crash),
        text(", retry: {attempts: 3}", "", crash),
        text("", ", poison: 0.5", crash),
        text("", ", arrival: never", crash),
        text("", ", clients: 1001", crash),
        text("", ", start: 5", crash),
        text("", "", "crash: {of: shop, at: 1s}"),
        text("", "", "crash: {at: 1s, for: 1s}"),
        text("", "", "crash: {of: shop, for: 1s}"),
        text("", "", "crash: {of: shop, any-of: [shop], at: 1s, for: 1s}"),
        text("", "", "crash: {of: shop, at: 1s, every: 1s, for: 1s}"),
        text("", "", "crash: {point: emitter.committed-not-published, for: 1s}"),
        text("", "", "burn: {of: shop, at: 1s, for: 1s}"),
        text("", "", "partition: {between: [shop, db], at: 1s, for: 1s, one-way: on}"),
        text("", "", "partition: {between: [shop], at: 1s, for: 1s}"),
        text("", "", "crash: {between: [shop, db], at: 1s, for: 1s}"),
        text("", "", "clock-jump: {of: shop, at: 1s, by: -5s..5s}"),
        text("", "", "lossy-link: {of: shop, at: 1s, for: 1s, loss: 1%..20%}"),
        text("", "", "lossy-link: {of: shop, at: 1s, for: 1s}"),
        text("", "", "lose-answer: {of: shop, call: sql-commit, nth: 1..5}"),
        text("", "", "lose-answer: {of: shop, call: commit}"),
        text("", "", "lose-answer: {of: shop, at: 1s}"),
        text("", "", "reset: {of: shop, at: 1s}"),
        text("", "", crash) + "settle: 10s\nschedule: priorities\nbudget: {brokers-down: 0}\n",
        text("", "", crash) + "settle: soon\n",
        text("", "", crash) + "schedule: chaos\n",
        text("", "", crash) + "surprise: 1\n",
        "services: {}\nexpect: [ledger]\n",
        "services: {shop: {is: outbox-producer}}\nexpect: [ledger]\nload: [{to: shop, rate: 1/s, "
        "for: 5s}]\n",
    };
    const ServiceTable table = stock_services();
    const Json schema = Json::parse(scenario_schema(table));
    std::size_t accepted = 0;
    for (const std::string& one : texts) {
        const auto loaded = parse_scenario(one, "x.yaml", table);
        Judge judge(schema);
        EXPECT_EQ(judge.accepts(document(one)), loaded.has_value())
            << one << judge.why() << (loaded ? "" : loaded.error().front().text());
        accepted += loaded ? 1U : 0U;
    }
    EXPECT_EQ(accepted, 10U);
}

TEST(Schema, KnowsServicesOfATeam) {
    ServiceTable table = stock_services();
    ServiceType type;
    type.is = "invoicer";
    OptionInfo option{"mail.copies", OptionType::count, std::int64_t{1}, false, {}, "copies"};
    option.high = 9;
    type.options.push_back(std::move(option));
    table.add(std::move(type));
    const Json schema = Json::parse(scenario_schema(table));
    EXPECT_EQ(schema["$defs"]["service-invoicer-mail"]["properties"]["copies"]["maximum"], 9);
    const std::string text =
        "services: {a: {is: invoicer, mail: {copies: 10}}}\nexpect: [ledger]\n";
    EXPECT_FALSE(Judge(schema).accepts(document(text)));
    EXPECT_FALSE(parse_scenario(text, "x.yaml", table));
}

} // namespace
} // namespace crier::scenario
