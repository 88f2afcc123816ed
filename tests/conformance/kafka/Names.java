import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.protocol.Errors;

/** Errors by the names that they have in the protocol. */
final class Names {
    private Names() {}

    static String of(Throwable failure) {
        if (failure instanceof CommitFailedException) {
            return "COMMIT_FAILED"; // Which of several errors it was is lost.
        }
        // "In an error state": the cause says which.
        if (failure.getClass() == KafkaException.class && failure.getCause() != null) {
            return of(failure.getCause());
        }
        Errors error = Errors.forException(failure);
        return error == Errors.UNKNOWN_SERVER_ERROR ? failure.getClass().getSimpleName()
                                                    : error.name();
    }
}
