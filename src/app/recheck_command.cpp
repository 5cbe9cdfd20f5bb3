#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "parallel/agree.hpp"
#include "parallel/gather.hpp"
#include "parallel/run_ranks.hpp"
#include "parallel/scalars.hpp"
#include "src/app/commands.hpp"
#include "src/base/build.hpp"
#include "src/base/clock.hpp"
#include "src/base/error.hpp"
#include "src/base/isa.hpp"
#include "src/base/philox.hpp"
#include "src/engine/device.hpp"
#include "src/engine/kernel_choice.hpp"
#include "src/io/record.hpp"
#include "src/plan/layout.hpp"
#include "src/train/trainer.hpp"

namespace vlmark::app {
namespace {

using parallel::Communicator;

/// What of the record the comparison needs.
struct Recorded {
  config::RunConfig config;
  std::vector<io::StepScalars> steps;
  std::string manifest, layout, instruction_set, cpu, compute_library, state_hash;
};

Recorded read_recorded(const RecheckOptions& options) {
  const io::Record record = io::read_record(options.folder);
  const auto text = [&](const char* place) { return record.texts.at(place); };
  Recorded recorded{
      config::parse(text("config"), options.folder + ": /config"),
      record.steps,
      text("plan/manifest"),
      text("plan/layout"),
      text("provenance/instruction_set"),
      record.texts.contains("provenance/cpu") ? text("provenance/cpu") : "unknown CPU",
      text("provenance/compute_library"),
      text("plan/state_hash")};
  const std::string& answered = recorded.config.model.challenge;
  if (!options.challenge.empty() && answered != options.challenge)
    throw ConfigError(options.folder + ": answers " +
                      (answered.empty() ? "no challenge" : "the challenge '" + answered + "'") +
                      ", asked was '" + options.challenge +
                      "' (what it computed could be prepared). Ask for a run with that nonce");
  recorded.config.parallel.layout = options.layout;
  recorded.config.verify.replayed_steps = 0;
  if (!options.data.empty()) recorded.config.data.folder = options.data;
  if (!options.tokenizer.empty()) recorded.config.data.tokenizer = options.tokenizer;
  return recorded;
}

std::vector<int> chosen(int steps, int count, std::uint64_t seed) {
  std::vector<int> all(static_cast<std::size_t>(steps));
  std::iota(all.begin(), all.end(), 0);
  const Philox random(seed, "rechecked steps");
  for (std::size_t i = all.size(); i-- > 1;) std::swap(all[i], all[random.below(i, i + 1)]);
  all.resize(std::min(all.size(), static_cast<std::size_t>(count)));
  std::sort(all.begin(), all.end());
  return all;
}

/// Bits are the same in any layout of one tp in fixed order, where the same library multiplies on the
/// same model of CPU. Else the limits of rule V5: at the first step, and four times that from the
/// twentieth on.
double limit_of(bool exact, DType precision, int step) {
  if (exact) return 0;
  return (precision == DType::f32 ? 1e-5 : 5e-3) * (1 + 3 * std::min(step, 20) / 20.0);
}

double relative(double here, double there) {
  return std::abs(here - there) / std::max(std::abs(there), 1e-300);
}

struct Compared {
  int step;
  double recorded_loss, loss, recorded_norm, norm, limit;

