#include "broker-model/store/database.hpp"

#include "broker-model/store/database_server.hpp"
#include "broker-model/store/sqlite_setup.hpp"
#include "broker-model/store/sqlite_vfs.hpp"
#include "sim/world.hpp"

namespace crier::broker {

namespace {

/// Runs the schema in one transaction. **Returns** what is wrong with it.
std::string run_schema(SqlEngine& engine, const std::vector<std::string>& schema) {
    engine.begin();
    for (const std::string& sql : schema) {
        if (!engine.run(sql, {}).is_ok()) return engine.last_problem() + " in: " + sql;
    }
    if (engine.commit() != StoreError{}) return engine.last_problem();
    engine.fold_log();
    return {};
}

void lay(const DatabaseImage& image, sim::Disk& disk) {
    for (const DatabaseImage::File& each : image.files) {
        sim::File& file = disk.open(each.name);
        file.write(0, each.content.data(), each.content.size());
        file.sync();
    }
}

sim::NodeOptions node_options(const std::shared_ptr<const DatabaseOptions>& options,
                              const std::shared_ptr<CommitLedger>& ledger) {
    sim::NodeOptions node;
    node.name = options->name;
    node.wall_clock = options->wall_clock;
    node.disk = options->disk;
    node.entry = [options, ledger](sim::Node& home) -> std::unique_ptr<sim::Program> {
        return std::make_unique<DatabaseServer>(home, options, ledger);
    };
    return node;
}

} // namespace

std::vector<std::string> DatabaseOptions::validate() const {
    std::vector<std::string> problems;
    if (name.empty()) problems.emplace_back("a database needs a name");
    const bool power_of_two = page_size > 0 && (page_size & (page_size - 1)) == 0;
    if (!power_of_two || page_size < 512 || page_size > 32768) {
        problems.emplace_back("page size: expected a power of two from 512 to 32768");
    }
    if (flush_interval <= Duration{}) problems.emplace_back("flush interval: expected more than 0");
    if (lock_timeout <= Duration{}) problems.emplace_back("lock timeout: expected more than 0");
    if (idle_transaction_timeout <= Duration{}) {
        problems.emplace_back("idle transaction timeout: expected more than 0");
    }
    for (const RowWatch& watch : watches) {
        if (watch.table.empty() || watch.identity.empty()) {
            problems.emplace_back("a watch needs a table and the column of the identity");
        }
    }
    return problems;
}

void throw_exception_from_error(const SqlProblem& problem, const boost::source_location& where) {
    throw ContractViolation(problem.message, where);
}

/// A connection that reads what is committed, beside the server's: it writes nothing, and is good
/// for as long as nothing is committed and the server lives on, since it does not see the log move.
struct Database::Reader {
    Reader(sim::Disk& disk, std::uint64_t last_commit, std::uint32_t life)
        : commit(last_commit), incarnation(life), access(disk, false),
          engine(access, database_file, SyncMode::checkpoints, nullptr) {}

    std::uint64_t commit;
    std::uint32_t incarnation;
    DiskAccess access;
    SqlEngine engine;
};

Database::Database(sim::World& world, DatabaseOptions options)
    : Database(world, std::make_shared<const DatabaseOptions>(std::move(options)),
               std::make_unique<CommitMark>()) {}

Database::Database(sim::World& world, std::shared_ptr<const DatabaseOptions> options,
                   std::unique_ptr<CommitMark> mark)
    : options_(std::move(options)),
      ledger_(std::make_shared<CommitLedger>(world, *options_, *mark)),
      node_(world.add_node(node_options(options_, ledger_))) {
    configure_sqlite();
    const std::vector<std::string> problems = options_->validate();
    ensure(problems.empty(), problems.empty() ? "" : problems.front().c_str());
    node_.disk().attach("commit-mark", std::move(mark));
    std::shared_ptr<const DatabaseImage> image = options_->image;
    if (image == nullptr) image = make_image(options_->schema, options_->page_size).value();
    lay(*image, node_.disk());
}

Database::~Database() = default;

std::uint64_t Database::commit_count() const {
    return ledger_->commit_count();
}

DatabaseServer* Database::server() const {
    return node_.is_up() ? static_cast<DatabaseServer*>(node_.program()) : nullptr;
}

SqlEngine& Database::reader() {
    const std::uint64_t commit = ledger_->mark().written;
    const std::uint32_t life = node_.is_up() ? node_.process().incarnation() : 0;
    if (reader_ == nullptr || reader_->commit != commit || reader_->incarnation != life) {
        reader_.reset();
        reader_ = std::make_unique<Reader>(node_.disk(), commit, life);
    }
    return reader_->engine;
}

Result<Rows, SqlProblem> Database::query(const std::string& sql) {
    SqlAnswer answer = reader().read(sql);
    if (!answer.is_ok()) return SqlProblem{reader().last_problem()};
    return std::move(answer.rows);
}

std::string Database::problem_of(const std::string& sql) {
    return reader().check(sql) ? std::string() : reader().last_problem();
}

Result<std::shared_ptr<const DatabaseImage>, SqlProblem>
make_image(const std::vector<std::string>& schema, int page_size) {
    configure_sqlite();
    sim::Disk disk{sim::DiskOptions{}};
    DiskAccess access(disk, true);
    WorldSources sources(access, nullptr);
    lay_empty_database(disk, database_file, page_size);
    if (!schema.empty()) {
        SqlEngine engine(access, database_file, SyncMode::checkpoints, &sources);
        std::string problem = run_schema(engine, schema);
        if (!problem.empty()) return SqlProblem{std::move(problem)};
    }
    auto image = std::make_shared<DatabaseImage>();
    std::vector<std::string> names = sources.sequence_files();
    names.emplace_back(database_file);
    for (const std::string& name : names) {
        const sim::File& file = disk.open(name);
        std::vector<std::byte> content(file.size());
        file.read(0, content.data(), content.size());
        image->files.push_back({name, std::move(content)});
    }
    return std::shared_ptr<const DatabaseImage>(std::move(image));
}

std::string sql_problem(const std::vector<std::string>& schema, const std::string& sql) {
    const auto image = make_image(schema);
    if (!image) return image.error().message;
    sim::Disk disk{sim::DiskOptions{}};
    lay(**image, disk);
    DiskAccess access(disk, false);
    SqlEngine engine(access, database_file, SyncMode::checkpoints, nullptr);
    return engine.check(sql) ? std::string() : engine.last_problem();
}

} // namespace crier::broker
