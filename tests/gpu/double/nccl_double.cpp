#include "tests/gpu/double/nccl_double.hpp"

#include <cuda_runtime_api.h>
#include <mpi.h>
#include <nccl.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <vector>

using vlmark::test::nccl_double;

struct ncclComm {
  MPI_Comm comm = MPI_COMM_NULL;
};

/// Work in order; `poll` starts it at the first call and tells when it is done.
struct CUstream_st {
  struct Work {
    ncclComm* comm;
    std::function<bool()> poll;
  };
  std::deque<Work> work;
  std::uint64_t submitted = 0, done = 0;
  bool busy = false;

  void add(ncclComm* comm, std::function<bool()> poll) {
    work.push_back({comm, std::move(poll)});
    ++submitted;
  }
  void progress() {
    while (!work.empty() && work.front().poll()) {
      work.pop_front();
      ++done;
    }
  }
};

struct CUevent_st {
  std::shared_ptr<CUstream_st> stream;
  std::uint64_t at = 0;
  bool complete() const { return stream && stream->done >= at; }
};

namespace {

std::list<std::shared_ptr<CUstream_st>> streams;

std::shared_ptr<CUstream_st> owner(cudaStream_t stream) {
  for (const auto& s : streams)
    if (s.get() == stream) return s;
  return nullptr;
}

void progress_all() {
  for (const auto& stream : streams) stream->progress();
}

/// Starts MPI requests when it is polled first, calls `end` when they are done.
std::function<bool()> mpi_work(std::function<void(std::vector<MPI_Request>&)> start,
                               std::function<void()> end = {}) {
  auto requests = std::make_shared<std::vector<MPI_Request>>();
  auto started = std::make_shared<bool>(false);
  return [=] {
    if (nccl_double().stuck) return false;
    if (!*started) start(*requests);
    *started = true;
    int all = 0;
    MPI_Testall(static_cast<int>(requests->size()), requests->data(), &all, MPI_STATUSES_IGNORE);
    if (all && end) end();
    return all != 0;
  };
}

/// One call between ncclGroupStart and ncclGroupEnd.
struct Call {
  ncclComm_t comm;
  cudaStream_t stream;
  bool message;
  std::function<void(std::vector<MPI_Request>&)> start;
  std::function<void()> end;
};
std::vector<Call> group;

std::pair<MPI_Datatype, int> mpi_type(ncclDataType_t type) {
  switch (type) {
    case ncclFloat32:
      return {MPI_FLOAT, 4};
    case ncclFloat64:
      return {MPI_DOUBLE, 8};
    case ncclInt32:
      return {MPI_INT32_T, 4};
    case ncclInt64:
      return {MPI_INT64_T, 8};
    case ncclBfloat16:
      return {MPI_UINT16_T, 2};
    default:
      return {MPI_UINT8_T, 1};
  }
}
MPI_Op mpi_op(ncclRedOp_t op) {
  return op == ncclSum ? MPI_SUM : op == ncclMax ? MPI_MAX : MPI_MIN;
}

ncclResult_t answer() {
  if (nccl_double().in_progress == 0) return ncclSuccess;
  --nccl_double().in_progress;
  return ncclInProgress;
}

}  // namespace

namespace vlmark::test {

NcclDouble& nccl_double() {
  static NcclDouble instance;
  return instance;
}

void* busy_stream() {
  auto stream = std::make_shared<CUstream_st>();
  stream->busy = true;
  stream->add(nullptr, [raw = stream.get()] { return !raw->busy; });
  streams.push_back(stream);
  return stream.get();
}
void release(void* stream) { static_cast<CUstream_st*>(stream)->busy = false; }

}  // namespace vlmark::test

// The names and signatures below are those of nccl.h and cuda_runtime_api.h.

ncclResult_t ncclGetVersion(int* version) {
  *version = NCCL_VERSION_CODE;
  return ncclSuccess;
}

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  static int counter = 0;
  int made[2] = {0, ++counter};
  MPI_Comm_rank(MPI_COMM_WORLD, &made[0]);
  std::memcpy(id->internal, made, sizeof(made));
  return ncclSuccess;
}

