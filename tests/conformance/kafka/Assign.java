import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.consumer.RoundRobinAssignor;
import org.apache.kafka.clients.consumer.StickyAssignor;
import org.apache.kafka.clients.consumer.internals.AbstractPartitionAssignor;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;

/** What the Java client computes without a cluster: assignments, and the partitions of keys. */
final class Assign {
    private Assign() {}

    /**
     * Each case {"assignor", "topics": {name: partitions}, "members": [{"id", "instance", "topics",
     * "owned": [[topic, partition]…], "generation"}]} gives a list per member, in the order of the
     * case.
     */
    static void all(JsonNode cases, ArrayNode answers) {
        for (JsonNode one : cases) {
            one(one, answers.addArray());
        }
    }

    private static void one(JsonNode group, ArrayNode answer) {
        String name = group.get("assignor").asText();
        Map<String, Subscription> subscriptions = new TreeMap<>();
        for (JsonNode member : group.get("members")) {
            subscriptions.put(member.get("id").asText(), subscription(name, member));
        }
        Map<String, List<PartitionInfo>> topics = new HashMap<>();
        group.get("topics").fields().forEachRemaining(topic -> {
            List<PartitionInfo> infos = new ArrayList<>();
            for (int index = 0; index < topic.getValue().asInt(); ++index) {
                infos.add(new PartitionInfo(topic.getKey(), index, Node.noNode(), new Node[0],
                                            new Node[0]));
            }
            topics.put(topic.getKey(), infos);
        });
        Map<String, List<TopicPartition>> assigned =
            assignor(name).assignPartitions(topics, subscriptions);
        for (JsonNode member : group.get("members")) {
            List<TopicPartition> places = new ArrayList<>(
                assigned.getOrDefault(member.get("id").asText(), List.of()));
            places.sort(Comparator.comparing(TopicPartition::topic)
                            .thenComparing(TopicPartition::partition));
            ArrayNode list = answer.addArray();
            places.forEach(place -> list.addArray().add(place.topic()).add(place.partition()));
        }
    }

    private static AbstractPartitionAssignor assignor(String name) {
        return switch (name) {
            case "range" -> new RangeAssignor();
            case "roundrobin" -> new RoundRobinAssignor();
            case "sticky" -> new StickyAssignor();
            default -> new CooperativeStickyAssignor();
        };
    }

    private static Subscription subscription(String assignor, JsonNode member) {
        List<String> topics = new ArrayList<>();
        member.get("topics").forEach(topic -> topics.add(topic.asText()));
        List<TopicPartition> owned = new ArrayList<>();
        member.get("owned").forEach(
            place -> owned.add(new TopicPartition(place.get(0).asText(), place.get(1).asInt())));
        int generation = member.get("generation").asInt();
        java.nio.ByteBuffer data = null;
        if (assignor.equals("cooperative-sticky")) {
            // The generation travels in the assignor's own data.
            CooperativeStickyAssignor mine = new CooperativeStickyAssignor();
            mine.onAssignment(new org.apache.kafka.clients.consumer.ConsumerPartitionAssignor
                                  .Assignment(owned),
                              new org.apache.kafka.clients.consumer.ConsumerGroupMetadata(
                                  "g", generation, "", Optional.empty()));
            data = mine.subscriptionUserData(new java.util.HashSet<>(topics));
        } else if (assignor.equals("sticky")) {
            StickyAssignor mine = new StickyAssignor();
            if (generation >= 0) {
                mine.onAssignment(new org.apache.kafka.clients.consumer.ConsumerPartitionAssignor
                                      .Assignment(owned),
                                  new org.apache.kafka.clients.consumer.ConsumerGroupMetadata(
                                      "g", generation, "", Optional.empty()));
            }
            data = mine.subscriptionUserData(new java.util.HashSet<>(topics));
        }
        Subscription made = new Subscription(topics, data, owned, generation, Optional.empty());
        String instance = member.get("instance").asText();
        made.setGroupInstanceId(instance.isEmpty() ? Optional.empty() : Optional.of(instance));
        return made;
    }

    /** Each {"key", "partitions"} gives the partition. */
    static void places(JsonNode keys, ArrayNode answers) {
        for (JsonNode one : keys) {
            byte[] key = one.get("key").asText().getBytes(StandardCharsets.UTF_8);
            answers.add(BuiltInPartitioner.partitionForKey(key, one.get("partitions").asInt()));
        }
    }
}
