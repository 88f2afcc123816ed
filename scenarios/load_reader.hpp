#pragma once

#include "scenarios/load_format.hpp"
#include "scenarios/yaml_tree.hpp"

#include <concepts>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Reading maps by their rows: every problem is noted with its place, and reading goes on.

namespace crier::scenario {

/// Thrown by `Problems::add` when there is no point in going on; caught by `parse_scenario`.
struct TooManyProblems {};

/// Collects what is wrong with one file.
class Problems {
public:
    explicit Problems(std::string file) : file_(std::move(file)) {}

    /// Notes a problem. Throws TooManyProblems with the one that fills `problems_max`.
    void add(Place place, std::string message);

    [[nodiscard]] const std::string& file() const { return file_; }
    [[nodiscard]] bool has_any() const { return !errors_.empty(); }
    [[nodiscard]] LoadErrors& errors() { return errors_; }

    /// Returns the problems by place.
    [[nodiscard]] LoadErrors take();

private:
    std::string file_;
    LoadErrors errors_;
};

/// One map, read by its rows. What is absent or wrong leaves the target as it was. Every access
/// **requires** that the rows have the key with that type.
class Fields {
public:
    /// Notes keys without a row, and required ones that are missing. `node` must outlive this
    /// object; null is read as an empty map. `owner` is what the map is, for messages: `channel
    /// `orders``.
    Fields(const YamlNode& node, Keys keys, std::string owner, Problems& problems);

    [[nodiscard]] Place place() const { return node_.place; }

    /// Returns the value under the key, or null.
    [[nodiscard]] const YamlNode* find(std::string_view key) const;
    [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }

    /// Whether the key may be there.
    [[nodiscard]] bool takes(std::string_view key) const;

    void read_flag(std::string_view key, bool& to) const;
    template <std::integral T>
    void read_count(std::string_view key, T& to) const {
        if (const auto count = number(key)) to = static_cast<T>(*count);
    }
    void read_count_range(std::string_view key, std::int64_t& low, std::int64_t& high) const;
    void read_bytes(std::string_view key, std::int64_t& to) const;
    void read_duration(std::string_view key, Duration& to) const;
    void read_duration_range(std::string_view key, DurationRange& to) const;
    void read_rate(std::string_view key, std::uint64_t& per_minute) const;
    void read_share(std::string_view key, sim::Probability& to) const;
    void read_share_range(std::string_view key, std::int64_t& low, std::int64_t& high) const;
    void read_percent(std::string_view key, std::uint32_t& to) const;

    /// Reads text, names, columns, choices and values.
    void read_text(std::string_view key, std::string& to) const;

    /// Returns the index of the choice, or nothing.
    [[nodiscard]] std::optional<std::size_t> choice(std::string_view key) const;

    /// Returns the scalar of a reference, or null.
    [[nodiscard]] const YamlNode* reference(std::string_view key) const;

    /// Notes that the value under that key is not what it must be.
    void refuse(std::string_view key, const YamlNode& value) const;

private:
    [[nodiscard]] const Key& row(std::string_view key, KeyType type) const;
    [[nodiscard]] const YamlNode* scalar(std::string_view key) const;
    [[nodiscard]] std::optional<std::int64_t> number(std::string_view key) const;
    template <class Parse>
    void read_range(const Key& key, Parse parse, std::int64_t& low, std::int64_t& high) const;

    const YamlNode& node_;
    Keys keys_;
    Problems& problems_;
};

/// What a name of the scenario names.
enum class ThingKind { broker, channel, database, service };

[[nodiscard]] std::string_view name_of(ThingKind kind);

/// The one namespace of a scenario.
class Things {
public:
    explicit Things(Problems& problems) : problems_(problems) {}

    /// Enters a name; notes a bad or a second one.
    void add(ThingKind kind, const YamlKey& name);

    /// Returns whether the node names a thing of that kind, and notes when it does not.
    bool check(ThingKind kind, const YamlNode& node) const;

    /// Whether a name may be missing only because the part that has it is itself wrong, which has
    /// been noted: then nothing should be said of the name.
    [[nodiscard]] bool is_incomplete(ThingKind kind) const {
        return problems_.has_any() && names(kind).empty();
    }

    [[nodiscard]] std::optional<ThingKind> kind_of(const std::string& name) const;
    [[nodiscard]] std::vector<std::string> names(ThingKind kind) const;
    /// Returns all that a fault can befall.
    [[nodiscard]] std::vector<std::string> target_names() const;

private:
    struct Entry {
        ThingKind kind;
        Place place;
    };
    Problems& problems_;
    std::map<std::string, Entry> entries_;
};

/// Whether the text is a name (a letter, then letters, digits, `-`, `_`, `.`).
[[nodiscard]] bool is_name(std::string_view text);

/// Returns what a node is, for messages: `a list`, ``x``.
[[nodiscard]] std::string shown(const YamlNode& node);

/// Returns the items of a list, noting what is no list, is empty or too long. `what`: `load`.
[[nodiscard]] std::vector<const YamlNode*> read_list(const YamlNode& node, const std::string& what,
                                                     Problems& problems);

} // namespace crier::scenario
