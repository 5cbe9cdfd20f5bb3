// What layers ask of a tensor group: messages around the products of one rank.

#include <algorithm>

#include "src/base/error.hpp"
#include "src/base/workspace.hpp"
#include "src/model/ops.hpp"

namespace vlmark::model {
namespace {

long count(std::span<const int> indices) { return static_cast<long>(indices.size()); }

void require_block(const char* where, const char* name, const Tensor& x, const TokenBlocks& blocks,
                   long columns) {
  require_extents(where, name, {x.rows(), x.columns()}, {blocks.local_rows(), columns});
}

void require_all(const char* where, const char* name, const Tensor& x, const TokenBlocks& blocks,
                 long columns) {
  require_extents(where, name, {x.rows(), x.columns()}, {blocks.rows(), columns});
}

}  // namespace

Tensor Ops::gathered(const char* name, const Tensor& x, const TokenBlocks& blocks) {
  Tensor all = make(blocks.rows(), x.columns(), x.type());
  run_gather(name, x, blocks, all);
  return all;
}

Tensor Ops::exchanged(const char* name, const Tensor& parts, const TokenBlocks& blocks) {
  Tensor received = make(blocks.ranks * blocks.local_rows(), parts.columns(), parts.type());
  run_exchange(name, parts, blocks, received);
  return received;
}

Tensor Ops::scattered(const char* name, Tensor partial, const TokenBlocks& blocks) {
  Tensor received = exchanged(name, partial, blocks);
  partial = {};
  Tensor y = make(blocks.local_rows(), received.columns(), type());
  run_sum_blocks(received, y);
  return y;
}

Tensor Ops::gather_linear(const Tensor& x, const TokenBlocks& blocks, const plan::Linear& layer) {
  require_block("gather_linear", "x", x, blocks, layer.in);
  if (blocks.ranks == 1) return linear(x, layer);
  return linear(gathered("gather_linear", x, blocks), layer);
}

Tensor Ops::gather_linear_backward(const Tensor& dy, const Tensor& x, const TokenBlocks& blocks,
                                   const plan::Linear& layer) {
  require_all("gather_linear_backward", "dy", dy, blocks, layer.out);
  require_block("gather_linear_backward", "x", x, blocks, layer.in);
  if (blocks.ranks == 1) return linear_backward(dy, x, layer);
  if (learns(layer.weight))
    linear_backward_weight(dy, gathered("gather_linear_backward_weight", x, blocks), layer);
  Tensor partial = make(dy.rows(), layer.in, DType::f32);
  run_linear_backward_input(dy, layer, partial);
  return scattered("gather_linear_backward", std::move(partial), blocks);
}

void Ops::linear_scatter(const Tensor& x, const TokenBlocks& blocks, const plan::Linear& layer,
                         Tensor& stream) {
  require_all("linear_scatter", "x", x, blocks, layer.in);
  require_block("linear_scatter", "stream", stream, blocks, layer.out);
  if (blocks.ranks == 1) return add_linear(x, layer, stream);
  Tensor partial = make(x.rows(), layer.out, DType::f32);
  run_partial_linear(x, layer, partial);
  const Tensor received = exchanged("linear_scatter", partial, blocks);
  if (layer.bias >= 0) run_add_bias(layer.bias, stream);
  run_add_blocks(received, stream);
}

Tensor Ops::linear_scatter_backward(const Tensor& dy, const Tensor& x, const TokenBlocks& blocks,
                                    const plan::Linear& layer) {
  require_block("linear_scatter_backward", "dy", dy, blocks, layer.out);
  require_all("linear_scatter_backward", "x", x, blocks, layer.in);
  if (blocks.ranks == 1) return linear_backward(dy, x, layer);
  // The replicated bias gets the share of this rank's rows.
  linear_backward_bias(dy, layer);
  const Tensor all = gathered("linear_scatter_backward", dy, blocks);
  if (learns(layer.weight)) run_linear_backward_weight(all, x, layer);
  Tensor dx = make(all.rows(), layer.in, type());
  run_linear_backward_input(all, layer, dx);
  return dx;
}

Tensor Ops::embedding(std::span<const int> ids, int table) {
  const TokenBlocks tokens = blocks(count(ids));
  const long width = table_[table].columns;
  if (tokens.ranks == 1) {
    Tensor y = make(count(ids), width, type());
    run_embedding(indices(ids), table, y);
    return y;
  }
  const plan::TensorPart& words = part_of(table);
  // Where another rank holds the id any row will do: the receiver takes none of it.
  std::vector<int> held(ids.begin(), ids.end()), source;
  for (int& id : held)
    id = id >= words.row_begin && id < words.row_end ? id - static_cast<int>(words.row_begin) : 0;
  Tensor rows = make(count(ids), width, type());
  run_embedding(indices(held), table, rows);
  const Tensor received = exchanged("embedding", rows, tokens);
  rows = {};
  const Block mine = tokens.local();
  for (auto t = mine.begin; t < mine.end; ++t) {
    const int holder = owner_of(ids[static_cast<std::size_t>(t)], words.rows, tokens.ranks);
    source.push_back(static_cast<int>(holder * mine.size() + t - mine.begin));
  }
  Tensor y = make(mine.size(), width, type());
  run_gather_rows(received, indices(source), y, 0);
  return y;
}

void Ops::embedding_backward(const Tensor& dy, std::span<const int> ids, int table) {
  const TokenBlocks tokens = blocks(count(ids));
  require_block("embedding_backward", "dy", dy, tokens, table_[table].columns);
  if (!learns(table)) return;
  const auto place = [&] { return settings_.staged ? make(1, count(ids), DType::i32) : Tensor(); };
  if (tokens.ranks == 1) {
    const Tensor order = place();
    run_embedding_backward(dy, indices(ids), order, table);
    return;
  }
  const plan::TensorPart& words = part_of(table);
  std::vector<int> held(ids.begin(), ids.end());
  for (int& id : held)  // negative ones are left out
    id = id < words.row_end ? id - static_cast<int>(words.row_begin) : -1;
  const Tensor all = gathered("embedding_backward", dy, tokens), order = place();
  run_embedding_backward(all, indices(held), order, table);
}

Tensor Ops::take_rows(const Tensor& x, const TokenBlocks& blocks_of_x,
                      std::span<const int> source) {
  require_block("take_rows", "x", x, blocks_of_x, x.columns());
  if (blocks_of_x.ranks == 1) return gather_rows(x, source);
  const TokenBlocks list = blocks(count(source));
  const LocalRows held = model::local_rows(source, blocks_of_x);
  Tensor rows = make(count(source), x.columns(), x.type());
  run_zero(rows);  // those of other ranks, which the receiver takes none of
  run_gather_rows(x, indices(held.rows, count(source)), rows, held.first);
  const Tensor received = exchanged("take_rows", rows, list);
  rows = {};
  const Block mine = list.local();
  std::vector<int> from;
  for (auto i = mine.begin; i < mine.end; ++i)
    from.push_back(static_cast<int>(
        blocks_of_x.owner(source[static_cast<std::size_t>(i)]) * mine.size() + i - mine.begin));
  Tensor y = make(mine.size(), x.columns(), x.type());
  run_gather_rows(received, indices(from), y, 0);
  return y;
}

void Ops::place_rows(Tensor& x, const TokenBlocks& blocks_of_x, const Tensor& rows,
                     std::span<const int> destination) {
  const TokenBlocks list = blocks(count(destination));
  require_block("place_rows", "x", x, blocks_of_x, x.columns());
  require_block("place_rows", "rows", rows, list, x.columns());
  if (list.ranks == 1) return scatter_rows(x, rows, destination);
  const Tensor all = gathered("place_rows", rows, list);
  const LocalRows held = model::local_rows(destination, blocks_of_x);
  run_scatter_rows(x, all, held.first, indices(held.rows, count(destination)));
}

void Ops::zero_rows(Tensor& x, const TokenBlocks& blocks, std::span<const int> rows) {
  require_block("zero_rows", "x", x, blocks, x.columns());
  if (blocks.ranks == 1) return run_zero_rows(x, indices(rows));
  run_zero_rows(x, indices(model::local_rows(rows, blocks).rows, count(rows)));
}

Tensor Ops::sliced_cross_entropy(const Tensor& h, const plan::Linear& head,
                                 std::span<const int> targets, float scale, bool gradient,
                                 double& loss_sum) {
  const TokenBlocks rows = blocks(count(targets));
  require_block("linear_cross_entropy", "h", h, rows, head.in);
  Tensor partial;
  if (gradient) partial = make(rows.rows(), head.in, DType::f32);
  {
    const Tensor all = gathered("linear_cross_entropy", h, rows);
    // Tiles of the largest slice, so that all ranks walk the same ones.
    const long slice = (part_of(head.weight).rows + rows.ranks - 1) / rows.ranks;
    const int tile =
        linear_cross_entropy_tile(static_cast<int>(rows.rows()), static_cast<int>(slice));
    Tensor losses = make(1, rows.rows(), DType::f32);
    Tensor logits_tile = make(tile, head.out, DType::f32);
    Tensor maxima = make(rows.ranks, tile, DType::f32);
    Tensor sums = make(rows.ranks, 2 * tile, DType::f32);
    loss_sum +=
        run_sliced_cross_entropy(all, head, indices(targets), scale, gradient ? &partial : nullptr,
                                 losses, logits_tile, maxima, sums);
  }
  if (!gradient) return {};
  return scattered("linear_cross_entropy_backward", std::move(partial), rows);
}

const plan::TensorPart& Ops::part_of(int parameter) const {
  return table_.tensors[static_cast<std::size_t>(table_[parameter].tensors[0])].part;
}

}  // namespace vlmark::model
