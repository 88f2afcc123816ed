import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;

/** The members of the share groups of one program: what client_program_shares.cpp does. */
final class Workers {
    private static final Duration TURN = Duration.ofMillis(25);
    private static final Duration LOCK = Duration.ofMillis(3000);
    private static final int DELIVERIES = 5;

    private static final class Worker {
        KafkaShareConsumer<String, String> consumer;
        String group;
        boolean isExplicit;
        List<ConsumerRecord<String, String>> held = List.of();
    }

    private final String servers;
    private final Admin admin;
    private final Map<String, Worker> workers = new TreeMap<>();
    private final List<Worker> dead = new ArrayList<>();
    private final Set<String> groups = new HashSet<>();
    private final Set<String> done = new HashSet<>();

    Workers(String servers, Admin admin) {
        this.servers = servers;
        this.admin = admin;
    }

    boolean has(String client) {
        return workers.containsKey(client);
    }

    void open(String client, JsonNode options) {
        Worker worker = new Worker();
        worker.group = options.get("group").asText();
        worker.isExplicit = options.get("explicit").asBoolean();
        if (groups.add(worker.group)) {
            beginAtTheStart(worker.group);
        }
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", servers);
        settings.put("client.id", client);
        settings.put("group.id", worker.group);
        settings.put("share.acknowledgement.mode", worker.isExplicit ? "explicit" : "implicit");
        settings.put("max.poll.records", options.get("max-poll-records").asText());
        settings.put("fetch.max.wait.ms", "20");
        worker.consumer = new KafkaShareConsumer<>(settings, new StringDeserializer(),
                                                   new StringDeserializer());
        List<String> topics = new ArrayList<>();
        options.get("topics").forEach(topic -> topics.add(topic.asText()));
        worker.consumer.subscribe(topics);
        workers.put(client, worker);
    }

    private void beginAtTheStart(String group) {
        ConfigEntry reset = new ConfigEntry("share.auto.offset.reset", "earliest");
        try {
            admin.incrementalAlterConfigs(
                     Map.of(new ConfigResource(ConfigResource.Type.GROUP, group),
                            List.of(new AlterConfigOp(reset, AlterConfigOp.OpType.SET))))
                .all().get();
        } catch (ExecutionException | InterruptedException failure) {
            throw new IllegalStateException(failure);
        }
    }

    private List<ConsumerRecord<String, String>> receive(String client, List<ObjectNode> notes,
                                                         ObjectNode answer) {
        List<ConsumerRecord<String, String>> records = new ArrayList<>();
        try {
            workers.get(client).consumer.poll(TURN).forEach(records::add);
        } catch (KafkaException failure) {
            note(answer, "failed", client).put("error", Names.of(failure));
        }
        for (ConsumerRecord<String, String> record : records) {
            ObjectNode seen = note(answer, "given", client);
            seen.withArray("places").addObject().put("topic", record.topic())
                .put("partition", record.partition()).put("offset", record.offset());
            if (record.key() != null) {
                seen.put("key", record.key());
            }
            seen.put("value", record.value());
            seen.put("deliveries", (int) record.deliveryCount().orElse((short) 0));
            notes.add(seen);
        }
        return records;
    }

    /** Returns the partitions for which the verdicts were refused. */
    private Set<String> tellVerdicts(String client, ObjectNode answer) {
        Set<String> refused = new HashSet<>();
        workers.get(client).consumer.commitSync().entrySet().stream()
            .sorted(java.util.Comparator.comparing(entry -> entry.getKey().toString()))
            .forEach(entry -> {
                String error = entry.getValue().map(Names::of).orElse("");
                ObjectNode seen = note(answer, "acknowledged", client).put("error", error);
                seen.withArray("places").addObject().put("topic", entry.getKey().topic())
                    .put("partition", entry.getKey().partition()).put("offset", 0);
                if (!error.isEmpty()) {
                    refused.add(entry.getKey().topic() + "/" + entry.getKey().partition());
                }
            });
        return refused;
    }

