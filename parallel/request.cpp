#include "parallel/request.hpp"

#include <stdexcept>
#include <string>

namespace vlmark::parallel {
namespace {

class Completed : public Operation {
 public:
  Completed() : Operation("completed") { complete_ = true; }
  void wait() override {}
};

// Thrown out of a destructor on purpose: the terminate handler then has the text to print. A
// function of its own, because the compiler warns of a throw it can see in a destructor.
[[noreturn]] void end_job_for_dropped(const char* name) {
  throw std::logic_error(std::string(name) +
                         ": the request was destroyed before wait() (its buffers may still be "
                         "read or written). Call std::move(request).wait()");
}

}  // namespace

Operation::~Operation() {
  if (!complete_ && std::uncaught_exceptions() <= unwinding_) end_job_for_dropped(name_);
}

void Request::wait() && {
  if (!operation_)
    throw std::logic_error(
        "Request: wait() with nothing in flight (already waited for, or moved from)."
        " Wait once for every request");
  const std::unique_ptr<Operation> operation = std::move(operation_);
  operation->wait();
}

Request completed() { return Request(std::make_unique<Completed>()); }

}  // namespace vlmark::parallel
