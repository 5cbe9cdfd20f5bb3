#pragma once

#include <span>
#include <vector>

namespace vlmark::stats {

/// What rule R13 asks of the step times of one run.
struct Summary {
  int count = 0;
  double mean_rate = 0;  ///< work / total time (R3), never a mean of rates
  double mean = 0, median = 0, p5 = 0, p95 = 0, p99 = 0, min = 0, max = 0;  ///< seconds
  double cv = 0;    ///< sample standard deviation (n - 1) / mean; 0 for one step
  double lag1 = 0;  ///< lag-1 autocorrelation; 0 where all steps are equal
};

/// Summary of the times of all steps of a window that did `work` together. Quantiles are of type 7
/// (quantile()). Autocorrelation: sum (x_i - m)(x_{i+1} - m) / sum (x_i - m)^2. Sums run in the order
/// of the steps, so that the same samples give the same bits. Throws ValueError for no steps, or a
/// time that is not positive and finite.
Summary summarize(std::span<const double> seconds, double work);

/// Quantile p of ascending values by linear interpolation at position (n - 1) p.
/// Source: Hyndman & Fan, "Sample quantiles in statistical packages", The American Statistician 50
/// (1996), definition 7 (the default of R and NumPy). Throws ValueError for none or p beyond [0, 1].
double quantile(std::span<const double> ascending, double p);

/// Middle value, or the mean of the two middle ones, of values in any order.
double median_of(std::span<const double> values);
double mean_of(std::span<const double> values);
/// Sample standard deviation (n - 1); 0 for one value.
double deviation_of(std::span<const double> values);
/// Sample standard deviation / mean; 0 for one value.
double cv_of(std::span<const double> values);

/// Natural logarithms. Throws ValueError for no values, or one that is not positive and finite.
std::vector<double> logarithms(std::span<const double> values);

/// Spread of the runs of one system as a log ratio: the largest |ln(x / median)|. The noise floor of
/// rule R16: +- spread about the median holds every run.
double spread_of(std::span<const double> values);

}  // namespace vlmark::stats
