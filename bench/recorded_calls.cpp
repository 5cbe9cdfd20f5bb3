#include <cstring>
#include <set>
#include <string_view>

#include "bench/call.hpp"
#include "src/base/device_memory.hpp"
#include "src/model/generation_plan.hpp"
#include "src/model/recording_ops.hpp"

namespace vlmark::bench {
namespace {

/// The widths of a model with one layer, one ViT block.
plan::ModelConfig one_of_each(const std::string& name, const Work& work) {
  plan::ModelConfig model = plan::model_preset(name);
  model.layers = 1;
  model.vision.depth = 1;
  if (!work.tiny) return model;
  model.vocab = 260;
  int id = model.vocab;
  for (int* special : {&model.bos_id, &model.eos_id, &model.vision_start_id, &model.vision_end_id,
                       &model.image_id, &model.video_id})
    *special = --id;
  model.pad_id = model.bos_id;
  return model;
}

struct NamedLinear {
  const char* name;
  Part part;
  plan::Linear layer;
};

std::vector<NamedLinear> linears(const plan::ParameterTable& t) {
  const plan::VitBlock& v = t.vit_blocks[0];
  const plan::DecoderLayer& d = t.layers[0];
  return {{"vit.patch_embed", Part::vit, t.patch_embed},
          {"vit.qkv", Part::vit, v.qkv},
          {"vit.proj", Part::vit, v.proj},
          {"vit.fc1", Part::vit, v.fc1},
          {"vit.fc2", Part::vit, v.fc2},
          {"merger.fc1", Part::merger, t.merger_fc1},
          {"merger.fc2", Part::merger, t.merger_fc2},
          {"decoder.qkv", Part::decoder, d.qkv},
          {"decoder.out", Part::decoder, d.out},
          {"decoder.gate_up", Part::decoder, d.gate_up},
          {"decoder.down", Part::decoder, d.down},
          {"head", Part::head, t.head}};
}

bool is_product(std::string_view kernel) {
  return kernel.find("linear") != std::string_view::npos || kernel.starts_with("head");
}

/// The layer that a product belongs to, by its part and its extents.
const NamedLinear* layer_of(const std::vector<NamedLinear>& all, const model::OpRecord& r) {
  const std::string_view kernel = r.name;
  const bool weight = kernel.ends_with("backward_weight"), input = kernel.ends_with("input");
  const long out = weight ? r.m : input ? r.k : r.n, in = weight || input ? r.n : r.k;
  for (const NamedLinear& l : all)
    if (l.part == r.part && l.layer.out == out && l.layer.in == in) return &l;
  return nullptr;
}

/// Splits over ranks by rows of W: what goes back from it is a partial sum.
bool column_parallel(std::string_view layer) {
  return layer.ends_with("qkv") || layer == "vit.fc1" || layer == "decoder.gate_up";
}

Call call_of(const model::OpRecord& r, const model::Qwen2VL& model,
             const std::vector<NamedLinear>& all, const model::MicroBatch& batch,
             const std::string& name, DType type) {
  Call c;
  c.kernel = r.name, c.layer = name_of(r.part), c.model = name, c.type = c.result = type;
  c.tensor_ranks = model.shard().tensor_ranks;
  c.part = r.part, c.m = r.m, c.n = r.n, c.k = r.k;
  c.flops = static_cast<double>(r.flops), c.bytes = static_cast<double>(r.bytes);
  const plan::ParameterTable& table = model.table();
  if (is_product(r.name)) {
    const NamedLinear* layer = layer_of(all, r);
    if (layer != nullptr) {
      c.layer = layer->name;
      c.bias = c.kernel == "linear" && layer->layer.bias >= 0;
      const bool partial =
          c.tensor_ranks > 1 && c.kernel == "linear_backward_input" && column_parallel(c.layer);
      if (c.layer == "vit.patch_embed" || c.layer == "head" || partial) c.result = DType::f32;
    }
  } else if (c.kernel.starts_with("attention")) {
    const bool vit = r.part == Part::vit;
    c.heads = static_cast<int>(r.n), c.head_dim = static_cast<int>(r.k);
    c.kv_heads = vit ? table.vit_heads : table.kv_heads, c.causal = !vit;
    c.cu_q = c.cu_k = vit ? batch.vit_cu_seqlens : batch.cu_seqlens;
  } else if (c.kernel == "rotate") {
    const bool vit = r.part == Part::vit;
    c.heads = vit ? 2 * table.vit_heads : table.heads + table.kv_heads;
    c.head_dim = vit ? model.config().vision.head_dim() : model.config().head_dim();
  } else if (c.kernel.starts_with("embedding")) {
    c.table_rows = table.vocab.size();
  } else {
    // A copy counts what it reads and what it writes; a stream is fp32 in bf16 models, too.
    const double each = c.bytes / (static_cast<double>(c.m) * static_cast<double>(c.n));
    const bool once = c.kernel == "zero" || c.kernel == "zero_rows";
    if (each >= (once ? 4 : 8)) c.result = DType::f32;
  }
  return c;
}

/// The three products of the fused head and loss are one call.
void join_head(std::vector<Call>& calls, const Call& c) {
  if (c.kernel == "head") {
    calls.push_back(c);
    calls.back().kernel = "linear_cross_entropy";
  } else {
    calls.back().flops += c.flops;
    calls.back().bytes += c.bytes;
  }
}

model::MicroBatch batch_of(const Work& work, const plan::ModelConfig& config) {
  plan::MicroBatchShape shape;
  shape.media = {{1, work.grid, work.grid}};
  shape.sequences = {shape.media[0].merged(config.vision.merge_size) + work.text};
  shape.supervised = work.text;
  return model::blank(shape, config);
}

void record_decoding(const model::Qwen2VL& model, DType type, const Work& work,
                     const std::string& name, const std::vector<NamedLinear>& all,
                     std::vector<Call>& calls) {
  plan::Arena arena;
  model::RecordingOps ops(model.table(), arena, {type, {false, false, false}, kDeviceMemory});
  model::KvCache cache = model.cache(ops, work.cache);
  cache.filled = work.cache - 1;
  const model::MicroBatch token = model::single_token(0, work.cache - 1);
  const std::size_t before = ops.records().size();
  model::last_logits(model, ops, token, cache);
  for (std::size_t i = before; i < ops.records().size(); ++i) {
    Call c = call_of(ops.records()[i], model, all, token, name, type);
    c.cu_q = {0, 1}, c.cu_k = {0, work.cache};
    calls.push_back(std::move(c));
  }
}

}  // namespace

std::vector<Call> recorded_calls(const std::string& name, int tensor_ranks, DType type,
                                 const Work& work) {
  const plan::ModelConfig config = one_of_each(name, work);
  plan::Shard shard = plan::Shard::whole(config);
  shard.tensor_ranks = tensor_ranks;
  const model::Qwen2VL model(config, shard);
  const model::MicroBatch batch = batch_of(work, config);
  plan::Arena arena;
  model::OpsSettings settings;
  settings.type = type, settings.tensor_ranks = tensor_ranks;
  model::RecordingOps ops(model.table(), arena, settings);
  model::Pass pass;
  model.forward(ops, model.units().all(), batch, 1, {}, pass);
  model.backward(ops, model.units().all(), batch, pass);
  const std::vector<NamedLinear> all = linears(model.table());
  std::vector<Call> calls;
  for (const model::OpRecord& r : ops.records()) {
    // The engine copies pixels; no kernel does.
    if (std::strcmp(r.name, "load_pixels") == 0) continue;
    const Call c = call_of(r, model, all, batch, name, type);
    if (tensor_ranks == 1 && c.kernel.starts_with("head"))
      join_head(calls, c);
    else
      calls.push_back(c);
  }
  if (tensor_ranks == 1) record_decoding(model, type, work, name, all, calls);
  std::set<std::string> seen;
  std::erase_if(calls, [&](const Call& c) { return !seen.insert(c.name()).second; });
  return calls;
}

}  // namespace vlmark::bench
