#include "reports/text.hpp"

#include "properties/describe.hpp"
#include "properties/story.hpp"
#include "reports/result_names.hpp"
#include "reports/table.hpp"
#include "scenarios/events.hpp"

#include <algorithm>
#include <map>

namespace crier::report {

namespace {

using properties::Verdict;
using properties::VerdictKind;
using scenario::ExploreResult;
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

// Breaks text between words, so that a witness reads on a terminal of a hundred columns.
std::string wrap(const std::string& text, std::size_t indent) {
    constexpr std::size_t width = 100;
    std::string wrapped;
    std::size_t column = width;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find(' ', begin), text.size());
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

std::string ledger_lines(const RunResult& run) {
    Table table;
    table.numbers_from(1);
    table.row(
        {"  service", "accepted", "effective", "parked", "discarded", "expired", "unaccounted"});
    for (const properties::ServiceLedger& service : run.services) {
        table.row(ledger_row(service.service, service.counts));
    }
    if (run.services.size() != 1) table.row(ledger_row("all", run.ledger));
    return table.text();
}

struct FaultCounts {
    std::uint64_t planned = 0;
    std::uint64_t hit = 0;
};

std::string fault_lines(const std::vector<FaultOutcome>& faults) {
    std::map<std::pair<std::string, std::string>, FaultCounts> counts;
    for (const FaultOutcome& fault : faults) {
        FaultCounts& count = counts[{fault.kind, fault.target}];
        ++count.planned;
        count.hit += fault.hits > 0 ? 1 : 0;
    }
    if (counts.empty()) return "  none\n";
    Table table;
    table.numbers_from(2);
    table.row({"  fault", "on", "planned", "hit"});
    for (const auto& [key, count] : counts) {
        table.row({"  " + key.first, key.second, number(count.planned), number(count.hit)});
    }
    return table.text();
}

const Verdict* first_violated(const RunResult& run) {
    const Verdict* first = nullptr;
    for (const Verdict& verdict : run.properties) {
        if (verdict.kind != VerdictKind::violated) continue;
        if (first == nullptr || verdict.violated_at < first->violated_at) first = &verdict;
    }
    return first;
}

std::string violation_lines(const RunResult& run, bool color) {
    std::string text;
    for (const Verdict& verdict : run.properties) {
        if (verdict.kind != VerdictKind::violated) continue;
        text += "\n" + paint(verdict.kind, color) + " " + verdict.property + "\n" +
                wrap(verdict.witness, 2);
    }
    const Verdict* const told = first_violated(run);
    if (told == nullptr || run.history.empty()) return text;
    const properties::Story story =
        properties::tell(*told, run.history, *run.texts, run.node_names, scenario::events::all);
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
    return run.scenario + ", seed " + std::to_string(run.seed) + ": " + paint(run.verdict, color) +
           "\n";
}

std::string body(const RunResult& run, const TextOptions& options) {
    std::string text = "\n" + verdict_lines(run.properties, options.color);
    text += "\nledger (accepted events x subscribing services):\n" + ledger_lines(run);
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
        text += "replay: " + replay_command(options.file, run.seed) + "\n";
    }
    return text;
}

} // namespace

std::string text_of(const RunResult& run, const TextOptions& options) {
    if (!run.broken.empty()) {
        return run.scenario + ", seed " + std::to_string(run.seed) +
               ": the harness itself failed\n" + wrap(run.broken, 2) +
               "replay: " + replay_command(options.file, run.seed) + "\n";
    }
    return headline(run, options.color) + body(run, options);
}

std::string text_of(const ExploreResult& result, const TextOptions& options) {
    std::string text =
        paint(result.verdict, options.color) + " over " + number(result.runs) + " runs";
    if (result.interrupted) text += " (interrupted)";
    text += "\n";
    if (!result.broken.empty()) {
        text += "the harness itself failed on seed " + std::to_string(result.broken_seed) + ":\n" +
                wrap(result.broken, 2) +
                "replay: " + replay_command(options.file, result.broken_seed) + "\n";
    }
    Table observed;
    for (const auto& [property, count] : result.observations) {
        observed.row({"  " + property, number(count) + " judged"});
    }
    text += "\n" + observed.text();
    text += "\nledger: " + number(result.ledger.accepted) +
            " accepted = " + number(result.ledger.effective) + " effective + " +
            number(result.ledger.parked) + " parked + " + number(result.ledger.discarded) +
            " discarded + " + number(result.ledger.expired) + " expired, " +
            number(result.ledger.unaccounted) + " unaccounted\n";
    Table faults;
    faults.numbers_from(1);
    faults.row({"  fault", "planned", "hit"});
    for (const auto& [kind, planned] : result.fault_planned) {
        const auto hit = result.fault_hits.find(kind);
        faults.row({"  " + kind, number(planned),
                    number(hit == result.fault_hits.end() ? 0 : hit->second)});
    }
    if (!result.fault_planned.empty()) text += "\n" + faults.text();
    text += remark_lines(result.remarks);
    if (result.violations.size() > 1) {
        constexpr std::size_t shown_max = 10;
        text += "\nviolating seeds:\n";
        for (std::size_t at = 0; at < std::min(shown_max, result.violations.size()); ++at) {
            const scenario::Violation& violation = result.violations[at];
            text += "  " + std::to_string(violation.seed) + "  " + violation.property + "\n";
        }
        if (result.violations.size() > shown_max) {
            text += "  and " + number(result.violations.size() - shown_max) + " more\n";
        }
    }
    if (result.first) text += "\n" + text_of(*result.first, options);
    return text;
}

std::string trace_of(const RunResult& run) {
    const properties::Describer describer(*run.texts, run.node_names, scenario::events::all);
    std::string text;
    for (const sim::Event& event : run.history) {
        std::string time = properties::format_time(event.time);
        time.insert(0, time.size() < 10 ? 10 - time.size() : 0, ' ');
        std::string node = describer.node(event);
        node.resize(std::max<std::size_t>(node.size(), 18), ' ');
        text += std::to_string(event.sequence) + "  " + time + "  " + node + "  " +
                describer.predicate(event) + "\n";
    }
    return text;
}

} // namespace crier::report
