#pragma once

#include "tests/tidy/source_text.hpp"

// The rules that are tested because breaking them breaks the product, one function per kind. Each
// appends what it finds in one file; `check_lists` and
// `check_mutants` look at the whole tree.

namespace crier::tidy {

/// Modules include only what lies below them, and each third-party library only where it belongs.
void check_includes(const Source& source, Findings& findings);

/// Nothing in a module asks the real world (time, randomness, threads, environment) or depends on
/// addresses, hash order or floating point; the table of exempt places is in determinism.cpp.
void check_determinism(const Source& source, Findings& findings);

/// No aggregate, braced list or capturing lambda is made inside an expression that contains
/// `co_await`: g++ 12.2 destroys it twice. And no condition awaits: it loses parameters.
void check_co_await(const Source& source, Findings& findings);

/// No unnumbered markers for later, no tabs, no lines over 100 columns.
void check_marks(const Source& source, Findings& findings);

/// Every source of a module is named in the list of its target, the nearest CMakeLists.txt above
/// it; and so is every header that a named header includes.
void check_lists(const std::vector<Source>& tree, Findings& findings);

/// Every mutant says what it is caught by, and its lines are still in the files that it changes.
void check_mutants(const std::vector<Source>& tree, Findings& findings);

/// Returns what all rules find in all files.
[[nodiscard]] Findings check_tree(const std::vector<Source>& tree);

} // namespace crier::tidy
