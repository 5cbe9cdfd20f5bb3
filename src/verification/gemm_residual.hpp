#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "kernels/observer.hpp"
#include "src/base/philox.hpp"
#include "src/verification/matrix_reader.hpp"

namespace vlmark::verification {

/// Largest residual that rule V2 lets a product have, by the type of its result.
///
/// bf16: the unit u = 2^-8. One rounding of the exact result gives 0.0016 to 0.0017.
/// fp32: 2^-14. All kernels add exact products of their operands in fp32, which gives some 1e-6;
/// operands or sums in TF32 give 3e-4, in bf16 2e-3, with 3 bits of mantissa 3e-2.
double gemm_limit(DType result);

/// How far a product is from its operands, relative to its size.
struct GemmResidual {
  double whole = 0;       ///< of all rows
  double worst_rows = 0;  ///< of the 32 rows that are worst
  double worst() const { return whole > worst_rows || whole != whole ? whole : worst_rows; }
};

/// Judges one product by random vectors of +-1 in double precision, from the operands as stored:
///
///     e = C x - A (B x) - C_before x,    rho = ||e|| / size,    size = ||A (B x)||
///
/// over four vectors, and more where C has fewer than four rows, so that there are 16 products of a
/// row and a vector at least. The same for every 32 rows, which shows a missing tile of 32 x 32 in a
/// matrix of any size that occurs; rows quieter than 2^-10 of the average count as that.
///
/// Where C is overwritten, size is at least the Frobenius norm of C, which ||A (B x)|| estimates: by
/// few vectors it may come out small by chance. Where C is added to, the rounding of C itself is
/// allowed for: size has u / limit ||C|| in addition, u the unit of C's type.
///
/// Source: Freivalds, "Probabilistic machines can use less running time", IFIP 1977.
/// Cost: 8 (m k + k n + m n) flop and as many elements read, per four vectors.
class GemmProbe {
 public:
  /// To be made before the product runs. `random`: numbers of this probe alone.
  GemmProbe(const kernels::GemmCall& call, const Philox& random, bool staged);
  /// To be called after it has run, with the operands as they were. Waits for its queue.
  GemmResidual judge(const kernels::GemmCall& call) const;

 private:
  static constexpr int kVectors = 4;
  using Vectors = std::vector<std::array<double, kVectors>>;
  static Vectors apply(MatrixReader matrix, bool transposed, const Vectors& x);
  MatrixReader reader(const kernels::GemmCall& call, char operand) const;
  Vectors random_signs(int pass) const;

  Philox random_;
  bool staged_, adds_;
  int m_, n_, passes_;
  std::vector<Vectors> before_;  // [pass][m]: (C_before + bias) x; empty where C is overwritten
};

}  // namespace vlmark::verification
