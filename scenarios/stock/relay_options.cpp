#include "scenarios/stock/relay_options.hpp"

#include "scenarios/stock/choices.hpp"

#include <utility>

namespace crier::scenario {

namespace {

using Names = std::vector<std::string>;

// In the order of the enumerations of messaging/relay_options.hpp.
const Names bys{"claim", "cursor", "change-stream"};
const Names orders{"key", "none"};
const Names wakes{"poll", "notification"};
const Names listens{"before-reading", "after-reading"};
const Names gaps{"transactions", "ignored", "fixed-wait"};
const Names confirms{"prefix", "each"};
const Names marks{"confirmed", "sent"};
const Names failures{"key-waits", "goes-on"};
const Names outages{"nothing", "attempts"};
const Names dead_keys{"stops", "goes-on"};
const Names purges{"delivered", "by-age"};

OptionInfo choice(const char* name, const Names& names, const char* help) {
    return {name, OptionType::choice, names.front(), false, names, help};
}

OptionInfo duration(const char* name, Duration fallback, const char* help,
                    std::int64_t least = 1'000'000) {
    return {name, OptionType::duration, fallback, false, {}, help, least};
}

OptionInfo count(const char* name, std::int64_t fallback, const char* help) {
    return {name, OptionType::count, fallback, false, {}, help};
}

/// A slot's name has small letters, digits and `_` only.
std::string slot_name(std::string service) {
    for (char& letter : service) {
        if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
        if (letter == '-' || letter == '.') letter = '_';
    }
    return service;
}

} // namespace

std::vector<OptionInfo> relay_option_infos() {
    const messaging::RelayOptions defaults;
    return {
        {"database", OptionType::database, {}, false, {}, "where the outbox is"},
        {"to", OptionType::channel, {}, false, {}, "where its events go"},
        choice(
            "relay-by", bys,
            "claim: each replica leases rows; cursor: one goes up the positions, the others stand "
            "by; change-stream: one reads the database's commits"),
        count("batch", static_cast<std::int64_t>(defaults.batch), "rows in hand at once"),
        choice("order", orders, "none: a claim does not look for earlier rows of the key"),
        {"idempotence", OptionType::flag, true, false, {}, "Kafka's enable.idempotence"},
        duration("poll-interval", defaults.poll_interval, "wait when nothing is there"),
        duration("lease", defaults.lease,
                 "how long claimed rows, or the cursor, are out of reach of others"),
        duration("backoff", defaults.backoff, "how long a key waits after a failure"),
        choice("wake", wakes, "what makes it look: the clock, or the writer's notification"),
        choice("listen", listens,
               "after-reading: and without fallback-poll; a notification between the two is lost"),
        duration("fallback-poll", defaults.fallback_poll,
                 "wait of a relay that is woken, when nothing wakes it"),
        choice("gaps", gaps,
               "of a cursor: whether it waits for transactions that may have a missing position, "
               "ignores it, or waits for gap-wait"),
        duration("gap-wait", defaults.gap_wait, "of gaps: fixed-wait", 0),
        choice("confirm", confirms,
               "of a change stream: the finished beginning, or each change that was acknowledged"),
        {"catch-up",
         OptionType::flag,
         true,
         false,
         {},
         "of a change stream: whether the outbox is looked through when the slot is opened; "
         "without, what was committed before the slot was made is never published"},
        choice("mark", marks, "sent: a row counts as published before the broker has confirmed it"),
        choice("after-failure", failures, "goes-on: later rows of the key overtake the failed one"),
        count("attempts", defaults.attempts, "refusals by the broker after which a row is dead"),
        choice("outage", outages,
               "attempts: every failure costs one, and a row without is not looked at"),
        choice("dead-key", dead_keys, "what becomes of a key with a dead row"),
        duration("keep", defaults.keep, "how long published rows stay; 0s: deleted at once", 0),
        duration("purge-interval", defaults.purge_interval, "how often what was kept is removed"),
        choice("purge", purges, "by-age: rows are removed whatever became of them"),
    };
}

messaging::RelayOptions relay_options(const ServiceContext& context) {
    using namespace messaging;
    RelayOptions options;
    options.channel = context.text("to");
    options.by = chosen<RelayBy>(context.text("relay-by"), bys);
    options.batch = static_cast<std::size_t>(context.count("batch"));
    options.order = chosen<RelayOrder>(context.text("order"), orders);
    options.poll_interval = context.duration("poll-interval");
    options.lease = context.duration("lease");
    options.backoff = context.duration("backoff");
    options.wake = chosen<RelayWake>(context.text("wake"), wakes);
    options.listen = chosen<RelayListen>(context.text("listen"), listens);
    options.fallback_poll = context.duration("fallback-poll");
    options.gaps = chosen<CursorGaps>(context.text("gaps"), gaps);
    options.gap_wait = context.duration("gap-wait");
    options.slot = slot_name(context.service());
    options.catch_up = context.flag("catch-up");
    options.confirm = chosen<StreamConfirm>(context.text("confirm"), confirms);
    options.mark = chosen<RelayMark>(context.text("mark"), marks);
    options.after_failure = chosen<AfterFailure>(context.text("after-failure"), failures);
    options.attempts = static_cast<int>(context.count("attempts"));
    options.outage = chosen<OutageCost>(context.text("outage"), outages);
    options.dead_key = chosen<DeadKey>(context.text("dead-key"), dead_keys);
    options.keep = context.duration("keep");
    options.purge_interval = context.duration("purge-interval");
    options.purge = chosen<PurgeRows>(context.text("purge"), purges);
    return options;
}

std::vector<std::string> relay_option_problems(const ServiceSpec& spec) {
    std::vector<std::string> problems;
    const auto is = [&spec](const char* option, const char* value) {
        return std::get<std::string>(spec.options.at(option)) == value;
    };
    const auto refuse = [&problems](bool wrong, const char* problem) {
        if (wrong) problems.emplace_back(problem);
    };
    const bool stream = is("relay-by", "change-stream");
    const bool cursor = is("relay-by", "cursor");
    const bool woken = is("wake", "notification");
    const bool keeps = std::get<Duration>(spec.options.at("keep")) > Duration::zero();
    refuse(!cursor && !is("gaps", "transactions"), "gaps needs relay-by: cursor");
    refuse(!stream && !is("confirm", "prefix"), "confirm needs relay-by: change-stream");
    refuse(!stream && !std::get<bool>(spec.options.at("catch-up")),
           "catch-up needs relay-by: change-stream");
    refuse(!woken && !is("listen", "before-reading"), "listen needs wake: notification");
    refuse(
        stream && woken,
        "wake: notification is without use for relay-by: change-stream, which is told of commits");
    refuse(stream && is("dead-key", "stops"),
           "relay-by: change-stream needs dead-key: goes-on, since a stream is not read again");
    refuse(is("order", "none") && (cursor || stream), "order: none needs relay-by: claim");
    refuse(stream && is("outage", "attempts"), "outage: attempts goes without a change stream");
    refuse(is("purge", "by-age") && !keeps, "purge: by-age needs keep");
    return problems;
}

} // namespace crier::scenario