    void work(JsonNode step, ObjectNode answer) {
        String group = step.get("group").asText();
        Set<String> missing = new HashSet<>();
        for (JsonNode record : step.path("records")) {
            missing.add(record.get("topic").asText() + "/" + record.get("partition").asInt() + " "
                + record.get("value").asText());
        }
        missing.removeAll(done);
        long giveUp = System.nanoTime() + Program.STEP_LIMIT.toNanos();
        while (!missing.isEmpty() && System.nanoTime() < giveUp) {
            workers.forEach((client, worker) -> {
                if (!worker.group.equals(group) || !worker.held.isEmpty()) {
                    return;
                }
                List<ObjectNode> notes = new ArrayList<>();
                List<ConsumerRecord<String, String>> records = receive(client, notes, answer);
                for (int at = 0; at < records.size(); ++at) {
                    ConsumerRecord<String, String> record = records.get(at);
                    int deliveries = notes.get(at).get("deliveries").asInt();
                    String verdicts = step.path("verdicts").path(record.value()).asText();
                    char verdict =
                        deliveries <= verdicts.length() ? verdicts.charAt(deliveries - 1) : 'a';
                    notes.get(at).put("verdict", String.valueOf(verdict));
                    if (worker.isExplicit) {
                        worker.consumer.acknowledge(record, type(verdict));
                    }
                    if (verdict != 'r' || deliveries >= DELIVERIES) {
                        missing.remove(name(record));
                        done.add(name(record));
                    }
                }
                if (!records.isEmpty()) {
                    tellVerdicts(client, answer);
                }
            });
        }
        if (!missing.isEmpty()) {
            answer.put("error", "NOT_DONE");
        }
        awaitFetchEnd();
    }

    private static AcknowledgeType type(char verdict) {
        return switch (verdict) {
            case 'r' -> AcknowledgeType.RELEASE;
            case 'j' -> AcknowledgeType.REJECT;
            default -> AcknowledgeType.ACCEPT;
        };
    }

    private static String name(ConsumerRecord<String, String> record) {
        return record.topic() + "/" + record.partition() + " " + record.value();
    }

    void hold(String client, ObjectNode answer) {
        Worker worker = workers.get(client);
        long giveUp = System.nanoTime() + Program.STEP_LIMIT.toNanos();
        while (worker.held.isEmpty() && System.nanoTime() < giveUp) {
            worker.held = receive(client, new ArrayList<>(), answer);
        }
        if (worker.held.isEmpty()) {
            answer.put("error", "NOT_GIVEN");
        }
    }

    void acceptHeld(String client, ObjectNode answer) {
        Worker worker = workers.get(client);
        if (worker.isExplicit) {
            worker.held.forEach(
                record -> worker.consumer.acknowledge(record, AcknowledgeType.ACCEPT));
        }
        Set<String> refused = tellVerdicts(client, answer);
        for (ConsumerRecord<String, String> record : worker.held) {
            if (!refused.contains(record.topic() + "/" + record.partition())) {
                done.add(name(record));
            }
        }
        worker.held = List.of();
    }

    void close(String client) {
        workers.remove(client).consumer.close(Duration.ofSeconds(10));
        awaitFetchEnd();
    }

    void awaitLocks() {
        sleep(LOCK.multipliedBy(2));
    }

    /** A fetch that waits at the broker is still given what comes then. */
    private static void awaitFetchEnd() {
        sleep(Duration.ofMillis(100));
    }

    private static void sleep(Duration duration) {
        try {
            Thread.sleep(duration.toMillis());
        } catch (InterruptedException never) {
            throw new IllegalStateException(never);
        }
    }

    /** Java cannot be silent, but it does not poll any more, and its locks end. */
    void kill(String client) {
        dead.add(workers.remove(client));
    }

    void close() {
        dead.addAll(workers.values());
        dead.forEach(worker -> worker.consumer.close(Duration.ofSeconds(5)));
    }

    private static ObjectNode note(ObjectNode answer, String kind, String client) {
        ObjectNode seen = answer.withArray("seen").addObject().put("kind", kind).put("client", client);
        seen.putArray("places");
        return seen;
    }
}
