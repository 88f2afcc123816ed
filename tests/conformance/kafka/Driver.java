import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;

/**
 * Takes the steps of client programs with Kafka's own Java client. Reads one request a line from
 * standard input, writes one answer a line to standard output: JSON, as client_program.hpp says;
 * several at a time.
 * Requests: {"topics", "steps"}: a program; {"assign"}, {"place"}: see Assign and below.
 * The argument is the bootstrap servers.
 */
public final class Driver {
    static final ObjectMapper JSON = new ObjectMapper();

    private final String servers;
    private final Admin admin;

    private Driver(String servers) {
        this.servers = servers;
        this.admin = Admin.create(Map.of("bootstrap.servers", servers));
    }

    public static void main(String[] arguments) throws Exception {
        Driver driver = new Driver(arguments[0]);
        BufferedReader in =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        ExecutorService threads = Executors.newCachedThreadPool();
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode request = JSON.readTree(line);
            threads.execute(() -> driver.answer(request));
        }
        System.exit(0);
    }

    /** Writes the request's number, a blank, and the answer. */
    private void answer(JsonNode request) {
        ObjectNode answer = JSON.createObjectNode();
        try {
            serve(request, answer);
        } catch (Exception failure) {
            answer.removeAll();
            answer.put("failed", failure.toString());
            failure.printStackTrace();
        }
        synchronized (System.out) {
            System.out.println(request.get("number").asInt() + " " + answer);
            System.out.flush();
        }
    }

    private void serve(JsonNode request, ObjectNode answer) throws Exception {
        if (request.has("assign")) {
            Assign.all(request.get("assign"), answer.putArray("assigned"));
        } else if (request.has("place")) {
            Assign.places(request.get("place"), answer.putArray("places"));
        } else {
            create(request.get("topics"));
            try (Program program = new Program(servers, admin, request.get("topics"))) {
                ArrayNode steps = answer.putArray("steps");
                for (JsonNode step : request.get("steps")) {
                    program.take(step, steps.addObject());
                }
            }
        }
    }

    /**
     * Creates the topics and waits until every leader serves. Before that a first batch may be
     * refused while the next is taken, which costs plain producers the order, and idempotent ones of
     * librdkafka the record: the leader takes any sequence number for a beginning.
     */
    private void create(JsonNode topics) throws Exception {
        List<NewTopic> made = new ArrayList<>();
        Map<TopicPartition, OffsetSpec> places = new HashMap<>();
        for (JsonNode topic : topics) {
            String name = topic.get("name").asText();
            NewTopic one = new NewTopic(name, topic.get("partitions").asInt(),
                                        (short) topic.get("replication").asInt());
            made.add(one.configs(
                Map.of("min.insync.replicas", topic.get("min.insync.replicas").asText())));
            for (int index = 0; index < one.numPartitions(); ++index) {
                places.put(new TopicPartition(name, index), OffsetSpec.latest());
            }
        }
        admin.createTopics(made).all().get();
        for (int tries = 1;; ++tries) {
            try {
                admin.listOffsets(places).all().get(); // Asks the leaders.
                return;
            } catch (ExecutionException early) {
                if (tries == 200) {
                    throw early;
                }
                Thread.sleep(10);
            }
        }
    }
}
