import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringSerializer;

/** The clients of one program: what client_program_run.cpp does, with the Java client. */
final class Program implements AutoCloseable {
    static final Duration STEP_LIMIT = Duration.ofSeconds(25);

    /** A cooperative rebalance may be followed by another, which heartbeats tell. */
    private static final Duration COOPERATIVE_WAIT = Duration.ofMillis(450);

    /** By the new protocol who has nothing new is told nothing. */
    private static final Duration NEW_PROTOCOL_WAIT = Duration.ofMillis(1000);

    private static final Duration IDLE_TIME = Duration.ofMillis(300);

    private final String servers;
    private final Writers writers;
    private final Workers workers;
    private final long begin = System.nanoTime();
    private final Map<String, Integer> partitions = new HashMap<>();
    private final Map<String, KafkaProducer<String, String>> producers = new TreeMap<>();
    private final Map<String, Member> members = new TreeMap<>();

    Program(String servers, Admin admin, JsonNode topics) {
        this.servers = servers;
        writers = new Writers(servers, admin);
        workers = new Workers(servers, admin);
        for (JsonNode topic : topics) {
            partitions.put(topic.get("name").asText(), topic.get("partitions").asInt());
        }
    }

    void take(JsonNode step, ObjectNode answer) {
        answer.putArray("sent");
        answer.putArray("seen");
        for (Member member : members.values()) {
            member.answer = answer;
        }
        String client = step.path("client").asText();
        switch (step.get("do").asText()) {
            case "open-producer" -> {
                if (step.get("options").has("transactional.id")) {
                    writers.open(client, step.get("options"), answer);
                } else {
                    openProducer(client, step.get("options"));
                }
            }
            case "send" -> send(step, answer);
            case "close-producer", "kill-producer" -> dropProducer(client);
            case "begin", "commit-transaction", "abort-transaction" ->
                writers.move(client, step.get("do").asText(), answer);
            case "send-offsets" -> writers.sendOffsets(
                client, step.path("records"), polling(step.get("group").asText()), answer);
            case "await-timeout" -> writers.awaitMarkers(client, answer);
            case "open-consumer" -> open(client, step.get("options"), answer);
            case "settle" -> settle(step.get("group").asText(), answer);
            case "read" -> read(step, answer);
            case "idle" -> idle(step.get("group").asText());
            case "commit" -> commit(step);
            case "seek", "pause", "resume" -> onOwner(step, answer);
            case "stall" -> stall(client, true);
            case "wake" -> stall(client, false);
            case "close-consumer" -> close(client, false);
            case "kill-consumer" -> close(client, true);
            case "open-share" -> workers.open(client, step.get("options"));
            case "work" -> workers.work(step, answer);
            case "hold" -> workers.hold(client, answer);
            case "await-locks" -> workers.awaitLocks();
            case "accept-held" -> workers.acceptHeld(client, answer);
            default -> throw new IllegalArgumentException(step.toString());
        }
        answer.put("end-ms", (System.nanoTime() - begin) / 1_000_000);
    }

    @Override
    public void close() {
        producers.values().forEach(producer -> producer.close(Duration.ofSeconds(5)));
        writers.close();
        workers.close();
        members.values().forEach(member -> member.consumer.close());
    }

