#include "parallel/mpi_communicator.hpp"

#include <mpi.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "parallel/checks.hpp"
#include "parallel/self_communicator.hpp"
#include "src/base/counters.hpp"
#include "src/base/error.hpp"

namespace vlmark::parallel {
namespace {

MPI_Datatype mpi_type(DType type) {
  switch (type) {
    case DType::f32:
      return MPI_FLOAT;
    case DType::bf16:
      return MPI_UINT16_T;  // moved only, never reduced
    case DType::f64:
      return MPI_DOUBLE;
    case DType::i32:
      return MPI_INT32_T;
    case DType::i64:
      return MPI_INT64_T;
    case DType::u8:
      return MPI_UINT8_T;
  }
  return MPI_DATATYPE_NULL;
}

MPI_Op mpi_op(Reduce op) {
  return op == Reduce::sum ? MPI_SUM : op == Reduce::max ? MPI_MAX : MPI_MIN;
}

/// What the user asked for: its text goes into errors, its owner lives until completion.
struct Call {
  const char* name;
  ConstBuffer buffer;
  int rank, size;
};

void require_success(int code, const Call& call) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw CommError(std::string(call.name) + " of " + std::to_string(call.buffer.count) + " x " +
                  std::string(name_of(call.buffer.type)) + " on rank " + std::to_string(call.rank) +
                  " of " + std::to_string(call.size) + ": " + std::string(text, length) +
                  " (the ranks cannot go on together). Check that every rank makes the same call "
                  "with the same counts, then the network");
}

class MpiOperation : public Operation {
 public:
  MpiOperation(Call call, std::shared_ptr<const void> second_owner)
      : Operation(call.name), call_(std::move(call)), second_owner_(std::move(second_owner)) {}

  /// Starts one piece; `start` fills in the request. `expected` elements arrive (-1: no check).
  template <class Start>
  void add(Start start, int expected = -1) {
    MPI_Request request = MPI_REQUEST_NULL;
    require_success(start(&request), call_);
    pieces_.push_back({request, expected});
  }
  std::size_t pieces() const { return pieces_.size(); }

  void wait() override {
    for (Piece& piece : pieces_) {
      MPI_Status status;
      require_success(MPI_Wait(&piece.request, &status), call_);
      if (piece.expected >= 0) require_count(status, piece.expected);
    }
    complete_ = true;
  }

 private:
  struct Piece {
    MPI_Request request;
    int expected;
  };

  void require_count(const MPI_Status& status, int expected) const {
    int count = 0;
    MPI_Get_count(&status, mpi_type(call_.buffer.type), &count);
    if (count == expected) return;
    throw CommError(std::string(call_.name) + " on rank " + std::to_string(call_.rank) + " of " +
                    std::to_string(call_.size) + ": " + std::to_string(count) + " x " +
                    std::string(name_of(call_.buffer.type)) + " arrived from rank " +
                    std::to_string(status.MPI_SOURCE) + " with tag " +
                    std::to_string(status.MPI_TAG) + " (expected " + std::to_string(expected) +
                    "). Make both sides agree on the length");
  }

  Call call_;
  std::shared_ptr<const void> second_owner_;
  std::vector<Piece> pieces_;
};

const std::byte* at(const ConstBuffer& buffer, std::size_t element) {
  return static_cast<const std::byte*>(buffer.data) + element * size_of(buffer.type);
}
std::byte* at(const Buffer& buffer, std::size_t element) {
  return static_cast<std::byte*>(buffer.data) + element * size_of(buffer.type);
}

class MpiCommunicator : public Communicator {
 public:
  /// Takes over `comm` and frees it.
  MpiCommunicator(MPI_Comm comm, std::size_t max_message_bytes)
      : comm_(comm), max_message_bytes_(max_message_bytes) {
    MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN);
    MPI_Comm_rank(comm_, &rank_);
    MPI_Comm_size(comm_, &size_);
  }
  ~MpiCommunicator() override { MPI_Comm_free(&comm_); }
  MpiCommunicator(const MpiCommunicator&) = delete;
  MpiCommunicator& operator=(const MpiCommunicator&) = delete;

