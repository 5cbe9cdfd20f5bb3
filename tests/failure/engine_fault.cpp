// A training step that fails in the way its arguments name. Run by expect_failure.py.

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>

#include "parallel/run_ranks.hpp"
#include "src/base/error.hpp"
#include "src/engine/device.hpp"
#include "tests/engine/small_model.hpp"
#include "tests/engine/training_run.hpp"

/// engine_fault FAULT [LAYOUT]: the rank that loads micro-batch 5 fails in the second step.
int main(int argc, char** argv) {
  using namespace vlmark;
  const std::string fault = argc > 1 ? argv[1] : "", layout = argc > 2 ? argv[2] : "";
  return parallel::run_ranks(argc, argv, [&](parallel::Communicator& comm) {
    const engine::Device device;
    const plan::ModelConfig config = test::small_model();
    const test::Step six = test::six_micro_batches(config);
    model::TrainingSettings settings{.bucket_elements = 60'000};
    settings.layout =
        layout.empty() ? plan::Layout{.data = comm.size()} : plan::parse_layout(layout);
    settings.broadcast_shapes = fault == "other_announced";
    const model::Qwen2VL model(config,
                               model::shard_of(config, settings, test::shapes_of({six}),
                                               plan::place_of(settings.layout, comm.rank())));
    const auto engine =
        test::make_engine(model, settings, {six}, comm, {.progress = std::chrono::seconds(2)});
    engine->step(test::input_of(six));
    engine::StepInput input = test::input_of(six);
    const bool mine = comm.rank() == comm.size() - 1;
    input.load = [&](int m, model::Contents wanted) {
      if (mine && m == 5 && fault == "hang") std::this_thread::sleep_for(std::chrono::minutes(5));
      if (mine && m == 5 && fault == "throw")
        throw IoError("shard 7: cannot be read (planted). Restore it");
      if (mine && m == 5 && fault == "kill") kill(getpid(), SIGKILL);
      if (mine && m == 5 && fault.starts_with("other")) return model::reduced(six[3], wanted);
      return model::reduced(six[static_cast<std::size_t>(m)], wanted);
    };
    if (mine && fault == "disagree") input.shapes[3].sequences[0] += 1;
    engine->step(input);
    return 0;
  });
}
