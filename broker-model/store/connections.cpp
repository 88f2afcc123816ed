#include "broker-model/store/connections.hpp"

namespace crier::broker {

namespace {

constexpr std::size_t idle_max = 64;
constexpr std::size_t schemas_max = 64;

} // namespace

std::unique_ptr<SqlEngine> Connections::take_engine(const PageImage& image, SqlSources& sources) {
    if (engines_.empty()) return std::make_unique<SqlEngine>(image, &sources);
    std::unique_ptr<SqlEngine> engine = std::move(engines_.back());
    engines_.pop_back();
    engine->begin_anew(image, sources);
    return engine;
}

std::unique_ptr<RowMover> Connections::take_mover() {
    if (movers_.empty()) return std::make_unique<RowMover>();
    std::unique_ptr<RowMover> mover = std::move(movers_.back());
    movers_.pop_back();
    return mover;
}

void Connections::give_back(std::unique_ptr<SqlEngine> engine) {
    if (engines_.size() >= idle_max) return;
    engine->forget_images();
    engines_.push_back(std::move(engine));
}

void Connections::give_back(std::unique_ptr<RowMover> mover) {
    if (movers_.size() >= idle_max) return;
    mover->forget_images();
    movers_.push_back(std::move(mover));
}

std::shared_ptr<const TableShapes> Connections::shapes(SqlEngine& engine) {
    const std::uint32_t schema = schema_of(engine.image());
    const auto known = shapes_.find(schema);
    if (known != shapes_.end()) return known->second;
    if (shapes_.size() >= schemas_max) shapes_.clear();
    return shapes_.emplace(schema, engine.shapes()).first->second;
}

} // namespace crier::broker
