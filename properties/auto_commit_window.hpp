#pragma once

#include "properties/property.hpp"

// Property `auto-commit-window`: what a client commits by itself does not cover a record that it
// has handed out and that is still in work. Kafka's client commits in `poll` what earlier polls
// handed out: that is safe where everything is finished before the next poll, and only there.
// Judged for services that say that their client commits by itself, when the commit is stored.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_auto_commit_window(Reading& reading,
                                                               const PropertyOptions& options);

} // namespace crier::properties
