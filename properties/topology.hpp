#pragma once

#include "messaging/ports/clock.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

// What a checker must know of the system under test: who produces, who subscribes, where effects
// are counted. Names appear as the hashes under which the history has them.

namespace crier::properties {

/// How the members of a group share a channel's partitions out.
enum class GroupProtocol : std::uint8_t {
    unknown,     ///< A service of a team's own that does not say.
    eager,       ///< The classic protocol; all is given back at every rebalance.
    cooperative, ///< The classic protocol; what stays with a member stays.
    coordinator, ///< The consumer protocol of KIP-848; each member has an epoch of its own.
    share,       ///< A share group (KIP-932): partitions have no owners, and nothing is committed.
};

/// What a service says of its group, as far as it decides what is allowed.
struct GroupTraits {
    GroupProtocol protocol = GroupProtocol::unknown;
    bool automatic_commits = false;                      ///< enable.auto.commit
    Duration session_timeout = std::chrono::seconds(45); ///< session.timeout.ms
    std::string offset_reset;                            ///< auto.offset.reset; empty: unknown
};

/// A service that subscribes to a channel: one side of the ledger's unit (accepted event ×
/// service).
/// The table in which a service remembers what it has handled.
struct InboxTable {
    std::string name;       ///< `billing-db.inbox/billing`
    std::uint64_t text = 0; ///< 0: its rows are not followed.
    Duration retention{};   ///< How long it promises to remember; 0: for ever.
};

struct Subscriber {
    std::string service;
    std::uint64_t service_text = 0;
    std::string group;
    std::uint64_t group_text = 0;
    std::string effects_table; ///< `billing-db.charges`; empty: its effects are not counted.
    std::uint64_t effects_table_text = 0; ///< 0 when empty.
    std::size_t channel = 0;              ///< Index into Topology::channels.
    int attempts_max = 0;                 ///< Handler attempts before parking; 0: it never parks.
    std::vector<std::uint32_t> nodes;     ///< Its replicas; sorted.
    GroupTraits group_traits;
    InboxTable inbox;
};

/// A table from which relays publish, if its rows are followed.
struct OutboxTable {
    std::string name; ///< `shop-db.outbox`
    std::uint64_t text = 0;
    std::string leader;            ///< `shop-db.outbox_cursor`: its row says which relay leads …
    std::uint64_t leader_text = 0; ///< … 0: none does.
    bool keeps = false;            ///< Published rows stay until somebody purges them.
    std::vector<std::size_t> channels; ///< To which it is published; indices, ascending.
    std::vector<std::uint32_t> relays; ///< Nodes; sorted.
};

struct Channel {
    std::string name;
    bool dead_letters = false;
    bool may_lose =
        false; ///< Kafka may lose what is stored in it: too few replicas must be in sync.
    std::vector<std::uint64_t> partition_texts; ///< `orders/0`, `orders/1` …
    bool compacts = false;
    Duration delete_retention{};      ///< How long compaction leaves a tombstone.
    std::size_t partitions_later = 0; ///< How many of them, the last, only come when added.
};

/// Where events of a channel come from.
struct Flow {
    std::string accepted_table; ///< `shop-db.orders`: its durable rows are the accepted events;
    std::uint64_t accepted_table_text =
        0; ///< empty and 0: what is stored in the channel is accepted.
    std::size_t channel = 0;
    std::vector<std::size_t> subscribers; ///< Indices into Topology::subscribers.
};

struct PartitionPlace {
    std::size_t channel = 0;
    std::size_t partition = 0;
};

struct Topology {
    std::vector<Channel> channels;
    std::vector<Subscriber> subscribers;
    std::vector<Flow> flows;
    std::vector<OutboxTable> outboxes;
    std::map<std::uint64_t, PartitionPlace> partitions; ///< By partition text; lookup only.
    std::set<std::uint64_t> internal_partitions;        ///< In which coordinators keep their books.
    Duration clock_error{};                             ///< How wrong wall clocks may be.
    std::vector<std::string> node_names;                ///< By node id; [0] is the world.
};

} // namespace crier::properties
