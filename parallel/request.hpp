#pragma once

#include <exception>
#include <memory>

namespace vlmark::parallel {

/// One operation in flight; the MPI and NCCL back ends derive from it and own the raw handle.
class Operation {
 public:
  /// `name` is what the user called, for messages; a string literal.
  explicit Operation(const char* name) : name_(name) {}
  /// Neither complete nor unwinding: a bug, ends the job.
  virtual ~Operation();
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  /// Returns once the buffers may be used again. Throws CommError.
  virtual void wait() = 0;

 protected:
  const char* name_;
  bool complete_ = false;

 private:
  int unwinding_ = std::uncaught_exceptions();
};

/// Move-only by the rule of zero. `std::move(request).wait()` shows every synchronisation.
/// A request that is destroyed before wait() ends the job.
class [[nodiscard]] Request {
 public:
  explicit Request(std::unique_ptr<Operation> operation) : operation_(std::move(operation)) {}
  /// Throws CommError; std::logic_error when nothing is in flight (waited for or moved from).
  void wait() &&;

 private:
  std::unique_ptr<Operation> operation_;
};

/// A request that is complete from the start.
Request completed();

}  // namespace vlmark::parallel
