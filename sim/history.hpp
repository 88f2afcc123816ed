#pragma once

#include "messaging/ports/clock.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What happened in a run, as a totally ordered stream of small fixed-size events, and its digest.
// The record is `sim`'s; each module declares its kinds in an `events.hpp` of its own.

namespace crier::sim {

/// How an operand of an event is read by people; checkers and the digest see 64 bits.
enum class OperandType : std::uint8_t { none, number, text, duration, node };

struct Operand {
    std::string_view name;
    OperandType type = OperandType::none;
};

/// A kind of event: its number, its name and how it is told. In the sentence `{node}` is the node
/// that recorded the event and `{name}` the operand of that name.
struct EventKind {
    std::uint32_t id = 0;
    std::string_view name;
    std::string_view sentence;
    std::array<Operand, 4> operands{};
};

/// One event. Text is an operand by its content hash, see `History::text`.
struct Event {
    std::uint64_t sequence = 0; ///< 1, 2, 3 … in the order of the run.
    std::int64_t time = 0;      ///< Virtual nanoseconds since the start.
    std::uint64_t cause = 0;    ///< Sequence of the event that led to it; 0: an outer cause.
    std::uint32_t node = 0;     ///< The node on which it happened; 0: the world.
    std::uint32_t incarnation = 0;
    std::uint64_t kind = 0; ///< EventKind::id
    std::array<std::uint64_t, 4> operands{};
};
static_assert(sizeof(Event) == 72, "no padding: events are hashed as they lie");

/// Receives every event as it happens. Observes only.
class EventSink {
public:
    virtual ~EventSink() = default;
    virtual void on_event(const Event& event) = 0;
};

/// The strings behind hashes, as far as they were kept.
class TextTable {
public:
    void remember(std::uint64_t hash, std::string_view text) { texts_.try_emplace(hash, text); }

    /// Returns the text, or its hash in hexadecimal when it was not kept.
    [[nodiscard]] std::string find(std::uint64_t hash) const;

private:
    std::map<std::uint64_t, std::string> texts_;
};

struct HistoryOptions {
    bool keep = false; ///< Keep all events and all texts; otherwise only the digest and names.
};

/// The stream of events of one run.
class History {
public:
    explicit History(HistoryOptions options);
    ~History();

    /// Sinks are called in the order of their addition and must outlive the run.
    void add_sink(EventSink& sink) { sinks_.push_back(&sink); }

    /// Appends an event; fills in its sequence. **Returns** the sequence.
    std::uint64_t append(Event event);

    /// Returns the operand for a text that names something lasting (a topic, a service, a node).
    std::uint64_t name(std::string_view text);

    /// Returns the operand for a text of which there may be many (an identity, a key); it is
    /// remembered only while the history is kept.
    std::uint64_t text(std::string_view text);

    [[nodiscard]] std::uint64_t count() const { return count_; }
    [[nodiscard]] bool keeps() const { return options_.keep; }

    /// Returns the events kept, in order; empty unless the history is kept.
    [[nodiscard]] std::span<const Event> events() const { return events_; }
    [[nodiscard]] const TextTable& texts() const { return texts_; }

    /// Returns the hash over all events so far, in canonical little-endian encoding.
    [[nodiscard]] std::uint64_t digest();

private:
    struct Hasher;

    void flush();

    HistoryOptions options_;
    std::vector<EventSink*> sinks_;
    std::vector<Event> events_;
    TextTable texts_;
    std::uint64_t count_ = 0;
    std::array<Event, 32> pending_;
    std::size_t pending_count_ = 0;
    std::unique_ptr<Hasher> hasher_;
};

} // namespace crier::sim
