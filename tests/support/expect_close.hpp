#pragma once

#include <gtest/gtest.h>

#include <span>
#include <vector>

namespace vlmark::test {

/// Compares element by element: |actual - expected| <= relative * |expected| + absolute.
/// Fails on NaN in either and on different sizes; says the worst index, both values and
/// error / tolerance.
testing::AssertionResult close(std::span<const double> actual, std::span<const double> expected,
                               double relative, double absolute);
testing::AssertionResult close(std::span<const float> actual, std::span<const double> expected,
                               double relative, double absolute);

/// Largest absolute value; 0 for an empty span.
double max_abs(std::span<const double> values);

std::vector<double> to_double(std::span<const float> values);

/// EXPECT that every element is within `tolerance` times the largest |expected|.
void expect_close(std::span<const float> actual, std::span<const double> expected,
                  double tolerance);

}  // namespace vlmark::test
