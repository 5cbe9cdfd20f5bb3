#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace vlmark {

/// Exit codes of every command (docs/architecture.md, "Errors").
enum class ExitCode : int {
  ok = 0,
  internal = 1,
  usage = 2,          ///< command line, configuration, shape or value
  io = 3,             ///< a file or folder
  communication = 4,  ///< MPI, or ended because another rank failed
  invalid = 5,        ///< the run finished and its result is INVALID
  // Of `vlmark compare` (rule R16); equivalent is 0.
  faster = 10,
  slower = 11,
  inconclusive = 12,
  not_comparable = 20,
  invalid_input = 21,  ///< a run that may not be compared at all
};

/// Base of all errors the project throws. The text follows one grammar:
/// `<where>: <problem> (<why it matters>). <what to do>`, with both values.
class Error : public std::runtime_error {
 public:
  Error(const std::string& text, ExitCode code) : std::runtime_error(text), code_(code) {}
  ExitCode exit_code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

/// A tensor or argument has the wrong extents.
struct ShapeError : Error {
  explicit ShapeError(const std::string& text) : Error(text, ExitCode::usage) {}
};
/// A value lies outside what the operation is defined for (NaN included).
struct ValueError : Error {
  explicit ValueError(const std::string& text) : Error(text, ExitCode::usage) {}
};
/// The run description or a model description is not valid.
struct ConfigError : Error {
  explicit ConfigError(const std::string& text) : Error(text, ExitCode::usage) {}
};
/// A file or folder cannot be read, written or understood.
struct IoError : Error {
  explicit IoError(const std::string& text) : Error(text, ExitCode::io) {}
};
/// Two results differ in what a comparison must hold equal.
struct NotComparableError : Error {
  explicit NotComparableError(const std::string& text) : Error(text, ExitCode::not_comparable) {}
};
/// A result or series that may not be compared: INVALID, incomplete, not measured.
struct InvalidInputError : Error {
  explicit InvalidInputError(const std::string& text) : Error(text, ExitCode::invalid_input) {}
};
/// A message between ranks failed.
struct CommError : Error {
  explicit CommError(const std::string& text) : Error(text, ExitCode::communication) {}
};
/// A device or a vendor library refused.
struct DeviceError : Error {
  explicit DeviceError(const std::string& text) : Error(text, ExitCode::internal) {}
};
/// Thrown by every rank together (see parallel/agree.hpp); printed once, by rank 0.
struct AgreedError : Error {
  using Error::Error;
};

/// Throws ShapeError unless `actual` equals `expected`:
/// `<where>: argument '<name>' has shape [2, 7] (expected [2, 8])`.
void require_extents(std::string_view where, std::string_view name,
                     std::initializer_list<long> actual, std::initializer_list<long> expected);

}  // namespace vlmark
