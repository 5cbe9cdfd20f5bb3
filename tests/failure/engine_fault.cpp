// A training step that fails in the way its first argument names. Run by expect_failure.py.

#include <chrono>
#include <string>
#include <thread>

#include "parallel/run_ranks.hpp"
#include "src/base/error.hpp"
#include "src/engine/device.hpp"
#include "tests/engine/small_model.hpp"
#include "tests/engine/training_run.hpp"

int main(int argc, char** argv) {
  using namespace vlmark;
  const std::string fault = argc > 1 ? argv[1] : "";
  return parallel::run_ranks(argc, argv, [&](parallel::Communicator& comm) {
    const engine::Device device;
    const model::Qwen2VL model(test::small_model());
    const test::Step six = test::six_micro_batches(model.config());
    const auto engine = test::make_engine(model, {.bucket_elements = 60'000}, {six}, comm,
                                          {.progress = std::chrono::seconds(2)});
    engine->step(test::input_of(six));
    engine::StepInput input = test::input_of(six);
    input.load = [&](int m) {
      if (m == 5 && fault == "hang") std::this_thread::sleep_for(std::chrono::minutes(5));
      if (m == 5 && fault == "throw")
        throw IoError("shard 7: cannot be read (planted). Restore it");
      return six[static_cast<std::size_t>(m)];
    };
    engine->step(input);
    return 0;
  });
}
