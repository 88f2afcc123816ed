#include "scenarios/load_parts.hpp"

#include "scenarios/file_databases.hpp"
#include "scenarios/load_units.hpp"

#include <algorithm>

namespace crier::scenario {

namespace {

/// The options of one service, those of a group (`retry.`) by themselves.
class OptionReader {
public:
    OptionReader(Loading& loading, const ServiceType& type, ServiceSpec& spec)
        : loading_(loading), type_(type), spec_(spec) {}

    /// Reads the options below `prefix`; the other keys of `fields` are somebody else's.
    void read(const Fields& fields, const std::string& prefix) {
        for (const OptionInfo& option : type_.options) {
            if (!option.name.starts_with(prefix)) continue;
            const std::string rest = option.name.substr(prefix.size());
            if (rest.find('.') == std::string::npos) read_option(fields, rest, option);
        }
        for (const Key& key : option_keys(type_, prefix)) {
            if (key.type != KeyType::structure) continue;
            const YamlNode* const group = fields.find(key.name);
            const YamlNode none;
            const Fields inner(group != nullptr ? *group : none, option_keys(type_, key.structure),
                               "`" + key.name + "` of service `" + spec_.name + "`",
                               loading_.problems);
            read(inner, key.structure);
        }
    }

private:
    template <class T, class Read>
    void read_value(const Fields& fields, const std::string& key, const OptionInfo& option,
                    Read read) {
        T value{};
        if (option.fallback) value = std::get<T>(*option.fallback);
        if (!option.fallback && !fields.has(key)) return;
        read(value);
        spec_.options.insert_or_assign(option.name, OptionValue(std::move(value)));
    }

    void read_option(const Fields& fields, const std::string& key, const OptionInfo& option) {
        switch (option.type) {
        case OptionType::flag:
            read_value<bool>(fields, key, option, [&](bool& to) { fields.read_flag(key, to); });
            break;
        case OptionType::count:
            read_value<std::int64_t>(fields, key, option,
                                     [&](std::int64_t& to) { fields.read_count(key, to); });
            break;
        case OptionType::duration:
            read_value<Duration>(fields, key, option,
                                 [&](Duration& to) { fields.read_duration(key, to); });
            break;
        case OptionType::share:
            read_value<sim::Probability>(fields, key, option,
                                         [&](sim::Probability& to) { fields.read_share(key, to); });
            break;
        case OptionType::choice:
        case OptionType::text:
            read_value<std::string>(fields, key, option,
                                    [&](std::string& to) { fields.read_text(key, to); });
            break;
        case OptionType::database:
        case OptionType::channel: read_reference(fields, key, option); break;
        }
    }

    void read_reference(const Fields& fields, const std::string& key, const OptionInfo& option) {
        const YamlNode* const value = fields.reference(key);
        const ThingKind kind =
            option.type == OptionType::database ? ThingKind::database : ThingKind::channel;
        if (value == nullptr || !loading_.things.check(kind, *value)) return;
        spec_.options.insert_or_assign(option.name, OptionValue(value->text));
        ChannelSpec* const channel = find_named(loading_.scenario.channels, value->text);
        if (option.name == type_.dead_letter_option && channel != nullptr) {
            channel->dead_letters = true;
        }
    }

