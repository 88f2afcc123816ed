#include "scenarios/load_parts.hpp"

#include "scenarios/load_units.hpp"
#include "scenarios/names.hpp"

#include <algorithm>

namespace crier::scenario {

namespace {

/// Splits `billing/2` at its last slash; without one, the second is empty.
std::pair<std::string, std::string> split_address(const std::string& address) {
    const std::size_t slash = address.rfind('/');
    if (slash == std::string::npos) return {address, ""};
    return {address.substr(0, slash), address.substr(slash + 1)};
}

/// Reads one fault rule of a known kind.
class RuleReader {
public:
    RuleReader(Loading& loading, const FaultFormat& format, const YamlKey& kind,
               const YamlNode& value)
        : loading_(loading), format_(format), kind_(kind), value_(value),
          fields_(value, fault_keys(format), "fault `" + kind.text + "`", loading.problems) {
        rule_.kind = format.kind;
        rule_.place = kind.place;
    }

    FaultRule read() {
        if (value_.kind != YamlNode::Kind::map) {
            if (value_.kind == YamlNode::Kind::null) read_targets();
            return rule_;
        }
        read_when();
        read_targets();
        if (format_.lasts) fields_.read_duration_range("for", rule_.length);
        switch (format_.amount) {
        case FaultFormat::Amount::none: break;
        case FaultFormat::Amount::times:
            fields_.read_count_range("times", rule_.amount_low, rule_.amount_high);
            break;
        case FaultFormat::Amount::loss:
            fields_.read_share_range("loss", rule_.amount_low, rule_.amount_high);
            break;
        case FaultFormat::Amount::by: {
            DurationRange by;
            fields_.read_duration_range("by", by);
            rule_.amount_low = by.low.count();
            rule_.amount_high = by.high.count();
            break;
        }
        }
        return rule_;
    }

private:
    void note(Place place, const std::string& message) { loading_.problems.add(place, message); }

    void read_when() {
        std::vector<std::string> given;
        for (const char* key : {"at", "every", "call", "point"}) {
            const bool has_row = !format_.is_call || std::string_view(key) == "call";
            if (has_row && fields_.has(key)) given.emplace_back(key);
        }
        if (given.size() > 1) {
            note(kind_.place, "fault `" + kind_.text + "` needs one of " + quoted_list(given) +
                                  ", not " + std::to_string(given.size()));
        } else if (given.empty() && !format_.is_call) {
            note(kind_.place,
                 "fault `" + kind_.text + "` does not say when: `at`, `every`, `call` or `point`");
        }
        const std::string when = given.empty() ? "" : given.front();
        if (when == "at") {
            rule_.when = FaultRule::When::at;
            fields_.read_duration("at", rule_.at);
        } else if (when == "every") {
            read_every();
        } else if (when == "call") {
            rule_.when = FaultRule::When::call;
            read_call();
        } else if (when == "point") {
            rule_.when = FaultRule::When::point;
            read_point();
        }
        read_nth(when);
    }

    void read_nth(const std::string& when) {
        std::int64_t low = 1;
        std::int64_t high = 1;
        fields_.read_count_range("nth", low, high);
        rule_.nth_low = static_cast<std::uint32_t>(low);
        rule_.nth_high = static_cast<std::uint32_t>(high);
        if (const YamlNode* const nth = fields_.find("nth");
            nth != nullptr && (when == "at" || when == "every")) {
            note(nth->place, "`nth` counts calls or points: it needs `call` or `point`");
        }
    }

    void read_every() {
        fields_.read_duration("every", rule_.every);
        const std::int64_t span = load_end(loading_.scenario).count();
        if (rule_.every.count() > 0 && span / rule_.every.count() > occurrences_max) {
            note(fields_.find("every")->place, "`every: " + duration_text(rule_.every) +
                                                   "` makes more than " +
                                                   std::to_string(occurrences_max) + " faults of " +
                                                   duration_text(Duration(span)));
        }
    }

    void read_call() {
        const YamlNode* const call = fields_.reference("call");
        if (call == nullptr) return;
        const std::vector<std::string> names = call_names();
        if (std::find(names.begin(), names.end(), call->text) == names.end()) {
            note(call->place,
                 "there is no call `" + call->text + "`" + name_hint(call->text, names));
        }
        rule_.call = call->text;
    }

    /// Returns the points that the target can reach.
    std::vector<std::string> points_of(const Target& target) const {
        const std::string name = split_address(target.name).first;
        if (loading_.things.kind_of(name) == ThingKind::database) return disk_points();
        std::vector<std::string> points;
        if (const ServiceSpec* const service = find_service(loading_.scenario, name)) {
            for (const std::string_view point : loading_.table.find(service->is)->points) {
                points.emplace_back(point);
            }
        }
        return points;
    }

