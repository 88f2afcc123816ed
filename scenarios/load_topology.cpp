#include "scenarios/load_parts.hpp"

#include "scenarios/names.hpp"

#include <algorithm>
#include <array>

namespace crier::scenario {

namespace {

/// Calls `enter` for each entry of a map of named things.
template <class Enter>
void each_entry(const YamlNode& node, const std::string& what, Problems& problems, Enter enter) {
    if (node.kind != YamlNode::Kind::map) {
        problems.add(node.place, "`" + what + "` must be a map from names, not " + shown(node));
        return;
    }
    if (node.keys.size() > things_max) {
        problems.add(node.place, "`" + what + "` has " + std::to_string(node.keys.size()) +
                                     " entries; at most " + std::to_string(things_max));
        return;
    }
    for (std::size_t at = 0; at < node.keys.size(); ++at)
        enter(node.keys[at], node.items[at]);
}

/// The broker of a channel, when it can be known.
void read_on(const Loading& loading, const Fields& fields, const YamlKey& name, ChannelSpec& spec) {
    if (const YamlNode* const on = fields.reference("on")) {
        if (loading.things.check(ThingKind::broker, *on)) spec.on = on->text;
        return;
    }
    const std::vector<std::string> brokers = loading.things.names(ThingKind::broker);
    if (brokers.size() == 1) {
        spec.on = brokers.front();
    } else if (!fields.has("on")) {
        loading.problems.add(name.place,
                             brokers.empty()
                                 ? "channel `" + name.text + "` needs a broker: write `brokers`"
                                 : "channel `" + name.text + "` needs `on`: one of " +
                                       quoted_list(brokers));
    }
}

void check_replication(const Loading& loading, const Fields& fields, const ChannelSpec& spec) {
    const BrokerSpec* const broker = find_named(loading.scenario.brokers, spec.on);
    const YamlNode* const replication = fields.find("replication");
    if (broker != nullptr && replication != nullptr && spec.replication > broker->kafka.nodes) {
        loading.problems.add(replication->place, "`replication` is more than the " +
                                                     std::to_string(broker->kafka.nodes) +
                                                     " nodes of `" + spec.on + "`");
    }
    const YamlNode* const min_in_sync = fields.find("min-in-sync");
    if (min_in_sync != nullptr && spec.min_in_sync > spec.replication) {
        loading.problems.add(min_in_sync->place, "`min-in-sync` is more than `replication` (" +
                                                     std::to_string(spec.replication) +
                                                     "): nothing could be written");
    }
}

void read_log_options(const Fields& fields, broker::kafka::LogOptions& log) {
    if (const auto policy = fields.choice("cleanup-policy")) {
        log.deletes = *policy == 0 || *policy == 2;
        log.compacts = *policy == 1 || *policy == 2;
    }
    fields.read_duration("retention-time", log.retention_time);
    fields.read_bytes("retention-bytes", log.retention_bytes);
    fields.read_duration("segment-time", log.segment_time);
    fields.read_bytes("segment-bytes", log.segment_bytes);
    fields.read_duration("delete-retention", log.delete_retention);
    fields.read_duration("min-compaction-lag", log.min_compaction_lag);
    fields.read_duration("max-compaction-lag", log.max_compaction_lag);
    fields.read_share("min-cleanable-ratio", log.min_cleanable_ratio);
    fields.read_bytes("max-message-bytes", log.max_message_bytes);
    if (const auto type = fields.choice("message-timestamp-type")) log.log_append_time = *type == 1;
    fields.read_duration("message-timestamp-before-max", log.timestamp_before_max);
    fields.read_duration("message-timestamp-after-max", log.timestamp_after_max);
}

/// What groups and transactions are kept by.
void read_coordinator_options(const Fields& fields, KafkaSpec& kafka) {
    fields.read_count("transaction-version", kafka.transaction_version);
    fields.read_flag("transaction-partition-verification",
                     kafka.transaction_partition_verification);
    fields.read_duration("offsets-retention", kafka.offsets_retention);
    fields.read_duration("offsets-retention-check-interval",
                         kafka.offsets_retention_check_interval);
    if (const auto rule = fields.choice("offsets-expiry")) {
        kafka.offsets_expire_by_commit = *rule == 1;
    }
    fields.read_duration("share-record-lock-duration", kafka.share.record_lock_duration);
    fields.read_count("share-delivery-count-limit", kafka.share.delivery_count_limit);
    if (const auto reset = fields.choice("share-auto-offset-reset")) {
        kafka.share.auto_offset_reset =
            *reset == 1 ? crier::kafka::OffsetReset::earliest : crier::kafka::OffsetReset::latest;
    }
}

/// Reads what a database that is a file has of its own.
void read_file(const Loading& loading, const YamlNode& node, const std::string& owner,
               DatabaseSpec& spec) {
    broker::FileOptions& file = spec.file.emplace();
    file.name = spec.name;
    const Fields fields(node, file_keys(), "the file of " + owner, loading.problems);
    using enum broker::JournalMode;
    constexpr std::array modes{wal, deleted, truncate, persist, memory, off};
    if (const auto choice = fields.choice("journal-mode")) file.journal_mode = modes[*choice];
    using Sync = broker::FileSync;
    constexpr std::array syncs{Sync::off, Sync::normal, Sync::full, Sync::extra};
    if (const auto choice = fields.choice("synchronous")) file.synchronous = syncs[*choice];
    fields.read_count("checkpoint-pages", file.checkpoint_pages);
}

/// Reads whether a server has a second node.
void read_replica(const Loading& loading, const Fields& fields, DatabaseSpec& spec) {
    using enum broker::Replication;
    constexpr std::array kinds{none, asynchronous, synchronous};
    if (const auto kind = fields.choice("replica")) spec.replica = kinds[*kind];
    const YamlNode* const replica = fields.find("replica");
    if (replica == nullptr || spec.replica == none) return;
    if (fields.has("file")) {
        loading.problems.add(replica->place, "a file has no replica");
    } else if (spec.replica == synchronous && !spec.synchronous) {
        loading.problems.add(replica->place, "a commit that waits for no disk (`synchronous: off`) "
                                             "waits for no replica");
    }
}

} // namespace

void enter_names(Loading& loading, const Fields& top) {
    const auto enter = [&](std::string_view key, ThingKind kind) {
        const YamlNode* const node = top.find(key);
        if (node == nullptr || node->keys.size() > things_max) return;
        for (const YamlKey& name : node->keys)
            loading.things.add(kind, name);
    };
    enter("brokers", ThingKind::broker);
    enter("channels", ThingKind::channel);
    enter("databases", ThingKind::database);
    if (const YamlNode* const list = top.find("databases");
        list != nullptr && list->kind == YamlNode::Kind::list && list->items.size() <= things_max) {
        for (const YamlNode& item : list->items) {
            if (item.kind == YamlNode::Kind::scalar) {
                loading.things.add(ThingKind::database, {item.text, item.place});
            }
        }
    }
    enter("services", ThingKind::service);
}

void read_brokers(Loading& loading, const YamlNode& node) {
    each_entry(node, "brokers", loading.problems, [&](const YamlKey& name, const YamlNode& value) {
        const std::string owner = "broker `" + name.text + "`";
        const Fields broker(value, broker_keys(), owner, loading.problems);
        BrokerSpec spec;
        spec.name = name.text;
        if (const YamlNode* const kafka = broker.find("kafka")) {
            const Fields fields(*kafka, kafka_keys(), "the Kafka cluster of " + owner,
                                loading.problems);
            fields.read_count("nodes", spec.kafka.nodes);
            fields.read_duration("replica-lag-time-max", spec.kafka.replica_lag_time_max);
            fields.read_duration("broker-session-timeout", spec.kafka.broker_session_timeout);
            fields.read_duration("group-initial-rebalance-delay",
                                 spec.kafka.group_initial_rebalance_delay);
            fields.read_flag("eligible-leader-replicas", spec.kafka.eligible_leader_replicas);
            fields.read_duration("leader-imbalance-check-interval",
                                 spec.kafka.leader_imbalance_check_interval);
            fields.read_bytes("producer-byte-rate", spec.kafka.producer_byte_rate);
            fields.read_bytes("consumer-byte-rate", spec.kafka.consumer_byte_rate);
            fields.read_duration("log-cleaner-backoff", spec.kafka.log_cleaner_backoff);
            fields.read_duration("log-retention-check-interval",
                                 spec.kafka.log_retention_check_interval);
            read_coordinator_options(fields, spec.kafka);
        }
        if (find_named(loading.scenario.brokers, spec.name) == nullptr) {
            loading.scenario.brokers.push_back(std::move(spec));
        }
    });
}

void read_channels(Loading& loading, const YamlNode& node) {
    each_entry(node, "channels", loading.problems, [&](const YamlKey& name, const YamlNode& value) {
        const Fields fields(value, channel_keys(), "channel `" + name.text + "`", loading.problems);
        ChannelSpec spec;
        spec.name = name.text;
        read_on(loading, fields, name, spec);
        fields.read_count("partitions", spec.partitions);
        fields.read_count("replication", spec.replication);
        fields.read_count("min-in-sync", spec.min_in_sync);
        fields.read_flag("unclean-leader-election", spec.unclean_leader_election);
        read_log_options(fields, spec.log);
        check_replication(loading, fields, spec);
        if (find_named(loading.scenario.channels, spec.name) == nullptr) {
            loading.scenario.channels.push_back(std::move(spec));
        }
    });
}

void read_databases(Loading& loading, const YamlNode& node) {
    std::vector<DatabaseSpec>& databases = loading.scenario.databases;
    if (node.kind == YamlNode::Kind::list) {
        for (const YamlNode* const item : read_list(node, "databases", loading.problems)) {
            if (item->kind != YamlNode::Kind::scalar) {
                loading.problems.add(item->place, "a database must be a name, not " + shown(*item) +
                                                      "; with options, write `databases` as a map");
            } else if (find_named(databases, item->text) != nullptr) {
                loading.problems.add(item->place, "`" + item->text + "` is here a second time");
            } else {
                DatabaseSpec spec;
                spec.name = item->text;
                databases.push_back(std::move(spec));
            }
        }
        return;
    }
    if (node.kind == YamlNode::Kind::scalar) {
        loading.problems.add(node.place, "`databases` must be a list of names, or a map from names "
                                         "to options; not " +
                                             shown(node));
        return;
    }
    each_entry(node, "databases", loading.problems,
               [&](const YamlKey& name, const YamlNode& value) {
                   const std::string owner = "database `" + name.text + "`";
                   const Fields fields(value, database_keys(), owner, loading.problems);
                   DatabaseSpec spec;
                   spec.name = name.text;
                   fields.read_flag("synchronous", spec.synchronous);
                   read_replica(loading, fields, spec);
                   fields.read_count("max-connections", spec.max_connections);
                   fields.read_count("pool-size", spec.pool_size);
                   fields.read_duration("pool-wait", spec.pool_wait);
                   if (const YamlNode* const file = fields.find("file")) {
                       read_file(loading, *file, owner, spec);
                       if (const YamlNode* const other = fields.find("synchronous")) {
                           loading.problems.add(other->place,
                                                "a file has its own `synchronous`: write `file: "
                                                "{synchronous: off}`, normal, full or extra");
                       }
                       for (const char* const key : {"max-connections", "pool-size", "pool-wait"}) {
                           if (const YamlNode* const other = fields.find(key))
                               loading.problems.add(other->place, "a file has no connections");
                       }
                   }
                   if (find_named(databases, spec.name) == nullptr)
                       databases.push_back(std::move(spec));
               });
}

void read_budget(Loading& loading, const YamlNode& node) {
    const Fields fields(node, budget_keys(), "`budget`", loading.problems);
    fields.read_count("brokers-down", loading.scenario.budget.brokers_down);
}

} // namespace crier::scenario
