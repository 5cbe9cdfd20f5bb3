#pragma once

#include <functional>
#include <string>

#include "bench/call.hpp"

namespace vlmark::bench {

/// A call with its operands in memory.
struct Workload {
  std::function<void()> run;  ///< queues the kernel on Exec{}; any number of times
  /// Largest error over what is allowed, after the first run; above 1 or NaN the result is wrong.
  /// Expected values are those of kernels/reference, in double; of large results a sample of rows.
  std::function<double()> error;
  std::function<void()> spoil;  ///< puts a wrong number into the result: for tests of the check
  std::string implementation;   ///< which kernel serves it, where there is a choice
};

/// Allocates and fills the operands of `call` and says how it is run and checked. Throws ValueError
/// where no workload has the kernel's name.
Workload make_workload(const Call& call);

// By families; T is the type of the tensors.
template <class T>
Workload product_workload(const Call& call);
template <class T>
Workload attention_workload(const Call& call);
template <class T>
Workload norm_workload(const Call& call);
template <class T>
Workload activation_workload(const Call& call);
template <class T>
Workload rotary_workload(const Call& call);
template <class T>
Workload embedding_workload(const Call& call);
template <class T>
Workload rows_workload(const Call& call);
template <class T>
Workload sums_workload(const Call& call);
template <class T>
Workload head_workload(const Call& call);
template <class T>
Workload vector_workload(const Call& call);

}  // namespace vlmark::bench
