#include "src/engine/queue.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

namespace vlmark::engine {
namespace {

class HostEvent final : public Event {
 public:
  void complete() {
    const std::lock_guard lock(mutex_);
    complete_ = true;
    changed_.notify_all();
  }
  void wait() const override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return complete_; });
  }
  bool wait_for(std::chrono::milliseconds time) const override {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, time, [this] { return complete_; });
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool complete_ = false;
};

class InlineQueue final : public Queue {
 public:
  explicit InlineQueue(std::function<void()> fence) : fence_(std::move(fence)) {}

  void submit(std::function<void()> work) override { work(); }
  EventPtr record() override {
    if (fence_) fence_();
    auto event = std::make_shared<HostEvent>();
    event->complete();
    return event;
  }
  void wait(EventPtr event) override { event->wait(); }
  bool blocks_on(const Event&) const override { return true; }

 private:
  std::function<void()> fence_;
};

// Thrown out of a destructor on purpose: the terminate handler then has the text to print. A
// function of its own, because the compiler warns of a throw it can see in a destructor.
[[noreturn]] void end_job_for_stuck(const std::string& name) {
  throw std::logic_error("queue " + name +
                         ": destroyed while its work does not end (memory it uses would be freed "
                         "under it). End the transport's calls first");
}

class ThreadQueue final : public Queue {
 public:
  ThreadQueue(std::string name, std::chrono::milliseconds patience)
      : name_(std::move(name)), patience_(patience), thread_([this] { run(); }) {}
  ~ThreadQueue() override {
    if (!record()->wait_for(patience_)) end_job_for_stuck(name_);
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }
  ThreadQueue(const ThreadQueue&) = delete;
  ThreadQueue& operator=(const ThreadQueue&) = delete;

  void submit(std::function<void()> work) override {
    {
      const std::lock_guard lock(mutex_);
      work_.push_back(std::move(work));
    }
    changed_.notify_one();
  }
  EventPtr record() override {
    auto event = std::make_shared<HostEvent>();
    submit([event] { event->complete(); });
    return event;
  }
  void wait(EventPtr event) override {
    submit([event = std::move(event)] { event->wait(); });
  }
  bool blocks_on(const Event&) const override { return false; }

 private:
  void run() {
    while (true) {
      std::function<void()> work;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stop_ || !work_.empty(); });
        if (work_.empty()) return;
        work = std::move(work_.front());
        work_.pop_front();
      }
      work();
    }
  }

  std::string name_;
  std::chrono::milliseconds patience_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> work_;
  bool stop_ = false;
  std::thread thread_;  // last: starts when the rest is there
};

}  // namespace

std::unique_ptr<Queue> inline_queue(std::function<void()> fence) {
  return std::make_unique<InlineQueue>(std::move(fence));
}

std::unique_ptr<Queue> thread_queue(std::string name, std::chrono::milliseconds patience) {
  return std::make_unique<ThreadQueue>(std::move(name), patience);
}

}  // namespace vlmark::engine
