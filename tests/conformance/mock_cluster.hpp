#pragma once

#include "messaging/kafka/client.hpp"
#include "tests/conformance/real_process.hpp"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <memory>
#include <string>
#include <vector>

// librdkafka's own mock of a cluster: it speaks the protocol on a local socket, so the client side
// of the tests is the real one.

namespace crier::conformance {

/// Kafka's request numbers. Source: the protocol guide, "API keys".
inline constexpr std::int16_t produce_request = 0;
inline constexpr std::int16_t offset_commit_request = 8;
inline constexpr std::int16_t end_txn_request = 26;

/// A cluster in this process.
class MockCluster {
public:
    explicit MockCluster(int brokers = 1) {
        rd_kafka_conf_t* conf = rd_kafka_conf_new();
        rd_kafka_conf_set(conf, "log_level", "0", nullptr, 0);
        owner_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf, nullptr, 0));
        cluster_.reset(rd_kafka_mock_cluster_new(owner_.get(), brokers));
    }

    void create_topic(const std::string& name, int partitions) {
        rd_kafka_mock_topic_create(cluster_.get(), name.c_str(), partitions, 1);
    }

    /// The next requests of this kind fail with `errors`, one each.
    void fail_next(std::int16_t request, const std::vector<rd_kafka_resp_err_t>& errors) {
        rd_kafka_mock_push_request_errors_array(cluster_.get(), request, errors.size(),
                                                errors.data());
    }

    void set_down(bool down) {
        if (down) {
            rd_kafka_mock_broker_set_down(cluster_.get(), 1);
        } else {
            rd_kafka_mock_broker_set_up(cluster_.get(), 1);
        }
    }

    [[nodiscard]] messaging::kafka::ClientOptions client_options() const {
        messaging::kafka::ClientOptions options;
        options.bootstrap_servers = rd_kafka_mock_cluster_bootstraps(cluster_.get());
        // Injected errors would fill the log; groups need not wait for members that never come.
        options.settings = {{"log_level", "0"}, {"topic.metadata.refresh.interval.ms", "1000"}};
        return options;
    }

private:
    struct Destroy {
        void operator()(rd_kafka_t* handle) const { rd_kafka_destroy(handle); }
        void operator()(rd_kafka_mock_cluster_t* cluster) const {
            rd_kafka_mock_cluster_destroy(cluster);
        }
    };

    std::unique_ptr<rd_kafka_t, Destroy> owner_;
    std::unique_ptr<rd_kafka_mock_cluster_t, Destroy> cluster_;
};

} // namespace crier::conformance
