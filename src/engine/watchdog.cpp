#include "src/engine/watchdog.hpp"

#include <sstream>

#include "parallel/run_ranks.hpp"
#include "src/base/error.hpp"

namespace vlmark::engine {

using namespace std::chrono_literals;

Watchdog::Watchdog(std::chrono::milliseconds timeout, std::unique_ptr<parallel::Alarm> alarm,
                   std::function<long()> progress, std::function<std::string()> where)
    : timeout_(timeout),
      alarm_(std::move(alarm)),
      progress_(std::move(progress)),
      where_(std::move(where)),
      thread_([this] { watch(); }) {}

Watchdog::~Watchdog() {
  ending_ = true;
  thread_.join();
}

void Watchdog::watch() {
  using Clock = std::chrono::steady_clock;
  const auto interval = std::min<std::chrono::milliseconds>(timeout_ / 4, 100ms);
  bool said = false;
  long seen = -1;
  auto since = Clock::now();
  while (!ending_) {
    std::this_thread::sleep_for(interval);
    if (!said && alarm_ && alarm_->rung()) {
      parallel::print_of_rank(where_());
      said = true;  // who called ends the job
    }
    const long now = progress_();
    if (!watching_ || now != seen) {
      seen = now;
      since = Clock::now();
      continue;
    }
    if (Clock::now() - since < timeout_) continue;
    if (!said) {
      parallel::print_of_rank(where_());
      if (alarm_) alarm_->ring();
    }
    std::this_thread::sleep_for(2s);  // the others speak
    std::ostringstream text;
    text << "step: no progress for " << std::chrono::duration<double>(timeout_).count()
         << " s (a rank is lost or hangs, ranks disagree about the step, or the network is down). "
            "See "
            "above where each rank was; parallel.timeout is the limit";
    parallel::abort_job(text.str(), static_cast<int>(ExitCode::communication));
  }
}

}  // namespace vlmark::engine
