#pragma once

#include "messaging/ports/background.hpp"
#include "messaging/ports/clock.hpp"
#include "messaging/ports/ids.hpp"
#include "messaging/ports/observer.hpp"

namespace crier {

/// The ports that every part of a process needs; the referents outlive all its parts.
struct ProcessPorts {
    Clock& clock;
    Ids& ids;
    Observer& observer;
    Background& background;
};

} // namespace crier
