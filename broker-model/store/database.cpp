#include "broker-model/store/database.hpp"

#include "broker-model/store/database_member.hpp"
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

sim::NodeOptions node_options(std::string name, std::size_t index, const DatabaseParts& parts) {
    sim::NodeOptions node;
    node.name = std::move(name);
    node.wall_clock = parts.options->wall_clock;
    node.disk = parts.options->disk;
    node.entry = [index, parts](sim::Node& home) -> std::unique_ptr<sim::Program> {
        return std::make_unique<DatabaseMember>(home, index, parts);
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
    if (replica == Replication::synchronous && synchronous == Synchronous::off) {
        problems.emplace_back("a commit that waits for no disk waits for no replica");
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
    : world_(world), options_(std::make_shared<const DatabaseOptions>(std::move(options))),
      roles_(std::make_shared<DatabaseRoles>()), sessions_(std::make_shared<std::uint64_t>(0)) {
    const bool has_replica = options_->replica != Replication::none;
    std::vector<std::unique_ptr<CommitLog>> logs;
    std::vector<CommitLog*> all;
    for (std::size_t index = 0; index < (has_replica ? 2U : 1U); ++index) {
        logs.push_back(std::make_unique<CommitLog>());
        all.push_back(logs.back().get());
    }
    ledger_ = std::make_shared<CommitLedger>(world, *options_, std::move(all));
    const DatabaseParts parts{options_, roles_, ledger_, sessions_};
    for (std::size_t index = 0; index < logs.size(); ++index) {
        const std::string number = has_replica ? "/" + std::to_string(index + 1) : "";
        roles_->nodes.push_back(
            &world.add_node(node_options(options_->name + number, index, parts)));
    }
    configure_sqlite();
    const std::vector<std::string> problems = options_->validate();
    ensure(problems.empty(), problems.empty() ? "" : problems.front().c_str());
    std::shared_ptr<const DatabaseImage> image = options_->image;
    if (image == nullptr && !options_->schema.empty()) image = make_image(options_->schema).value();
    const PageImage pages = image == nullptr ? empty_database() : to_image(image->pages);
    for (std::size_t index = 0; index < logs.size(); ++index) {
        sim::Disk& disk = roles_->nodes[index]->disk();
        if (image != nullptr) lay(*image, disk);
        logs[index]->lay(pages);
        disk.attach("commits", std::move(logs[index]));
    }
}

Database::~Database() = default;

std::uint64_t Database::commit_count() const {
    return ledger_->commit_count();
}

void Database::start() {
    for (sim::Node* const node : roles_->nodes)
        node->start();
}

sim::Node& Database::node() const {
    return roles_->primary_node();
}

const std::vector<sim::Node*>& Database::nodes() const {
    return roles_->nodes;
}

DatabaseMember* Database::member(std::size_t node) const {
    const sim::Node& home = *roles_->nodes[node];
    return home.is_up() ? static_cast<DatabaseMember*>(home.program()) : nullptr;
}

// What was on its way to a primary of before has no server.
DatabaseServer* Database::server() const {
    DatabaseMember* const primary = member(roles_->primary);
    const bool is_its_step = world_.kernel().current() == &node().process();
    return primary != nullptr && is_its_step ? primary->server() : nullptr;
}

bool Database::fail_over(Duration away) {
    if (options_->replica == Replication::none) return false;
    const std::size_t index = 1 - roles_->primary;
    DatabaseMember* const replica = member(index);
    if (replica == nullptr || roles_->nodes[index]->process().is_paused()) return false;
    const CommitLog& own = ledger_->log_of(index);
    if (own.synced().timeline != ledger_->log().synced().timeline) return false;
    sim::Node& former = node();
    if (former.is_up()) { // fenced, so that it answers nobody any more
        former.crash("fenced");
        world_.kernel().at(world_.process(), world_.now() + away, [&former] {
            if (!former.is_up() && former.is_powered()) former.start();
        });
    }
    world_.kernel().post(roles_->nodes[index]->process(), [replica] { replica->promote(); });
    return true;
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