/// The members meet at the rank that made the id.
ncclResult_t ncclCommInitRankConfig(ncclComm_t* comm, int size, ncclUniqueId id, int rank,
                                    ncclConfig_t* config) {
  if (config->blocking != 0) return ncclInvalidArgument;
  int made[2] = {}, self = 0;
  std::memcpy(made, id.internal, sizeof(made));
  const int tag = 30000 + made[1] % 2000;
  MPI_Comm_rank(MPI_COMM_WORLD, &self);
  std::vector<int> members(static_cast<std::size_t>(size));
  const int mine[2] = {rank, self};
  MPI_Request sent = MPI_REQUEST_NULL;
  MPI_Isend(mine, 2, MPI_INT, made[0], tag, MPI_COMM_WORLD, &sent);
  if (self == made[0]) {
    for (int i = 0; i < size; ++i) {
      int other[2] = {};
      MPI_Recv(other, 2, MPI_INT, MPI_ANY_SOURCE, tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      members[static_cast<std::size_t>(other[0])] = other[1];
    }
    for (const int member : members)
      if (member != self) MPI_Send(members.data(), size, MPI_INT, member, tag, MPI_COMM_WORLD);
  } else {
    MPI_Recv(members.data(), size, MPI_INT, made[0], tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  }
  MPI_Wait(&sent, MPI_STATUS_IGNORE);
  MPI_Group world = MPI_GROUP_NULL, chosen = MPI_GROUP_NULL;
  MPI_Comm_group(MPI_COMM_WORLD, &world);
  MPI_Group_incl(world, size, members.data(), &chosen);
  *comm = new ncclComm;
  MPI_Comm_create_group(MPI_COMM_WORLD, chosen, tag, &(*comm)->comm);
  MPI_Group_free(&world);
  MPI_Group_free(&chosen);
  return answer();
}

ncclResult_t ncclCommFinalize(ncclComm_t) { return answer(); }
ncclResult_t ncclCommDestroy(ncclComm_t comm) {
  ++nccl_double().destroys;
  MPI_Comm_free(&comm->comm);
  delete comm;
  return ncclSuccess;
}
ncclResult_t ncclCommAbort(ncclComm_t comm) {
  ++nccl_double().aborts;
  // MPI must not write into buffers that end with the test; what is stuck has not been started.
  const double end = MPI_Wtime() + 5;
  const auto left = [comm](const auto& stream) {
    return std::any_of(stream->work.begin(), stream->work.end(),
                       [comm](const auto& work) { return work.comm == comm; });
  };
  while (!nccl_double().stuck && std::any_of(streams.begin(), streams.end(), left) &&
         MPI_Wtime() < end)
    progress_all();
  for (const auto& stream : streams)
    std::erase_if(stream->work, [comm](const auto& work) { return work.comm == comm; });
  delete comm;  // its MPI communicator may have work in flight and is left to MPI_Finalize
  return ncclSuccess;
}
ncclResult_t ncclCommGetAsyncError(ncclComm_t, ncclResult_t* error) {
  progress_all();
  *error = nccl_double().asynchronous_error
               ? static_cast<ncclResult_t>(nccl_double().asynchronous_error)
               : answer();
  return ncclSuccess;
}
const char* ncclGetErrorString(ncclResult_t code) {
  return code == ncclRemoteError ? "remote process exited or there was a network error" : "text";
}
const char* ncclGetLastError(ncclComm_t) { return "the double's own words"; }

ncclResult_t ncclGroupStart() { return ncclSuccess; }

ncclResult_t ncclGroupEnd() {
  std::vector<Call> messages;
  for (Call& call : group) {
    if (call.message)
      messages.push_back(call);
    else
      call.stream->add(call.comm, mpi_work(call.start, call.end));
  }
  group.clear();
  if (messages.empty()) return answer();
  nccl_double().largest_group =
      std::max(nccl_double().largest_group, static_cast<int>(messages.size()));
  messages[0].stream->add(messages[0].comm, mpi_work([messages](auto& requests) {
                            for (const Call& m : messages) m.start(requests);
                          }));
  return answer();
}

ncclResult_t ncclAllReduce(const void* in, void* out, size_t count, ncclDataType_t type,
                           ncclRedOp_t op, ncclComm_t comm, cudaStream_t stream) {
  if (in != out) return ncclInvalidArgument;
  group.push_back({comm,
                   stream,
                   false,
                   [=](auto& requests) {
                     MPI_Iallreduce(MPI_IN_PLACE, out, static_cast<int>(count),
                                    mpi_type(type).first, mpi_op(op), comm->comm,
                                    &requests.emplace_back());
                   },
                   {}});
  return ncclInProgress;
}

ncclResult_t ncclReduceScatter(const void* in, void* out, size_t count, ncclDataType_t type,
                               ncclRedOp_t op, ncclComm_t comm, cudaStream_t stream) {
  const auto bytes = count * static_cast<std::size_t>(mpi_type(type).second);
  auto sums = std::make_shared<std::vector<std::byte>>(bytes);
  group.push_back({comm, stream, false,
                   [=](auto& requests) {
                     MPI_Ireduce_scatter_block(in, sums->data(), static_cast<int>(count),
                                               mpi_type(type).first, mpi_op(op), comm->comm,
                                               &requests.emplace_back());
                   },
                   [=] { std::memcpy(out, sums->data(), bytes); }});
  return ncclInProgress;
}

ncclResult_t ncclAllGather(const void* in, void* out, size_t count, ncclDataType_t type,
                           ncclComm_t comm, cudaStream_t stream) {
  int rank = 0;
  MPI_Comm_rank(comm->comm, &rank);
  const auto slice = count * static_cast<std::size_t>(mpi_type(type).second);
  const bool in_place = in == static_cast<std::byte*>(out) + static_cast<std::size_t>(rank) * slice;
  group.push_back({comm,
                   stream,
                   false,
                   [=](auto& requests) {
                     MPI_Iallgather(in_place ? MPI_IN_PLACE : in, static_cast<int>(count),
                                    mpi_type(type).first, out, static_cast<int>(count),
                                    mpi_type(type).first, comm->comm, &requests.emplace_back());
                   },
                   {}});
  return ncclInProgress;
}

ncclResult_t ncclBroadcast(const void*, void* out, size_t count, ncclDataType_t type, int root,
                           ncclComm_t comm, cudaStream_t stream) {
  group.push_back({comm,
                   stream,
                   false,
                   [=](auto& requests) {
                     MPI_Ibcast(out, static_cast<int>(count), mpi_type(type).first, root,
                                comm->comm, &requests.emplace_back());
                   },
                   {}});
  return ncclInProgress;
}

ncclResult_t ncclSend(const void* in, size_t count, ncclDataType_t type, int peer, ncclComm_t comm,
                      cudaStream_t stream) {
  group.push_back({comm,
                   stream,
                   true,
                   [=](auto& requests) {
                     // Synchronous: complete only once the receive is there, as NCCL's may be.
                     MPI_Issend(in, static_cast<int>(count), mpi_type(type).first, peer, 0,
                                comm->comm, &requests.emplace_back());
                   },
                   {}});
  return ncclInProgress;
}
ncclResult_t ncclRecv(void* out, size_t count, ncclDataType_t type, int peer, ncclComm_t comm,
                      cudaStream_t stream) {
  group.push_back({comm,
                   stream,
                   true,
                   [=](auto& requests) {
                     MPI_Irecv(out, static_cast<int>(count), mpi_type(type).first, peer, 0,
                               comm->comm, &requests.emplace_back());
                   },
                   {}});
  return ncclInProgress;
}

cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return nccl_double().no_driver ? cudaErrorInsufficientDriver : cudaSuccess;
}
const char* cudaGetErrorName(cudaError_t) { return "cudaErrorInsufficientDriver"; }
const char* cudaGetErrorString(cudaError_t) { return "CUDA driver version is insufficient"; }
cudaError_t cudaDeviceGetStreamPriorityRange(int* lowest, int* highest) {
  *lowest = *highest = 0;
  return cudaSuccess;
}
cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned int, int) {
  streams.push_back(std::make_shared<CUstream_st>());
  *stream = streams.back().get();
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  streams.remove(owner(stream));
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  while (stream->done < stream->submitted) progress_all();
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned int) {
  stream->add(nullptr, [held = *event] { return held.complete(); });
  return cudaSuccess;
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned int) {
  *event = new CUevent_st;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  *event = {owner(stream), stream->submitted};
  return cudaSuccess;
}
cudaError_t cudaEventQuery(cudaEvent_t event) {
  progress_all();
  return event->complete() ? cudaSuccess : cudaErrorNotReady;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}
cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void*) {
  attributes->type = nccl_double().host_memory ? cudaMemoryTypeUnregistered : cudaMemoryTypeDevice;
  return cudaSuccess;
}