    void read_point() {
        const YamlNode* const point = fields_.reference("point");
        if (point == nullptr) return;
        rule_.point = point->text;
        const std::vector<std::string> all = all_points();
        if (std::find(all.begin(), all.end(), point->text) == all.end()) {
            note(point->place, "no service of this scenario has a point `" + point->text + "`" +
                                   name_hint(point->text, all));
        }
    }

    std::vector<std::string> all_points() const {
        std::vector<std::string> all;
        for (const std::string& name : loading_.things.target_names()) {
            for (std::string& point : points_of(Target{Target::Kind::name, name})) {
                all.push_back(std::move(point));
            }
        }
        std::sort(all.begin(), all.end());
        all.erase(std::unique(all.begin(), all.end()), all.end());
        return all;
    }

    bool has_point(const Target& target) const {
        const std::vector<std::string> points = points_of(target);
        return std::find(points.begin(), points.end(), rule_.point) != points.end();
    }

    void read_targets() {
        std::vector<std::string> ways{"of", "any-of", "leader-of", "coordinator-of"};
        if (format_.is_link) ways.emplace_back("between");
        std::vector<std::string> given;
        for (const std::string& way : ways) {
            if (fields_.has(way)) given.push_back(way);
        }
        if (given.size() > 1) {
            note(kind_.place, "fault `" + kind_.text + "` needs one of " + quoted_list(given) +
                                  ", not " + std::to_string(given.size()));
            return;
        }
        if (given.empty()) {
            default_targets(ways);
        } else {
            read_way(given.front());
        }
        if (format_.is_link) fields_.read_flag("one-way", rule_.one_way);
    }

    /// A point alone says whom: those who can reach it.
    void default_targets(const std::vector<std::string>& ways) {
        if (rule_.when == FaultRule::When::point && !rule_.point.empty()) {
            for (const std::string& name : loading_.things.target_names()) {
                const Target target{Target::Kind::name, name};
                if (has_point(target)) rule_.targets.push_back(target);
            }
            return;
        }
        note(kind_.place, "fault `" + kind_.text + "` does not say whom it befalls: one of " +
                              quoted_list(ways));
    }

    void read_way(const std::string& way) {
        const YamlNode& node = *fields_.find(way);
        if (way == "leader-of" || way == "coordinator-of") {
            add_target(read_indirect(way, node), node, rule_.targets);
        } else if (way == "of") {
            add_target(read_target(node), node, rule_.targets);
        } else if (way == "any-of") {
            for (const YamlNode* const item : read_list(node, way, loading_.problems)) {
                add_target(read_target(*item), *item, rule_.targets);
            }
        } else {
            const std::vector<const YamlNode*> sides = read_list(node, way, loading_.problems);
            if (node.kind == YamlNode::Kind::list && !sides.empty() && sides.size() != 2) {
                note(node.place, "`between` needs two sides, not " + std::to_string(sides.size()));
            } else if (sides.size() == 2) {
                add_target(read_target(*sides[0]), *sides[0], rule_.targets);
                add_target(read_target(*sides[1]), *sides[1], rule_.peers);
            }
        }
    }

    void add_target(const std::optional<Target>& target, const YamlNode& node,
                    std::vector<Target>& to) {
        if (!target) return;
        if (&to == &rule_.targets && rule_.when == FaultRule::When::point && !rule_.point.empty() &&
            target->kind == Target::Kind::name && !has_point(*target)) {
            note(node.place, "`" + target->name + "` does not reach the point `" + rule_.point +
                                 "`" + name_hint(rule_.point, points_of(*target)));
        }
        to.push_back(*target);
    }

    std::optional<Target> read_target(const YamlNode& node) {
        if (node.kind == YamlNode::Kind::scalar) return read_address(node);
        if (node.kind == YamlNode::Kind::map && node.keys.size() == 1) {
            const std::string& way = node.keys.front().text;
            if (way == "leader-of" || way == "coordinator-of")
                return read_indirect(way, node.items.front());
        }
        note(node.place, "a target must be a name such as `billing` or `billing/2`, "
                         "`{leader-of: orders/0}` or `{coordinator-of: billing}`, not " +
                             shown(node));
        return std::nullopt;
    }

