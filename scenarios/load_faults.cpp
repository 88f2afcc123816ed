#include "scenarios/fault_format.hpp"
#include "scenarios/load_parts.hpp"

#include "scenarios/file_databases.hpp"
#include "scenarios/load_units.hpp"
#include "scenarios/names.hpp"
#include "scenarios/points.hpp"

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
        rule_.name = format.name;
        rule_.kind = format.kind;
        rule_.story = format.story;
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
        case FaultFormat::Amount::error: read_error(); break;
        case FaultFormat::Amount::partitions: read_partitions(); break;
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
        if (format_.is_call()) {
            read_when_of_calls();
            return;
        }
        std::vector<std::string> given;
        for (const std::string_view key : {"at", "every", "call", "point"}) {
            const bool has_row = format_.takes_points() || key == "at" || key == "every";
            if (has_row && fields_.has(key)) given.emplace_back(key);
        }
        if (given.size() > 1) {
            note(kind_.place, "fault `" + kind_.text + "` needs one of " + quoted_list(given) +
                                  ", not " + std::to_string(given.size()));
        } else if (given.empty()) {
            note(kind_.place, "fault `" + kind_.text + "` does not say when: `at`, `every`" +
                                  (format_.takes_points() ? ", `call` or `point`" : ""));
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
        if (format_.takes_points()) read_nth(when);
    }

    /// A fault of calls may wait for a time besides, and strike more than once.
    void read_when_of_calls() {
        rule_.when = FaultRule::When::call;
        read_call();
        read_nth("call");
        if (fields_.has("at") && fields_.has("every"))
            note(kind_.place, "fault `" + kind_.text + "` needs one of `at`, `every`, not 2");
        fields_.read_duration("at", rule_.at);
        if (fields_.has("every")) read_every();
        fields_.read_count_range("strikes", rule_.strikes_low, rule_.strikes_high);
        bool always = fields_.has("chance") || fields_.has("lasts");
        if (fields_.has("always") && fields_.has("strikes"))
            note(kind_.place, "fault `" + kind_.text + "` needs one of `strikes`, `always`, not 2");
        fields_.read_flag("always", always);
        if (always && !fields_.has("strikes")) rule_.strikes_low = rule_.strikes_high = 0;
        fields_.read_share("chance", rule_.chance);
        fields_.read_duration_range("lasts", rule_.window);
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
        for (const CallFormat& known : call_formats()) {
            if (known.name == call->text) call_ = known;
        }
        if (call_.name.empty()) {
            note(call->place,
                 "there is no call `" + call->text + "`" + name_hint(call->text, call_names()));
        } else if (format_.kind == sim::FaultKind::stale_answer && !call_.can_be_stale) {
            note(call->place,
                 "`" + call->text + "` has no answer that could be stale" + stale_hint());
        }
        rule_.call = call->text;
        if (const YamlNode* const topic = fields_.reference("topic")) {
            if (loading_.things.check(ThingKind::channel, *topic))
                rule_.about.push_back(topic->text);
        }
        if (const YamlNode* const partition = fields_.reference("partition")) {
            if (check_partition("partition", *partition)) rule_.about.push_back(partition->text);
        }
        if (const YamlNode* const group = fields_.reference("group")) {
            if (check_group(*group)) rule_.about.push_back(group->text);
        }
    }

    static std::string stale_hint() {
        std::vector<std::string> names;
        for (const CallFormat& call : call_formats()) {
            if (call.can_be_stale) names.emplace_back(call.name);
        }
        return " (these have: " + quoted_list(names) + ")";
    }

    /// A channel can only grow.
    void read_partitions() {
        fields_.read_count_range("to", rule_.amount_low, rule_.amount_high);
        const YamlNode* const to = fields_.find("to");
        const ChannelSpec* const channel =
            rule_.targets.empty()
                ? nullptr
                : find_named(loading_.scenario.channels, rule_.targets.front().name);
        if (to == nullptr || channel == nullptr || rule_.amount_low == 0) return;
        if (rule_.amount_low > channel->partitions) return;
        note(to->place, "channel `" + channel->name + "` has " +
                            std::to_string(channel->partitions) +
                            " partitions already: `to` must be more");
    }

    void read_error() {
        const YamlNode* const error = fields_.reference("error");
        if (error == nullptr || call_.name.empty()) return;
        if (call_.errors == CallFormat::Errors::none) {
            note(error->place, "`" + std::string(call_.name) + "` is never answered with an error");
            return;
        }
        const std::optional<std::int64_t> number = find_error(call_.errors, error->text);
        if (!number) {
            note(error->place, "there is no error `" + error->text + "`" +
                                   name_hint(error->text, error_names(call_.errors)));
        }
        rule_.error = error->text;
        rule_.amount_low = rule_.amount_high = number.value_or(0);
    }

    std::vector<std::string> points_of(const Target& target) const {
        return scenario::points_of(loading_.scenario, loading_.table, target.name);
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
        const std::vector<std::string> ways = format_.ways();
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
        if (format_.is_link()) fields_.read_flag("one-way", rule_.one_way);
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
        if (format_.is_call()) return; // anybody's
        note(kind_.place, "fault `" + kind_.text + "` does not say whom it befalls: one of " +
                              quoted_list(ways));
    }

    void read_way(const std::string& way) {
        const YamlNode& node = *fields_.find(way);
        if (way == "leader-of" || way == "coordinator-of") {
            add_target(read_indirect(way, node), node, rule_.targets);
        } else if (way == "channel") {
            const YamlNode* const channel = fields_.reference("channel");
            if (channel == nullptr) return;
            if (!loading_.things.check(ThingKind::channel, *channel)) return;
            rule_.targets.push_back(Target{Target::Kind::channel, channel->text});
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
        if (!fits(*target, node)) return;
        to.push_back(*target);
    }

    /// Whether the fault can befall that kind of thing; notes it when not.
    bool fits(const Target& target, const YamlNode& node) {
        if (target.kind != Target::Kind::name) return true;
        const auto kind = loading_.things.kind_of(split_address(target.name).first);
        const bool needs_service = format_.whom == FaultFormat::Whom::service;
        const bool needs_broker = format_.whom == FaultFormat::Whom::broker;
        if (format_.whom == FaultFormat::Whom::database && !has_replica(target.name)) {
            note(node.place, "fault `" + kind_.text +
                                 "` befalls a database with a replica "
                                 "(`replica: asynchronous` or `synchronous`), not `" +
                                 target.name + "`");
            return false;
        }
        if (needs_service && kind != ThingKind::service) {
            note(node.place, "fault `" + kind_.text + "` befalls a service, not `" + target.name +
                                 "`" +
                                 name_hint(target.name, loading_.things.names(ThingKind::service)));
            return false;
        }
        const ServiceSpec* const service =
            find_named(loading_.scenario.services, split_address(target.name).first);
        if (format_.kind == sim::FaultKind::failing_disk && service != nullptr &&
            !has_files(loading_.scenario, *service, *loading_.table.find(service->is))) {
            note(node.place, "`" + service->name +
                                 "` has no file on its disk: none of its "
                                 "databases is one");
            return false;
        }
        if (needs_broker && kind != ThingKind::broker) {
            note(node.place, "fault `" + kind_.text + "` befalls a broker, not `" + target.name +
                                 "`" +
                                 name_hint(target.name, loading_.things.names(ThingKind::broker)));
            return false;
        }
        return true;
    }

    /// Whether that is the name of a database with a second node.
    bool has_replica(const std::string& name) const {
        return find_named(loading_.scenario.databases, name) != nullptr &&
               member_count(loading_.scenario, name) > 0;
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
        if (is_file(loading_.scenario, name)) {
            const ServiceSpec* const user = user_of(loading_.scenario, loading_.table, name);
            note(node.place, "`" + name + "` is a file: a fault befalls whose file it is, `" +
                                 (user == nullptr ? "a service" : user->name) + "`");
            return std::nullopt;
        }
        const Target target{Target::Kind::name, node.text};
        if (name == node.text) return target;
        if (*kind == ThingKind::broker && member == "controller" &&
            (format_.is_link() || format_.is_call()))
            return target;
        if (*kind == ThingKind::database && !has_replica(name)) {
            note(node.place,
                 "a database has no members: write `" + name + "`, not `" + node.text + "`");
            return std::nullopt;
        }
        const std::int64_t members = member_count(loading_.scenario, name);
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

    std::optional<Target> read_indirect(const std::string& way, const YamlNode& node) {
        if (node.kind != YamlNode::Kind::scalar) {
            note(node.place, "`" + way + "` must be a name, not " + shown(node));
            return std::nullopt;
        }
        return way == "leader-of" ? read_leader(node) : read_coordinator(node);
    }

    std::optional<Target> read_leader(const YamlNode& node) {
        if (!check_partition("leader-of", node)) return std::nullopt;
        return Target{Target::Kind::leader_of, node.text};
    }

    /// Whether the node names a partition; notes it when not.
    bool check_partition(const std::string& key, const YamlNode& node) {
        const auto [name, member] = split_address(node.text);
        YamlNode channel = node;
        channel.text = name;
        if (!loading_.things.check(ThingKind::channel, channel)) return false;
        const ChannelSpec* const spec = find_named(loading_.scenario.channels, name);
        const auto number = parse_count(member);
        const std::int64_t partitions = spec == nullptr ? 0 : spec->partitions;
        if (number && std::to_string(*number) == member && *number >= 0 && *number < partitions) {
            return true;
        }
        if (partitions > 0) {
            note(node.place, "`" + key + "` must be a partition, `" + name + "/0`" +
                                 (partitions == 1 ? ""
                                                  : " to `" + name + "/" +
                                                        std::to_string(partitions - 1) + "`") +
                                 ", not " + shown(node));
        }
        return false;
    }

    std::optional<Target> read_coordinator(const YamlNode& node) {
        if (!check_group(node)) return std::nullopt;
        return Target{Target::Kind::coordinator_of, node.text};
    }

    /// Whether the node names a service that subscribes; notes it when not.
    bool check_group(const YamlNode& node) {
        if (!loading_.things.check(ThingKind::service, node)) return false;
        const ServiceSpec* const service = find_named(loading_.scenario.services, node.text);
        if (service != nullptr && loading_.table.find(service->is)->from_option.empty()) {
            note(node.place,
                 "service `" + node.text + "` subscribes to nothing: it has no coordinator");
            return false;
        }
        return true;
    }

    Loading& loading_;
    const FaultFormat& format_;
    const YamlKey& kind_;
    const YamlNode& value_;
    Fields fields_;
    FaultRule rule_;
    CallFormat call_; // that it waits for, if it is known
};

} // namespace

void read_fault(Loading& loading, const YamlNode& node) {
    std::vector<std::string> kinds;
    for (const FaultFormat& format : fault_formats())
        kinds.emplace_back(format.name);
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

void read_faults(Loading& loading, const YamlNode& node) {
    for (const YamlNode* const item : read_list(node, "faults", loading.problems))
        read_fault(loading, *item);
}

} // namespace crier::scenario