  double difference() const {
    return std::max(relative(loss, recorded_loss), relative(norm, recorded_norm));
  }
  bool agrees() const { return difference() <= limit; }
};

void print(const std::vector<Compared>& rows, const Recorded& recorded, bool exact) {
  fmt::print("record: {} on {}, {}; here: {}, {}{}\n", recorded.layout, recorded.instruction_set,
             recorded.cpu, instruction_set(), cpu_model(), exact ? "; bits must be equal" : "");
  fmt::print("{:>6} {:>22} {:>22} {:>14} {:>10} {:>9}\n", "step", "loss of the record", "here",
             "difference", "limit", "");
  for (const Compared& row : rows)
    fmt::print("{:>6} {:>22.17g} {:>22.17g} {:>14.3g} {:>10.3g} {:>9}\n", row.step,
               row.recorded_loss, row.loss, row.difference(), row.limit,
               row.agrees() ? "agrees" : "DIFFERS");
}

int recheck(Communicator& comm, const RecheckOptions& options) {
  const Recorded recorded = parallel::agree(comm, "record", [&] { return read_recorded(options); });
  const int all = static_cast<int>(recorded.steps.size()),
            among = options.within > 0 ? std::min(options.within, all) : all;
  const auto seed = static_cast<std::uint64_t>(parallel::broadcast_value(
      comm, static_cast<std::int64_t>(
                options.seed.value_or(static_cast<std::uint64_t>(monotonic_ns())))));
  const std::vector<int> steps = chosen(among, options.steps, seed);
  engine::adopt_kernel_choice(comm);
  train::Trainer trainer(recorded.config, comm);
  parallel::agree(comm, "compare the manifests", [&] {
    if (to_json(trainer.manifest()) == recorded.manifest) return;
    throw ConfigError(options.folder +
                      ": its manifest is not that of the data and model here (other work would be "
                      "compared). Give --data and --tokenizer with the run's files");
  });
  const bool exact = recorded.config.train.deterministic &&
                     recorded.instruction_set == instruction_set() && recorded.cpu == cpu_model() &&
                     recorded.compute_library == compute_library() &&
                     plan::parse_layout(recorded.layout).tensor == trainer.layout().tensor;
  std::vector<Compared> rows;
  for (int i = 0; i <= steps.back(); ++i) {
    const engine::StepResult here = trainer.repeat(i);
    if (!std::binary_search(steps.begin(), steps.end(), i)) continue;
    const io::StepScalars& there = recorded.steps[static_cast<std::size_t>(i)];
    rows.push_back({i, there.loss, here.loss, there.grad_norm, here.grad_norm,
                    limit_of(exact, recorded.config.model.precision, i)});
  }
  bool agrees = std::all_of(rows.begin(), rows.end(), [](const Compared& r) { return r.agrees(); });
  std::string state;
  if (exact && steps.back() == all - 1) {
    state = trainer.state_hash();
    agrees = agrees && state == recorded.state_hash;
  }
  if (comm.rank() == 0 && options.json) {
    nlohmann::ordered_json json{{"agrees", agrees}, {"exact", exact}, {"seed", seed}};
    for (const Compared& r : rows)
      json["steps"].push_back({{"step", r.step},
                               {"recorded_loss", r.recorded_loss},
                               {"loss", r.loss},
                               {"recorded_grad_norm", r.recorded_norm},
                               {"grad_norm", r.norm},
                               {"limit", r.limit},
                               {"agrees", r.agrees()}});
    if (!state.empty()) json["state_hash"] = {{"recorded", recorded.state_hash}, {"here", state}};
    fmt::print("{}\n", json.dump());
  } else if (comm.rank() == 0) {
    print(rows, recorded, exact);
    if (!state.empty())
      fmt::print("state after the last step: {}\n",
                 state == recorded.state_hash
                     ? "equal"
                     : "DIFFERS: " + state + ", recorded " + recorded.state_hash);
    fmt::print("VLMARK RECHECK {} steps={} of={} seed={}\n", agrees ? "AGREES" : "DIFFERS",
               rows.size(), all, seed);
  }
  return static_cast<int>(agrees ? ExitCode::ok : ExitCode::invalid);
}

}  // namespace

int recheck_command(int argc, char** argv, const RecheckOptions& options) {
  return parallel::run_ranks(argc, argv, [&](Communicator& comm) {
    const auto device =
        parallel::agree(comm, "device", [] { return std::make_unique<engine::Device>(); });
    return recheck(comm, options);
  });
}

}  // namespace vlmark::app
