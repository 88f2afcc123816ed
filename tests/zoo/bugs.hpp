#pragma once

#include <string>
#include <vector>

// The bugs that are planted: each a scenario with a gap, for what is wrong and for what is right.

namespace crier::zoo {

struct Bug {
    std::string id; ///< Of the field guide to bugs of event-driven systems.
    std::string title;
    std::string planted;  ///< As what: wrong service, client, configuration or broker rule.
    std::string property; ///< What finds it.
    std::string scenario; ///< With `@` where the two differ.
    std::string wrong;
    std::string right;
};

[[nodiscard]] std::vector<Bug> bugs();

} // namespace crier::zoo
