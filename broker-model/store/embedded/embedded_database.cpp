#include "broker-model/store/embedded/embedded_database.hpp"

#include "broker-model/store/embedded/file_copy.hpp"
#include "broker-model/store/sqlite_setup.hpp"
#include "messaging/ports/ensure.hpp"

#include <algorithm>
#include <iterator>

namespace crier::broker {

EmbeddedDatabase::EmbeddedDatabase(sim::World& world, FileOptions options)
    : world_(world), options_(std::move(options)) {
    configure_sqlite();
    const std::vector<std::string> problems = options_.validate();
    ensure(problems.empty(), problems.empty() ? "" : problems.front().c_str());
}

FileLedger& EmbeddedDatabase::ledger(sim::Node& node) {
    const auto found = files_.find(node.id());
    if (found != files_.end()) return found->second.ledger;
    File file{&node, FileLedger(world_, options_, commits_)};
    return files_.emplace(node.id(), std::move(file)).first->second.ledger;
}

std::vector<KeptDatabase> EmbeddedDatabase::kept() const {
    std::vector<KeptDatabase> all;
    for (const auto& [id, file] : files_) {
        FileCopy copy(file.node->disk(), options_.name);
        std::string name = options_.name + "-" + file.node->name();
        std::replace(name.begin(), name.end(), '/', '-');
        all.push_back({std::move(name), copy.bytes()});
    }
    return all;
}

Result<Rows, SqlProblem> EmbeddedDatabase::query(const std::string& sql) const {
    Rows all;
    for (const auto& [id, file] : files_) {
        FileCopy copy(file.node->disk(), options_.name);
        Rows rows;
        std::string problem = copy.read(sql, rows);
        if (!problem.empty()) return SqlProblem{file.node->name() + ": " + problem};
        std::move(rows.begin(), rows.end(), std::back_inserter(all));
    }
    return all;
}

} // namespace crier::broker