    std::optional<Target> read_address(const YamlNode& node) {
        const auto [name, member] = split_address(node.text);
        const auto kind = loading_.things.kind_of(name);
        if (!kind || *kind == ThingKind::channel) {
            const Things& things = loading_.things;
            const bool is_incomplete = things.is_incomplete(ThingKind::broker) ||
                                       things.is_incomplete(ThingKind::database) ||
                                       things.is_incomplete(ThingKind::service);
            if (!kind && is_incomplete) return std::nullopt;
            const std::vector<std::string> names = things.target_names();
            note(node.place, (kind ? "a fault befalls no channel, but its broker: `"
                                   : "nothing here is called `") +
                                 name + "`" + name_hint(name, names));
            return std::nullopt;
        }
        const Target target{Target::Kind::name, node.text};
        if (name == node.text) return target;
        if (*kind == ThingKind::broker && member == "controller" && format_.is_link) return target;
        if (*kind == ThingKind::database) {
            note(node.place,
                 "a database has no members: write `" + name + "`, not `" + node.text + "`");
            return std::nullopt;
        }
        const std::int64_t members = members_of(name, *kind);
        const auto number = parse_count(member);
        const bool is_canonical = number && std::to_string(*number) == member;
        if (is_canonical && *number >= 1 && *number <= members) return target;
        if (members > 0) {
            note(node.place, "`" + name + "` has " +
                                 (members == 1 ? "one member, `" + name + "/1`"
                                               : "the members `" + name + "/1` to `" + name + "/" +
                                                     std::to_string(members) + "`") +
                                 ", not `" + node.text + "`");
        }
        return std::nullopt;
    }

    /// Returns how many nodes a thing has; 0 when it is not known.
    std::int64_t members_of(const std::string& name, ThingKind kind) const {
        if (kind == ThingKind::broker) {
            const BrokerSpec* const broker = find_broker(loading_.scenario, name);
            return broker == nullptr ? 0 : broker->kafka.nodes;
        }
        const ServiceSpec* const service = find_service(loading_.scenario, name);
        return service == nullptr ? 0 : service->replicas;
    }

    std::optional<Target> read_indirect(const std::string& way, const YamlNode& node) {
        if (node.kind != YamlNode::Kind::scalar) {
            note(node.place, "`" + way + "` must be a name, not " + shown(node));
            return std::nullopt;
        }
        return way == "leader-of" ? read_leader(node) : read_coordinator(node);
    }

    std::optional<Target> read_leader(const YamlNode& node) {
        const auto [name, member] = split_address(node.text);
        YamlNode channel = node;
        channel.text = name;
        if (!loading_.things.check(ThingKind::channel, channel)) return std::nullopt;
        const ChannelSpec* const spec = find_channel(loading_.scenario, name);
        const auto number = parse_count(member);
        const std::int64_t partitions = spec == nullptr ? 0 : spec->partitions;
        if (number && std::to_string(*number) == member && *number >= 0 && *number < partitions) {
            return Target{Target::Kind::leader_of, node.text};
        }
        if (partitions > 0) {
            note(node.place, "`leader-of` must be a partition, `" + name + "/0`" +
                                 (partitions == 1 ? ""
                                                  : " to `" + name + "/" +
                                                        std::to_string(partitions - 1) + "`") +
                                 ", not " + shown(node));
        }
        return std::nullopt;
    }

    std::optional<Target> read_coordinator(const YamlNode& node) {
        if (!loading_.things.check(ThingKind::service, node)) return std::nullopt;
        const ServiceSpec* const service = find_service(loading_.scenario, node.text);
        if (service != nullptr && loading_.table.find(service->is)->from_option.empty()) {
            note(node.place,
                 "service `" + node.text + "` subscribes to nothing: it has no coordinator");
            return std::nullopt;
        }
        return Target{Target::Kind::coordinator_of, node.text};
    }

    Loading& loading_;
    const FaultFormat& format_;
    const YamlKey& kind_;
    const YamlNode& value_;
    Fields fields_;
    FaultRule rule_;
};

void read_rule(Loading& loading, const YamlNode& node) {
    std::vector<std::string> kinds;
    for (const FaultFormat& format : fault_formats())
        kinds.emplace_back(sim::name_of(format.kind));
    if (node.kind != YamlNode::Kind::map) {
        loading.problems.add(node.place,
                             "a fault must be a map such as `crash: {of: …}`, not " + shown(node));
        return;
    }
    if (node.keys.size() != 1) {
        loading.problems.add(node.place, "a fault has one key, its kind; this has " +
                                             std::to_string(node.keys.size()) +
                                             " (there are: " + quoted_list(kinds) + ")");
        return;
    }
    const YamlKey& kind = node.keys.front();
    const auto found = std::find(kinds.begin(), kinds.end(), kind.text);
    if (found == kinds.end()) {
        loading.problems.add(kind.place,
                             "there is no fault `" + kind.text + "`" + name_hint(kind.text, kinds));
        return;
    }
    const FaultFormat& format = fault_formats()[static_cast<std::size_t>(found - kinds.begin())];
    RuleReader reader(loading, format, kind, node.items.front());
    loading.scenario.faults.push_back(reader.read());
}

} // namespace

void read_faults(Loading& loading, const YamlNode& node) {
    for (const YamlNode* const item : read_list(node, "faults", loading.problems))
        read_rule(loading, *item);
}

} // namespace crier::scenario
