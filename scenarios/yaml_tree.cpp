#include "scenarios/yaml_tree.hpp"

#include "sim/utf8.hpp"

#include "scenarios/load_format.hpp"

#include <algorithm>
#include <sstream>
#include <utility>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

namespace crier::scenario {

namespace {

Place place_of(const YAML::Mark& mark) {
    return Place{mark.line + 1, mark.column + 1};
}

/// What ends the reading; thrown through the parser, caught in parse_yaml.
struct BadYaml {
    Place place;
    const char* message;
};

class TreeBuilder final : public YAML::EventHandler {
public:
    TreeBuilder(const std::string& file, LoadErrors& errors) : file_(file), errors_(errors) {}

    [[nodiscard]] YamlNode take() { return std::move(root_); }

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        refuse_anchor(mark, anchor);
        refuse_as_key(mark);
        YamlNode node;
        node.place = place_of(mark);
        finish(std::move(node));
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        throw BadYaml{place_of(mark), "aliases (`*name`) are not allowed: write the value"};
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        refuse_anchor(mark, anchor);
        refuse_tag(mark, tag);
        if (!open_.empty() && open_.back().wants_key()) {
            open_.back().key = YamlKey{value, place_of(mark)};
            return;
        }
        YamlNode node;
        node.kind = YamlNode::Kind::scalar;
        node.text = value;
        node.plain = tag != "!";
        node.place = place_of(mark);
        finish(std::move(node));
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(mark, tag, anchor, YamlNode::Kind::list);
    }
    void OnSequenceEnd() override { close(); }

    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(mark, tag, anchor, YamlNode::Kind::map);
    }
    void OnMapEnd() override {
        report_duplicates(open_.back().node);
        close();
    }

private:
    struct Open {
        YamlNode node;
        std::optional<YamlKey> key; ///< Of a map: read, its value is next.

        [[nodiscard]] bool wants_key() const { return node.kind == YamlNode::Kind::map && !key; }
    };

    static void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
        if (anchor != YAML::NullAnchor) {
            throw BadYaml{place_of(mark), "anchors (`&name`) are not allowed"};
        }
    }
    static void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
        if (!tag.empty() && tag != "?" && tag != "!") {
            throw BadYaml{place_of(mark), "tags (`!name`) are not allowed"};
        }
    }
    void refuse_as_key(const YAML::Mark& mark) const {
        if (!open_.empty() && open_.back().wants_key()) {
            throw BadYaml{place_of(mark), "a key must be a name"};
        }
    }

    void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
              YamlNode::Kind kind) {
        refuse_anchor(mark, anchor);
        refuse_tag(mark, tag);
        refuse_as_key(mark);
        Open opened;
        opened.node.kind = kind;
        opened.node.place = place_of(mark);
        open_.push_back(std::move(opened));
    }

    void close() {
        YamlNode node = std::move(open_.back().node);
        open_.pop_back();
        finish(std::move(node));
    }

    void finish(YamlNode node) {
        if (open_.empty()) {
            root_ = std::move(node);
            return;
        }
        Open& parent = open_.back();
        if (parent.node.kind == YamlNode::Kind::map) {
            parent.node.keys.push_back(*std::exchange(parent.key, std::nullopt));
        }
        parent.node.items.push_back(std::move(node));
    }

    void report_duplicates(const YamlNode& map) {
        std::vector<std::size_t> order(map.keys.size());
        for (std::size_t at = 0; at < order.size(); ++at)
            order[at] = at;
        const auto text = [&map](std::size_t at) { return std::string_view(map.keys[at].text); };
        std::sort(order.begin(), order.end(), [&text](std::size_t a, std::size_t b) {
            return std::pair(text(a), a) < std::pair(text(b), b);
        });
        std::size_t first = 0;
        for (std::size_t at = 1; at < order.size(); ++at) {
            if (text(order[at]) != text(order[first])) {
                first = at;
                continue;
            }
            errors_.push_back({file_, map.keys[order[at]].place,
                               "`" + map.keys[order[at]].text +
                                   "` is here a second time; first in line " +
                                   std::to_string(map.keys[order[first]].place.line)});
            if (errors_.size() >= problems_max) {
                throw BadYaml{map.keys[order[at]].place, "too many keys are here a second time"};
            }
        }
    }

    const std::string& file_;
    LoadErrors& errors_;
    std::vector<Open> open_;
    YamlNode root_;
};

/// Returns the parser's message, with what usually is behind it.
std::string helpful(const YAML::Exception& exception, std::string_view text) {
    const std::string& message = exception.msg;
    if (message == YAML::ErrorMsg::DOC_IN_SCALAR) return "a quote before this place is not closed";
    if (message == YAML::ErrorMsg::END_OF_MAP_FLOW) return "a `{` before this place is not closed";
    if (message == YAML::ErrorMsg::END_OF_SEQ_FLOW) return "a `[` before this place is not closed";
    std::string_view line = text;
    for (int before = exception.mark.line; before > 0 && !line.empty(); --before)
        line.remove_prefix(std::min(line.find('\n'), line.size() - 1) + 1);
    line = line.substr(0, line.find('\n'));
    const std::size_t first = line.find_first_not_of(" \t");
    if (first != std::string_view::npos &&
        line.substr(0, first).find('\t') != std::string_view::npos)
        return message + " (indent with spaces, not tabs)";
    if (message == YAML::ErrorMsg::MAP_VALUE) return message + " (quote a text with `: ` in it)";
    return message;
}

} // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
    for (std::size_t at = 0; at < keys.size(); ++at) {
        if (keys[at].text == key) return &items[at];
    }
    return nullptr;
}

std::optional<Place> find_bad_text(std::string_view text) {
    Place place{1, 1};
    for (std::size_t at = 0; at < text.size();) {
        const auto byte = static_cast<unsigned char>(text[at]);
        const bool control =
            (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7F;
        const std::size_t length = sim::utf8_length(text, at);
        if (control || length == 0) return place;
        if (byte == '\n') {
            ++place.line;
            place.column = 1;
        } else {
            ++place.column;
        }
        at += length;
    }
    return std::nullopt;
}

std::optional<YamlNode> parse_yaml(std::string_view text, const std::string& file,
                                   LoadErrors& errors) {
    // The end of the document is written out, since the parser would take an open quote for closed
    // at the end of the file.
    std::istringstream stream{std::string(text) + "\n...\n"};
    try {
        TreeBuilder tree(file, errors);
        YAML::Parser parser(stream);
        if (!parser.HandleNextDocument(tree)) return YamlNode{};
        YamlNode root = tree.take();
        TreeBuilder rest(file, errors);
        if (parser.HandleNextDocument(rest)) {
            errors.push_back({file, rest.take().place, "a scenario file is one YAML document"});
        }
        return root;
    } catch (const BadYaml& bad) {
        errors.push_back({file, bad.place, bad.message});
    } catch (const YAML::Exception& exception) {
        errors.push_back(
            {file, place_of(exception.mark), "not valid YAML: " + helpful(exception, text)});
    }
    return std::nullopt;
}

} // namespace crier::scenario
