#pragma once

#include "sim/history.hpp"

#include <cstdint>
#include <map>
#include <span>
#include <string>

// Events in words: the sentence of the kind with the names filled in. Used by traces, stories and
// witnesses, so that all of them speak alike.

namespace crier::properties {

/// Returns `12.031 s`; cut off, not rounded, so that no event seems to lie before its cause.
[[nodiscard]] std::string format_time(std::int64_t nanoseconds);

/// Returns the exact value in the largest unit that it fills: `250 ms`, `3 s`, `1.5 s`.
[[nodiscard]] std::string format_duration(std::int64_t nanoseconds);

/// Returns the text of an operand; empty for none.
[[nodiscard]] std::string format_text(std::uint64_t hash, const sim::TextTable& texts);

/// Returns the node's name; `node 7` when it has none.
[[nodiscard]] std::string format_node(std::uint32_t node, std::span<const std::string> names);

/// Tells events of all kinds of the kernel, the brokers and the stores. What it is given must
/// outlive it.
class Describer {
public:
    Describer(const sim::TextTable& texts, std::span<const std::string> node_names,
              std::span<const sim::EventKind> more_kinds = {});

    /// Returns a plain sentence without a full stop; for an unknown kind its number and operands.
    [[nodiscard]] std::string sentence(const sim::Event& event) const;

    /// Returns the sentence without the node at its beginning, for where the node stands before it.
    [[nodiscard]] std::string predicate(const sim::Event& event) const;

    [[nodiscard]] std::string node(const sim::Event& event) const;

    /// Returns the kind, or null if it is unknown.
    [[nodiscard]] const sim::EventKind* kind(std::uint64_t id) const;

private:
    [[nodiscard]] std::string value(const sim::Operand& operand, std::uint64_t bits) const;
    [[nodiscard]] std::string fill(std::string_view sentence, const sim::EventKind& kind,
                                   const sim::Event& event) const;
    [[nodiscard]] std::string unknown(const sim::Event& event) const;

    const sim::TextTable& texts_;
    std::span<const std::string> node_names_;
    std::map<std::uint64_t, sim::EventKind> kinds_;
};

} // namespace crier::properties
