#include "tests/tidy/rules.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

// Finds values that g++ 12.2 would destroy twice: an aggregate, a braced list or a capturing lambda
// made inside an expression that contains `co_await`. One pass over the code with a stack of what
// is open; a guess is made only where a brace may begin a block or a value.
// And conditions that await: where the coroutine declares nothing around them, g++ 12.2 makes a
// frame without its parameters.

namespace crier::tidy {
namespace {

bool is_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// Collects what a statement makes, and whether it awaits.
struct Statement {
    bool awaits = false;
    bool makes_value = false; ///< `=` or `return` was seen outside of parentheses.
    std::vector<std::size_t> made;
};

struct Open {
    enum class Kind { paren, bracket, value, block } kind = Kind::block;
    std::size_t at = 0;
    bool control = false;   ///< The head of an `if`, `while`, `for` or `switch`.
    bool condition = false; ///< Of these, not of a `for`.
    bool lambda = false;    ///< A lambda began directly inside and its body is to come.
    std::optional<Statement>
        outer; ///< Of a block: the statement it interrupts, if it goes on after.
};

class Scan {
public:
    Scan(const Source& source, Findings& findings) : source_(source), findings_(findings) {
        open_.emplace_back();
    }

    void run() {
        const std::string& code = source_.code;
        for (std::size_t at = 0; at < code.size(); ++at) {
            const char c = code[at];
            if (c == '#' && at_line_begin(at)) {
                at = std::min(code.find('\n', at), code.size());
            } else if (is_word(c)) {
                at = word(at);
            } else {
                sign(c, at);
                if (std::isspace(static_cast<unsigned char>(c)) == 0) previous_ = at;
            }
        }
    }

private:
    [[nodiscard]] bool at_line_begin(std::size_t at) const {
        const auto& code = source_.code;
        while (at > 0 && (code[at - 1] == ' '))
            --at;
        return at == 0 || code[at - 1] == '\n';
    }

    /// Takes the word at `at` and returns its last position.
    std::size_t word(std::size_t at) {
        auto end = at;
        while (end < source_.code.size() && is_word(source_.code[end]))
            ++end;
        const auto text = std::string_view(source_.code).substr(at, end - at);
        if (text == "co_await") statement_.awaits = true;
        if (text == "return" || text == "co_return" || text == "co_yield") {
            statement_.makes_value = true;
        }
        previous_word_ = text;
        previous_ = end - 1;
        return end - 1;
    }

    void sign(char c, std::size_t at) {
        switch (c) {
        case '(':
            push(Open::Kind::paren, at);
            open_.back().control = after_control_word(at);
            open_.back().condition = open_.back().control && previous_word_ != "for";
            break;
        case '[': bracket(at); break;
        case ']':
        case ')': pop_to_pair(); break;
        case '{': brace(at); break;
        case '}': close_brace(); break;
        case ';': end_statement(); break;
        case '=':
            if (open_.back().kind == Open::Kind::block) statement_.makes_value = true;
            break;
        default: break;
        }
    }

    void bracket(std::size_t at) {
        const char before = source_.code[previous_];
        const bool keyword = previous_word_ == "return" || previous_word_ == "co_return" ||
                             previous_word_ == "co_await";
        const bool subscript = (is_word(before) && !keyword) || before == ')' || before == ']';
        const bool attribute = before == '[' || source_.code.compare(at, 2, "[[") == 0;
        if (!subscript && !attribute) {
            open_.back().lambda = true;
            if (source_.code.compare(at, 2, "[]") != 0) statement_.made.push_back(at);
        }
        push(Open::Kind::bracket, at);
    }

    void brace(std::size_t at) {
        const bool body = open_.back().lambda;
        open_.back().lambda = false;
        if (!body && makes_value()) {
            statement_.made.push_back(at);
            push(Open::Kind::value, at);
            return;
        }
        const bool inside = body || open_.back().kind != Open::Kind::block;
        push(Open::Kind::block, at);
        if (inside)
            open_.back().outer = std::move(statement_);
        else
            report();
        statement_ = Statement();
    }

    /// Returns whether a brace here begins a value: inside parentheses always, else only after a
    /// name in a statement that computes something.
    [[nodiscard]] bool makes_value() const {
        if (open_.back().kind != Open::Kind::block) return true;
        const char before = source_.code[previous_];
        if (before == '=') return true;
        const bool computes = statement_.makes_value || statement_.awaits;
        if (!computes || (!is_word(before) && before != '>')) return false;
        if (before == '>') return true;
        constexpr std::array<std::string_view, 7> before_blocks{
            "const", "noexcept", "override", "final", "mutable", "else", "do"};
        for (const auto word : before_blocks) {
            if (previous_word_ == word) return false;
        }
        return true;
    }

    void close_brace() {
        // A missing pair means that a guess was wrong; the block around it is closed all the same.
        while (open_.back().kind == Open::Kind::paren || open_.back().kind == Open::Kind::bracket) {
            if (!pop()) return;
        }
        if (open_.back().kind == Open::Kind::value) {
            pop();
            return;
        }
        report();
        statement_ = Statement();
        if (open_.back().outer) statement_ = std::move(*open_.back().outer);
        pop();
    }

    void end_statement() {
        if (open_.back().kind == Open::Kind::value) {
            // Values hold no statements: it was a block.
            open_.back().kind = Open::Kind::block;
            statement_ = Statement();
            return;
        }
        if (open_.back().kind != Open::Kind::block) return; // for (;;)
        open_.back().lambda = false;
        report();
        statement_ = Statement();
    }

    void report() {
        if (!statement_.awaits) return;
        for (const auto at : statement_.made) {
            findings_.push_back({source_.path, line_of(source_.code, at),
                                 "made inside an expression with co_await, which g++ 12.2 destroys "
                                 "twice; name the value first, then move it in"});
        }
    }

    void push(Open::Kind kind, std::size_t at) {
        Open open;
        open.kind = kind;
        open.at = at;
        open_.push_back(std::move(open));
    }

    bool pop() {
        if (open_.size() == 1) return false;
        open_.pop_back();
        return true;
    }

    void pop_to_pair() {
        const auto kind = open_.back().kind;
        if (kind != Open::Kind::paren && kind != Open::Kind::bracket) return;
        const Open head = std::move(open_.back());
        pop();
        if (!head.control) return;
        if (head.condition && statement_.awaits) {
            findings_.push_back({source_.path, line_of(source_.code, head.at),
                                 "awaits in a condition, for which g++ 12.2 may lose the "
                                 "coroutine's parameters; name the result first"});
        }
        report(); // A head is an expression of its own.
        statement_ = Statement();
    }

    [[nodiscard]] bool after_control_word(std::size_t at) const {
        constexpr std::array<std::string_view, 5> words{"if", "while", "for", "switch",
                                                        "constexpr"};
        const bool adjacent = at > 0 && is_word(source_.code[previous_]);
        return adjacent && std::find(words.begin(), words.end(), previous_word_) != words.end();
    }

    const Source& source_;
    Findings& findings_;
    std::vector<Open> open_;
    Statement statement_;
    std::size_t previous_ = 0; ///< The last position that was not blank.
    std::string_view previous_word_;
};

} // namespace

void check_co_await(const Source& source, Findings& findings) {
    if (!is_cpp(source.path) || source.code.empty()) return;
    Scan(source, findings).run();
}

} // namespace crier::tidy
