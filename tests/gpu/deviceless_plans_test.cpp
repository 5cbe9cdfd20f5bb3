// cuDNN plans attention for an H100 that is not there (rung G1 of docs/gpu.md): every shape of every
// published size is accepted, and its workspace is what the planner's formula says, to the byte.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <vector>

#include "kernels/attention_cudnn_graph.hpp"
#include "src/base/error.hpp"
#include "src/plan/model_config.hpp"

namespace vlmark::test {
namespace {

using namespace kernels;

struct Heads {
  std::string name;
  int heads, kv_heads, head_dim;
  bool causal;
  friend void PrintTo(const Heads& h, std::ostream* out) { *out << h.name; }
};

/// Decoder and ViT of every published size on 1, 2, 4 and 8 tensor-parallel ranks. Key heads fewer
/// than ranks are replicated.
std::vector<Heads> every_attention() {
  std::vector<Heads> list;
  for (const char* size : {"2B", "7B", "72B"})
    for (const int ranks : {1, 2, 4, 8}) {
      const plan::ModelConfig model = plan::model_preset(size);
      if (model.heads % ranks != 0) continue;
      list.push_back({std::string(size) + " decoder, TP " + std::to_string(ranks),
                      model.heads / ranks, std::max(1, model.kv_heads / ranks), model.head_dim(),
                      true});
    }
  const plan::VisionConfig vision = plan::model_preset("7B").vision;
  for (const int ranks : {1, 2, 4, 8})
    list.push_back({"ViT, TP " + std::to_string(ranks), vision.heads / ranks, vision.heads / ranks,
                    vision.head_dim(), false});
  return list;
}

struct Batch {
  int segments, longest;
  std::int64_t tokens;
};

std::vector<Batch> every_batch() {
  std::vector<Batch> list;
  for (const int longest : {1024, 2048, 4096, 8192, 16384, 32768}) {
    list.push_back({1, longest, longest});
    list.push_back({4, longest, 2 * longest});
  }
  // Odd numbers, many pictures, pictures of one tile, fewer rows than a tile.
  for (const Batch b : {Batch{3, 1025, 3001}, Batch{8, 4000, 9001}, Batch{32, 1024, 16384},
                        Batch{257, 64, 16384}, Batch{66, 200, 9000}, Batch{67, 200, 9000},
                        Batch{2, 600, 1000}, Batch{5, 130, 500}, Batch{1, 8, 8}})
    list.push_back(b);
  return list;
}

std::string description() {
  std::ifstream file(std::string(std::getenv("VLMARK_SOURCE_DIR")) +
                     "/tests/gpu/h100_properties.json");
  return {std::istreambuf_iterator<char>(file), {}};
}

CudnnDeviceDescription h100() {
  CudnnDeviceDescription device{description(), 90, 0};
  const auto json = nlohmann::json::parse(device.json);
  device.sm_version = json["deviceVer"].get<int>() / 10;
  device.multiprocessors = json["multiProcessorCount"];
  return device;
}

CudnnAttention graph_of(const Heads& h, const Batch& b, AttentionPass pass, bool deterministic) {
  CudnnAttention a;
  a.size = {h.heads, h.kv_heads, h.head_dim, b.segments, b.longest, b.tokens};
  a.pass = pass;
  a.causal = h.causal;
  a.deterministic = deterministic;
  a.scale = 1 / std::sqrt(static_cast<float>(h.head_dim));
  a.qkv_row = a.size.q_width() + 2 * a.size.kv_width();  // as the projection writes them
  return a;
}

std::int64_t formula(const CudnnAttention& a) {
  return cudnn_workspace_bytes(a.size, a.pass, a.causal, a.deterministic);
}

struct Pass {
  AttentionPass pass;
  bool deterministic;
};
const Pass every_pass[] = {{AttentionPass::forward, false},
                           {AttentionPass::backward, false},
                           {AttentionPass::backward, true}};

class DevicelessPlans : public testing::TestWithParam<Heads> {};

TEST_P(DevicelessPlans, WantTheWorkspaceOfTheFormula) {
  const CudnnDeviceDescription device = h100();
  ASSERT_EQ(device.multiprocessors, kH100Multiprocessors);
  for (const Batch& b : every_batch())
    for (const auto& [pass, deterministic] : every_pass)
      for (const bool bounded : {false, true}) {
        CudnnAttention a = graph_of(GetParam(), b, pass, deterministic);
        if (bounded && a.size == cudnn_bounded(a.size)) continue;
        if (bounded) a.size = cudnn_bounded(a.size);
        const CudnnPlan plan = plan_without_device(a, device);
        EXPECT_EQ(plan.workspace_bytes, formula(a)) << describe(a) << ", " << plan.engine;
        EXPECT_FALSE(plan.engine.empty());
      }
}

std::string name_of_heads(const testing::TestParamInfo<Heads>& parameter) {
  std::string name;
  for (const char c : parameter.param.name)
    if (std::isalnum(static_cast<unsigned char>(c))) name += c;
  return name;
}
INSTANTIATE_TEST_SUITE_P(Models, DevicelessPlans, testing::ValuesIn(every_attention()),
                         name_of_heads);

/// A check that cannot fail proves nothing: too little shared memory is refused, and so is another
/// number of multiprocessors than the one the graph is told.
TEST(DevicelessPlansControl, AreRefusedForADeviceThatCannotRunThem) {
  const CudnnAttention a =
      graph_of({"", 28, 4, 128, true}, {2, 4096, 8192}, AttentionPass::backward, true);
  CudnnDeviceDescription device = h100();
  auto json = nlohmann::json::parse(device.json);
  json["maxSharedMemoryPerBlockOptin"] = 49152;
  EXPECT_THAT(
      [&] {
        plan_without_device(a, {json.dump(), 90, 132});
      },
      testing::ThrowsMessage<DeviceError>(
          testing::HasSubstr("28/4x128 causal, 2 segments up to 4096, 8192 tokens")));
  EXPECT_THROW(plan_without_device(a, {device.json, 90, 131}), DeviceError);
  EXPECT_THAT(
      [&] {
        plan_without_device(a, {"{}", 90, 132});
      },
      testing::ThrowsMessage<DeviceError>(testing::HasSubstr("device's description")));
}

TEST(DevicelessPlansControl, DeterministicBackwardOfLongSegmentsWantsAHundredTimesMore) {
  const Heads h{"", 28, 4, 128, true};
  const Batch b{4, 32768, 65536};
  const auto want = [&](bool deterministic) {
    return plan_without_device(graph_of(h, b, AttentionPass::backward, deterministic), h100())
        .workspace_bytes;
  };
  EXPECT_GT(want(true), 80 * want(false));
}

/// Prints the table of docs/gpu.md.
TEST(DevicelessPlansControl, DISABLED_PrintTable) {
  std::printf("cuDNN %s, MiB\n", cudnn_version().c_str());
  for (const Heads& h : every_attention())
    for (const Batch& b : {Batch{1, 1024, 1024}, Batch{1, 4096, 4096}, Batch{4, 4096, 8192},
                           Batch{1, 32768, 32768}, Batch{4, 32768, 65536}}) {
      std::printf("| %s: %d/%d x %d | %d x %d, %ld |", h.name.c_str(), h.heads, h.kv_heads,
                  h.head_dim, b.segments, b.longest, static_cast<long>(b.tokens));
      for (const auto& [pass, deterministic] : every_pass)
        std::printf(
            " %.2f |",
            static_cast<double>(
                plan_without_device(graph_of(h, b, pass, deterministic), h100()).workspace_bytes) /
                (1 << 20));
      std::printf("\n");
    }
}

}  // namespace
}  // namespace vlmark::test
