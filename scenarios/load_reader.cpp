#include "scenarios/load_reader.hpp"

#include "messaging/ports/ensure.hpp"
#include "scenarios/load_units.hpp"
#include "scenarios/names.hpp"

#include <algorithm>
#include <array>
#include <tuple>

namespace crier::scenario {

namespace {

constexpr std::size_t name_length_max = 100;

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_column(std::string_view text) {
    if (text.empty() || text.size() > name_length_max || (!is_letter(text[0]) && text[0] != '_')) {
        return false;
    }
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
}

std::vector<std::string> names_of(const Keys& keys) {
    std::vector<std::string> names;
    names.reserve(keys.size());
    for (const Key& key : keys)
        names.push_back(key.name);
    return names;
}

std::string shortened(std::string_view text) {
    constexpr std::size_t length_max = 60;
    std::string line(text.substr(0, length_max));
    std::replace(line.begin(), line.end(), '\n', ' ');
    // A cut must not leave half a character.
    while (text.size() > length_max && !line.empty() && (line.back() & 0x80) != 0)
        line.pop_back();
    return text.size() > length_max ? line + "…" : line;
}

} // namespace

void Problems::add(Place place, std::string message) {
    errors_.push_back({file_, place, std::move(message)});
    if (errors_.size() >= problems_max) throw TooManyProblems{};
}

LoadErrors Problems::take() {
    std::stable_sort(errors_.begin(), errors_.end(), [](const LoadError& a, const LoadError& b) {
        return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
    });
    return std::move(errors_);
}

Fields::Fields(const YamlNode& node, Keys keys, std::string owner, Problems& problems)
    : node_(node), keys_(std::move(keys)), problems_(problems) {
    if (node.kind != YamlNode::Kind::map && node.kind != YamlNode::Kind::null) {
        problems.add(node.place, owner + " must be a map, not " + shown(node));
        return;
    }
    const std::vector<std::string> names = names_of(keys_);
    const auto is_in = [](const std::vector<std::string>& list, const std::string& name) {
        return std::find(list.begin(), list.end(), name) != list.end();
    };
    std::vector<std::string> suggested;
    for (const YamlKey& key : node.keys) {
        if (is_in(names, key.text)) continue;
        problems.add(key.place, owner + " has no key `" + shortened(key.text) + "`" +
                                    name_hint(key.text, names));
        if (auto nearest = nearest_name(key.text, names)) suggested.push_back(std::move(*nearest));
    }
    for (const Key& key : keys_) {
        if (!key.required || node.find(key.name) != nullptr) continue;
        if (is_in(suggested, key.name)) continue; // misspelt, and said so
        problems.add(node.place, owner + " needs `" + key.name + "`: " + key.help);
    }
}

const Key& Fields::row(std::string_view key, KeyType type) const {
    const auto row = std::find_if(keys_.begin(), keys_.end(),
                                  [key](const Key& candidate) { return candidate.name == key; });
    ensure(row != keys_.end() && row->type == type, "read as its row says");
    return *row;
}

const YamlNode* Fields::find(std::string_view key) const {
    ensure(
        std::any_of(keys_.begin(), keys_.end(), [key](const Key& row) { return row.name == key; }),
        "every key that is read has a row");
    return node_.find(key);
}

void Fields::refuse(std::string_view key, const YamlNode& value) const {
    const auto row = std::find_if(keys_.begin(), keys_.end(),
                                  [key](const Key& candidate) { return candidate.name == key; });
    std::string hint;
    if (row->type == KeyType::choice) {
        const auto nearest = nearest_name(value.text, row->choices);
        if (nearest) hint = " (did you mean `" + *nearest + "`?)";
    }
    problems_.add(value.place, "`" + std::string(key) + "` must be " + allowed_text(*row) +
                                   ", not " + shown(value) + hint);
}

const YamlNode* Fields::scalar(std::string_view key) const {
    const YamlNode* const value = find(key);
    if (value == nullptr || value->kind == YamlNode::Kind::scalar) return value;
    refuse(key, *value);
    return nullptr;
}

std::optional<std::int64_t> Fields::number(std::string_view key) const {
    const Key& limits = row(key, KeyType::count);
    const YamlNode* const value = scalar(key);
    if (value == nullptr) return std::nullopt;
    const auto count = value->plain ? parse_count(value->text) : std::nullopt;
    if (count && *count >= limits.low && *count <= limits.high) return count;
    refuse(key, *value);
    return std::nullopt;
}

void Fields::read_flag(std::string_view key, bool& to) const {
    static_cast<void>(row(key, KeyType::flag));
    const YamlNode* const value = scalar(key);
    if (value == nullptr) return;
    const auto is_one_of = [value](const std::array<std::string_view, 3>& words) {
        return value->plain && std::find(words.begin(), words.end(), value->text) != words.end();
    };
    if (is_one_of({"on", "true", "yes"})) {
        to = true;
    } else if (is_one_of({"off", "false", "no"})) {
        to = false;
    } else {
        refuse(key, *value);
    }
}

template <class Parse>
void Fields::read_range(const Key& key, Parse parse, std::int64_t& low, std::int64_t& high) const {
    const YamlNode* const value = scalar(key.name);
    if (value == nullptr) return;
    const Ends ends = split_range(value->text);
    const std::optional<std::int64_t> from = parse(ends.low);
    const std::optional<std::int64_t> to = parse(ends.high);
    if (!from || !to || *from < key.low || *to > key.high) {
        refuse(key.name, *value);
    } else if (*from > *to) {
        problems_.add(value->place,
                      "`" + key.name + "` is a range that ends before it begins: " + shown(*value));
    } else {
        low = *from;
        high = *to;
    }
}

void Fields::read_count_range(std::string_view key, std::int64_t& low, std::int64_t& high) const {
    read_range(row(key, KeyType::count_range), parse_count, low, high);
}

void Fields::read_bytes(std::string_view key, std::int64_t& to) const {
    const Key& limits = row(key, KeyType::bytes);
    const YamlNode* const value = scalar(key);
    if (value == nullptr) return;
    const auto bytes = parse_bytes(value->text);
    if (bytes && *bytes >= limits.low && *bytes <= limits.high) {
        to = *bytes;
    } else {
        refuse(key, *value);
    }
}

void Fields::read_duration(std::string_view key, Duration& to) const {
    const Key& limits = row(key, KeyType::duration);
    const YamlNode* const value = scalar(key);
    if (value == nullptr) return;
    const auto duration = parse_duration(value->text);
    if (duration && duration->count() >= limits.low && duration->count() <= limits.high) {
        to = *duration;
    } else {
        refuse(key, *value);
    }
}

void Fields::read_duration_range(std::string_view key, DurationRange& to) const {
    const auto parse = [](std::string_view text) -> std::optional<std::int64_t> {
        const auto duration = parse_duration(text);
        return duration ? std::optional(duration->count()) : std::nullopt;
    };
    std::int64_t low = to.low.count();
    std::int64_t high = to.high.count();
    read_range(row(key, KeyType::duration_range), parse, low, high);
    to = {Duration(low), Duration(high)};
}

void Fields::read_rate(std::string_view key, std::uint64_t& per_minute) const {
    const Key& limits = row(key, KeyType::rate);
    const YamlNode* const value = scalar(key);
    if (value == nullptr) return;
    const auto rate = parse_rate(value->text);
    if (rate && *rate >= limits.low && *rate <= limits.high) {
        per_minute = static_cast<std::uint64_t>(*rate);
    } else {
        refuse(key, *value);
    }
}

void Fields::read_share(std::string_view key, sim::Probability& to) const {
    static_cast<void>(row(key, KeyType::share));
    const YamlNode* const value = scalar(key);
    if (value == nullptr) return;
    if (const auto share = parse_share(value->text)) {
        to = *share;
    } else {
        refuse(key, *value);
    }
}

void Fields::read_share_range(std::string_view key, std::int64_t& low, std::int64_t& high) const {
    const auto parse = [](std::string_view text) -> std::optional<std::int64_t> {
        const auto share = parse_share(text);
        return share ? std::optional<std::int64_t>(share->per_million) : std::nullopt;
    };
    read_range(row(key, KeyType::share_range), parse, low, high);
}

void Fields::read_percent(std::string_view key, std::uint32_t& to) const {
    static_cast<void>(row(key, KeyType::percent));
    const YamlNode* const value = scalar(key);
    if (value == nullptr) return;
    const auto share = parse_share(value->text);
    if (share && share->per_million % 10'000 == 0) {
        to = share->per_million / 10'000;
    } else {
        refuse(key, *value);
    }
}

void Fields::read_text(std::string_view key, std::string& to) const {
    const YamlNode* const value = scalar(key);
    if (value == nullptr) return;
    const auto row = std::find_if(keys_.begin(), keys_.end(),
                                  [key](const Key& candidate) { return candidate.name == key; });
    const bool is_right = [&] {
        switch (row->type) {
        case KeyType::name: return is_name(value->text);
        case KeyType::column: return is_column(value->text);
        case KeyType::choice:
            return std::find(row->choices.begin(), row->choices.end(), value->text) !=
                   row->choices.end();
        case KeyType::value: return true;
        default: return !value->text.empty();
        }
    }();
    if (is_right) {
        to = value->text;
    } else {
        refuse(key, *value);
    }
}

std::optional<std::size_t> Fields::choice(std::string_view key) const {
    const Key& choices = row(key, KeyType::choice);
    std::string text;
    read_text(key, text);
    const auto found = std::find(choices.choices.begin(), choices.choices.end(), text);
    if (found == choices.choices.end()) return std::nullopt;
    return static_cast<std::size_t>(found - choices.choices.begin());
}

bool Fields::takes(std::string_view key) const {
    return std::any_of(keys_.begin(), keys_.end(),
                       [key](const Key& each) { return each.name == key; });
}

const YamlNode* Fields::reference(std::string_view key) const {
    static_cast<void>(row(key, KeyType::reference));
    return scalar(key);
}

std::string_view name_of(ThingKind kind) {
    switch (kind) {
    case ThingKind::broker: return "broker";
    case ThingKind::channel: return "channel";
    case ThingKind::database: return "database";
    case ThingKind::service: return "service";
    }
    return "thing";
}

void Things::add(ThingKind kind, const YamlKey& name) {
    if (!is_name(name.text)) {
        problems_.add(name.place,
                      "the name of a " + std::string(name_of(kind)) +
                          " must be a letter, then letters, digits, `-`, `_` and `.`; not `" +
                          shortened(name.text) + "`");
        return;
    }
    const auto [entry, is_new] = entries_.try_emplace(name.text, Entry{kind, name.place});
    // Within one map the duplicate key has been noted already.
    if (is_new || entry->second.kind == kind) return;
    problems_.add(name.place, "`" + name.text + "` is the name of a " +
                                  std::string(name_of(entry->second.kind)) + " already (line " +
                                  std::to_string(entry->second.place.line) + ")");
}

bool Things::check(ThingKind kind, const YamlNode& node) const {
    const auto found = kind_of(node.text);
    if (found == kind) return true;
    const std::string wanted(name_of(kind));
    if (found) {
        problems_.add(node.place, "`" + node.text + "` is a " + std::string(name_of(*found)) +
                                      ", not a " + wanted + name_hint(node.text, names(kind)));
    } else if (!is_incomplete(kind)) {
        problems_.add(node.place, "there is no " + wanted + " `" + shortened(node.text) + "`" +
                                      name_hint(node.text, names(kind)));
    }
    return false;
}

std::optional<ThingKind> Things::kind_of(const std::string& name) const {
    const auto entry = entries_.find(name);
    if (entry == entries_.end()) return std::nullopt;
    return entry->second.kind;
}

std::vector<std::string> Things::names(ThingKind kind) const {
    std::vector<std::string> names;
    for (const auto& [name, entry] : entries_) {
        if (entry.kind == kind) names.push_back(name);
    }
    return names;
}

std::vector<std::string> Things::target_names() const {
    std::vector<std::string> names;
    for (const auto& [name, entry] : entries_) {
        if (entry.kind != ThingKind::channel) names.push_back(name);
    }
    return names;
}

bool is_name(std::string_view text) {
    if (text.empty() || text.size() > name_length_max || !is_letter(text[0])) return false;
    return std::all_of(text.begin(), text.end(), [](char c) {
        return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == '.';
    });
}

std::string shown(const YamlNode& node) {
    switch (node.kind) {
    case YamlNode::Kind::null: return "nothing";
    case YamlNode::Kind::list: return "a list";
    case YamlNode::Kind::map: return "a map";
    case YamlNode::Kind::scalar: break;
    }
    if (!node.plain) return "the text `" + shortened(node.text) + "`";
    return "`" + shortened(node.text) + "`";
}

std::vector<const YamlNode*> read_list(const YamlNode& node, const std::string& what,
                                       Problems& problems) {
    std::vector<const YamlNode*> items;
    if (node.kind != YamlNode::Kind::list) {
        problems.add(node.place, "`" + what + "` must be a list, not " + shown(node));
        return items;
    }
    if (node.items.empty()) problems.add(node.place, "`" + what + "` is empty: leave it out");
    if (node.items.size() > things_max) {
        problems.add(node.place, "`" + what + "` has " + std::to_string(node.items.size()) +
                                     " entries; at most " + std::to_string(things_max));
        return items;
    }
    for (const YamlNode& item : node.items)
        items.push_back(&item);
    return items;
}

} // namespace crier::scenario
