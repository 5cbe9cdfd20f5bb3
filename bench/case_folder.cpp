#include "bench/case_folder.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "src/base/error.hpp"
#include "src/io/convert.hpp"
#include "src/io/model_folder.hpp"
#include "src/plan/optimizer_settings.hpp"

namespace vlmark::bench {
namespace {

namespace fs = std::filesystem;

void visit_initial_weights(const plan::ParameterTable& table, const plan::TensorVisit& take) {
  const plan::TensorFill fill = plan::initial_weights(1);
  std::vector<float> values;
  for (const plan::LogicalTensor& tensor : table.tensors)
    for (long first = 0; first < tensor.size(); first += io::weights_piece) {
      values.resize(static_cast<std::size_t>(std::min(io::weights_piece, tensor.size() - first)));
      fill(tensor, first, values);
      take(tensor, first, values);
    }
}

nlohmann::json json_of(const model::MicroBatch& batch, double learning_rate) {
  std::vector<int> labels(batch.ids.size(), model::ignored_label);
  for (std::size_t i = 0; i < batch.supervised_rows.size(); ++i)
    labels[static_cast<std::size_t>(batch.supervised_rows[i]) + 1] = batch.targets[i];
  const plan::OptimizerSettings o;
  nlohmann::json j{{"ids", batch.ids},
                   {"labels", labels},
                   {"grids", nlohmann::json::array()},
                   {"settings",
                    {{"learning_rate", learning_rate},
                     {"betas", {o.beta1, o.beta2}},
                     {"eps", o.eps},
                     {"weight_decay", o.weight_decay},
                     {"clip_norm", o.clip_norm}}}};
  for (const plan::Grid& grid : batch.shape.media) j["grids"].push_back({grid.t, grid.h, grid.w});
  return j;
}

}  // namespace

void write_case(const std::string& folder, const plan::ModelConfig& config,
                const model::MicroBatch& batch, double learning_rate) {
  io::require_empty(folder);
  const plan::ParameterTable table(config);
  io::write_model_folder(
      folder, config, table,
      [&table](const plan::TensorVisit& take) { visit_initial_weights(table, take); }, {DType::f32},
      {}, "");
  std::ofstream(fs::path(folder) / "batch.json") << json_of(batch, learning_rate).dump() << "\n";
  std::ofstream pixels(fs::path(folder) / "pixels.f32", std::ios::binary);
  pixels.write(reinterpret_cast<const char*>(batch.pixel_values.data()),
               static_cast<std::streamsize>(batch.pixel_values.size() * sizeof(float)));
  pixels.close();
  if (!pixels || !fs::exists(fs::path(folder) / "batch.json"))
    throw IoError("write_case: " + folder +
                  " cannot be written (the other program would read half a case). Check its space");
}

}  // namespace vlmark::bench
