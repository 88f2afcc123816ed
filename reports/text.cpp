#include "reports/text.hpp"

#include "properties/describe.hpp"
#include "reports/result_names.hpp"
#include "reports/story.hpp"
#include "reports/table.hpp"
#include "scenarios/events.hpp"

#include <algorithm>
#include <cctype>

namespace crier::report {

namespace {

using properties::Verdict;
using properties::VerdictKind;
using scenario::Campaign;
using scenario::FaultOutcome;
using scenario::RunResult;

std::string paint(VerdictKind kind, bool color) {
    const std::string name(properties::name_of(kind));
    if (!color) return name;
    const char* const code = kind == VerdictKind::holds      ? "\033[32m"
                             : kind == VerdictKind::violated ? "\033[1;31m"
                                                             : "\033[33m";
    return code + name + "\033[0m";
}

std::string number(std::uint64_t value) {
    std::string digits = std::to_string(value);
    for (std::size_t at = digits.size(); at > 3; at -= 3)
        digits.insert(at - 3, ",");
    return digits;
}

// Returns where the word that begins at `begin` ends; a number's unit belongs to it: `4.351 s`.
std::size_t word_end(const std::string& text, std::size_t begin) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    if (text.compare(end, 2, " s") != 0) return end;
    const std::size_t next = std::min(text.find(' ', end + 1), text.size());
    const bool is_unit = next - end == 2 || (next - end == 3 && std::ispunct(text[next - 1]) != 0);
    return is_unit ? next : end;
}

// Breaks text between words, so that a witness reads on a terminal of a hundred columns.
std::string wrap(const std::string& text, std::size_t indent) {
    constexpr std::size_t width = 100;
    std::string wrapped;
    std::size_t column = width;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = word_end(text, begin);
        const std::size_t length = end - begin;
        if (column + 1 + length > width) {
            if (!wrapped.empty()) wrapped += "\n";
            wrapped += std::string(indent, ' ');
            column = indent;
        } else {
            wrapped += " ";
            ++column;
        }
        wrapped += text.substr(begin, length);
        column += length;
        begin = end + 1;
    }
    return wrapped + "\n";
}

std::string verdict_lines(const std::vector<Verdict>& verdicts, bool color) {
    Table table;
    for (const Verdict& verdict : verdicts) {
        std::string judged = number(verdict.observations) + " judged";
        if (verdict.violations > 0) judged += ", " + number(verdict.violations) + " violated";
        table.row({"  " + paint(verdict.kind, color), verdict.property, std::move(judged)});
    }
    return table.text();
}

std::vector<std::string> ledger_row(std::string name, const properties::LedgerCounts& counts) {
    return {"  " + std::move(name),    number(counts.accepted),  number(counts.effective),
            number(counts.parked),     number(counts.discarded), number(counts.expired),
            number(counts.unaccounted)};
}

std::string ledger_lines(const properties::LedgerCounts& all,
                         const std::vector<properties::ServiceLedger>& services) {
    Table table;
    table.numbers_from(1);
    table.row(
        {"  service", "accepted", "effective", "parked", "discarded", "expired", "unaccounted"});
    for (const properties::ServiceLedger& service : services) {
        table.row(ledger_row(service.service, service.counts));
    }
    if (services.size() != 1) table.row(ledger_row("all", all));
    return "\nledger (accepted events x subscribing services):\n" + table.text();
}

std::string fault_lines(const std::vector<FaultOutcome>& faults) {
    scenario::FaultTallies tallies;
    scenario::add(tallies, faults);
    if (tallies.empty()) return "  none\n";
    Table table;
    table.numbers_from(2);
    table.row({"  fault", "on", "planned", "hit"});
    for (const auto& [key, tally] : tallies) {
        table.row({"  " + key.first, key.second, number(tally.planned), number(tally.hit)});
    }
    return table.text();
}

