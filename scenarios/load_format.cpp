#include "scenarios/load_format.hpp"

#include "scenarios/load_units.hpp"
#include "scenarios/names.hpp"

#include <algorithm>

namespace crier::scenario {

namespace {

constexpr std::int64_t millisecond = 1'000'000;
constexpr std::int64_t second = 1'000 * millisecond;

Key text(std::string name, std::string help) {
    return {std::move(name), KeyType::text, std::move(help)};
}

Key flag(std::string name, std::string help) {
    return {std::move(name), KeyType::flag, std::move(help)};
}

Key reference(std::string name, std::string help) {
    return {std::move(name), KeyType::reference, std::move(help)};
}

Key count(std::string name, std::int64_t low, std::int64_t high, std::string help) {
    return {std::move(name), KeyType::count, std::move(help), false, low, high};
}

Key duration(std::string name, std::int64_t low, std::string help,
             KeyType type = KeyType::duration) {
    return {std::move(name), type, std::move(help), false, low, longest.count()};
}

Key bytes(std::string name, std::int64_t low, std::string help) {
    constexpr std::int64_t most = std::int64_t{1} << 40;
    return {std::move(name), KeyType::bytes, std::move(help), false, low, most};
}

Key share(std::string name, std::string help) {
    return {std::move(name), KeyType::share, std::move(help), false, 0, 1'000'000};
}

Key choice(std::string name, std::vector<std::string> choices, std::string help) {
    return {std::move(name), KeyType::choice, std::move(help), false, 0, 0, std::move(choices)};
}

Key structure(std::string name, std::string of, std::string help) {
    Key key{std::move(name), KeyType::structure, std::move(help)};
    key.structure = std::move(of);
    return key;
}

Key column(std::string name, std::string help) {
    return {std::move(name), KeyType::column, std::move(help)};
}

/// What every followed table may say.
Keys followed_keys(std::string identity) {
    return {reference("database", "the service's own unless named"), column("table", "the table"),
            column("identity", std::move(identity))};
}

/// Whether the property has a time in which something must be done.
bool takes_time(std::string_view property) {
    return property == "outbox-drain" || property == "outbox-lag" ||
           property == "stuck-in-progress";
}

Key required(Key key) {
    key.required = true;
    return key;
}

Key option_key(const OptionInfo& option, std::string name) {
    Key key{std::move(name), KeyType::text, option.help};
    key.required = !option.fallback && !option.optional;
    switch (option.type) {
    case OptionType::flag: key.type = KeyType::flag; break;
    case OptionType::count:
        key.type = KeyType::count;
        key.low = option.low.value_or(1);
        key.high = option.high.value_or(1'000'000);
        break;
    case OptionType::duration:
        key.type = KeyType::duration;
        key.low = option.low.value_or(0);
        key.high = option.high.value_or(longest.count());
        break;
    case OptionType::share:
        key.type = KeyType::share;
        key.high = 1'000'000;
        break;
    case OptionType::choice:
        key.type = KeyType::choice;
        key.choices = option.choices;
        break;
    case OptionType::text: break;
    case OptionType::database:
    case OptionType::channel: key.type = KeyType::reference; break;
    }
    return key;
}

} // namespace

Keys top_keys() {
    return {
        text("about", "what the scenario shows"),
        structure("brokers", "brokers", "message brokers, by name"),
        structure("channels", "channels", "topics, by name"),
        structure("databases", "databases", "a list of names, or a map with options"),
        required(structure("services", "services", "the system under test, by name")),
        structure("load", "load", "what arrives from outside"),
        structure("faults", "faults", "what may go wrong"),
        structure("budget", "budget", "how much may fail together"),
        required(structure("expect", "expect", "the properties that must hold")),
        duration("settle", 100 * millisecond, "silence after which a run is over; 5s"),
        duration("drain", second, "the longest wait for that after healing; 5m"),
        choice("schedule", {"in-order", "random", "priorities"},
               "which node goes first when several can; random"),
    };
}

Keys broker_keys() {
    return {required(structure("kafka", "kafka", "a Kafka cluster"))};
}

Keys kafka_keys() {
    return {
        count("nodes", 1, 1'000, "brokers of the cluster; 3"),
        duration("replica-lag-time-max", 100 * millisecond, "Kafka's replica.lag.time.max.ms; 30s"),
        duration("broker-session-timeout", 100 * millisecond,
                 "Kafka's broker.session.timeout.ms; 9s"),
        duration("group-initial-rebalance-delay", 0,
                 "Kafka's group.initial.rebalance.delay.ms; 3s"),
        flag("eligible-leader-replicas", "KIP-966, as in clusters made by Kafka 4.1 or later: who "
                                         "leaves a too small ISR may lead "
                                         "when nobody is left; off"),
        duration(
            "leader-imbalance-check-interval", 0,
            "Kafka's leader.imbalance.check.interval: how often first replicas are made leaders "
            "again, 0s never; 5m"),
        bytes("producer-byte-rate", 1, "Kafka's producer_byte_rate: each client's, a second; none"),
        bytes("consumer-byte-rate", 1, "Kafka's consumer_byte_rate: each client's, a second; none"),
        duration("log-cleaner-backoff", 100 * millisecond,
                 "Kafka's log.cleaner.backoff.ms: how often compaction looks for work; 15s"),
        duration("log-retention-check-interval", 100 * millisecond,
                 "Kafka's log.retention.check.interval.ms; 5m"),
        count("transaction-version", 1, 2,
              "Kafka's feature transaction.version: 2 (KIP-890) raises the producer's epoch with "
              "each transaction, 1 does not; 2"),
        flag("transaction-partition-verification",
             "Kafka's transaction.partition.verification.enable; on"),
        duration("offsets-retention", 0, "Kafka's offsets.retention.minutes; 7 days"),
        duration("offsets-retention-check-interval", 100 * millisecond,
                 "Kafka's offsets.retention.check.interval.ms; 10m"),
        choice("offsets-expiry", {"empty-group", "commit-age"},
               "from when a commit ages: since the group is empty (KIP-211), or, as before Kafka "
               "2.1, since it was made, members or not; empty-group"),
        duration("share-record-lock-duration", 1'000 * millisecond,
                 "Kafka's group.share.record.lock.duration.ms; 30s"),
        count("share-delivery-count-limit", 2, 10,
              "Kafka's group.share.delivery.count.limit: a record is dropped after so many; 5"),
        choice("share-auto-offset-reset", {"latest", "earliest"},
               "Kafka's share.auto.offset.reset, of all groups: where one begins; latest"),
    };
}

Keys channel_keys() {
    return {
        reference("on", "its broker; may be left out when there is one"),
        count("partitions", 1, 1'000, "1"),
        count("replication", 1, 1'000, "replicas of each partition; 1"),
        count("min-in-sync", 1, 1'000, "Kafka's min.insync.replicas; 1"),
        flag("unclean-leader-election", "whether a replica that lags may lead; off"),
        choice("cleanup-policy", {"delete", "compact", "compact,delete", "none"},
               "Kafka's cleanup.policy; delete"),
        duration("retention-time", 0, "Kafka's retention.ms; 7 days"),
        bytes("retention-bytes", 0, "Kafka's retention.bytes, of one partition; without limit"),
        duration("segment-time", millisecond, "Kafka's segment.ms; 7 days"),
        bytes("segment-bytes", 1, "Kafka's segment.bytes; 1GiB"),
        duration("delete-retention", 0, "Kafka's delete.retention.ms; 24h"),
        duration("min-compaction-lag", 0, "Kafka's min.compaction.lag.ms; 0s"),
        duration("max-compaction-lag", millisecond, "Kafka's max.compaction.lag.ms; without limit"),
        share("min-cleanable-ratio", "Kafka's min.cleanable.dirty.ratio; 50%"),
        bytes("max-message-bytes", 0, "Kafka's max.message.bytes, of a batch; 1048588B"),
        choice("message-timestamp-type", {"create-time", "log-append-time"},
               "Kafka's message.timestamp.type; create-time"),
        duration("message-timestamp-before-max", 0,
                 "Kafka's message.timestamp.before.max.ms; without limit"),
        duration("message-timestamp-after-max", 0, "Kafka's message.timestamp.after.max.ms; 1h"),
    };
}

Keys database_keys() {
    return {
        flag("synchronous", "of a server; off: a commit may be lost with the power; on"),
        choice("replica", {"none", "asynchronous", "synchronous"},
               "of a server: a second node that has its commits, later or before they are "
               "answered; none"),
        count("max-connections", 1, 100'000, "of a server: PostgreSQL's, without the reserved; 97"),
        count("pool-size", 1, 100'000, "connections to a server that a process uses at once; 10"),
        duration("pool-wait", 0, "how long it waits for one of them; 5s"),
        structure("file", "database-file",
                  "no server, but an SQLite file on the disk of each process of one service")};
}

Keys file_keys() {
    return {
        choice("journal-mode", {"wal", "delete", "truncate", "persist", "memory", "off"},
               "SQLite's journal_mode; wal"),
        choice("synchronous", {"off", "normal", "full", "extra"}, "SQLite's synchronous; full"),
        count("checkpoint-pages", 1, 1'000'000, "SQLite's wal_autocheckpoint; 1000"),
    };
}

Keys watch_keys() {
    return {
        reference("database", "the service's own unless named"),
        {"table", KeyType::column, "table whose rows count"},
        {"identity", KeyType::column, "column that tells one row's event from another's"},
        {"key", KeyType::column, "column of the aggregate"},
        {"value", KeyType::column, "column of what the effect comes to, such as an amount"},
    };
}

Keys outbox_keys() {
    Keys keys = followed_keys("column with the identity of a row's message");
    keys.push_back(column("key", "column of the aggregate"));
    keys.push_back(column("position", "column of the numbers by which relays read"));
    keys.push_back(column("published", "column that is not null once a row was published"));
    keys.push_back(column("dead", "column that is not null once a row was given up"));
    keys.push_back(column("owner", "column that says which relay has claimed the row"));
    keys.push_back(column("until", "column that says until when, in milliseconds since 1970"));
    keys.push_back(flag("keeps", "whether published rows stay until somebody purges them; off"));
    return keys;
}

Keys leader_keys() {
    Keys keys = followed_keys("column with the name of the row");
    keys.push_back(column("owner", "column that says which relay leads"));
    keys.push_back(column("until", "column that says until when, in milliseconds since 1970"));
    keys.push_back(column("epoch", "column with the number of the leadership"));
    keys.push_back(column("position", "column that says how far up the outbox all is published"));
    return keys;
}

Keys inbox_keys() {
    Keys keys = followed_keys("column with the identity of a row's message");
    keys.push_back(column("status", "column that says `working` or `done`; without: all are done"));
    keys.push_back(column("until", "column that says until when a message may be in work"));
    keys.push_back(duration("retention", 0, "how long it promises to remember; 0s: for ever"));
    return keys;
}

Keys load_keys() {
    Key poison{"poison", KeyType::share, "share that no handler can ever process; 0%"};
    poison.high = 1'000'000;
    Key skew{"skew", KeyType::percent, "share of inputs for the first key; 0%"};
    skew.high = 100;
    return {
        required(reference("to", "a service that takes inputs")),
        required({"rate", KeyType::rate, "mean number of inputs", false, 1, 60'000'000}),
        required(duration("for", millisecond, "how long inputs arrive")),
        duration("start", 0, "when they begin; 0s"),
        choice("arrival", {"constant", "poisson", "bursts"}, "how they arrive; constant"),
        count("burst", 1, 1'000'000, "inputs of one burst, with `arrival: bursts`"),
        count("keys", 1, 10'000'000, "distinct aggregates; 100"),
        std::move(skew),
        std::move(poison),
        count("clients", 1, 1'000, "clients that share the inputs; 1"),
    };
}

Keys budget_keys() {
    return {count("brokers-down", 0, 1'000, "brokers of one cluster that may be down together; 1")};
}

Keys sql_keys() {
    return {
        {"name", KeyType::name, "for reports; sql-1, sql-2 …"},
        required(reference("database", "where the query runs")),
        required(text("query", "a select")),
        choice("empty", {"always", "at-end"}, "it returns no row"),
        {"equals", KeyType::value, "it returns one row with this one value"},
        choice("when", {"always", "at-end"}, "when `equals` is checked; at-end"),
    };
}

Keys service_keys(const ServiceTable& services) {
    std::vector<std::string> types;
    for (const ServiceType& type : services.rows())
        types.push_back(type.is);
    return {
        required(choice("is", std::move(types), "the class that it runs")),
        count("replicas", 1, replicas_max, "processes; 1"),
        structure("effects", "watch", "whose rows are its effects"),
        structure("accepts", "watch", "whose durable rows are accepted events"),
        structure("outbox", "outbox", "from which it publishes"),
        structure("leader", "leader", "the row that says which relay of its outbox leads"),
        structure("inbox", "inbox", "in which it remembers what it has handled"),
    };
}

Keys option_keys(const ServiceType& type, std::string_view prefix) {
    Keys keys;
    for (const OptionInfo& option : type.options) {
        if (!option.name.starts_with(prefix)) continue;
        const std::string rest = option.name.substr(prefix.size());
        const std::size_t dot = rest.find('.');
        if (dot == std::string::npos) {
            keys.push_back(option_key(option, rest));
            continue;
        }
        const std::string group = rest.substr(0, dot);
        const auto has_name = [&group](const Key& key) { return key.name == group; };
        if (std::any_of(keys.begin(), keys.end(), has_name)) continue;
        keys.push_back(structure(group, std::string(prefix) + group + ".", "options of " + group));
    }
    return keys;
}

Keys expectation_keys(std::string_view property) {
    Keys keys{flag("must-observe", "having nothing to judge is a violation; off")};
    if (property == "per-key-effect-order") {
        keys.push_back(choice("order", {"strict", "skip-parked", "none"},
                              "whether a parked event leaves the order; skip-parked"));
    }
    if (property == "rebalance-storm") {
        keys.push_back(count("generations", 1, 1'000'000, "how many are allowed; 10"));
        keys.push_back(duration("within", millisecond, "within this time; 60s"));
    }
    if (property == "heal-progress") {
        keys.push_back(duration("within", millisecond, "the longest silence allowed; 60s"));
    }
    if (takes_time(property)) {
        keys.push_back(duration("within", millisecond, "how long it may take; 60s"));
    }
    return keys;
}

std::vector<std::string> property_names() {
    std::vector<std::string> names{"ledger"};
    for (const properties::PropertyInfo& info : properties::catalogue())
        names.emplace_back(info.name);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

std::string allowed_text(const Key& key) {
    const auto limits = [](const std::string& low, const std::string& high) {
        return " from " + low + " to " + high;
    };
    const auto counts = [&] { return limits(std::to_string(key.low), std::to_string(key.high)); };
    const auto times = [&] {
        return limits(duration_text(Duration(key.low)), duration_text(Duration(key.high)));
    };
    switch (key.type) {
    case KeyType::text: return "text";
    case KeyType::name: return "a name: a letter, then letters, digits, `-`, `_` and `.`";
    case KeyType::column: return "a table or column: a letter, then letters, digits and `_`";
    case KeyType::reference: return "a name";
    case KeyType::flag: return "`on` or `off`";
    case KeyType::count: return "a whole number" + counts();
    case KeyType::count_range: return "a whole number or range" + counts() + ", such as `5..50`";
    case KeyType::bytes:
        return "a size" + limits(bytes_text(key.low), bytes_text(key.high)) +
               ", such as `64KiB` or `1MiB` (B, KiB, MiB, GiB)";
    case KeyType::duration:
        return "a duration" + times() + ", such as `250ms`, `5s` or `2m` (ns, us, ms, s, m, h)";
    case KeyType::duration_range:
        return "a duration or range" + times() + ", such as `5s` or `1s..5s` (ns, us, ms, s, m, h)";
    case KeyType::rate:
        return "a rate from 1/m to 1000000/s, such as `20/s` or `30/m` (per s or m)";
    case KeyType::share:
        return "a share from 0% to 100% with at most four decimals, such as `0.5%`";
    case KeyType::share_range: return "a share or range of shares, such as `5%` or `1%..20%`";
    case KeyType::percent: return "whole percent from 0% to 100%, such as `80%`";
    case KeyType::choice: return "one of " + quoted_list(key.choices);
    case KeyType::value: return "a single value";
    case KeyType::structure: return "a map or list";
    }
    return "something else";
}

} // namespace crier::scenario
