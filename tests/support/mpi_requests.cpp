#include "tests/support/mpi_requests.hpp"

#include <mpi.h>

#include <atomic>

// Stand before MPI's own functions of these names. Every call that starts or ends a request belongs
// here; one that is missing shows as requests that are never, or too often, waited for.

namespace {

std::atomic<int> open_requests{0};

int started(int code) {
  if (code == MPI_SUCCESS) ++open_requests;
  return code;
}

}  // namespace

int vlmark::test::open_mpi_requests() { return open_requests; }
void vlmark::test::forget_mpi_request() { --open_requests; }

extern "C" {

int MPI_Isend(const void* buffer, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm,
              MPI_Request* request) {
  return started(PMPI_Isend(buffer, count, type, to, tag, comm, request));
}
int MPI_Irecv(void* buffer, int count, MPI_Datatype type, int from, int tag, MPI_Comm comm,
              MPI_Request* request) {
  return started(PMPI_Irecv(buffer, count, type, from, tag, comm, request));
}
int MPI_Iallreduce(const void* in, void* out, int count, MPI_Datatype type, MPI_Op op,
                   MPI_Comm comm, MPI_Request* request) {
  return started(PMPI_Iallreduce(in, out, count, type, op, comm, request));
}
int MPI_Ireduce_scatter_block(const void* in, void* out, int count, MPI_Datatype type, MPI_Op op,
                              MPI_Comm comm, MPI_Request* request) {
  return started(PMPI_Ireduce_scatter_block(in, out, count, type, op, comm, request));
}
int MPI_Ireduce(const void* in, void* out, int count, MPI_Datatype type, MPI_Op op, int root,
                MPI_Comm comm, MPI_Request* request) {
  return started(PMPI_Ireduce(in, out, count, type, op, root, comm, request));
}
int MPI_Iallgather(const void* in, int in_count, MPI_Datatype in_type, void* out, int out_count,
                   MPI_Datatype out_type, MPI_Comm comm, MPI_Request* request) {
  return started(PMPI_Iallgather(in, in_count, in_type, out, out_count, out_type, comm, request));
}
int MPI_Ibcast(void* buffer, int count, MPI_Datatype type, int root, MPI_Comm comm,
               MPI_Request* request) {
  return started(PMPI_Ibcast(buffer, count, type, root, comm, request));
}
int MPI_Ibarrier(MPI_Comm comm, MPI_Request* request) {
  return started(PMPI_Ibarrier(comm, request));
}
int MPI_Wait(MPI_Request* request, MPI_Status* status) {
  const bool open = *request != MPI_REQUEST_NULL;
  const int code = PMPI_Wait(request, status);
  if (open && *request == MPI_REQUEST_NULL) --open_requests;
  return code;
}

}  // extern "C"
