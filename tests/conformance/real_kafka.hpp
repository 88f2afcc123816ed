#pragma once

#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

// A real Apache Kafka and the Java driver beside it, as `./dev conformance-kafka` provides them.

namespace crier::conformance {

/// Where they are; read from CRIER_KAFKA_SERVERS, CRIER_KAFKA_NODES and CRIER_KAFKA_CLASSES.
struct RealCluster {
    std::string servers;
    std::string classes; ///< The class path of the driver.
    int nodes = 1;

    [[nodiscard]] bool is_there() const { return !servers.empty(); }
};

[[nodiscard]] RealCluster find_real_kafka();

/// Why a test that needs it is skipped.
inline constexpr const char* no_real_kafka = "needs a real Kafka: ./dev conformance-kafka";

/// The process of kafka/Driver.java.
class JavaDriver {
public:
    explicit JavaDriver(const RealCluster& kafka);
    ~JavaDriver();
    JavaDriver(const JavaDriver&) = delete;
    JavaDriver& operator=(const JavaDriver&) = delete;

    /// Sends a JSON object in a line and returns the line that answers it. Any thread may ask, and
    /// many at a time.
    /// **Errors**: throws `std::runtime_error` when the driver ended.
    [[nodiscard]] std::string ask(const std::string& line);

private:
    void send(const std::string& line);
    void take_answers();

    int to_ = -1;
    int from_ = -1;
    int pid_ = -1;
    std::mutex mutex_;
    int asked_ = 0;
    std::map<int, std::promise<std::string>> waiting_; // by the number of what was asked
    bool has_ended_ = false;
    std::thread reader_;
};

} // namespace crier::conformance
