#pragma once

#include "properties/property.hpp"

// Property `aborted-read` (G1a): a reader of committed records is handed nothing of a transaction
// that was aborted, by the truth of the log or by what its client was told, at once or later.
// Property `precommitted-read`: nor anything of one whose commit is not yet in the log; its own is
// no exception. Readers that ask for uncommitted records get both, and are not judged.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_aborted_read(Reading& reading,
                                                         const PropertyOptions& options);

[[nodiscard]] std::unique_ptr<Checker> make_precommitted_read(Reading& reading,
                                                              const PropertyOptions& options);

} // namespace crier::properties
