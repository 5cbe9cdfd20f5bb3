#include "src/verification/step_probes.hpp"

#include <gtest/gtest.h>

#include "kernels/gemm.hpp"
#include "src/base/counters.hpp"
#include "tests/kernels/strided_matrix.hpp"
#include "tests/support/random_data.hpp"

namespace vlmark::test {
namespace {

using namespace kernels;
using verification::StepProbes;

/// x W^T with 40 output and 32 input columns.
void product(int tokens, int columns = 40) {
  const StridedMatrix<float> x(gaussian(static_cast<std::size_t>(tokens * 32), 1), tokens, 32, 0),
      w(gaussian(static_cast<std::size_t>(columns * 32), 2), columns, 32, 0);
  const Mat<float> y("y", static_cast<std::size_t>(tokens), static_cast<std::size_t>(columns));
  gemm(Exec{}, Trans::no, Trans::yes, Mat<const float>(x.view), Mat<const float>(w.view), 0, y);
}

const io::Verification* find(const std::vector<verification::Finding>& all,
                             const std::string& key) {
  for (const auto& f : all)
    if (f.key.find(key) != std::string::npos) return &f.check;
  return nullptr;
}

TEST(StepProbes, LookOnlyWhileTheyWatch) {
  counters().reset();
  StepProbes probes(1);
  product(8);
  EXPECT_EQ(find(probes.findings(), "nt f32 *x40x32"), nullptr);
  EXPECT_FALSE(find(probes.findings(), "no probed kind")->passed);
  {
    const auto watch = probes.watch();
    EXPECT_TRUE(probes.watching());
    product(8);
    product(9);
    product(9);
  }
  EXPECT_FALSE(probes.watching());
  EXPECT_EQ(probes.steps(), 1);
  const auto found = probes.findings();
  const io::Verification* kind = find(found, "nt f32 *x40x32");
  ASSERT_NE(kind, nullptr);
  EXPECT_TRUE(kind->passed);
  EXPECT_NE(kind->item.find("2 probes of 2 shapes"), std::string::npos) << kind->item;
  EXPECT_TRUE(find(found, "no probed kind")->passed);
}

TEST(StepProbes, LaterCallsOfAShapeAreProbedToo) {
  StepProbes probes(1);
  for (int step = 0; step < 2; ++step) {
    const auto watch = probes.watch();
    for (int call = 0; call < 5; ++call) product(8);
  }
  // The first call of both steps, and one more of the second, when it is known that there are five.
  EXPECT_NE(find(probes.findings(), "nt f32")->item.find("3 probes"), std::string::npos);
}

TEST(StepProbes, ProductsOfAKindThatIsNeverProbedCountByTheirWork) {
  counters().reset();
  StepProbes probes(1);
  {
    const auto watch = probes.watch();
    product(1000);
  }
  product(1, 39);  // 0.1 % of the multiply-adds
  EXPECT_TRUE(find(probes.findings(), "no probed kind")->passed);
  product(100, 39);
  const auto found = probes.findings();
  const io::Verification* share = find(found, "no probed kind");
  EXPECT_FALSE(share->passed);
  EXPECT_NE(share->item.find("x39x32"), std::string::npos) << share->item;
}

}  // namespace
}  // namespace vlmark::test
