#include "src/plan/shard.hpp"

#include <gmock/gmock.h>

#include <map>

#include "src/base/error.hpp"
#include "src/plan/parameters.hpp"
#include "tests/support/odd_model.hpp"

namespace vlmark::plan {
namespace {

using test::odd_model;

ParameterTable table_of(const ModelConfig& model, int rank, int ranks) {
  Shard shard = Shard::whole(model);
  shard.tensor_rank = rank, shard.tensor_ranks = ranks;
  return {model, shard};
}

struct TensorCase {
  int kv_heads, ranks;
};
class TensorRanks : public testing::TestWithParam<TensorCase> {};
INSTANTIATE_TEST_SUITE_P(Splits, TensorRanks,
                         testing::Values(TensorCase{2, 1}, TensorCase{2, 2}, TensorCase{3, 3},
                                         TensorCase{4, 4}, TensorCase{2, 4}, TensorCase{3, 6},
                                         TensorCase{1, 3}, TensorCase{1, 12}));

TEST_P(TensorRanks, HoldEveryElementAsOftenAsItsSharingSays) {
  const auto [kv_heads, ranks] = GetParam();
  const ModelConfig model = odd_model(kv_heads, true);
  const ParameterTable whole(model);
  std::map<std::string, std::vector<std::vector<int>>> holders;  // of every element: ranks
  for (const LogicalTensor& tensor : whole.tensors)
    holders[tensor.name].resize(static_cast<std::size_t>(tensor.size()));
  for (int r = 0; r < ranks; ++r) {
    const ParameterTable table = table_of(model, r, ranks);
    EXPECT_EQ(table.parameters.size(), whole.parameters.size());
    for (const LogicalTensor& tensor : table.tensors)
      tensor.for_each_run(0, tensor.size(), [&](long first, long, long count) {
        for (long i = first; i < first + count; ++i)
          holders.at(tensor.name).at(static_cast<std::size_t>(i)).push_back(r);
      });
  }
  for (int r = 0; r < ranks; ++r) {
    for (const LogicalTensor& tensor : table_of(model, r, ranks).tensors) {
      SCOPED_TRACE(tensor.name + " on rank " + std::to_string(r));
      std::vector<int> expected;
      for (auto h = tensor.holders.begin; h < tensor.holders.end; ++h)
        expected.push_back(static_cast<int>(h));
      EXPECT_THAT(expected, testing::Contains(r));
      const std::map<Sharing, int> holding{{Sharing::split, 1},
                                           {Sharing::replicated, ranks},
                                           {Sharing::shared_heads, ranks / kv_heads}};
      EXPECT_EQ(static_cast<int>(expected.size()), holding.at(tensor.sharing));
      tensor.for_each_run(0, tensor.size(), [&](long first, long, long count) {
        for (long i = first; i < first + count; ++i)
          ASSERT_EQ(holders.at(tensor.name)[static_cast<std::size_t>(i)], expected) << i;
      });
    }
  }
  for (const auto& [name, elements] : holders)
    for (const auto& of_element : elements) ASSERT_FALSE(of_element.empty()) << name;
}

TEST_P(TensorRanks, HaveMatricesOfTheExtentsTheirLayersName) {
  const auto [kv_heads, ranks] = GetParam();
  const ModelConfig model = odd_model(kv_heads, false);
  for (int r = 0; r < ranks; ++r) {
    const ParameterTable table = table_of(model, r, ranks);
    const auto expect_extents = [&table](const Linear& layer) {
      EXPECT_EQ(table[layer.weight].rows, layer.out) << table[layer.weight].name;
      EXPECT_EQ(table[layer.weight].columns, layer.in) << table[layer.weight].name;
      if (layer.bias >= 0) {
        EXPECT_EQ(table[layer.bias].size(), layer.out);
      }
    };
    for (const VitBlock& b : table.vit_blocks) {
      for (const Linear& layer : {b.qkv, b.proj, b.fc1, b.fc2}) expect_extents(layer);
      EXPECT_EQ(b.qkv.out, 3L * table.vit_heads * model.vision.head_dim());
      EXPECT_EQ(b.proj.in, long{table.vit_heads} * model.vision.head_dim());
      EXPECT_EQ(b.fc1.out, b.fc2.in);
    }
    for (const DecoderLayer& l : table.layers) {
      for (const Linear& layer : {l.qkv, l.out, l.gate_up, l.down}) expect_extents(layer);
      EXPECT_EQ(l.qkv.out, long{table.heads + 2 * table.kv_heads} * model.head_dim());
      EXPECT_EQ(l.gate_up.out, 2 * l.down.in);
    }
    for (const Linear& layer : {table.patch_embed, table.merger_fc1, table.merger_fc2, table.head})
      expect_extents(layer);
    EXPECT_EQ(table.head.out, table.vocab.size());
    EXPECT_EQ(table[table.embedding].rows, table.vocab.size());
    EXPECT_EQ(table[table.layers[0].qkv.weight].sharing,
              ranks > kv_heads ? Sharing::shared_heads : Sharing::split);
    EXPECT_EQ(table[table.layers[0].norm1].sharing, Sharing::replicated);
    EXPECT_EQ(table[table.vit_blocks[0].proj.bias].sharing, Sharing::replicated);
    EXPECT_EQ(table[table.vit_blocks[0].fc1.bias].sharing, Sharing::split);
  }
}

// Chunks 0 and 2 on stage 0, 1 and 3 on stage 1.
Shard stage_of(int stage, const ModelConfig& model) {
  const Units u(model);
  if (stage == 0)
    return {{{{0, u.embedding()}, {u.embedding(), u.layer(1)}}, {{u.layer(2), u.layer(3)}}}};
  return {{{{u.layer(1), u.layer(2)}}, {{u.layer(3), u.layer(4)}, {u.layer(4), u.count()}}}};
}

TEST(Stages, HoldEveryParameterOnceAndATiedTableTwice) {
  for (const bool tied : {true, false}) {
    ModelConfig model = odd_model(2, tied);
    model.layers = 5;
    const ParameterTable whole(model);
    std::vector<int> held(whole.parameters.size(), 0);
    for (const int stage : {0, 1}) {
      const ParameterTable table(model, stage_of(stage, model));
      EXPECT_EQ(table.whole_parameters, static_cast<int>(whole.parameters.size()));
      int segment = 0;
      for (const Parameter& p : table.parameters) {
        EXPECT_EQ(p.name, whole[p.order].name);
        EXPECT_EQ(p.size(), whole[p.order].size());
        if (!p.copy) ++held[static_cast<std::size_t>(p.order)];
        if (p.kind == Kind::embedding && tied) continue;
        EXPECT_GE(p.segment, segment);
        segment = p.segment;
        EXPECT_LT(segment, table.shard.segments());
      }
    }
    EXPECT_THAT(held, testing::Each(1));
  }
}

TEST(Stages, TheLastOwnsATiedTableInTheSegmentOfTheHead) {
  ModelConfig model = odd_model(2, true);
  model.layers = 5;
  const ParameterTable first(model, stage_of(0, model)), last(model, stage_of(1, model));
  EXPECT_TRUE(first[first.embedding].copy);
  EXPECT_EQ(first.head.weight, -1);
  EXPECT_EQ(first.final_norm, -1);
  EXPECT_EQ(first.shard.segments(), 3);
  EXPECT_FALSE(last[last.embedding].copy);
  EXPECT_EQ(last.head.weight, last.embedding);
  EXPECT_EQ(last[last.embedding].segment, last.shard.segments() - 1);
  EXPECT_EQ(last.patch_embed.weight, -1);
  EXPECT_EQ(last.vit_blocks[0].qkv.weight, -1);
  EXPECT_EQ(last.layers[0].qkv.weight, -1);
  EXPECT_GE(last.layers[1].qkv.weight, 0);
  EXPECT_EQ(last.layers[2].norm1, -1);
}

TEST(Stages, UntiedTablesLieWhereTheyAreUsed) {
  ModelConfig model = odd_model(2, false);
  model.layers = 5;
  const ParameterTable first(model, stage_of(0, model)), last(model, stage_of(1, model));
  EXPECT_FALSE(first[first.embedding].copy);
  EXPECT_EQ(first.head.weight, -1);
  EXPECT_EQ(last.embedding, -1);
  EXPECT_EQ(last[last.head.weight].name, "lm_head.weight");
  EXPECT_EQ(last.shard.segments(), 3);
}

TEST(TensorRankCounts, ThatDoNotFitAreRefusedWithThoseThatDo) {
  EXPECT_THAT([] { table_of(odd_model(2, true), 0, 3); },
              testing::ThrowsMessage<ConfigError>(
                  testing::AllOf(testing::HasSubstr("3 ranks for 12 heads, 2 key/value heads"),
                                 testing::HasSubstr("Use one of 1, 2, 4, 6, 12"))));
  EXPECT_THROW(table_of(odd_model(2, true), 0, 5), ConfigError);
}

}  // namespace
}  // namespace vlmark::plan
