#include "tests/conformance/file_arm.hpp"

#include "broker-model/store/embedded/embedded_store.hpp"
#include "messaging/sqlite/sqlite_store.hpp"
#include "sim/world.hpp"
#include "tests/conformance/real_process.hpp"

#include <boost/asio/co_spawn.hpp>

namespace crier::conformance {

namespace {

class SqliteArm final : public FileArm {
public:
    std::unique_ptr<Store> open() override {
        messaging::sqlite::SqliteOptions options;
        options.path = folder_.file("test.db");
        return std::make_unique<messaging::sqlite::SqliteStore>(process_.ports().background,
                                                                std::move(options));
    }
    ProcessPorts ports() override { return process_.ports(); }
    void run(asio::awaitable<void> work) override { process_.run(std::move(work)); }

private:
    TemporaryFolder folder_;
    RealProcess process_;
};

/// A process without a program: the test's own coroutines are what it does.
class ModelFileArm final : public FileArm {
public:
    ModelFileArm() : world_({}), database_(world_, options()), node_(world_.add_node(node())) {
        node_.start();
        (void)world_.run_until(world_.now() + std::chrono::milliseconds(1));
        ports_.emplace(node_);
    }
    ~ModelFileArm() override { world_.end_processes(); }

    std::unique_ptr<Store> open() override {
        return std::make_unique<broker::EmbeddedStore>(database_, node_, *ports_);
    }
    ProcessPorts ports() override { return ports_->ports(); }

    void run(asio::awaitable<void> work) override {
        bool done = false;
        std::exception_ptr escaped;
        asio::co_spawn(node_.process().executor(), std::move(work),
                       [&](const std::exception_ptr& error) {
                           done = true;
                           escaped = error;
                       });
        for (int second = 0; second < 60 && !done; ++second)
            (void)world_.run_until(world_.now() + std::chrono::seconds(1));
        if (escaped) std::rethrow_exception(escaped);
        if (!done) throw std::runtime_error("the test hangs");
    }

private:
    static broker::FileOptions options() {
        broker::FileOptions options;
        options.name = "test";
        return options;
    }
    static sim::NodeOptions node() {
        sim::NodeOptions options;
        options.name = "process";
        options.entry = [](sim::Node&) { return std::make_unique<sim::Program>(); };
        return options;
    }

    sim::World world_;
    broker::EmbeddedDatabase database_;
    sim::Node& node_;
    std::optional<sim::ProcessPorts> ports_;
};

} // namespace

std::unique_ptr<FileArm> sqlite_arm() {
    return std::make_unique<SqliteArm>();
}

std::unique_ptr<FileArm> model_file_arm() {
    return std::make_unique<ModelFileArm>();
}

} // namespace crier::conformance
