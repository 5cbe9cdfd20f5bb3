#include "src/sim/cost.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "src/plan/ledger.hpp"
#include "tests/sim/machines.hpp"

namespace vlmark::sim {
namespace {

TEST(Cost, IsTheRooflineOfACallAndItsLaunch) {
  const Machine m = round_machine();
  // 2e6 FLOP take 2 ms, 1e4 byte 0.1 ms: the products decide; then the memory does.
  const model::OpRecord products{"linear", Part::decoder, 1, 1, 1, 2'000'000, 10'000};
  EXPECT_DOUBLE_EQ(seconds(m, products, DType::f32), 2e-3 + 1e-3);
  EXPECT_DOUBLE_EQ(seconds(m, products, DType::bf16), 1e-3 + 1e-3);
  const model::OpRecord memory{"linear", Part::decoder, 1, 1, 1, 2'000'000, 1'000'000};
  EXPECT_DOUBLE_EQ(seconds(m, memory, DType::f32), 1e-2 + 1e-3);
  const model::OpRecord attention{"attention_backward", Part::vit, 1, 1, 1, 2'000'000, 10'000};
  EXPECT_DOUBLE_EQ(seconds(m, attention, DType::f32), 4e-3 + 1e-3);
  EXPECT_DOUBLE_EQ(memory_seconds(m, 5e7, 3), 0.5 + 3e-3);
}

TEST(Cost, SeesPeersByNode) {
  const Machine m = round_machine();  // four ranks a node
  for (const int first : {0, 1, 3, 6})
    for (const int stride : {1, 2, 3, 4, 5, 16})
      for (const int size : {1, 2, 7})
        for (int index = 0; index < size; ++index) {
          int node = 0, network = 0;
          for (int i = 0; i < size; ++i) {
            if (i == index) continue;
            const bool same = (first + i * stride) / 4 == (first + index * stride) / 4;
            ++(same ? node : network);
          }
          const Peers found = peers(m, first, stride, size, index);
          EXPECT_EQ(found.node, node) << first << " " << stride << " " << size << " " << index;
          EXPECT_EQ(found.network, network);
        }
}

TEST(Cost, OfMessagesFollowsTheLink) {
  const Machine m = round_machine();
  // Three peers, two of them in the node: 2 messages of 100 byte there, 1 outside.
  EXPECT_DOUBLE_EQ(direct_seconds(m, {2, 1}, 3, 300), 2e-2 + 200 / 1e6 + 2e-2 + 100 / 1e5);
  EXPECT_EQ(direct_seconds(m, {0, 0}, 0, 0), 0);
  // Four ranks in a node: two rounds, three quarters of the bytes; eight over two nodes.
  EXPECT_DOUBLE_EQ(collective_seconds(m, {3, 0}, 4000), 2e-2 + 3000 / 1e6);
  EXPECT_DOUBLE_EQ(collective_seconds(m, {3, 4}, 8000), 6e-2 + 7000 / 1e5);
  EXPECT_EQ(collective_seconds(m, {0, 0}, 8000), 0);
  // Three others: two rounds of the whole.
  EXPECT_DOUBLE_EQ(broadcast_seconds(m, {3, 0}, 4000), 2e-2 + 8000 / 1e6);
  EXPECT_EQ(broadcast_seconds(m, {0, 0}, 4000), 0);
}

TEST(Cost, OfAllUnitsIsTheLedgerWhereOnlyProductsTakeTime) {
  Machine m = round_machine();
  m.rates = {.gemm_f32 = 1e9,
             .gemm_bf16 = 1e9,
             .attention_f32 = 1e9,
             .attention_bf16 = 1e9,
             .memory = 1e30};
  const plan::ModelConfig model = plan::model_preset("nano");
  const plan::MicroBatchShape shape{{30, 41}, {{1, 4, 6}}, 50};
  for (const int stage : {1, 2, 3}) {
    model::TrainingSettings settings;
    settings.trainable = plan::Trainable::stage(stage, stage == 1);
    const UnitTimes times = unit_times(m, model, settings, shape);
    double sum = 0;
    for (std::size_t u = 0; u < times.forward.size(); ++u)
      sum += times.forward[u].seconds + times.backward[u].seconds;
    const double flops =
        static_cast<double>(plan::training_flops(model, shape, settings.trainable).total());
    EXPECT_NEAR(sum, flops / 1e9, 1e-12 * flops) << stage;
    EXPECT_EQ(times.gradient_bytes, 4.0 * 71 * model.hidden);
  }
}

TEST(Cost, OfTensorRanksHoldsItsMessages) {
  Machine m = round_machine();
  const plan::ModelConfig model = plan::model_preset("nano");
  const plan::MicroBatchShape shape{{64}, {}, 63};
  model::TrainingSettings settings;
  settings.layout.tensor = 2;
  const UnitTimes times = unit_times(m, model, settings, shape);
  const auto layer = static_cast<std::size_t>(plan::Units(model).layer(0));
  // Two gathers and two scatters of a block of 32 rows, one message each way: 10 ms and fp32 rows.
  EXPECT_NEAR(times.forward[layer].tensor, 4 * (1e-2 + 32.0 * 4 * model.hidden / 1e6), 1e-9);
  EXPECT_GT(times.forward[layer].seconds, times.forward[layer].tensor);
  EXPECT_EQ(times.stream_bytes, 4.0 * 32 * model.hidden);
  settings.layout.tensor = 1;
  EXPECT_EQ(unit_times(m, model, settings, shape).forward[layer].tensor, 0);
}

}  // namespace
}  // namespace vlmark::sim