    Loading& loading_;
    const ServiceType& type_;
    ServiceSpec& spec_;
};

/// Reads `effects` or `accepts`: what the type has by default, where the file does not say
/// otherwise.
std::optional<WatchSpec> read_watch(Loading& loading, const Fields& fields, std::string_view key,
                                    const ServiceSpec& spec, const ServiceType& type,
                                    const std::optional<WatchSpec>& fallback) {
    const YamlNode* const node = fields.find(key);
    std::optional<WatchSpec> watch = fallback;
    if (node == nullptr && !watch) return std::nullopt;
    if (!watch) watch.emplace();
    const auto database = spec.options.find(type.database_option);
    if (watch->database.empty() && database != spec.options.end()) {
        watch->database = std::get<std::string>(database->second);
    }
    if (node == nullptr) return watch;
    const std::string owner = "`" + std::string(key) + "` of service `" + spec.name + "`";
    const Fields inner(*node, watch_keys(), owner, loading.problems);
    inner.read_text("table", watch->table);
    inner.read_text("identity", watch->identity);
    inner.read_text("key", watch->key);
    inner.read_text("value", watch->value);
    if (const YamlNode* const named = inner.reference("database")) {
        if (loading.things.check(ThingKind::database, *named)) watch->database = named->text;
    } else if (watch->database.empty() && type.database_option.empty()) {
        loading.problems.add(node->place, owner + " needs `database`");
    }
    if (watch->table.empty() && !inner.has("table")) {
        loading.problems.add(node->place, owner + " needs `table`");
    }
    if (watch->identity.empty() && !inner.has("identity")) {
        loading.problems.add(node->place, owner + " needs `identity`");
    }
    return watch;
}

/// Reads `outbox`, `leader` or `inbox`: what the type has by default, where the file does not say
/// otherwise.
void read_followed(Loading& loading, const Fields& fields, const std::string& key, const Keys& keys,
                   const ServiceSpec& spec, const ServiceType& type,
                   std::optional<FollowSpec>& table) {
    const YamlNode* const node = fields.find(key);
    if (node == nullptr && !table) return;
    if (!table) table.emplace();
    const auto database = spec.options.find(type.database_option);
    if (table->database.empty() && database != spec.options.end()) {
        table->database = std::get<std::string>(database->second);
    }
    if (node == nullptr) return;
    const std::string owner = "`" + key + "` of service `" + spec.name + "`";
    const Fields inner(*node, keys, owner, loading.problems);
    inner.read_text("table", table->table);
    inner.read_text("identity", table->identity);
    if (inner.takes("key")) inner.read_text("key", table->key);
    for (const Key& column : keys) {
        const bool is_role = column.type == KeyType::column && column.name != "table" &&
                             column.name != "identity" && column.name != "key";
        if (is_role && inner.has(column.name))
            inner.read_text(column.name, table->columns[column.name]);
    }
    if (inner.takes("keeps")) inner.read_flag("keeps", table->keeps);
    if (inner.takes("retention")) inner.read_duration("retention", table->retention);
    if (const YamlNode* const named = inner.reference("database")) {
        if (loading.things.check(ThingKind::database, *named)) table->database = named->text;
    } else if (table->database.empty()) {
        loading.problems.add(node->place, owner + " needs `database`");
    }
    if (table->table.empty()) loading.problems.add(node->place, owner + " needs `table`");
    if (table->identity.empty()) loading.problems.add(node->place, owner + " needs `identity`");
}

/// Returns the row that `is` names; notes when there is none.
const ServiceType* find_type(const Loading& loading, const YamlKey& name, const YamlNode& value) {
    if (value.kind != YamlNode::Kind::map && value.kind != YamlNode::Kind::null) {
        loading.problems.add(value.place,
                             "service `" + name.text + "` must be a map, not " + shown(value));
        return nullptr;
    }
    // Without its type nothing can be said of the other keys, so only `is` is judged.
    YamlNode only_is;
    only_is.place = value.kind == YamlNode::Kind::map ? value.place : name.place;
    only_is.kind = YamlNode::Kind::map;
    if (const YamlNode* const is = value.find("is")) {
        only_is.keys.push_back({"is", is->place});
        only_is.items.push_back(*is);
    }
    const Fields fields(only_is, service_keys(loading.table), "service `" + name.text + "`",
                        loading.problems);
    const auto choice = fields.choice("is");
    return choice ? &loading.table.rows()[*choice] : nullptr;
}

/// Notes options that only a database server has.
void check_server_options(Loading& loading, const ServiceSpec& spec, const ServiceType& type,
                          Place place) {
    if (!type.check_file || loading.problems.has_any()) return;
    for (const std::string& problem : type.check_file(spec))
        loading.problems.add(place, "service `" + spec.name + "`: " + problem);
}

/// A file belongs to one service, and to one process of it: nobody else sees what is in it.
void check_files(Loading& loading, const Fields& fields, const ServiceSpec& spec,
                 const ServiceType& type) {
    for (const std::string& database : databases_of(spec, type)) {
        if (!is_file(loading.scenario, database)) continue;
        const YamlNode* const named = fields.find(type.database_option);
        const Place place = named != nullptr ? named->place : spec.place;
        const std::string owner = "service `" + spec.name + "`";
        const ServiceSpec* const other = user_of(loading.scenario, loading.table, database);
        if (type.shares_database) {
            loading.problems.add(place, owner +
                                            " needs a server: other processes work on its "
                                            "database, and `" +
                                            database + "` is a file, which one process sees" +
                                            (type.is.starts_with("outbox-")
                                                 ? "; `is: outbox-service` is both in one"
                                                 : ""));
        } else if (type.takes_inputs && spec.replicas > 1) {
            loading.problems.add(place, owner +
                                            " can have one replica: an input that is repeated "
                                            "may come to another, whose own file `" +
                                            database + "` does not know of it");
        } else if (other != nullptr && other->name != spec.name) {
            loading.problems.add(place, "`" + database + "` is a file of the processes of `" +
                                            other->name + "`: " + owner +
                                            " would have files of its own, and needs a name for "
                                            "them, or a server");
        }
        check_server_options(loading, spec, type, place);
    }
}

void read_service(Loading& loading, const YamlKey& name, const YamlNode& value) {
    const ServiceType* const type = find_type(loading, name, value);
    if (type == nullptr) return;
    ServiceSpec spec;
    spec.name = name.text;
    spec.is = type->is;
    spec.place = name.place;
    Keys keys = service_keys(loading.table);
    for (Key& key : option_keys(*type))
        keys.push_back(std::move(key));
    const std::size_t problems_before = loading.problems.errors().size();
    const Fields fields(value, std::move(keys), "service `" + name.text + "` (" + type->is + ")",
                        loading.problems);
    fields.read_count("replicas", spec.replicas);
    OptionReader(loading, *type, spec).read(fields, "");
    spec.effects = read_watch(loading, fields, "effects", spec, *type, type->effects);
    spec.accepts = read_watch(loading, fields, "accepts", spec, *type, type->accepts);
    if (type->follows && loading.problems.errors().size() == problems_before)
        spec.followed = type->follows(spec);
    FollowedTables& followed = spec.followed;
    read_followed(loading, fields, "outbox", outbox_keys(), spec, *type, followed.outbox);
    read_followed(loading, fields, "leader", leader_keys(), spec, *type, followed.leader);
    read_followed(loading, fields, "inbox", inbox_keys(), spec, *type, followed.inbox);
    if (type->check && loading.problems.errors().size() == problems_before) {
        for (const std::string& problem : type->check(spec)) {
            loading.problems.add(name.place, "service `" + name.text + "`: " + problem);
        }
    }
    check_files(loading, fields, spec, *type);
    if (find_named(loading.scenario.services, spec.name) == nullptr) {
        loading.scenario.services.push_back(std::move(spec));
    }
}

} // namespace

void read_services(Loading& loading, const YamlNode& node) {
    if (node.kind != YamlNode::Kind::map) {
        loading.problems.add(node.place, "`services` must be a map from names, not " + shown(node));
        return;
    }
    if (node.keys.empty()) loading.problems.add(node.place, "`services` is empty: nothing to test");
    if (node.keys.size() > things_max) {
        loading.problems.add(node.place, "`services` has " + std::to_string(node.keys.size()) +
                                             " entries; at most " + std::to_string(things_max));
        return;
    }
    for (std::size_t at = 0; at < node.keys.size(); ++at) {
        read_service(loading, node.keys[at], node.items[at]);
    }
}

} // namespace crier::scenario
