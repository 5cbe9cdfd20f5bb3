#pragma once

#include <memory>
#include <vector>

#include "src/engine/executor.hpp"
#include "tests/support/delayed_queue.hpp"

namespace vlmark::test {

/// Four delayed queues, the compute lane inline and the others threads.
struct TestLanes {
  TestLanes(std::uint64_t seed, std::chrono::microseconds most) {
    const auto pauses = std::make_shared<Pauses>(seed, most);
    for (int l = 0; l < plan::kLanes; ++l) {
      queues.push_back(std::make_unique<DelayedQueue>(
          l == 0 ? engine::inline_queue()
                 : engine::thread_queue(plan::name_of(static_cast<plan::Lane>(l))),
          pauses));
      lanes[static_cast<std::size_t>(l)] = queues.back().get();
    }
  }
  std::vector<std::unique_ptr<engine::Queue>> queues;
  engine::Executor::Lanes lanes{};
};

}  // namespace vlmark::test
