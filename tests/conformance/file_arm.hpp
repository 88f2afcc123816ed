#pragma once

#include "messaging/ports/process.hpp"
#include "messaging/ports/store.hpp"

#include <memory>

// Where tests of the store port over a file run: a real process with SQLite's own file, or a
// simulated one with a file on its disk.

namespace crier::conformance {

class FileArm {
public:
    virtual ~FileArm() = default;

    /// Opens the arm's one file, made at its first use.
    [[nodiscard]] virtual std::unique_ptr<Store> open() = 0;
    [[nodiscard]] virtual ProcessPorts ports() = 0;

    /// Runs `work` to its end; throws what escapes it, and when it does not end.
    virtual void run(asio::awaitable<void> work) = 0;
};

[[nodiscard]] std::unique_ptr<FileArm> sqlite_arm();
[[nodiscard]] std::unique_ptr<FileArm> model_file_arm();

} // namespace crier::conformance
