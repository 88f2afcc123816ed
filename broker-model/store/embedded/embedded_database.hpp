#pragma once

#include "broker-model/store/embedded/file_ledger.hpp"
#include "broker-model/store/embedded/file_options.hpp"
#include "sim/node.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace crier::broker {

/// A database that is a file on the disk of each process that uses it: a file each, and nobody else
/// sees it. This is what the harness knows of all of them; services use an `EmbeddedStore`.
class EmbeddedDatabase {
public:
    /// **Requires**: valid options. **Lifetime**: as long as the processes that use it.
    EmbeddedDatabase(sim::World& world, FileOptions options);
    EmbeddedDatabase(const EmbeddedDatabase&) = delete;
    EmbeddedDatabase& operator=(const EmbeddedDatabase&) = delete;

    [[nodiscard]] const FileOptions& options() const { return options_; }

    /// Returns how many transactions that wrote something were committed so far, in all files.
    [[nodiscard]] std::uint64_t commit_count() const { return commits_; }

    /// Returns the truth about the file of that node.
    [[nodiscard]] FileLedger& ledger(sim::Node& node);

    /// Returns what is committed in each file that is there, by the name of its node too:
    /// `local-billing-1`.
    [[nodiscard]] std::vector<KeptDatabase> kept() const;

    /// Reads what is committed, for judging: in each file, by the order of their nodes, one behind
    /// the other. Takes no time and leaves no trace.
    [[nodiscard]] Result<Rows, SqlProblem> query(const std::string& sql) const;

private:
    struct File {
        sim::Node* node;
        FileLedger ledger;
    };

    sim::World& world_;
    FileOptions options_;
    std::map<std::uint32_t, File> files_; // by node
    std::uint64_t commits_ = 0;
};

} // namespace crier::broker