std::string fault_lines(const scenario::FaultTallies& tallies) {
    if (tallies.empty()) return "  none\n";
    Table table;
    table.numbers_from(1);
    table.row({"  fault", "planned", "hit"});
    for (const auto& [kind, tally] : scenario::by_kind(tallies))
        table.row({"  " + kind, number(tally.planned), number(tally.hit)});
    return table.text();
}

std::string padded(std::string text, std::size_t width) {
    text.insert(0, text.size() < width ? width - text.size() : 0, ' ');
    return text;
}

// What people were paged for comes first: an event lost or doubled; then what was certain first.
int weight(const Verdict& verdict) {
    if (verdict.property == "ledger") return 0;
    return verdict.property.starts_with("effect-") ? 1 : 2;
}

// The violation whose story is told.
const Verdict* told_violation(const RunResult& run) {
    const Verdict* told = nullptr;
    for (const Verdict& verdict : run.properties) {
        if (verdict.kind != VerdictKind::violated) continue;
        const bool is_heavier =
            told == nullptr || weight(verdict) < weight(*told) ||
            (weight(verdict) == weight(*told) && verdict.violated_at < told->violated_at);
        if (is_heavier) told = &verdict;
    }
    return told;
}

std::string violation_lines(const RunResult& run, bool color) {
    std::string text;
    for (const Verdict& verdict : run.properties) {
        const bool says_why =
            verdict.kind == VerdictKind::violated || verdict.kind == VerdictKind::inconclusive;
        if (!says_why || verdict.witness.empty()) continue;
        text += "\n" + paint(verdict.kind, color) + " " + verdict.property + "\n" +
                wrap(verdict.witness, 2);
    }
    const Verdict* const told = told_violation(run);
    const properties::Story story = told ? story_of(run, *told) : properties::Story{};
    if (story.lines.empty()) return text;
    text += "\nthe story of " + told->property + ":\n" + properties::render(story);
    if (!story.cause.empty()) text += "\ncause:\n" + wrap(story.cause, 2);
    return text;
}

std::string remark_lines(const std::vector<scenario::Remark>& remarks) {
    constexpr std::size_t shown_max = 6;
    if (remarks.empty()) return "";
    std::string text = "\nremarks:\n";
    for (std::size_t at = 0; at < std::min(shown_max, remarks.size()); ++at)
        text += "  " + remarks[at] + "\n";
    if (remarks.size() > shown_max) {
        text += "  and " + number(remarks.size() - shown_max) + " more (--json has them all)\n";
    }
    return text;
}

std::string headline(const RunResult& run, bool color) {
    std::string text = run.scenario + ", seed " + std::to_string(run.seed) + ": " +
                       paint(run.verdict, color) + "\n";
    if (run.interrupted) {
        text += "stopped at " + properties::format_time(run.virtual_time.count()) +
                " of virtual time: what is open might still have come\n";
    }
    return text;
}

std::string body(const RunResult& run, const TextOptions& options) {
    std::string text = "\n" + verdict_lines(run.properties, options.color);
    text += ledger_lines(run.ledger, run.services);
    text += "\nfaults:\n" + fault_lines(run.faults);
    if (!run.quiet && !run.interrupted) {
        text += "\nThe run did not come to rest within its drain time.\n";
    }
    text += remark_lines(run.remarks);
    text += violation_lines(run, options.color);
    text += "\n" + number(run.events) + " events in " +
            properties::format_time(run.virtual_time.count()) + " of virtual time, digest " +
            digest_text(run.digest) + "\n";
    if (run.verdict == VerdictKind::violated) {
        text += "replay: " + replay_command(options.from, run.seed) + "\n";
    }
    return text;
}

} // namespace

std::string text_of(const RunResult& run, const TextOptions& options) {
    if (!run.broken.empty()) {
        return run.scenario + ", seed " + std::to_string(run.seed) +
               ": the harness itself failed\n" + wrap(run.broken, 2) +
               "replay: " + replay_command(options.from, run.seed) + "\n";
    }
    return headline(run, options.color) + body(run, options);
}