  int rank() const noexcept override { return rank_; }
  int size() const noexcept override { return size_; }
  MPI_Comm handle() const { return comm_; }

  Request all_reduce(Buffer in_out, Reduce op) override {
    require_reducible("all_reduce", in_out, op);
    auto operation = start("all_reduce", in_out);
    for_pieces(in_out, in_out.count, [&](std::size_t begin, int count) {
      operation->add([&](MPI_Request* request) {
        return MPI_Iallreduce(MPI_IN_PLACE, at(in_out, begin), count, mpi_type(in_out.type),
                              mpi_op(op), comm_, request);
      });
    });
    return booked(std::move(operation), in_out.bytes());
  }

  Request reduce_scatter(ConstBuffer in, Buffer out, Reduce op) override {
    require_reducible("reduce_scatter", in, op);
    const bool in_place = require_slice("reduce_scatter", out, in, rank_, size_);
    auto operation = start("reduce_scatter", in, out.owner);
    if (!in_place && in.bytes() <= max_message_bytes_) {
      operation->add([&](MPI_Request* request) {
        return MPI_Ireduce_scatter_block(in.data, out.data, static_cast<int>(out.count),
                                         mpi_type(in.type), mpi_op(op), comm_, request);
      });
    } else {
      // MPI's in-place form would move the slice to the front of `in`, and pieces of all slices at
      // once would need a packed copy; one reduction per root needs neither.
      for (int root = 0; root < size_; ++root)
        for_pieces(out, out.count, [&](std::size_t begin, int count) {
          const void* from = at(in, static_cast<std::size_t>(root) * out.count + begin);
          if (root == rank_ && in_place) from = MPI_IN_PLACE;
          operation->add([&](MPI_Request* request) {
            return MPI_Ireduce(from, root == rank_ ? at(out, begin) : nullptr, count,
                               mpi_type(in.type), mpi_op(op), root, comm_, request);
          });
        });
    }
    return booked(std::move(operation), in.bytes());
  }

  Request all_gather(ConstBuffer in, Buffer out) override {
    const bool in_place = require_slice("all_gather", in, out, rank_, size_);
    auto operation = start("all_gather", in, out.owner);
    if (out.bytes() <= max_message_bytes_) {
      operation->add([&](MPI_Request* request) {
        return MPI_Iallgather(in_place ? MPI_IN_PLACE : in.data, static_cast<int>(in.count),
                              mpi_type(in.type), out.data, static_cast<int>(in.count),
                              mpi_type(in.type), comm_, request);
      });
    } else {
      for_pieces(in, in.count, [&](std::size_t begin, int count) {
        operation->add([&](MPI_Request* request) {
          return gather_pieces(in, out, in_place, begin, count, request);
        });
      });
    }
    return booked(std::move(operation), in.bytes());
  }

  Request broadcast(Buffer in_out, int root) override {
    require_host("broadcast", in_out);
    require_rank("broadcast", "root", root, size_);
    auto operation = start("broadcast", in_out);
    for_pieces(in_out, in_out.count, [&](std::size_t begin, int count) {
      operation->add([&](MPI_Request* request) {
        return MPI_Ibcast(at(in_out, begin), count, mpi_type(in_out.type), root, comm_, request);
      });
    });
    return booked(std::move(operation), rank_ == root ? in_out.bytes() : 0);
  }

  Request send(ConstBuffer in, int to, int tag) override {
    require_host("send", in);
    require_rank("send", "to", to, size_);
    require_tag("send", tag);
    auto operation = start("send", in);
    for_pieces(in, in.count, [&](std::size_t begin, int count) {
      operation->add([&](MPI_Request* request) {
        return MPI_Isend(at(in, begin), count, mpi_type(in.type), to, tag, comm_, request);
      });
    });
    return booked(std::move(operation), in.bytes());
  }

  Request receive(Buffer out, int from, int tag) override {
    require_host("receive", out);
    require_rank("receive", "from", from, size_);
    require_tag("receive", tag);
    auto operation = start("receive", out);
    for_pieces(out, out.count, [&](std::size_t begin, int count) {
      operation->add(
          [&](MPI_Request* request) {
            return MPI_Irecv(at(out, begin), count, mpi_type(out.type), from, tag, comm_, request);
          },
          count);
    });
    return booked(std::move(operation), 0);
  }

