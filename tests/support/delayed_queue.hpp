#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "src/base/philox.hpp"
#include "src/engine/queue.hpp"

namespace vlmark::test {

/// Random pauses of up to `most`; thread-safe.
class Pauses {
 public:
  Pauses(std::uint64_t seed, std::chrono::microseconds most)
      : random_(seed, "pauses"), most_(static_cast<std::uint64_t>(most.count())) {}
  void operator()() {
    std::uint64_t microseconds;
    {
      const std::lock_guard lock(mutex_);
      microseconds = random_.below(draws_++, most_ + 1);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
  }

 private:
  Philox random_;
  std::uint64_t most_, draws_ = 0;
  std::mutex mutex_;
};

/// A queue whose work starts late, at random; otherwise as the one inside.
class DelayedQueue final : public engine::Queue {
 public:
  DelayedQueue(std::unique_ptr<engine::Queue> inner, std::shared_ptr<Pauses> pauses)
      : inner_(std::move(inner)), pauses_(std::move(pauses)) {}
  void submit(std::function<void()> work) override {
    inner_->submit([pauses = pauses_, work = std::move(work)] {
      (*pauses)();
      work();
    });
  }
  engine::EventPtr record() override { return inner_->record(); }
  void wait(engine::EventPtr event) override { inner_->wait(std::move(event)); }
  bool blocks_on(const engine::Event& event) const override { return inner_->blocks_on(event); }

 private:
  std::unique_ptr<engine::Queue> inner_;
  std::shared_ptr<Pauses> pauses_;
};

}  // namespace vlmark::test
