#include "properties/describe.hpp"

#include "broker-model/events.hpp"
#include "properties/routes.hpp"
#include "sim/events.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace crier::properties {

namespace {

constexpr std::int64_t nanoseconds_in_second = 1'000'000'000;

/// Returns `whole.fraction` with `digits` digits behind the point, cut off.
std::string decimal(std::int64_t value, std::int64_t unit, int digits) {
    std::string text = value < 0 ? "-" : "";
    if (value < 0) value = -value;
    text += std::to_string(value / unit);
    std::int64_t rest = value % unit;
    if (digits > 0) text += '.';
    for (int i = 0; i < digits; ++i) {
        rest *= 10;
        text += static_cast<char>('0' + rest / unit);
        rest %= unit;
    }
    return text;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
}

/// Takes out what an empty operand leaves behind.
std::string tidied(std::string text) {
    replace_all(text, " (key )", "");
    replace_all(text, " (transaction )", "");
    replace_all(text, ", transactional id )", ")");
    while (!text.empty() && (text.back() == ' ' || text.back() == ':'))
        text.pop_back();
    return text;
}

} // namespace

std::string format_time(std::int64_t nanoseconds) {
    return decimal(nanoseconds, nanoseconds_in_second, 3) + " s";
}

std::string format_duration(std::int64_t nanoseconds) {
    static constexpr std::array<std::pair<std::int64_t, std::string_view>, 4> units{
        {{nanoseconds_in_second, " s"}, {1'000'000, " ms"}, {1'000, " us"}, {1, " ns"}}};
    for (const auto& [unit, name] : units) {
        if (nanoseconds < unit && nanoseconds > -unit) continue;
        std::string text = decimal(nanoseconds, unit, 9);
        while (text.back() == '0')
            text.pop_back();
        if (text.back() == '.') text.pop_back();
        return text + std::string(name);
    }
    return "0 s";
}

std::string format_text(std::uint64_t hash, const sim::TextTable& texts) {
    return is_empty_text(hash) ? std::string() : texts.find(hash);
}

std::string format_node(std::uint32_t node, std::span<const std::string> names) {
    if (node < names.size() && !names[node].empty()) return names[node];
    return "node " + std::to_string(node);
}

Describer::Describer(const sim::TextTable& texts, std::span<const std::string> node_names,
                     std::span<const sim::EventKind> more_kinds)
    : texts_(texts), node_names_(node_names) {
    for (const sim::EventKind& kind : sim::events::all)
        kinds_.emplace(kind.id, kind);
    for (const sim::EventKind& kind : broker::events::all)
        kinds_.emplace(kind.id, kind);
    for (const sim::EventKind& kind : more_kinds)
        kinds_.emplace(kind.id, kind);
}

std::string Describer::sentence(const sim::Event& event) const {
    const sim::EventKind* found = kind(event.kind);
    return found == nullptr ? unknown(event) : fill(found->sentence, *found, event);
}

std::string Describer::predicate(const sim::Event& event) const {
    static constexpr std::string_view subject = "{node} ";
    const sim::EventKind* found = kind(event.kind);
    if (found == nullptr) return unknown(event);
    std::string_view sentence = found->sentence;
    if (sentence.substr(0, subject.size()) == subject) sentence.remove_prefix(subject.size());
    return fill(sentence, *found, event);
}

std::string Describer::node(const sim::Event& event) const {
    return format_node(event.node, node_names_);
}

const sim::EventKind* Describer::kind(std::uint64_t id) const {
    const auto found = kinds_.find(id);
    return found == kinds_.end() ? nullptr : &found->second;
}

std::string Describer::value(const sim::Operand& operand, std::uint64_t bits) const {
    switch (operand.type) {
    case sim::OperandType::text: return format_text(bits, texts_);
    case sim::OperandType::duration: return format_duration(static_cast<std::int64_t>(bits));
    case sim::OperandType::node: return format_node(static_cast<std::uint32_t>(bits), node_names_);
    case sim::OperandType::number:
    case sim::OperandType::none: break;
    }
    return std::to_string(static_cast<std::int64_t>(bits));
}

std::string Describer::fill(std::string_view sentence, const sim::EventKind& kind,
                            const sim::Event& event) const {
    std::string whole;
    while (!sentence.empty()) {
        const std::size_t open = sentence.find('{');
        const std::size_t close = sentence.find('}', open == std::string_view::npos ? 0 : open);
        if (open == std::string_view::npos || close == std::string_view::npos) break;
        whole += sentence.substr(0, open);
        const std::string_view name = sentence.substr(open + 1, close - open - 1);
        sentence.remove_prefix(close + 1);
        std::string filled = name == "node" ? node(event) : '{' + std::string(name) + '}';
        for (std::size_t i = 0; i < kind.operands.size(); ++i) {
            if (kind.operands[i].type != sim::OperandType::none && kind.operands[i].name == name) {
                filled = value(kind.operands[i], event.operands[i]);
            }
        }
        whole += filled;
    }
    whole += sentence;
    return tidied(std::move(whole));
}

std::string Describer::unknown(const sim::Event& event) const {
    std::string text = "event of kind " + std::to_string(event.kind) + ':';
    for (const std::uint64_t operand : event.operands) {
        text += ' ' + std::to_string(static_cast<std::int64_t>(operand));
    }
    return text;
}

} // namespace crier::properties
