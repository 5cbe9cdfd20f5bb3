#include "src/engine/tensor_group.hpp"

#include <vector>

#include "kernels/convert.hpp"
#include "src/base/fault.hpp"

namespace vlmark::engine {
namespace {

using model::Tensor;
using model::TokenBlocks;
using parallel::Buffer;
using parallel::Request;

/// Starts what has elements; both ends know whether a message is empty.
void receive(std::vector<Request>& requests, parallel::Communicator& comm, const Buffer& to,
             int from) {
  if (to.count > 0) requests.push_back(comm.receive(to, from, 0));
}
void send(std::vector<Request>& requests, parallel::Communicator& comm, const Buffer& from,
          int to) {
  if (from.count > 0) requests.push_back(comm.send(from, to, 0));
}
void wait(std::vector<Request>& requests) {
  for (Request& request : requests) std::move(request).wait();
}

Buffer rows_buffer(std::byte* data, long rows, const Tensor& of) {
  return {.data = data, .count = static_cast<std::size_t>(rows * of.columns()), .type = of.type()};
}

}  // namespace

std::byte* TensorGroup::row(const Tensor& x, long row) const {
  return memory_.at<std::byte>(x.offset()) +
         static_cast<std::size_t>(row * x.columns()) * size_of(x.type());
}

void TensorGroup::copy(const Tensor& x, long from, Tensor& y, long to, long rows) const {
  const auto part = [rows]<class T>(const kernels::Mat<T>& m, long first) -> kernels::Mat<T> {
    return Kokkos::subview(m, Kokkos::pair<long, long>(first, first + rows), Kokkos::ALL);
  };
  if (x.type() == DType::f32)
    kernels::convert(exec_, part(memory_.matrix<const float>(x), from),
                     part(memory_.matrix<float>(y), to));
  else
    kernels::convert(exec_, part(memory_.matrix<const bf16>(x), from),
                     part(memory_.matrix<bf16>(y), to));
}

void TensorGroup::gather(const Tensor& x, const TokenBlocks& blocks, Tensor& all) const {
  const int me = comm_->rank();
  exec_.fence("vlmark::gather");
  std::vector<Request> requests;
  for (int r = 0; r < comm_->size(); ++r)
    if (r != me)
      receive(requests, *comm_, rows_buffer(row(all, blocks.of(r).begin), blocks.of(r).size(), all),
              r);
  for (int r = 0; r < comm_->size(); ++r)
    if (r != me) send(requests, *comm_, rows_buffer(row(x, 0), x.rows(), x), r);
  copy(x, 0, all, blocks.local().begin, x.rows());
  wait(requests);
}

void TensorGroup::exchange(const Tensor& parts, const TokenBlocks& blocks, Tensor& received) const {
  const int me = comm_->rank();
  const long rows = blocks.local_rows();
  exec_.fence("vlmark::exchange");
  std::vector<Request> requests;
  for (int r = 0; r < comm_->size(); ++r)
    if (r != me) receive(requests, *comm_, rows_buffer(row(received, r * rows), rows, received), r);
  for (int r = 0; r < comm_->size(); ++r)
    if (r != me)
      send(requests, *comm_,
           rows_buffer(row(parts, blocks.of(r).begin), blocks.of(r).size(), parts), r);
  copy(parts, blocks.local().begin, received, me * rows, rows);
  wait(requests);
  if (planted(Fault::lost_partial_sum))
    copy(parts, blocks.local().begin, received, (me + 1) % comm_->size() * rows, rows);
}

void TensorGroup::share(Tensor& table, long count) const {
  const int me = comm_->rank();
  const auto part = [&](int r) {
    return Buffer{
        .data = row(table, r), .count = static_cast<std::size_t>(count), .type = table.type()};
  };
  exec_.fence("vlmark::share");
  std::vector<Request> requests;
  for (int r = 0; r < comm_->size(); ++r)
    if (r != me) receive(requests, *comm_, part(r), r);
  for (int r = 0; r < comm_->size(); ++r)
    if (r != me) send(requests, *comm_, part(me), r);
  wait(requests);
}

}  // namespace vlmark::engine