namespace {

/// Lists the first of many.
std::string few_lines(const std::vector<std::string>& lines) {
    constexpr std::size_t shown_max = 10;
    std::string text;
    for (std::size_t at = 0; at < std::min(shown_max, lines.size()); ++at)
        text += "  " + lines[at] + "\n";
    if (lines.size() > shown_max)
        text += "  and " + number(lines.size() - shown_max) + " more (--json has them all)\n";
    return text;
}

std::string broken_lines(const Campaign& campaign, const TextOptions& options) {
    if (campaign.broken.empty()) return "";
    return "the harness itself failed on seed " + std::to_string(campaign.broken_seed) + ":\n" +
           wrap(campaign.broken, 2) +
           "replay: " + replay_command(options.from, campaign.broken_seed) + "\n";
}

} // namespace

std::string text_of(const Campaign& campaign, const TextOptions& options) {
    std::string text = campaign.scenario + ", " + number(campaign.runs) +
                       (campaign.runs == 1 ? " seed: " : " seeds: ") +
                       paint(campaign.verdict, options.color);
    if (campaign.interrupted) text += " (interrupted)";
    text += "\n";
    text += broken_lines(campaign, options);
    if (campaign.runs == 1 && campaign.first) return text_of(*campaign.first, options);
    text += "\n" + verdict_lines(campaign.properties, options.color);
    text += ledger_lines(campaign.ledger, campaign.services);
    text += "\nfaults:\n" + fault_lines(campaign.faults);
    text += remark_lines(campaign.remarks);
    if (campaign.violations.size() > 1) {
        std::vector<std::string> seeds;
        for (const scenario::Violation& violation : campaign.violations)
            seeds.push_back(std::to_string(violation.seed) + "  " + violation.property);
        text += "\nviolating seeds:\n" + few_lines(seeds);
    }
    if (campaign.first) text += "\n" + text_of(*campaign.first, options);
    return text;
}

std::string text_of(const scenario::Sweep& sweep, const TextOptions& options) {
    const Campaign& runs = sweep.runs;
    std::string text = runs.scenario + ", seed " + std::to_string(sweep.seed) + ", " +
                       number(runs.runs) + (runs.runs == 1 ? " point: " : " points: ") +
                       paint(runs.verdict, options.color);
    if (runs.interrupted) text += " (interrupted: there are more points)";
    text += "\n" + broken_lines(runs, options) + "\nstruck, each in a run of its own:\n";
    Table table;
    table.numbers_from(4);
    for (const scenario::SweptPoint& point : sweep.points) {
        const scenario::SweptFault& fault = point.fault;
        table.row({"  " + fault.kind + " for " + fault.length, fault.node, "at", fault.point,
                   number(point.count)});
    }
    text += table.text() + "\n" + verdict_lines(runs.properties, options.color);
    text += ledger_lines(runs.ledger, runs.services);
    text += remark_lines(runs.remarks);
    if (sweep.violated_at.size() > 1) text += "\nviolated with:\n" + few_lines(sweep.violated_at);
    if (!runs.first) return text;
    TextOptions first = options;
    first.from.faults.push_back(sweep.violated_at.front());
    return text + "\n" + text_of(*runs.first, first);
}

std::string trace_of(const RunResult& run) {
    const properties::Describer describer(*run.texts, run.node_names, scenario::events::all);
    std::string text;
    for (const sim::Event& event : run.history) {
        const std::string time = padded(properties::format_time(event.time), 10);
        std::string node = describer.node(event);
        node.resize(std::max<std::size_t>(node.size(), 18), ' ');
        text += padded(std::to_string(event.sequence), 6) + "  " + time + "  " + node + "  " +
                describer.predicate(event) + "\n";
    }
    return text;
}

} // namespace crier::report
