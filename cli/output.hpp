#pragma once

#include <stdexcept>
#include <string>

namespace crier::cli {

/// The input or the surroundings are wrong: told to the user, exit code 2.
class BadInput : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Writes a whole file or nothing: into a neighbour first, which then takes the name. Existing
/// special files (a pipe, /dev/stdout) are written directly; `-` is standard output.
/// **Errors**: throws `BadInput`, with the file as it was.
void write_file(const std::string& path, const std::string& content);

/// Says at once what is wrong with writing there later, before long work is done: a missing folder,
/// no permission. **Errors**: throws `BadInput`.
void check_writable(const std::string& path);

/// Prints to standard output; a closed pipe is no error. **Errors**: throws `BadInput` when it
/// cannot be written (a full disk).
void print(const std::string& text);

[[nodiscard]] bool is_terminal_out();
[[nodiscard]] bool is_terminal_error();

} // namespace crier::cli
