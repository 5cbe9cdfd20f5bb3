// Weights do not depend on who holds them: what all shards hold together is the whole model.

#include <gtest/gtest.h>

#include <map>

#include "src/engine/flat_parameters.hpp"
#include "tests/support/odd_model.hpp"

namespace vlmark::engine {
namespace {

using Values = std::map<std::string, std::vector<float>>;

template <class T>
void fill_and_visit(const plan::ParameterTable& table, const plan::TensorFill& fill,
                    const plan::TensorVisit& visit) {
  const plan::FlatLayout layout(table, 2, 20'000);
  const Kokkos::View<T*, kernels::Memory> flat(
      "vlmark::flat", static_cast<std::size_t>(layout.parameter_elements()));
  const Staging staging(kDeviceMemory);
  fill_flat(table, layout, fill, staging, flat.data());
  visit_flat(table, layout, static_cast<const T*>(flat.data()), staging, visit);
}

template <class T>
void expect_shards_hold_the_model(const plan::ModelConfig& model, int tensor_ranks,
                                  const std::vector<plan::UnitRange>& stages) {
  SCOPED_TRACE(std::to_string(tensor_ranks) + " tensor ranks, " + std::to_string(stages.size()) +
               " stages");
  const plan::TensorFill fill = plan::initial_weights(7);
  const plan::ParameterTable whole(model);
  Values expected;
  std::map<std::string, std::vector<int>> seen;
  fill_and_visit<T>(whole, fill, [&](const auto& tensor, long first, auto values) {
    auto& to = expected[tensor.name];
    EXPECT_EQ(static_cast<long>(to.size()), first);
    to.insert(to.end(), values.begin(), values.end());
    seen[tensor.name].resize(to.size());
  });
  for (const plan::UnitRange& units : stages)
    for (int r = 0; r < tensor_ranks; ++r) {
      const plan::ParameterTable table(model, {{{units}}, r, tensor_ranks});
      fill_and_visit<T>(table, fill, [&](const auto& tensor, long first, auto values) {
        for (std::size_t i = 0; i < values.size(); ++i) {
          const std::size_t at = static_cast<std::size_t>(first) + i;
          ASSERT_EQ(values[i], expected.at(tensor.name).at(at)) << tensor.name << " " << at;
          ++seen[tensor.name][at];
        }
      });
    }
  for (const auto& [name, counts] : seen)
    EXPECT_EQ(std::count(counts.begin(), counts.end(), 0), 0) << name << " has elements on no rank";
}

TEST(ShardedWeights, AreTogetherTheWholeModelBitForBit) {
  for (const auto& [kv_heads, tensor_ranks] :
       std::vector<std::pair<int, int>>{{2, 1}, {2, 2}, {1, 3}, {4, 4}, {2, 4}, {3, 6}, {1, 12}})
    for (const bool tied : {true, false}) {
      const plan::ModelConfig model = test::odd_model(kv_heads, tied);
      const plan::Units u(model);
      expect_shards_hold_the_model<float>(model, tensor_ranks, {u.all()});
      expect_shards_hold_the_model<bf16>(model, tensor_ranks,
                                         {{0, u.layer(1)}, {u.layer(1), u.count()}});
    }
}

// Longer than a piece, so that pieces end within rows.
TEST(ShardedWeights, ColumnSlicesOfLongTensorsAreCutIntoPieces) {
  plan::ModelConfig model = test::odd_model(4, false);
  model.layers = 1;
  model.vision.depth = 1;
  model.intermediate = 30'011;
  expect_shards_hold_the_model<float>(model, 2, {plan::Units(model).all()});
}

}  // namespace
}  // namespace vlmark::engine
