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
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringSerializer;

/** The clients of one program: what client_program_run.cpp does, with the Java client. */
final class Program implements AutoCloseable {
    private static final Duration STEP_LIMIT = Duration.ofSeconds(25);

    /** A cooperative rebalance may be followed by another, which heartbeats tell. */
    private static final Duration COOPERATIVE_WAIT = Duration.ofMillis(450);

    private final String servers;
    private final Map<String, Integer> partitions = new HashMap<>();
    private final Map<String, KafkaProducer<String, String>> producers = new TreeMap<>();
    private final Map<String, Member> members = new TreeMap<>();

    Program(String servers, JsonNode topics) {
        this.servers = servers;
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
            case "open-producer" -> openProducer(client, step.get("options"));
            case "send" -> send(step, answer);
            case "close-producer" -> producers.remove(client).close();
            case "open-consumer" -> open(client, step.get("options"), answer);
            case "settle" -> settle(step.get("group").asText(), answer);
            case "read" -> read(step, answer);
            case "commit" -> commit(step);
            case "seek", "pause", "resume" -> onOwner(step, answer);
            case "stall" -> stall(client, true);
            case "wake" -> stall(client, false);
            case "close-consumer" -> close(client, false);
            case "kill-consumer" -> close(client, true);
            default -> throw new IllegalArgumentException(step.toString());
        }
    }

    @Override
    public void close() {
        producers.values().forEach(producer -> producer.close(Duration.ofSeconds(5)));
        members.values().forEach(member -> member.consumer.close());
    }

    private void openProducer(String client, JsonNode options) {
        Map<String, Object> settings = new HashMap<>();
        options.fields().forEachRemaining(e -> settings.put(e.getKey(), e.getValue().asText()));
        settings.put("bootstrap.servers", servers);
        producers.put(
            client, new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer()));
    }

    private void send(JsonNode step, ObjectNode answer) {
        KafkaProducer<String, String> producer = producers.get(step.get("client").asText());
        List<Future<RecordMetadata>> futures = new ArrayList<>();
        for (JsonNode record : step.get("records")) {
            Integer partition = record.has("partition") ? record.get("partition").asInt() : null;
            String key = record.has("key") ? record.get("key").asText() : null;
            futures.add(producer.send(new ProducerRecord<>(
                record.get("topic").asText(), partition, key, record.get("value").asText())));
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
            if (!member.hasNews) {
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
        boolean isCooperative = polling.stream().anyMatch(member -> member.isCooperative);
        long unsettled = System.nanoTime();
        while (true) {
            if (!isSettled(polling)) {
                unsettled = System.nanoTime();
            } else if (!isCooperative
                || System.nanoTime() - unsettled > COOPERATIVE_WAIT.toNanos()) {
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
