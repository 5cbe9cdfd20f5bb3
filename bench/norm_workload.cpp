#include <memory>

#include "bench/data.hpp"
#include "bench/workload.hpp"
#include "kernels/norm.hpp"
#include "kernels/reference/norm.hpp"
#include "src/base/workspace.hpp"

namespace vlmark::bench {
namespace {

namespace reference = kernels::reference;

constexpr float kEps = 1e-6f;
constexpr int kSampled = 64;  // rows

void add(std::vector<double>& sum, const std::vector<double>& x) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += x[i];
}

/// Operands of either norm, forward and backward.
template <class T>
struct Norm {
  bool layer, backward;
  int hidden;
  Mat<T> x, y, dy;
  Vec<T> w, b;
  Vec<float> mean, r, dw, db;
  Mat<float> stream, workspace;
  std::vector<int> rows;
  std::vector<double> stream_before, dw_before, db_before;

  explicit Norm(const Call& c)
      : layer(c.kernel.starts_with("layer")),
        backward(c.kernel.ends_with("backward")),
        hidden(static_cast<int>(c.n)),
        x(uniform<T>(c.m, c.n, 1)),
        y(uniform<T>(c.m, c.n, 2)),
        w(uniform<T>(c.n, 3)),
        b(uniform<T>(c.n, 4)),
        mean("bench::mean", c.m),
        r("bench::r", c.m),
        rows(sample(c.m, kSampled)) {
    if (!backward) return;
    dy = uniform<T>(c.m, c.n, 5), stream = uniform<float>(c.m, c.n, 6);
    dw = uniform<float>(c.n, 7), db = uniform<float>(c.n, 8);
    workspace =
        Mat<float>("bench::workspace", layer_norm_workspace_rows(static_cast<int>(c.m)), c.n);
    stream_before = rows_of(stream, rows), dw_before = values(dw), db_before = values(db);
    run_forward();
  }

  void run_forward() const {
    if (layer)
      kernels::layer_norm(Exec{}, x, w, b, kEps, y, mean, r);
    else
      kernels::rms_norm(Exec{}, x, w, kEps, y, r);
  }
  void run() const {
    if (!backward)
      run_forward();
    else if (layer)
      kernels::layer_norm_backward(Exec{}, dy, x, w, mean, r, stream, dw, db, workspace);
    else
      kernels::rms_norm_backward(Exec{}, dy, x, w, r, stream, dw, workspace);
  }

  double error() const {
    if (!backward) {
      const auto in = rows_of(x, rows);
      return error_of<T>(rows_of(y, rows),
                         layer ? reference::layer_norm(in, values(w), values(b), hidden, kEps)
                               : reference::rms_norm(in, values(w), hidden, kEps));
    }
    // The gain's gradient is a sum over all rows.
    const std::vector<int> every = all(x.extent_int(0));
    auto whole = gradients(every);
    add(whole.dw, dw_before);
    double found = error_of<float>(values(dw), whole.dw);
    if (layer) {
      add(whole.db, db_before);
      found = worse(error_of<float>(values(db), whole.db), found);
    }
    auto expected = gradients(rows).dx;
    add(expected, stream_before);
    return worse(error_of<float>(rows_of(stream, rows), expected), found);
  }
  reference::LayerNormGradients gradients(const std::vector<int>& of) const {
    const auto in = rows_of(x, of), d = rows_of(dy, of);
    if (layer) return reference::layer_norm_backward(d, in, values(w), hidden, kEps);
    auto g = reference::rms_norm_backward(d, in, values(w), hidden, kEps);
    return {std::move(g.dx), std::move(g.dw), {}};
  }
  void spoil() const { backward ? bench::spoil(stream) : bench::spoil(y); }
};

}  // namespace

template <class T>
Workload norm_workload(const Call& call) {
  const auto norm = std::make_shared<Norm<T>>(call);
  return {[norm] { norm->run(); }, [norm] { return norm->error(); }, [norm] { norm->spoil(); }, ""};
}
template Workload norm_workload<float>(const Call&);
template Workload norm_workload<bf16>(const Call&);

}  // namespace vlmark::bench
