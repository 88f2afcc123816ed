import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/** A consumer, and what it was told in the current step. */
final class Member implements ConsumerRebalanceListener {
    private static final Duration TURN = Duration.ofMillis(25);
    private static final Comparator<TopicPartition> BY_NAME =
        Comparator.comparing(TopicPartition::topic).thenComparing(TopicPartition::partition);

    final String name;
    final String group;
    final List<String> topics = new ArrayList<>();
    final KafkaConsumer<String, String> consumer;
    ObjectNode answer;
    boolean hasNews = false;
    boolean isStalled = false;
    final boolean isCooperative;
    final boolean hasNewProtocol;
    final Map<TopicPartition, Long> positions = new TreeMap<>(BY_NAME);

    Member(String servers, String name, JsonNode options) {
        this.name = name;
        group = options.get("group").asText();
        hasNewProtocol = options.get("new-protocol").asBoolean();
        isCooperative = assignor(options).equals("CooperativeStickyAssignor");
        options.get("topics").forEach(topic -> topics.add(topic.asText()));
        consumer = new KafkaConsumer<>(settings(servers, options), new StringDeserializer(),
                                       new StringDeserializer());
        consumer.subscribe(topics, this);
    }

    private Map<String, Object> settings(String servers, JsonNode options) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", servers);
        settings.put("client.id", name);
        settings.put("group.id", group);
        settings.put("enable.auto.commit", options.get("auto-commit").asText());
        settings.put("auto.commit.interval.ms", "500");
        settings.put("auto.offset.reset", options.get("reset").asText());
        settings.put("max.poll.records", options.get("max-poll-records").asText());
        settings.put("max.poll.interval.ms", options.get("max-poll-interval-ms").asText());
        settings.put("fetch.max.wait.ms", "20");
        settings.put("metadata.max.age.ms", "1000");
        if (options.get("committed-only").asBoolean()) {
            settings.put("isolation.level", "read_committed");
        }
        if (hasNewProtocol) {
            boolean isRange = options.get("assignor").asText().equals("range");
            settings.put("group.protocol", "consumer");
            settings.put("group.remote.assignor", isRange ? "range" : "uniform");
            return settings;
        }
        settings.put("session.timeout.ms", "4000");
        settings.put("heartbeat.interval.ms", "150");
        settings.put("partition.assignment.strategy",
                     "org.apache.kafka.clients.consumer." + assignor(options));
        return settings;
    }

    private static String assignor(JsonNode options) {
        return switch (options.get("assignor").asText()) {
            case "range" -> "RangeAssignor";
            case "roundrobin" -> "RoundRobinAssignor";
            case "sticky" -> "StickyAssignor";
            default -> "CooperativeStickyAssignor";
        };
    }

    /** Polls once. Returns the records as "topic/partition value". */
    Set<String> poll() {
        Set<String> came = new HashSet<>();
        try {
            for (ConsumerRecord<String, String> record : consumer.poll(TURN)) {
                positions.put(new TopicPartition(record.topic(), record.partition()),
                              record.offset() + 1);
                ObjectNode seen = note("record");
                place(seen, record.topic(), record.partition(), record.offset());
                if (record.key() != null) {
                    seen.put("key", record.key());
                }
                seen.put("value", record.value());
                came.add(record.topic() + "/" + record.partition() + " " + record.value());
            }
        } catch (KafkaException failure) {
            note("failed").put("error", Names.of(failure));
        }
        return came;
    }

    void commit(int back) {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        positions.forEach(
            (place, position) -> offsets.put(place, new OffsetAndMetadata(Math.max(position - back, 0))));
        if (offsets.isEmpty()) {
            return;
        }
        String error = "";
        try {
            consumer.commitSync(offsets);
        } catch (KafkaException failure) {
            error = Names.of(failure);
        }
        ObjectNode seen = note("committed").put("error", error);
        for (TopicPartition place : positions.keySet()) {
            place(seen, place.topic(), place.partition(), offsets.get(place).offset());
        }
    }

    void close(boolean silently) {
        consumer.close(CloseOptions.timeout(Duration.ofSeconds(10))
                           .withGroupMembershipOperation(silently
                                   ? CloseOptions.GroupMembershipOperation.REMAIN_IN_GROUP
                                   : CloseOptions.GroupMembershipOperation.DEFAULT));
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        note("assigned", partitions);
        hasNews = true;
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        note("revoked", partitions);
        partitions.forEach(positions::remove);
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> partitions) {
        note("lost", partitions);
        partitions.forEach(positions::remove);
    }

    private void note(String kind, Collection<TopicPartition> partitions) {
        ObjectNode seen = note(kind);
        partitions.stream().sorted(BY_NAME).forEach(
            place -> place(seen, place.topic(), place.partition(), 0));
    }

    private ObjectNode note(String kind) {
        ObjectNode seen = answer.withArray("seen").addObject().put("kind", kind).put("client", name);
        seen.putArray("places");
        return seen;
    }

    private static void place(ObjectNode seen, String topic, int partition, long offset) {
        ArrayNode places = (ArrayNode) seen.get("places");
        places.addObject().put("topic", topic).put("partition", partition).put("offset", offset);
    }
}