  Request barrier() override {
    auto operation = start("barrier", {});
    operation->add([&](MPI_Request* request) { return MPI_Ibarrier(comm_, request); });
    return booked(std::move(operation), 0);
  }

  std::unique_ptr<Communicator> split(int color, int key) override {
    require_color("split", color);
    MPI_Comm group = MPI_COMM_NULL;
    require_success(MPI_Comm_split(comm_, color, key, &group), {"split", {}, rank_, size_});
    auto result = std::make_unique<MpiCommunicator>(group, max_message_bytes_);
    if (result->size() == 1) return self_communicator();
    return result;
  }

 private:
  std::unique_ptr<MpiOperation> start(const char* name, const ConstBuffer& buffer,
                                      std::shared_ptr<const void> second_owner = nullptr) const {
    return std::make_unique<MpiOperation>(Call{name, buffer, rank_, size_},
                                          std::move(second_owner));
  }

  Request booked(std::unique_ptr<MpiOperation> operation, std::size_t bytes) const {
    std::atomic_ref(counters().sent_bytes) += bytes;
    std::atomic_ref(counters().messages) += operation->pieces();
    return Request(std::move(operation));
  }

  /// Calls f(first element, elements) for each piece; once with no elements for an empty message,
  /// because the other side waits for it.
  template <class F>
  void for_pieces(const ConstBuffer& buffer, std::size_t count, F f) const {
    const std::size_t most = std::max<std::size_t>(1, max_message_bytes_ / size_of(buffer.type));
    std::size_t begin = 0;
    do {
      const std::size_t piece = std::min(most, count - begin);
      f(begin, static_cast<int>(piece));
      begin += piece;
    } while (begin < count);
  }

  /// Gathers elements [begin, begin + count) of every slice: the receive type is as long as the
  /// piece but its extent is that of a slice, so that each piece lands in the slice of its rank.
  int gather_pieces(const ConstBuffer& in, const Buffer& out, bool in_place, std::size_t begin,
                    int count, MPI_Request* request) const {
    MPI_Datatype piece, strided;
    MPI_Type_contiguous(count, mpi_type(in.type), &piece);
    MPI_Type_create_resized(piece, 0, static_cast<MPI_Aint>(in.bytes()), &strided);
    MPI_Type_commit(&strided);
    const int code = MPI_Iallgather(in_place ? MPI_IN_PLACE : at(in, begin), count,
                                    mpi_type(in.type), at(out, begin), 1, strided, comm_, request);
    MPI_Type_free(&piece);
    MPI_Type_free(&strided);  // lives on until the operation completes
    return code;
  }

  MPI_Comm comm_;
  std::size_t max_message_bytes_;
  int rank_ = 0, size_ = 1;
};

}  // namespace

std::unique_ptr<Communicator> mpi_world(std::size_t max_message_bytes) {
  int initialized = 0;
  MPI_Initialized(&initialized);
  if (!initialized)
    throw CommError(
        "mpi_world: MPI is not initialised (no rank can be reached). Call it inside "
        "run_ranks");
  int size = 0;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  if (size == 1) return self_communicator();
  MPI_Comm world = MPI_COMM_NULL;
  require_success(MPI_Comm_dup(MPI_COMM_WORLD, &world), {"mpi_world", {}, 0, size});
  return std::make_unique<MpiCommunicator>(world, max_message_bytes);
}

int fortran_handle(const Communicator& comm) {
  if (const auto* mpi = dynamic_cast<const MpiCommunicator*>(&comm))
    return MPI_Comm_c2f(mpi->handle());
  if (comm.size() == 1) return MPI_Comm_c2f(MPI_COMM_SELF);
  throw CommError("fortran_handle: a group of " + std::to_string(comm.size()) +
                  " ranks that does not stand on MPI (there is no handle). Pass a communicator "
                  "that mpi_world() or its split() made");
}

}  // namespace vlmark::parallel
