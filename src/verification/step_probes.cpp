#include "src/verification/step_probes.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "kernels/observer.hpp"
#include "src/base/clock.hpp"
#include "src/base/counters.hpp"
#include "src/verification/attention_residual.hpp"
#include "src/verification/gemm_residual.hpp"
#include "src/verification/position_check.hpp"

namespace vlmark::verification {
namespace {

/// Rows of one attention; the first of a step gives all that the rule asks of a step.
constexpr int kRowsOfStep = 64, kRowsOfCall = 16;
/// Multiply-adds of a run, at most, in kinds of products that no watched step called.
constexpr double kUnprobedShare = 0.01;

/// The shape without the number of tokens: "gemm nt f32 *x1536x8960"; weight gradients sum over them.
std::string kind_of(const std::string& key) {
  const std::size_t begin = key.rfind(' ') + 1, first = key.find('x', begin), last = key.rfind('x');
  return key[5] == 't' ? key.substr(0, last + 1) + "*"
                       : key.substr(0, begin) + "*" + key.substr(first);
}

double multiply_adds(const std::string& key) {
  long m = 0, n = 0, k = 0;
  std::sscanf(key.c_str() + key.rfind(' ') + 1, "%ldx%ldx%ld", &m, &n, &k);
  return static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
}

struct ProductKind {
  double residual = 0, limit = 0;
  std::string worst;  ///< its shape
  std::set<std::string> shapes;
  long probes = 0;
};

struct AttentionKind {
  double error = 0, limit = 0;
  long rows = 0;
};

}  // namespace

struct StepProbes::Impl : kernels::Observer {
  Impl(std::uint64_t with_seed, bool with_staged) : seed(with_seed), staged(with_staged) {}

  struct Calls {
    std::uint64_t before = 0;  // calls in the last watched step that had any
    std::uint64_t now = 0;
    std::uint64_t chosen = 0;  // the second call to probe; 0: none
  };

  Philox random(const char* what) { return {seed + ++probes * 0x9E3779B97F4A7C15u, what}; }

  void begin_step() {
    ++steps;
    attention_calls = 0;
    for (auto& [shape, c] : calls) {
      if (c.now > 0) c.before = c.now;
      c.now = 0;
      c.chosen = c.before < 2 ? 0 : 1 + random("call").below(0, c.before - 1);
    }
  }

  void before_gemm(const kernels::GemmCall& call) override {
    Calls& c = calls[call.shape];
    const std::uint64_t index = c.now++;
    if (index != 0 && index != c.chosen) return;
    const std::int64_t start = monotonic_ns();
    probe = std::make_unique<GemmProbe>(call, random("product"), staged);
    spent_ns += monotonic_ns() - start;
  }

  void after_gemm(const kernels::GemmCall& call) override {
    if (!probe) return;
    const std::int64_t start = monotonic_ns();
    const double rho = probe->judge(call).worst();
    probe.reset();
    const std::string key = kernels::gemm_key(call.shape);
    ProductKind& kind = products[kind_of(key)];
    kind.limit = gemm_limit(call.shape.c);
    kind.shapes.insert(key);
    ++kind.probes;
    if (kind.worst.empty() || !(rho <= kind.residual)) kind.residual = rho, kind.worst = key;
    spent_ns += monotonic_ns() - start;
  }

  void after_attention(const kernels::AttentionCall& call) override {
    const std::int64_t start = monotonic_ns();
    const bool decoder = CountedPart::current() == Part::decoder;
    const int rows = attention_calls++ == 0 ? kRowsOfStep : kRowsOfCall;
    const double error =
        attention_residual(call, /*causal=*/decoder, random("attention"), rows, staged);
    AttentionKind& kind = attentions[{decoder, call.type}];
    kind.limit = attention_limit(call.type);
    kind.rows += rows;
    if (!(error <= kind.error)) kind.error = error;
    spent_ns += monotonic_ns() - start;
  }

  std::uint64_t seed, probes = 0;
  bool staged;
  int steps = 0;
  std::int64_t spent_ns = 0;
  std::map<kernels::GemmShape, Calls> calls;
  std::unique_ptr<GemmProbe> probe;
  std::map<std::string, ProductKind> products;
  std::map<std::pair<bool, DType>, AttentionKind> attentions;
  int attention_calls = 0;
  long wrong_positions = 0, positions = 0;
};

StepProbes::StepProbes(std::uint64_t seed, bool staged)
    : impl_(std::make_unique<Impl>(seed, staged)) {}
StepProbes::~StepProbes() = default;

std::unique_ptr<StepProbes::Watch> StepProbes::watch() {
  struct Installed : Watch {
    explicit Installed(kernels::Observer* observer) : observed(observer) {}
    kernels::Observed observed;
  };
  impl_->begin_step();
  return std::make_unique<Installed>(impl_.get());
}

void StepProbes::check(const model::MicroBatch& batch, const plan::ModelConfig& model,
                       model::Contents wanted) {
  const std::int64_t start = monotonic_ns();
  impl_->wrong_positions += wrong_positions(batch, model, wanted);
  impl_->positions += static_cast<long>(batch.ids.size());
  impl_->spent_ns += monotonic_ns() - start;
}

bool StepProbes::watching() const { return kernels::observer() == impl_.get(); }
int StepProbes::steps() const { return impl_->steps; }
double StepProbes::seconds() const { return 1e-9 * static_cast<double>(impl_->spent_ns); }

std::vector<Finding> StepProbes::findings() const {
  std::vector<Finding> found;
  for (const auto& [name, kind] : impl_->products)
    found.push_back(finding("V2", "residual of " + name, kind.residual, kind.limit,
                            "shape " + kind.worst + ", worst of " + std::to_string(kind.probes) +
                                " probes of " + std::to_string(kind.shapes.size()) + " shapes"));
  double all = 0, unprobed = 0;
  std::string largest;
  for (const auto& [key, kernels] : counters().kernels) {
    if (!key.starts_with("gemm ")) continue;
    double work = 0;
    for (const auto& [kernel, count] : kernels)
      work += multiply_adds(key) * static_cast<double>(count);
    all += work;
    if (!impl_->products.contains(kind_of(key))) unprobed += work, largest = key;
  }
  found.push_back(finding("V2", "share of multiply-adds in products of no probed kind",
                          all > 0 ? unprobed / all : 0, kUnprobedShare, largest));
  for (const auto& [place, kind] : impl_->attentions) {
    const auto [decoder, type] = place;
    found.push_back(finding("V3",
                            std::string("error of rows of attention, ") +
                                (decoder ? "decoder (causal), " : "ViT (both ways in a frame), ") +
                                std::string(name_of(type)),
                            kind.error, kind.limit,
                            "worst of " + std::to_string(kind.rows) + " rows"));
  }
  found.push_back(finding("V3", "wrong positions and bounds of segments",
                          static_cast<double>(impl_->wrong_positions), 0,
                          "of " + std::to_string(impl_->positions) + " tokens"));
  return found;
}

}  // namespace vlmark::verification
