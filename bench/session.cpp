#include "bench/session.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "bench/data.hpp"
#include "src/base/clock.hpp"
#include "src/base/memory.hpp"

namespace vlmark::bench {

void Options::add_options(CLI::App& app) {
  app.add_flag("--smoke", smoke, "Every case at tiny size, checked; times mean nothing");
  app.add_flag("--quick", quick, "2B on one rank with a quarter of the tokens, about a minute");
  app.add_option("--model", models, "2B, 7B, 72B, nano (repeat); else the first three");
  app.add_option("--precision", precisions)->check(CLI::IsMember({"fp32", "bf16"}));
  app.add_option("--tp", tensor_ranks, "Tensor ranks (repeat); else 1, 2, 4, 8")
      ->check(CLI::PositiveNumber);
  app.add_option("--text", work.text, "Text tokens")->check(CLI::PositiveNumber);
  app.add_option("--grid", work.grid, "Patches on each side of the picture, even")
      ->check(CLI::PositiveNumber);
  app.add_option("--case-seconds", case_seconds, "Cases that take longer are skipped by name");
  app.add_option(
      "--memory", memory_gigabytes,
      "GB that a case may take, larger ones are skipped by name; 0: 80 % of what is free");
  app.add_option("--budget", budget, "Seconds, then all others are skipped by name; 0: none");
  app.add_option("--backend", backend, "Who multiplies")
      ->check(CLI::IsMember({"automatic", "kokkos", "onednn", "cublaslt"}));
  app.add_option("--record", folder, "Writes FOLDER/bench.json");
  app.add_flag("--spoil", spoil, "For tests: puts a wrong number into every result")->group("");
}

void Options::settle() {
  std::vector<std::string> usual = {"2B", "7B", "72B"};
  std::vector<int> ranks = {1, 2, 4, 8};
  if (quick) {
    usual = {"2B"}, ranks = {1};
    work = {192, 16, 1024, 1L << 22, false};
    case_seconds = std::min(case_seconds, 4.0), samples = 3, sample_seconds = 0.01;
    if (budget == 0) budget = 60;
  }
  if (smoke) {
    usual = {"nano"}, ranks = {1, 2};
    work = {23, 4, 40, 5000, true};
    samples = 1, sample_seconds = 0;
  }
  if (models.empty()) models = usual;
  if (tensor_ranks.empty()) tensor_ranks = ranks;
  if (precisions.empty()) precisions = {"fp32", "bf16"};
}

Session::Session(const Options& options) : options_(options), begin_(monotonic_ns()) {
  record_.started_utc = utc_now();
  record_.threads = Exec().concurrency();
  roofline_ = options.smoke ? measure_roofline(64, 1 << 16)
                            : measure_roofline(options.quick ? 1024 : 2048, 512e6);
  record_.rooflines = {{"gemm_fp32_flop_per_s", roofline_.gemm_f32},
                       {"gemm_bf16_flop_per_s", roofline_.gemm_bf16},
                       {"copy_byte_per_s", roofline_.copy}};
}

double Session::elapsed() const { return 1e-9 * static_cast<double>(monotonic_ns() - begin_); }

std::string Session::refusal(const Call& call) const {
  if (options_.budget > 0 && elapsed() > options_.budget)
    return fmt::format("the budget of {:.3g} s is spent", options_.budget);
  const double most = options_.memory_gigabytes > 0 ? 1e9 * options_.memory_gigabytes
                                                    : 0.8 * static_cast<double>(available_bytes());
  if (most > 0 && call.memory() > most)
    return fmt::format("takes {:.3g} GB, a case may take {:.3g} GB", 1e-9 * call.memory(),
                       1e-9 * most);
  // Half of the roofline is a fair guess; the first run is untimed, and the check takes its time.
  const double expected = 2 * roofline_.seconds(call) * (options_.samples + 2);
  if (expected > options_.case_seconds)
    return fmt::format("would take about {:.3g} s, a case may take {:.3g} s", expected,
                       options_.case_seconds);
  return "";
}

}  // namespace vlmark::bench
