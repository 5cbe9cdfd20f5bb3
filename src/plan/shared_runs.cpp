#include "src/plan/shared_runs.hpp"

#include <algorithm>

namespace vlmark::plan {

std::vector<SharedRun> shared_runs(const ParameterTable& table, const FlatLayout& layout) {
  std::vector<SharedRun> runs;
  for (const LogicalTensor& tensor : table.tensors)
    if (tensor.sharing != Sharing::split && tensor.holders.size() > 1 &&
        !table[tensor.parameter].copy)
      runs.push_back({layout.range(tensor), tensor.holders, tensor.sharing});
  std::sort(runs.begin(), runs.end(),
            [](const SharedRun& a, const SharedRun& b) { return a.range.begin < b.range.begin; });
  std::vector<SharedRun> joined;
  for (const SharedRun& run : runs) {
    if (!joined.empty() && joined.back().holders == run.holders &&
        joined.back().sharing == run.sharing &&
        run.range.begin - joined.back().range.end < FlatLayout::block)
      joined.back().range.end = run.range.end;
    else
      joined.push_back(run);
  }
  return joined;
}

}  // namespace vlmark::plan
