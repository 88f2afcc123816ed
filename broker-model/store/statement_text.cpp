#include "broker-model/store/statement_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <utility>
#include <vector>

namespace crier::broker {

namespace {

/// A word, number, text or sign of a statement.
struct Token {
    std::size_t begin = 0;
    std::size_t end = 0;
    int depth = 0;    // in parentheses; of a parenthesis itself: outside of it
    std::string word; // in lower case; of a text in quotes: empty
};

bool is_word_sign(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Returns where the text or comment that begins at `at` ends, or `at` if none does.
std::size_t skip_quoted(std::string_view sql, std::size_t at) {
    const auto after = [sql](std::string_view end, std::size_t from) {
        const std::size_t found = sql.find(end, from);
        return found == std::string_view::npos ? sql.size() : found + end.size();
    };
    if (sql[at] == '\'' || sql[at] == '"') return after(sql.substr(at, 1), at + 1);
    if (sql.substr(at, 2) == "--") return after("\n", at);
    if (sql.substr(at, 2) == "/*") return after("*/", at + 2);
    return at;
}

std::vector<Token> tokens_of(std::string_view sql) {
    std::vector<Token> tokens;
    int depth = 0;
    for (std::size_t at = 0; at < sql.size();) {
        const std::size_t quoted = skip_quoted(sql, at);
        Token token;
        token.begin = at;
        token.depth = depth;
        if (quoted != at) {
            const bool comment = sql[at] == '-' || sql[at] == '/';
            at = quoted;
            if (comment) continue;
        } else if (is_word_sign(sql[at])) {
            for (; at < sql.size() && is_word_sign(sql[at]); ++at)
                token.word.push_back(lower(sql[at]));
        } else {
            const char sign = sql[at++];
            if (sign == ' ' || sign == '\n' || sign == '\t' || sign == '\r') continue;
            token.word.push_back(sign);
            if (sign == '(') ++depth;
            if (sign == ')') token.depth = --depth;
        }
        token.end = at;
        tokens.push_back(std::move(token));
    }
    while (!tokens.empty() && tokens.back().word == ";")
        tokens.pop_back();
    return tokens;
}

/// A change of the text.
struct Edit {
    std::size_t begin;
    std::size_t end;
    std::string text;
};

std::string apply(std::string_view sql, std::vector<Edit> edits) {
    std::stable_sort(edits.begin(), edits.end(),
                     [](const Edit& a, const Edit& b) { return a.begin < b.begin; });
    std::string changed;
    std::size_t done = 0;
    for (const Edit& edit : edits) {
        changed.append(sql.substr(done, edit.begin - done)).append(edit.text);
        done = edit.end;
    }
    return changed.append(sql.substr(done));
}

class Reader {
public:
    explicit Reader(std::string_view sql) : sql_(sql), tokens_(tokens_of(sql)) {}

    StatementText read() {
        if (read_setting()) return std::move(result_);
        for (std::size_t at = 0; at < tokens_.size() && result_.problem.empty(); ++at) {
            if (is(at, "for")) read_locking(at);
        }
        const bool writes = find_target();
        result_.snapshot = edits_.empty() ? std::string(sql_) : apply(sql_, edits_);
        if (writes || locks_) {
            edits_.insert(edits_.end(), latest_edits_.begin(), latest_edits_.end());
            result_.latest = apply(sql_, edits_);
        }
        return std::move(result_);
    }

private:
    [[nodiscard]] bool is(std::size_t at, std::string_view word) const {
        return at < tokens_.size() && tokens_[at].word == word;
    }

    [[nodiscard]] bool are(std::size_t at, std::span<const std::string_view> words) const {
        for (std::size_t each = 0; each < words.size(); ++each) {
            if (!is(at + each, words[each])) return false;
        }
        return true;
    }

    template <class... Words>
    [[nodiscard]] bool are(std::size_t at, Words... words) const {
        const std::array<std::string_view, sizeof...(Words)> list{words...};
        return are(at, std::span<const std::string_view>(list));
    }

    [[nodiscard]] std::string_view text(std::size_t at) const {
        return sql_.substr(tokens_[at].begin, tokens_[at].end - tokens_[at].begin);
    }

    bool fail(std::string problem) {
        result_.problem = std::move(problem);
        return true;
    }

    bool read_setting() {
        if (!is(0, "set")) return false;
        using Setting = StatementText::Setting;
        if (are(1, "transaction", "isolation", "level")) {
            if (are(4, "read", "committed") && tokens_.size() == 6) {
                result_.setting = Setting::read_committed;
            } else if (are(4, "repeatable", "read") && tokens_.size() == 6) {
                result_.setting = Setting::repeatable_read;
            } else {
                return fail("isolation levels are: read committed, repeatable read");
            }
            return true;
        }
        if (is(1, "local") && is(2, "lock_timeout")) {
            result_.setting = Setting::lock_timeout;
        } else if (is(1, "local") && is(2, "statement_timeout")) {
            result_.setting = Setting::statement_timeout;
        } else {
            return fail("what can be set: transaction isolation level, local lock_timeout, local "
                        "statement_timeout");
        }
        const bool complete = tokens_.size() == 5 && (is(3, "=") || is(3, "to"));
        if (!complete || !read_duration(text(4))) {
            return fail("expected a time in milliseconds or with its unit: '250ms', '5s', '1min'");
        }
        return true;
    }

    /// **Source**: PostgreSQL manual 20.1.1: without a unit it is milliseconds.
    bool read_duration(std::string_view written) {
        if (written.size() > 1 && written.front() == '\'')
            written = written.substr(1, written.size() - 2);
        std::int64_t number = 0;
        const auto [end, error] =
            std::from_chars(written.data(), written.data() + written.size(), number);
        if (error != std::errc() || number < 0 || number > 1'000'000'000) return false;
        std::string_view unit = written.substr(static_cast<std::size_t>(end - written.data()));
        while (!unit.empty() && unit.front() == ' ')
            unit.remove_prefix(1);
        if (unit.empty() || unit == "ms") {
            result_.value = std::chrono::milliseconds(number);
        } else if (unit == "s") {
            result_.value = std::chrono::seconds(number);
        } else if (unit == "min") {
            result_.value = std::chrono::minutes(number);
        } else {
            return false;
        }
        return true;
    }

    /// Reads the clause that begins with the `for` at `at`, if it is one.
    void read_locking(std::size_t at) {
        LockingClause clause;
        std::size_t next = at + 2;
        if (is(at + 1, "update")) {
            clause.mode = LockMode::update;
        } else if (is(at + 1, "share")) {
            clause.mode = LockMode::share;
        } else if (are(at + 1, "no", "key", "update")) {
            clause.mode = LockMode::no_key_update;
            next = at + 4;
        } else if (are(at + 1, "key", "share")) {
            clause.mode = LockMode::key_share;
            next = at + 3;
        } else {
            return;
        }
        std::string of;
        if (is(next, "of")) {
            of = next + 1 < tokens_.size() ? tokens_[next + 1].word : std::string();
            next += 2;
        }
        if (is(next, "nowait")) {
            clause.others = LockedRow::fail;
            ++next;
        } else if (are(next, "skip", "locked")) {
            clause.others = LockedRow::skip;
            next += 2;
        }
        edits_.push_back({tokens_[at].begin, tokens_[next - 1].end, ""});
        lock_query(at, of, std::move(clause));
    }

    /// A query with a locking clause: its words lie at the depth of the clause.
    void lock_query(std::size_t clause_at, const std::string& of, LockingClause clause) {
        const int depth = tokens_[clause_at].depth;
        std::size_t select = clause_at;
        while (select > 0 && !(is(select, "select") && tokens_[select].depth == depth) &&
               tokens_[select].depth >= depth)
            --select;
        const std::size_t from = find(select, clause_at, depth, {"from"});
        if (!is(select, "select") || from == clause_at || from + 1 >= clause_at) {
            fail("a locking clause belongs to a query of a table");
            return;
        }
        static constexpr std::array<std::string_view, 5> ends{"group", "order", "limit", "offset",
                                                              "having"};
        const std::size_t end = find(from, clause_at, depth, ends);
        const std::size_t where = find(from, end, depth, {"where"});
        std::size_t table = from + 1;
        std::string alias = alias_of(table, where);
        while (!of.empty() && alias != of) {
            table = find(table, where, depth, {",", "join"}) + 1;
            if (table >= where) {
                fail("the locking clause names no table of its query: " + of);
                return;
            }
            alias = alias_of(table, where);
        }
        if (of.empty() && find(table, where, depth, {",", "join"}) != where) {
            fail("a locking clause on several tables must say which one it means: for update of "
                 "NAME");
            return;
        }
        clause.table = tokens_[table].word;
        locks_ = true;
        latest_edits_.push_back({tokens_[table].begin, tokens_[table].begin, "latest."});
        if (clause.others == LockedRow::skip) {
            const std::string filter = "unlocked(" + std::to_string(static_cast<int>(clause.mode)) +
                                       ", '" + clause.table + "', " + alias + ".rowid)";
            const std::size_t last = tokens_[end - 1].end;
            if (where == end) {
                edits_.push_back({last, last, " where " + filter});
            } else {
                edits_.push_back({tokens_[where].end, tokens_[where].end, " ("});
                edits_.push_back({last, last, ") and " + filter});
            }
        }
        if (depth != 0 || select != 0) {
            result_.inner_locking = std::move(clause);
            return;
        }
        edits_.push_back({tokens_[from].begin, tokens_[from].begin, ", " + alias + ".rowid "});
        result_.locking = std::move(clause);
    }

    /// Returns by what name the table at `at` goes.
    [[nodiscard]] std::string alias_of(std::size_t at, std::size_t end) const {
        const std::size_t next = is(at + 1, "as") ? at + 2 : at + 1;
        static constexpr std::array<std::string_view, 8> others{"join",  "inner", "left", "cross",
                                                                "where", ",",     "on",   "using"};
        const bool named =
            next < end && tokens_[next].depth == tokens_[at].depth &&
            std::find(others.begin(), others.end(), tokens_[next].word) == others.end();
        return named ? tokens_[next].word : tokens_[at].word;
    }

    [[nodiscard]] std::size_t find(std::size_t from, std::size_t to, int depth,
                                   std::span<const std::string_view> words) const {
        for (std::size_t at = from + 1; at < to; ++at) {
            if (tokens_[at].depth == depth &&
                std::find(words.begin(), words.end(), tokens_[at].word) != words.end())
                return at;
        }
        return to;
    }
    [[nodiscard]] std::size_t find(std::size_t from, std::size_t to, int depth,
                                   std::initializer_list<std::string_view> words) const {
        return find(from, to, depth,
                    std::span<const std::string_view>(words.begin(), words.size()));
    }

    /// Finds the table that is written. **Returns** whether there is one.
    bool find_target() {
        std::size_t verb = 0;
        if (is(0, "with"))
            verb = find(0, tokens_.size(), 0, {"insert", "update", "delete", "select"});
        std::size_t table = verb;
        if (is(verb, "insert")) {
            table = find(verb, tokens_.size(), 0, {"into"}) + 1;
            result_.inserts = true;
            read_conflict(table);
        } else if (is(verb, "update")) {
            table = verb + 1;
            read_targets(table);
        } else if (are(verb, "delete", "from")) {
            table = verb + 2;
        }
        if (table == verb || table >= tokens_.size()) return false;
        result_.table = tokens_[table].word;
        latest_edits_.push_back({tokens_[table].begin, tokens_[table].begin, "latest."});
        return true;
    }

    void read_conflict(std::size_t from) {
        for (std::size_t at = from; at + 1 < tokens_.size(); ++at) {
            if (tokens_[at].depth != 0 || !are(at, "on", "conflict")) continue;
            result_.on_conflict = true;
            result_.does_nothing = find(at, tokens_.size(), 0, {"nothing"}) != tokens_.size();
            for (std::size_t word = at + 3; is(at + 2, "(") && !is(word, ")"); ++word) {
                if (!is(word, ",")) result_.conflict_columns.push_back(tokens_[word].word);
            }
        }
    }

    /// `update TABLE [[as] NAME] set … [where CONDITION] [returning …]`
    void read_targets(std::size_t table) {
        const std::size_t set = find(table, tokens_.size(), 0, {"set"});
        const std::size_t end = find(set, tokens_.size(), 0, {"returning"});
        if (set == tokens_.size() || find(set, end, 0, {"from"}) != end) return;
        const std::size_t where = find(set, end, 0, {"where"});
        const std::string name = alias_of(table, set);
        result_.targets = "select " + name + ".rowid from ";
        result_.targets +=
            sql_.substr(tokens_[table].begin, tokens_[set].begin - tokens_[table].begin);
        if (where != end)
            result_.targets +=
                sql_.substr(tokens_[where].begin, tokens_[end - 1].end - tokens_[where].begin);
    }

    std::string_view sql_;
    std::vector<Token> tokens_;
    StatementText result_;
    std::vector<Edit> edits_;        // in both texts
    std::vector<Edit> latest_edits_; // in `latest` only
    bool locks_ = false;
};

} // namespace

StatementText read_statement(std::string_view sql) {
    return Reader(sql).read();
}

} // namespace crier::broker
