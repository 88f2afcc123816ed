#pragma once

#include "messaging/postgres/postgres_options.hpp"
#include "tests/conformance/real_process.hpp"

#include <string>
#include <sys/types.h>
#include <vector>

// A real PostgreSQL in a scratch folder, reached by a socket there. It refuses to run as root, so a
// test that does starts it as the user `postgres`, or `nobody`. What it writes is never synced: no
// test pulls the plug.

namespace crier::conformance {

class RealPostgres {
public:
    /// Returns why no server can be started here; empty: it can.
    [[nodiscard]] static std::string missing();

    /// Makes a database and starts a server on it. `settings` are lines for postgresql.conf.
    /// **Errors**: throws with the server's log.
    explicit RealPostgres(const std::vector<std::string>& settings = {});
    /// Ends the server, by its pid, and removes its folder.
    ~RealPostgres();
    RealPostgres(const RealPostgres&) = delete;
    RealPostgres& operator=(const RealPostgres&) = delete;

    [[nodiscard]] messaging::postgres::PostgresOptions options() const;

    /// Ends the server as a crash does, without telling its clients.
    void crash();
    void start();

private:
    [[nodiscard]] pid_t spawn(const std::vector<std::string>& arguments) const;
    [[nodiscard]] std::string log() const;

    TemporaryFolder folder_;
    std::string binaries_;
    pid_t pid_ = 0;
};

} // namespace crier::conformance
