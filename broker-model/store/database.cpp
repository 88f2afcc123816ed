#include "broker-model/store/database.hpp"

#include "broker-model/store/database_server.hpp"
#include "broker-model/store/sqlite_setup.hpp"
#include "sim/world.hpp"

namespace crier::broker {

namespace {

void lay(const DatabaseImage& image, sim::Disk& disk) {
    for (const DatabaseImage::File& each : image.sequences) {
        sim::File& file = disk.open(each.name);
        file.write(0, each.content.data(), each.content.size());
        file.sync();
    }
}

sim::NodeOptions node_options(const std::shared_ptr<const DatabaseOptions>& options,
                              const std::shared_ptr<CommitLedger>& ledger,
                              const std::shared_ptr<std::uint64_t>& sessions) {
    sim::NodeOptions node;
    node.name = options->name;
    node.wall_clock = options->wall_clock;
    node.disk = options->disk;
    node.entry = [options, ledger, sessions](sim::Node& home) -> std::unique_ptr<sim::Program> {
        return std::make_unique<DatabaseServer>(home, options, ledger, *sessions);
    };
    return node;
}

} // namespace

std::vector<std::string> DatabaseOptions::validate() const {
    std::vector<std::string> problems;
    if (name.empty()) problems.emplace_back("a database needs a name");
    if (flush_interval <= Duration{}) problems.emplace_back("flush interval: expected more than 0");
    if (lock_timeout <= Duration{}) problems.emplace_back("lock timeout: expected more than 0");
    if (deadlock_timeout <= Duration{}) {
        problems.emplace_back("deadlock timeout: expected more than 0");
    }
    if (max_connections < 1) problems.emplace_back("max connections: expected at least 1");
    if (pool_size < 1) problems.emplace_back("pool size: expected at least 1");
    if (idle_transaction_timeout <= Duration{}) {
        problems.emplace_back("idle transaction timeout: expected more than 0");
    }
    for (const RowWatch& watch : watches) {
        if (watch.table.empty() || watch.identity.empty()) {
            problems.emplace_back("a watch needs a table and the column of the identity");
        }
        if (watch.followed.size() > followed_columns_max) {
            problems.emplace_back("a watch follows too many columns");
        }
    }
    return problems;
}

std::string watched_table(const std::string& database, const RowWatch& watch) {
    std::string name = database + "." + watch.table;
    if (!watch.only_column.empty()) name += "/" + watch.only_value;
    return name;
}

void throw_exception_from_error(const SqlProblem& problem, const boost::source_location& where) {
    throw ContractViolation(problem.message, where);
}

Database::Database(sim::World& world, DatabaseOptions options)
    : Database(world, std::make_shared<const DatabaseOptions>(std::move(options)),
               std::make_unique<CommitLog>()) {}

Database::Database(sim::World& world, std::shared_ptr<const DatabaseOptions> options,
                   std::unique_ptr<CommitLog> log)
    : options_(std::move(options)), ledger_(std::make_shared<CommitLedger>(world, *options_, *log)),
      sessions_(std::make_shared<std::uint64_t>(0)),
      node_(world.add_node(node_options(options_, ledger_, sessions_))) {
    configure_sqlite();
    const std::vector<std::string> problems = options_->validate();
    ensure(problems.empty(), problems.empty() ? "" : problems.front().c_str());
    std::shared_ptr<const DatabaseImage> image = options_->image;
    if (image == nullptr && !options_->schema.empty()) image = make_image(options_->schema).value();
    if (image != nullptr) lay(*image, node_.disk());
    log->lay(image == nullptr ? empty_database() : to_image(image->pages));
    node_.disk().attach("commits", std::move(log));
}

Database::~Database() = default;

std::uint64_t Database::commit_count() const {
    return ledger_->commit_count();
}

DatabaseServer* Database::server() const {
    return node_.is_up() ? static_cast<DatabaseServer*>(node_.program()) : nullptr;
}

SqlEngine& Database::reader() {
    const PageImage& committed = ledger_->log().written().image;
    if (reader_ == nullptr) reader_ = std::make_unique<SqlEngine>(committed, nullptr);
    reader_->show(committed);
    return *reader_;
}

Result<Rows, SqlProblem> Database::query(const std::string& sql) {
    SqlEngine& engine = reader();
    SqlAnswer answer = engine.read(sql);
    if (!answer.is_ok()) return SqlProblem{engine.last_problem()};
    return std::move(answer.rows);
}

KeptDatabase Database::kept() const {
    const std::vector<std::byte> bytes = to_bytes(ledger_->log().written().image);
    return {options_->name, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}};
}

std::string Database::problem_of(const std::string& sql) {
    SqlEngine& engine = reader();
    return engine.check(sql) ? std::string() : engine.last_problem();
}

Result<std::shared_ptr<const DatabaseImage>, SqlProblem>
make_image(const std::vector<std::string>& schema) {
    configure_sqlite();
    sim::Disk disk{sim::DiskOptions{}};
    DiskAccess access(disk, true);
    WorldSources sources(access, nullptr);
    SqlEngine engine(empty_database(), &sources);
    std::vector<std::int64_t> found;
    for (const std::string& sql : schema) {
        if (!engine.run(sql, {}, Show::snapshot, found).is_ok())
            return SqlProblem{engine.last_problem() + " in: " + sql};
    }
    const auto shapes = engine.shapes();
    if (!shapes->problem.empty()) return SqlProblem{shapes->problem};
    auto image = std::make_shared<DatabaseImage>();
    image->pages = to_bytes(engine.image());
    for (const std::string& name : sources.sequence_files()) {
        const sim::File& file = disk.open(name);
        std::vector<std::byte> content(file.size());
        file.read(0, content.data(), content.size());
        image->sequences.push_back({name, std::move(content)});
    }
    return std::shared_ptr<const DatabaseImage>(std::move(image));
}

std::string sql_problem(const std::vector<std::string>& schema, const std::string& sql) {
    const auto image = make_image(schema);
    if (!image) return image.error().message;
    SqlEngine engine(to_image((*image)->pages), nullptr);
    return engine.check(sql) ? std::string() : engine.last_problem();
}

} // namespace crier::broker
