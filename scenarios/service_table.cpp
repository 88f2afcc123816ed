#include "messaging/ports/ensure.hpp"
#include "scenarios/service.hpp"

#include <algorithm>
#include <array>

namespace crier::scenario {

namespace {

/// Whether the value is of the kind that options of this type hold.
bool holds(const OptionValue& value, const OptionInfo& option) {
    switch (option.type) {
    case OptionType::flag: return std::holds_alternative<bool>(value);
    case OptionType::count: return std::holds_alternative<std::int64_t>(value);
    case OptionType::duration: return std::holds_alternative<Duration>(value);
    case OptionType::share: return std::holds_alternative<sim::Probability>(value);
    case OptionType::choice: {
        const std::string* const text = std::get_if<std::string>(&value);
        return text != nullptr && std::find(option.choices.begin(), option.choices.end(), *text) !=
                                      option.choices.end();
    }
    case OptionType::text: return std::holds_alternative<std::string>(value);
    case OptionType::database:
    case OptionType::channel: return false; // a name of the scenario, never of the type
    }
    return false;
}

const OptionInfo* find_option(const ServiceType& type, const std::string& name) {
    const auto option = std::find_if(type.options.begin(), type.options.end(),
                                     [&name](const OptionInfo& info) { return info.name == name; });
    return option == type.options.end() ? nullptr : &*option;
}

void check_options(const ServiceType& type) {
    constexpr std::array<std::string_view, 7> taken{"is",     "replicas", "effects", "accepts",
                                                    "outbox", "leader",   "inbox"};
    for (const OptionInfo& option : type.options) {
        ensure(find_option(type, option.name) == &option, "an option is listed once");
        ensure(std::find(taken.begin(), taken.end(), option.name) == taken.end(),
               "an option has no name that every service has");
        ensure(!option.fallback || holds(*option.fallback, option),
               "an option's fallback is of its type, and one of its choices");
    }
}

/// Names of options that a row refers to must be options of that type.
void check_reference(const ServiceType& type, const std::string& name, OptionType wanted) {
    if (name.empty()) return;
    const OptionInfo* const option = find_option(type, name);
    ensure(option != nullptr && option->type == wanted, "a row refers to options that it lists");
}

} // namespace

ServiceTable& ServiceTable::add(ServiceType type) {
    ensure(!type.is.empty(), "a service type needs a name");
    ensure(find(type.is) == nullptr, "a service type of this name is there already");
    check_options(type);
    check_reference(type, type.database_option, OptionType::database);
    check_reference(type, type.from_option, OptionType::channel);
    check_reference(type, type.to_option, OptionType::channel);
    check_reference(type, type.dead_letter_option, OptionType::channel);
    check_reference(type, type.attempts_option, OptionType::count);
    rows_.push_back(std::move(type));
    return *this;
}

const ServiceType* ServiceTable::find(std::string_view is) const {
    const auto row = std::find_if(rows_.begin(), rows_.end(),
                                  [is](const ServiceType& type) { return type.is == is; });
    return row == rows_.end() ? nullptr : &*row;
}

} // namespace crier::scenario
