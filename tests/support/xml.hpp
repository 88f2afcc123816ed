#pragma once

#include <string>
#include <string_view>
#include <vector>

// A judge of whether XML is well-formed, as far as reports use it: elements, attributes in double
// quotes, the five named entities and numbers, UTF-8. No comments, no document types.

namespace crier::test {

class XmlJudge {
public:
    explicit XmlJudge(std::string_view text) : text_(text) {}

    /// Returns what is wrong; empty when nothing is.
    [[nodiscard]] std::string complaint() {
        if (take("<?xml")) skip_past("?>");
        while (complaint_.empty() && at_ < text_.size()) {
            if (text_[at_] == '<') {
                tag();
            } else {
                character(open_.empty());
            }
        }
        if (complaint_.empty() && !open_.empty()) fail("not closed: " + open_.back());
        if (complaint_.empty() && roots_ != 1) fail("not one root");
        return complaint_;
    }

private:
    void fail(const std::string& what) {
        if (complaint_.empty()) complaint_ = what + " at byte " + std::to_string(at_);
    }

    bool take(std::string_view word) {
        if (text_.substr(at_, word.size()) != word) return false;
        at_ += word.size();
        return true;
    }

    void skip_past(std::string_view word) {
        const std::size_t found = text_.find(word, at_);
        if (found == std::string_view::npos) return fail("no " + std::string(word));
        at_ = found + word.size();
    }

    std::string name() {
        const std::size_t begin = at_;
        constexpr std::string_view letters =
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_:.";
        while (at_ < text_.size() && letters.find(text_[at_]) != std::string_view::npos)
            ++at_;
        if (at_ == begin) fail("no name");
        return std::string(text_.substr(begin, at_ - begin));
    }

    void tag() {
        if (take("</")) {
            const std::string closed = name();
            if (open_.empty() || open_.back() != closed) return fail("closes " + closed);
            open_.pop_back();
            if (!take(">")) fail("no >");
            return;
        }
        take("<");
        open_.push_back(name());
        if (open_.size() == 1) ++roots_;
        while (complaint_.empty() && take(" "))
            attribute();
        if (take("/>")) {
            open_.pop_back();
        } else if (!take(">")) {
            fail("no >");
        }
    }

    void attribute() {
        static_cast<void>(name());
        if (!take("=\"")) return fail("no =\"");
        while (complaint_.empty() && at_ < text_.size() && text_[at_] != '"') {
            if (text_[at_] == '<') return fail("< in an attribute");
            character(false);
        }
        if (!take("\"")) fail("no closing quote");
    }

    void character(bool outside) {
        const auto byte = static_cast<unsigned char>(text_[at_]);
        if (outside && byte != '\n' && byte != ' ') return fail("text outside of elements");
        if (byte == '&') return entity();
        if (byte < 0x20 && byte != '\n' && byte != '\t' && byte != '\r') return fail("control");
        if (byte == '>') return fail("a bare >"); // legal, but we promise to escape it
        std::size_t more = 0;
        if (byte >= 0x80) more = byte >= 0xF0 ? 3 : byte >= 0xE0 ? 2 : 1;
        if ((byte >= 0x80 && byte < 0xC2) || byte > 0xF4) return fail("no UTF-8");
        ++at_;
        for (; more > 0; --more, ++at_) {
            if (at_ >= text_.size() || (static_cast<unsigned char>(text_[at_]) & 0xC0) != 0x80)
                return fail("no UTF-8");
        }
    }

    void entity() {
        for (const std::string_view known : {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"}) {
            if (take(known)) return;
        }
        if (!take("&#")) return fail("a bare &");
        const std::size_t begin = at_;
        while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9')
            ++at_;
        if (at_ == begin || !take(";")) fail("a broken entity");
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::vector<std::string> open_;
    int roots_ = 0;
    std::string complaint_;
};

/// Returns what is wrong with a document; empty when it is well-formed.
[[nodiscard]] inline std::string xml_complaint(std::string_view text) {
    return XmlJudge(text).complaint();
}

} // namespace crier::test
