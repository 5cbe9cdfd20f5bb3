#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "parallel/alarm.hpp"

namespace vlmark::engine {

/// A thread that ends the job when a step stands still: what waits inside a transport or a kernel
/// cannot see that by itself. Before that every rank says where it is: the first one to notice calls
/// the others.
class Watchdog {
 public:
  /// `progress`: a number that changes whenever anything moves; `where`: what this rank is doing.
  /// Both are called from the thread. `alarm` may be null: then this rank speaks alone.
  Watchdog(std::chrono::milliseconds timeout, std::unique_ptr<parallel::Alarm> alarm,
           std::function<long()> progress, std::function<std::string()> where);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// Watches from start to stop.
  void start() { watching_ = true; }
  void stop() { watching_ = false; }

 private:
  void watch();

  std::chrono::milliseconds timeout_;
  std::unique_ptr<parallel::Alarm> alarm_;
  std::function<long()> progress_;
  std::function<std::string()> where_;
  std::atomic<bool> watching_{false}, ending_{false};
  std::thread thread_;
};

}  // namespace vlmark::engine
