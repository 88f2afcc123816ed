import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringSerializer;

/** The transactional producers of one program. */
final class Writers {
    private static final class Writer {
        KafkaProducer<String, String> producer;
        String id;

        /** The partitions of what it has begun. */
        Set<TopicPartition> touched = new HashSet<>();
    }

    private final String servers;
    private final Admin admin;
    private final Map<String, Writer> writers = new TreeMap<>();

    /** By what all producers were told. */
    private final Map<TopicPartition, Long> ends = new HashMap<>();

    Writers(String servers, Admin admin) {
        this.servers = servers;
        this.admin = admin;
    }

    boolean has(String client) {
        return writers.containsKey(client);
    }

    KafkaProducer<String, String> producer(String client) {
        return writers.get(client).producer;
    }

    void open(String client, JsonNode options, ObjectNode answer) {
        Map<String, Object> settings = new HashMap<>();
        options.fields().forEachRemaining(e -> settings.put(e.getKey(), e.getValue().asText()));
        settings.put("bootstrap.servers", servers);
        Writer writer = new Writer();
        writer.id = options.get("transactional.id").asText();
        writer.producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
        note(answer, client, () -> writer.producer.initTransactions());
        for (Map.Entry<String, Writer> other : writers.entrySet()) {
            if (other.getValue().id.equals(writer.id)) {
                awaitMarkers(other.getKey(), answer);
            }
        }
        writers.put(client, writer);
    }

    void move(String client, String what, ObjectNode answer) {
        Writer writer = writers.get(client);
        boolean isDone = note(answer, client, () -> {
            switch (what) {
                case "begin" -> writer.producer.beginTransaction();
                case "commit-transaction" -> writer.producer.commitTransaction();
                default -> writer.producer.abortTransaction();
            }
        });
        if (isDone && !what.equals("begin")) {
            awaitMarkers(client, answer);
        }
    }

    void noteSent(String client, RecordMetadata metadata) {
        TopicPartition place = new TopicPartition(metadata.topic(), metadata.partition());
        ends.merge(place, metadata.offset() + 1, Math::max);
        if (has(client)) {
            writers.get(client).touched.add(place);
        }
    }

    void sendOffsets(String client, JsonNode partitions, List<Member> members, ObjectNode answer) {
        for (Member member : members) {
            Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
            ObjectNode seen = Driver.JSON.createObjectNode();
            seen.put("kind", "offered").put("client", member.name);
            for (JsonNode one : partitions) {
                TopicPartition place =
                    new TopicPartition(one.get("topic").asText(), one.get("partition").asInt());
                Long position = member.positions.get(place);
                if (position != null) {
                    offsets.put(place, new OffsetAndMetadata(position));
                    seen.withArray("places").addObject().put("topic", place.topic())
                        .put("partition", place.partition()).put("offset", position);
                }
            }
            if (offsets.isEmpty()) {
                continue;
            }
            answer.withArray("seen").add(seen);
            seen.put("error", errorOf(() -> writers.get(client).producer.sendOffsetsToTransaction(
                                          offsets, member.consumer.groupMetadata())));
        }
    }

    /** Waits until each partition of what it had begun ends with a marker behind all records. */
    void awaitMarkers(String client, ObjectNode answer) {
        Writer writer = writers.get(client);
        Set<TopicPartition> touched = writer.touched;
        writer.touched = new HashSet<>();
        long giveUp = System.nanoTime() + Program.STEP_LIMIT.toNanos();
        for (TopicPartition place : touched) {
            while (endOf(place) <= ends.get(place)) {
                if (System.nanoTime() > giveUp) {
                    answer.put("error", "NOT_DECIDED");
                    return;
                }
            }
            ends.merge(place, 1L, Long::sum);
        }
    }

    private long endOf(TopicPartition place) {
        try {
            Thread.sleep(5);
            return admin.listOffsets(Map.of(place, OffsetSpec.latest())).partitionResult(place)
                .get().offset();
        } catch (ExecutionException | InterruptedException failure) {
            return -1;
        }
    }

    void kill(String client) {
        writers.get(client).producer.close(Duration.ZERO);
    }

    void close() {
        writers.values().forEach(writer -> writer.producer.close(Duration.ZERO));
    }

    private boolean note(ObjectNode answer, String client, Runnable what) {
        String error = errorOf(what);
        ObjectNode seen = answer.withArray("seen").addObject();
        seen.put("kind", "done").put("client", client).put("error", error).putArray("places");
        return error.isEmpty();
    }

    private static String errorOf(Runnable what) {
        try {
            what.run();
            return "";
        } catch (KafkaException failure) {
            return Names.of(failure);
        } catch (IllegalStateException refusal) {
            return "WRONG_PHASE";
        }
    }
}