    private void openProducer(String client, JsonNode options) {
        Map<String, Object> settings = new HashMap<>();
        options.fields().forEachRemaining(e -> settings.put(e.getKey(), e.getValue().asText()));
        settings.put("bootstrap.servers", servers);
        producers.put(
            client, new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer()));
    }

    /** Without a word: what it began stays open. */
    private void dropProducer(String client) {
        KafkaProducer<String, String> producer = producers.remove(client);
        if (producer != null) {
            producer.close();
        } else {
            writers.kill(client);
        }
    }

    private void send(JsonNode step, ObjectNode answer) {
        String client = step.get("client").asText();
        KafkaProducer<String, String> producer =
            writers.has(client) ? writers.producer(client) : producers.get(client);
        List<Future<RecordMetadata>> futures = new ArrayList<>();
        for (JsonNode record : step.get("records")) {
            Integer partition = record.has("partition") ? record.get("partition").asInt() : null;
            String key = record.has("key") ? record.get("key").asText() : null;
            try {
                futures.add(producer.send(new ProducerRecord<>(
                    record.get("topic").asText(), partition, key, record.get("value").asText())));
            } catch (KafkaException | IllegalStateException refusal) {
                futures.add(CompletableFuture.failedFuture(refusal));
            }
        }
        producer.flush();
        for (int at = 0; at < futures.size(); ++at) {
            JsonNode record = step.get("records").get(at);
            ObjectNode sent = answer.withArray("sent").addObject();
            sent.put("topic", record.get("topic").asText());
            try {
                RecordMetadata metadata = futures.get(at).get();
                sent.put("partition", metadata.partition());
                sent.put("offset", metadata.hasOffset() ? metadata.offset() : -1);
                writers.noteSent(client, metadata);
            } catch (ExecutionException failure) {
                sent.put("partition", record.path("partition").asInt(-1));
                sent.put("offset", -1);
                sent.put("error", Names.of(failure.getCause()));
            } catch (InterruptedException never) {
                throw new IllegalStateException(never);
            }
        }
    }

    private void open(String client, JsonNode options, ObjectNode answer) {
        Member member = new Member(servers, client, options);
        member.answer = answer;
        members.put(client, member);
        awaitNews(member.group);
    }

    private void close(String client, boolean silently) {
        if (workers.has(client)) {
            if (silently) {
                workers.kill(client);
            } else {
                workers.close(client);
            }
            return;
        }
        Member member = members.remove(client);
        member.close(silently);
        awaitNews(member.group);
    }

    private void stall(String client, boolean stalls) {
        members.get(client).isStalled = stalls;
        awaitNews(members.get(client).group);
    }

    private void awaitNews(String group) {
        members.values().stream().filter(m -> m.group.equals(group)).forEach(m -> m.hasNews = false);
    }

    private List<Member> polling(String group) {
        return members.values().stream().filter(m -> m.group.equals(group) && !m.isStalled).toList();
    }

    private boolean isSettled(List<Member> polling) {
        Set<TopicPartition> missing = new HashSet<>();
        for (Member member : polling) {
            for (String topic : member.topics) {
                for (int index = 0; index < partitions.get(topic); ++index) {
                    missing.add(new TopicPartition(topic, index));
                }
            }
        }
        for (Member member : polling) {
            if (!member.hasNews && !member.hasNewProtocol) {
                return false;
            }
            for (TopicPartition held : member.consumer.assignment()) {
                if (!missing.remove(held)) {
                    return false;
                }
            }
        }
        return missing.isEmpty();
    }

    private void settle(String group, ObjectNode answer) {
        List<Member> polling = polling(group);
        long giveUp = System.nanoTime() + STEP_LIMIT.toNanos();
        long wait = 0;
        for (Member member : polling) {
            if (member.isCooperative) {
                wait = COOPERATIVE_WAIT.toNanos();
            }
            if (member.hasNewProtocol) {
                wait = NEW_PROTOCOL_WAIT.toNanos();
            }
        }
        long unsettled = System.nanoTime();
        while (true) {
            if (!isSettled(polling)) {
                unsettled = System.nanoTime();
            } else if (wait == 0 || System.nanoTime() - unsettled > wait) {
                return;
            }
            polling.forEach(Member::poll);
            if (System.nanoTime() > giveUp) {
                answer.put("error", "NOT_SETTLED");
                return;
            }
        }
    }

    private void read(JsonNode step, ObjectNode answer) {
        Set<String> missing = new HashSet<>();
        for (JsonNode record : step.get("records")) {
            missing.add(record.get("topic").asText() + "/" + record.get("partition").asInt() + " "
                + record.get("value").asText());
        }
        List<Member> polling = polling(step.get("group").asText());
        long giveUp = System.nanoTime() + STEP_LIMIT.toNanos();
        while (!missing.isEmpty()) {
            for (Member member : polling) {
                missing.removeAll(member.poll());
            }
            if (System.nanoTime() > giveUp && !missing.isEmpty()) {
                answer.put("error", "NOT_READ");
                return;
            }
        }
    }

    private void idle(String group) {
        List<Member> polling = polling(group);
        long end = System.nanoTime() + IDLE_TIME.toNanos();
        while (System.nanoTime() < end) {
            polling.forEach(Member::poll);
        }
    }

    private void commit(JsonNode step) {
        int back = step.get("back").asInt();
        if (step.has("client")) {
            members.get(step.get("client").asText()).commit(back);
        } else {
            polling(step.get("group").asText()).forEach(member -> member.commit(back));
        }
    }

    private void onOwner(JsonNode step, ObjectNode answer) {
        TopicPartition place =
            new TopicPartition(step.get("topic").asText(), step.get("partition").asInt());
        for (Member member : polling(step.get("group").asText())) {
            if (!member.consumer.assignment().contains(place)) {
                continue;
            }
            switch (step.get("do").asText()) {
                case "seek" -> member.consumer.seek(place, step.get("offset").asLong());
                case "pause" -> member.consumer.pause(List.of(place));
                default -> member.consumer.resume(List.of(place));
            }
            return;
        }
        answer.put("error", "NO_OWNER");
    }
}
