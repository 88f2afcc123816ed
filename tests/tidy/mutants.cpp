#include "tests/tidy/rules.hpp"

#include <map>
#include <string>

// Finds patches under tests/mutants that the tree has outgrown: a hunk whose lines are not there
// any more. Where in its file a hunk lies does not matter; that it lies there word for word does.

namespace crier::tidy {
namespace {

constexpr std::string_view old_file = "--- a/";

class Patch {
public:
    Patch(const Source& patch, const std::map<std::string_view, const Source*>& tree,
          Findings& findings)
        : patch_(patch), tree_(tree), findings_(findings) {}

    void check() {
        std::size_t number = 0;
        for (const std::string_view line : lines_of(patch_.text)) {
            ++number;
            if (line.starts_with("# Caught by:")) is_caught_ = true;
            const bool is_head = line.starts_with("diff --git ") || line.starts_with("+++ ");
            if (line.starts_with(old_file)) {
                end_hunk();
                file_ = line.substr(old_file.size());
            } else if (line.starts_with("@@ ")) {
                end_hunk();
                begin_ = number;
            } else if (is_head) {
                end_hunk();
            } else if (begin_ != 0 && !line.starts_with('+')) {
                before_ += line.empty() ? line : line.substr(1);
                before_ += '\n';
            }
        }
        end_hunk();
        if (!is_caught_) tell(0, "does not say what it is caught by");
    }

private:
    void end_hunk() {
        if (begin_ != 0) {
            const auto source = tree_.find(file_);
            if (source == tree_.end()) {
                tell(begin_, "changes " + std::string(file_) + ", which is not there");
            } else if (source->second->text.find(before_) == std::string::npos) {
                tell(begin_, "does not apply: these lines are not in " + std::string(file_));
            }
        }
        begin_ = 0;
        before_.clear();
    }

    void tell(std::size_t line, std::string message) {
        findings_.push_back({patch_.path, line, std::move(message)});
    }

    const Source& patch_;
    const std::map<std::string_view, const Source*>& tree_;
    Findings& findings_;
    std::string_view file_;
    std::string before_;    // what the hunk expects
    std::size_t begin_ = 0; // its line; 0: none
    bool is_caught_ = false;
};

} // namespace

void check_mutants(const std::vector<Source>& tree, Findings& findings) {
    std::map<std::string_view, const Source*> by_path;
    for (const Source& source : tree)
        by_path[source.path] = &source;
    for (const Source& source : tree) {
        if (source.path.ends_with(".patch")) Patch(source, by_path, findings).check();
    }
}

} // namespace crier::tidy
