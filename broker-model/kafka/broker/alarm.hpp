#pragma once

#include "sim/kernel.hpp"

#include <optional>

// One timer for many deadlines: most deadlines of a broker (a produce that waits for followers, a
// member's session) are met, so none of them gets an operation of its own.

namespace crier::broker::kafka {

/// Calls `Owner::Method()` at or before the earliest deadline that was asked for. The method looks
/// what is really due, and asks again for the rest. **Lifetime**: the owner outlives its process.
template <class Owner, void (Owner::*Method)()>
class Alarm {
public:
    Alarm(sim::Process& process, Owner& owner) : process_(process), owner_(owner) {}

    void need(Instant due) {
        if (due_ && *due_ <= due) return;
        due_ = due;
        process_.kernel().at(process_, due, [this, due] {
            if (due_ != due) return; // another was armed for an earlier time
            due_.reset();
            (owner_.*Method)();
        });
    }

private:
    sim::Process& process_;
    Owner& owner_;
    std::optional<Instant> due_;
};

} // namespace crier::broker::kafka
